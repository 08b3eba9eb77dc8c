#!/usr/bin/python3
"""ssh_memory_test.py - the Nth allocation of podform-ssh fails.

Once, or from there on: of the worker, of libssh2 and of libcrypto, before and
in a login, in commands, in copies both ways, in a tunnel; on real pods. The
worker may die of it or answer an error. podform then says so and fails, or
tries again and does all that was asked; a success with less is what must not
be, nor a file that is half there under its own name.

SSH_MEMORY_POINTS is how many are sampled (`all`: every one); KILL_SEED
repeats a sample. failing_malloc.c is preloaded into the worker, which podform
starts without any environment: by a script in its place.
"""
import collections
import hashlib
import os
import re
import shlex
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
for name in ("kill", "ssh", "tunnel"):
    sys.path.insert(0, os.path.join(HERE, name))

from calls import draw, seed, wanted
from crew import MISSED, Report
from inside_pods import Inside
from record import Wrong
from tunnel_world import PODFORM, TunnelCase, alive, free_port, wait_for

WORKER = os.path.join(os.path.dirname(PODFORM), "podform-ssh")
WORK = tempfile.mkdtemp(prefix="sshmem")
LIBRARY = WORK + "/failing_malloc.so"
THREADS = 6
TUNNELS = 4             # projects with a holder, of these threads

# What libcrypto asks for to begin with tells least.
WEIGHT = {"-": 6, "s": 6}

Shot = collections.namedtuple("Shot", "at on")


class Worker:
    """A program in the place of podform-ssh, of which an allocation fails."""

    def __init__(self, name):
        self.path = "%s/%s" % (WORK, name)
        self.map = self.path + ".map"

    def aim(self, shot=None):
        """Nothing fails without a shot: who asks is noted."""
        if os.path.exists(self.map):
            os.unlink(self.map)
        how = {"LD_PRELOAD": LIBRARY, "FAIL_MAP": self.map}
        if shot is not None:
            how.update(FAIL_AT=shot.at, FAIL_ON=int(shot.on))
        with open(self.path + ".new", "w", encoding="ascii") as file:
            file.write("#!/bin/sh\n%s exec %s\n" % (" ".join(
                "%s=%s" % (key, shlex.quote(str(value)))
                for key, value in how.items()), shlex.quote(WORKER)))
        os.chmod(self.path + ".new", 0o755)
        os.rename(self.path + ".new", self.path)

    def noted(self):
        with open(self.map, encoding="latin-1") as file:
            return file.read().rstrip("\0")

    def struck(self):
        return "*" in self.noted()


# ---------------------------------------------------------------- commands ----

SPEC = """
project: memory
pods:
  trainer:
    image: runpod/pytorch
    gpu: [NVIDIA A40]
    disk: 10GB
    ports: [22/tcp]
"""

BIG = hashlib.shake_256(b"big").digest(150000)
FILES = {"big": BIG, "empty": b"", "sub/small": b"small\n"}


class Pods(Inside):
    spec = SPEC


def failed_with_words(done, worker):
    """An error of podform's own, which says what failed."""
    said = done.stderr
    if isinstance(said, bytes):
        said = said.decode("utf-8", "replace")
    if done.returncode not in (1, 8):
        raise Wrong("exit %d\n%s" % (done.returncode, said))
    if not re.search(r"^error: .+ \[PF\d{4}\]$", said, re.M):
        raise Wrong("no error is told\n%s" % said)
    blames_the_worker(said)
    if not worker.struck():
        raise Wrong("failed for another reason\n%s" % said)


def blames_the_worker(said):
    """And neither the pod nor its server nor our keys."""
    if "the SSH worker" not in said:
        raise Wrong("somebody else is blamed:\n" + said)


def podform(worker, *words, **more):
    return Pods.podform(*words, env={"PODFORM_SSH_WORKER": worker.path},
                        **more)


