"""calls.py - which system calls a command makes, and points among them.

strace counts them in a recording run and later strikes at one of them:

	strace -f -e trace=X -e inject=X:signal=SIGKILL:when=N

--seccomp-bpf, by which the kernel stops at X alone, makes errors cheaper to
inject; with it strace 6.1 injects no signals, without a word.
"""

import collections
import os
import random
import re
import subprocess

from scenes import SCENES, command

# Striking where something is written, sent or waited for tells most.
WRITES = {"write", "pwrite64", "writev", "fsync", "fdatasync", "rename",
          "renameat", "link", "unlink", "ftruncate", "sendto", "sendmsg",
          "fchmod", "mkdir"}
WAITS = {"connect", "recvfrom", "recvmsg", "poll", "ppoll", "epoll_wait",
         "epoll_pwait", "epoll_ctl", "openat", "close", "flock", "fcntl",
         "socket", "read"}
# They end what they belong to, or are how it begins.
NEVER = {"exit_group", "exit", "execve"}

Point = collections.namedtuple("Point", "scene call when")


def may_trace():
    """Why strace cannot trace here, or nothing."""
    try:
        done = subprocess.run(
            ["strace", "-f", "--seccomp-bpf", "-o", "/dev/null", "-e",
             "trace=write", "-e", "inject=write:error=EIO:when=99", "true"], stdin=subprocess.DEVNULL,
            capture_output=True, check=False)
    except FileNotFoundError:
        return "there is no strace"
    return "" if done.returncode == 0 else "strace cannot trace here"


def record(sim, scene):
    """How often the command of scene makes each system call."""
    with scene.prepare(sim) as project:
        out = project.dir + "/trace"
        project.run(*command(scene, project), status=None,
                    before=["strace", "-f", "-o", out])
        with open(out, encoding="utf-8", errors="replace") as file:
            lines = file.read().splitlines()
    first = lines[0].split()[0]
    calls = collections.Counter()
    for line in lines:
        found = re.match(r"(\d+) +(\w+)\(", line)
        if found and found.group(1) == first:
            calls[found.group(2)] += 1
    for call in NEVER:
        calls.pop(call, None)
    return calls


def record_all(sim):
    return {name: record(sim, scene) for name, scene in SCENES.items()}


def weight(call):
    return 6 if call in WRITES else 3 if call in WAITS else 1


def every_point(counts, only=None):
    return [Point(name, call, when)
            for name, calls in counts.items()
            for call, n in sorted(calls.items())
            if only is None or call in only
            for when in range(1, n + 1)]


def sample(chance, counts, wanted, only=None):
    """`wanted` points, as many of each scene; within it of each kind of
    call by its weight, however often it is made."""
    if wanted is None:
        return every_point(counts, only)
    chosen = []
    names = list(counts)
    for i, name in enumerate(names):
        points = every_point({name: counts[name]}, only)
        share = wanted // len(names) + (i < wanted % len(names))
        chosen += draw(chance, points, share, lambda point:
                       weight(point.call) / counts[name][point.call])
    return chosen


def draw(chance, points, share, weight_of):
    """So many by weight, none twice: the smallest of -log(u)/w win."""
    keys = {point: chance.expovariate(weight_of(point)) for point in points}
    return sorted(points, key=keys.get)[:share]


def strike(point, how):
    """What to put before the command."""
    cheap = [] if how.startswith("signal=") else ["--seccomp-bpf"]
    return ["strace", "-f", *cheap, "-o", "/dev/null", "-e",
            "trace=" + point.call, "-e",
            "inject=%s:%s:when=%s" % (point.call, how, point.when)]


def seed():
    """Of this run: KILL_SEED, or one of chance."""
    number = int(os.environ.get("KILL_SEED") or random.randrange(1 << 32))
    print("# KILL_SEED=%d repeats this run" % number, flush=True)
    return random.Random(number)


def wanted(variable, default):
    """How many points; None for all."""
    value = os.environ.get(variable, str(default))
    return None if value == "all" else int(value)