def run_exec(worker):
    done = podform(worker, "exec", "trainer", "--",
                   "cat; echo end >&2; exit 7", input=BIG, text=False)
    if done.returncode == 7:
        if done.stdout != BIG or done.stderr != b"end\n":
            raise Wrong("a success with less: %d bytes, %r" %
                        (len(done.stdout), done.stderr))
    else:
        if not BIG.startswith(done.stdout):
            raise Wrong("other bytes came")
        failed_with_words(done, worker)


def make_files(top):
    for name, content in FILES.items():
        path = os.path.join(top, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(content)


SOURCE = WORK + "/source"
SUMS = {name: hashlib.sha256(content).hexdigest()
        for name, content in FILES.items()}


def whole_or_not_there(found, all_of_them):
    for name, digest in found.items():
        if name in SUMS and SUMS[name] != digest:
            raise Wrong("half of %s is there" % name)
    if all_of_them and {name: found.get(name) for name in SUMS} != SUMS:
        raise Wrong("a success with less: %s" % sorted(found))


def run_copy_to(worker):
    there = "/workspace/" + os.path.basename(tempfile.mktemp())
    done = podform(worker, "cp", SOURCE, "trainer:" + there)
    if done.returncode != 0:
        failed_with_words(done, worker)
    look = Pods.podform("exec", "trainer", "--", "mkdir -p %s && cd %s && "
                        "find . -type f -exec sha256sum {} +; rm -r %s" %
                        (there, there, there))
    if look.returncode != 0:
        raise Wrong("cannot look: " + look.stderr)
    lines = [line.split("  ./", 1) for line in look.stdout.splitlines()]
    whole_or_not_there({name: digest for digest, name in lines},
                       done.returncode == 0)


def run_copy_from(worker):
    here = tempfile.mktemp(dir=WORK)
    done = podform(worker, "cp", "trainer:/workspace/source", here)
    if done.returncode != 0:
        failed_with_words(done, worker)
    found = {}
    for top, _, names in os.walk(here):
        for name in names:
            path = os.path.join(top, name)
            with open(path, "rb") as file:
                found[os.path.relpath(path, here)] = hashlib.sha256(
                    file.read()).hexdigest()
    whole_or_not_there(found, done.returncode == 0)


# ----------------------------------------------------------------- tunnels ----

class Echo:
    """Says all of what came, at its end."""

    def __init__(self):
        self.sock = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.sock.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            client, _ = self.sock.accept()
            threading.Thread(target=self.serve, args=(client,),
                             daemon=True).start()

    @staticmethod
    def serve(client):
        try:
            with client:
                client.sendall(read_all(client))
        except OSError:
            pass


def read_all(sock):
    parts = []
    while True:
        part = sock.recv(1 << 16)
        if not part:
            return b"".join(parts)
        parts.append(part)


def exchange(port):
    """What came back, or nothing."""
    try:
        with socket.create_connection(("127.0.0.1", port), 10) as sock:
            sender = threading.Thread(target=pour, args=(sock,))
            sender.start()
            got = read_all(sock)
            sender.join()
            return got
    except OSError:
        return b""


def pour(sock):
    try:
        sock.sendall(BIG)
        sock.shutdown(socket.SHUT_WR)
    except OSError:
        pass


class Tunnel(TunnelCase):
    """A project with a pod, and a holder for each shot."""

    echo = None

    def begin(self, worker):
        self.setUp()
        self.env["PODFORM_SSH_WORKER"] = worker.path
        self.live = self.pod()

    def one(self, worker):
        if os.path.exists(self.path("tunnels.log")):
            os.unlink(self.path("tunnels.log"))
        port = free_port()
        self.start_holder()
        pid = self.holder_pid()
        try:
            answer = self.open(self.live, port, timeout_ms=2500,
                               remote_port=self.echo.port)
            if not answer["ok"]:
                blames_the_worker(answer.get("reason", ""))
            elif exchange(port) != BIG:
                self.look_at_broken(worker)
        finally:
            self.end_holder()
            wait_for(lambda: not alive(pid))

    def look_at_broken(self, worker):
        """It was up, and then broke: the log says why."""
        until = time.monotonic() + 5
        while "backoff: " not in self.log():
            if time.monotonic() > until:
                raise Wrong("broken without a word:\n" + self.log())
            time.sleep(0.05)
        blames_the_worker(self.log())
        if not worker.struck():
            raise Wrong("broke for another reason:\n" + self.log())


# -------------------------------------------------------------------- main ----

COMMANDS = {"exec": run_exec, "copy to a pod": run_copy_to,
            "copy from a pod": run_copy_from}
SHARE = {"exec": 32, "copy to a pod": 20, "copy from a pod": 20,
         "tunnel": 24}


def share(name):
    points = wanted("SSH_MEMORY_POINTS", sum(SHARE.values()))
    return None if points is None else \
        max(2, SHARE[name] * points // sum(SHARE.values()))


def shots(chance, callers, name):
    every = [Shot(at, on) for at in range(1, len(callers) + 1)
             for on in (False, True)]
    if share(name) is None:
        return every
    counts = collections.Counter(callers)
    return draw(chance, every, share(name), lambda shot:
                WEIGHT.get(callers[shot.at - 1], 1) /
                counts[callers[shot.at - 1]])


class Queue:
    def __init__(self, name, shots_of_it, one):
        self.name, self.shots, self.one = name, list(shots_of_it), one
        self.lock = threading.Lock()

    def take(self):
        with self.lock:
            return self.shots.pop() if self.shots else None


def strike_all(queue, worker, one, report):
    while True:
        shot = queue.take()
        if shot is None:
            return
        problem = None
        worker.aim(shot)
        try:
            one(worker)
        except (Wrong, OSError, ValueError, KeyError, AssertionError,
                subprocess.SubprocessError) as error:
            problem = "%s: %s" % (type(error).__name__, error)
        struck = worker.struck() if os.path.exists(worker.map) else False
        report.point(queue.name + ", memory of podform-ssh", "%d%s" % (
            shot.at, " and on" if shot.on else ""), problem, not struck)


def counted(worker, one):
    worker.aim()
    one(worker)
    return worker.noted()


def commands(report, number):
    """Of one thread: some of all kinds."""
    worker = Worker("worker%d" % number)
    for queue in QUEUES:
        strike_all(queue, worker, queue.one, report)


def tunnels(queue, report, number):
    worker = Worker("tunnel%d" % number)
    tunnel = Tunnel()
    try:
        worker.aim()
        tunnel.begin(worker)
        strike_all(queue, worker, tunnel.one, report)
    finally:
        tunnel.doCleanups()


QUEUES = []


def strike(report):
    chance = seed()
    worker = Worker("count")
    make_files(SOURCE)
    done = Pods.podform("cp", SOURCE, "trainer:/workspace/source")
    if done.returncode != 0:
        raise Wrong(done.stderr)
    for name, one in COMMANDS.items():
        QUEUES.append(Queue(name, shots(chance, counted(worker, one), name),
                            one))
    Tunnel.echo = Echo()
    tunnel = Tunnel()
    try:
        tunnel.begin(worker)
        callers = counted(worker, tunnel.one)
    finally:
        tunnel.doCleanups()
    through = Queue("tunnel", shots(chance, callers, "tunnel"), None)
    threads = [threading.Thread(target=tunnels, args=(through, report, i))
               for i in range(TUNNELS)]
    threads += [threading.Thread(target=commands, args=(report, i))
                for i in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def build():
    compiler = shlex.split(os.environ.get("CC", "gcc"))
    subprocess.run([*compiler, "-std=c17", "-Wall", "-Wextra", "-O1", "-fPIC",
                    "-shared", "-o", LIBRARY, HERE + "/failing_malloc.c"],
                   check=True)


def main():
    with open(WORKER, "rb") as file:
        if b"__asan_init" in file.read():
            print("skip: a sanitizer has an allocator of its own")
            return 77
    build()
    report = Report()
    try:
        Pods.setUpClass()
        strike(report)
    except unittest.SkipTest:
        return 77
    finally:
        Pods.doClassCleanups()
    return report.close()


if __name__ == "__main__":
    sys.exit(main())
