#!/usr/bin/python3
"""memory_test.py - the Nth allocation of the real podform fails.

Once, or from there on: of the program and of its libraries, in reading a
spec, in plans, lists and applies, also of what a killed run has left in the
journal. Each ends with an error, or by fail_out_of_memory(), or does all
that was asked; the lock file reads, the journal knows every pod, and the
next run settles. A success with less is what must not be.

MEMORY_POINTS is how many are sampled (`all`: every one); KILL_SEED repeats
a sample. failing_malloc.c is preloaded; under a sanitizer, which has an
allocator of its own, it cannot be.
"""

import collections
import os
import re
import shlex
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + "/kill")

from calls import draw, may_trace, seed, strike, wanted, Point
from crew import MISSED, REPORTED, Report, work
from record import Wrong, read_bytes
from scenes import BEFORE, SCENES, YES, command
from world import PODFORM, TOP, Sim

HERE = os.path.dirname(os.path.abspath(__file__))
LIBRARY = tempfile.mkdtemp(prefix="malloc") + "/failing_malloc.so"
BATCH = 25      # points of one project, where nothing is changed

# The program's own code first; what OpenSSL takes to begin tells least.
WEIGHT = {"-": 8, "y": 4, "u": 4, "c": 2}

Shot = collections.namedtuple("Shot", "at on caller")


def preload(at=None, on=False, told=None, write_max=None):
    env = {"LD_PRELOAD": LIBRARY}
    if at is not None:
        env.update(FAIL_AT=str(at), FAIL_ON=str(int(on)))
    if told is not None:
        env["FAIL_TOLD"] = str(told)
    if write_max is not None:
        env["WRITE_MAX"] = str(write_max)
    return env


def callers(project, *words):
    """Who asks for memory, in the order in which it is asked for."""
    path = project.dir + ".map"
    project.run(*words, status=None, env={**preload(), "FAIL_MAP": path})
    with open(path, encoding="latin-1") as file:
        text = file.read().rstrip("\0")
    os.unlink(path)
    if not text:
        raise Wrong("nothing was counted")
    return text


def shots(chance, text, share):
    """Some of all allocations, each failing once or for ever; of either
    half, and by who asks."""
    every = [Shot(at, on, caller) for at, caller in enumerate(text, 1)
             for on in (False, True)]
    if share is None:
        return every
    counts = collections.Counter(text)
    return draw(chance, every, share, lambda shot:
                WEIGHT.get(shot.caller, 1) / counts[shot.caller])


def shoot(project, shot, *words, **more):
    """Its status, what it printed, and whether an allocation failed."""
    back, told = os.pipe()
    os.set_blocking(back, False)
    try:
        status, text = project.run(
            *words, status=None, pass_fds=(told,),
            env=preload(shot.at, shot.on, told), **more)
        os.close(told)
        told = None
        return status, text, os.read(back, 2) != b""
    finally:
        os.close(back)
        if told is not None:
            os.close(told)


def ended_well(status, text):
    """An error with words, or the message of fail_out_of_memory()."""
    if status == -signal.SIGABRT:
        if "out of memory" not in text:
            raise Wrong("aborted without a word\n" + text)
    elif not 0 <= status < 128:
        raise Wrong("exit %d\n%s" % (status, text))
    elif status != 0 and not text:
        raise Wrong("exit %d without a word" % status)


# ------------------------------------------------- where nothing changes ---

def stable(text):
    """Without what time alone changes."""
    text = re.sub(r"\d\d:\d\d:\d\dZ, \d+ s ago|\b\d+ ?s\b|Balance: .*",
                  "TIME", text)
    return re.sub(" +", " ", text)      # columns are as wide as it takes


def nothing_here(sim):
    return SCENES["create"].prepare(sim)


def something_here(sim):
    return SCENES["replace"].prepare(sim)


def journal_left(sim):
    """A run that was killed when both pods were made and none committed."""
    project = SCENES["create"].prepare(sim)
    project.run("apply", *YES, status=None, before=strike(
        Point("create", "rename", "2+"), "signal=SIGKILL"))
    if not project.journal():
        raise Wrong("no journal is left")
    return project


EXAMPLES = [TOP + "/examples/" + name for name in
            ("training-fleet", "comfyui", "ci-runner")]

READERS = {
    "parse": (nothing_here, ("validate", "-C", EXAMPLES[0])),
    "parse again": (nothing_here, ("validate", "-C", EXAMPLES[1])),
    "parse once more": (nothing_here, ("validate", "-C", EXAMPLES[2])),
    "plan": (something_here, ("plan", "--detailed-exitcode")),
    "replay": (journal_left, ("plan", "--detailed-exitcode")),
    "list": (something_here, ("status",)),
    "records": (something_here, ("state", "list")),
}


def read_only(sim, report, name, batch):
    """All of a batch on one project: it stays what it is."""
    prepare, words = READERS[name]
    with prepare(sim) as project:
        def told():
            return project.run(*words, status=None, stderr=None)
        code, text = told()
        text = stable(text)
        for shot in batch:
            before = picture(project)
            problem, struck = None, True
            try:
                with open(project.dir + "/stderr", "w+b") as err:
                    status, out, struck = shoot(project, shot, *words,
                                                stderr=err)
                    err.seek(0)
                    said = out + err.read().decode("utf-8", "replace")
                if status == code:
                    if stable(out) != text:
                        raise Wrong("a success with less:\n%s\nwanted:\n%s" %
                                    (stable(out), text))
                elif status == 0 or status == 2:
                    raise Wrong("exit %d, wanted %d\n%s" %
                                (status, code, said))
                else:
                    ended_well(status, said)
                if picture(project) != before:
                    raise Wrong("something was changed")
            except Wrong as wrong:
                problem = str(wrong)
            report.point("%s, memory" % name, "%d%s" % (
                shot.at, " and on" if shot.on else ""), problem, not struck)
    return REPORTED


def picture(project):
    return (read_bytes(project.dir + "/podform.lock"),
            read_bytes(project.dir + "/.podform/journal"))


# -------------------------------------------------- where something does ---

def change(sim, name, shot):
    scene = SCENES[name]
    with scene.prepare(sim) as project:
        status, text, struck = shoot(project, shot, *command(scene, project))
        project.check_now()
        ended_well(status, text)
        if status == 0:
            scene.finished(project)
        if not scene.before and name != "import" and 0 < status != 10:
            left = project.alive()
            if left:
                raise Wrong("exit %d, and left: %s\n%s" %
                            (status, left, text))
        scene.settle(project)
    return None if struck else MISSED


def replay(sim, shot):
    """An apply on what a killed one has left in the journal."""
    scene = SCENES["create"]
    with journal_left(sim) as project:
        project.check_now()
        status, text, struck = shoot(project, shot, "apply", *YES)
        project.check_now()
        ended_well(status, text)
        if status == 0:
            scene.finished(project)
        scene.settle(project)
    return None if struck else MISSED


def short_writes(sim, name, most):
    """Not memory, but of the same library: each write takes a few bytes."""
    scene = SCENES[name]
    with scene.prepare(sim) as project:
        status, text = project.run(*command(scene, project), status=None,
                                   env=preload(write_max=most))
        project.check_now()
        # The journal takes it for a full disk, and says so.
        if status != scene.status and (status not in (1, 9, 10) or
                                       "cannot write" not in text):
            raise Wrong("exit %d\n%s" % (status, text))
        if status == 0:
            scene.finished(project)
        scene.settle(project)


# Of 2,000: those that only read cost little.
SHARE = {"parse": 400, "parse again": 280, "parse once more": 160,
         "plan": 240, "replay": 160, "list": 180, "records": 84,
         "create": 140, "replace": 60, "scale-down": 50, "rollback": 50,
         "destroy": 60, "import": 80, "apply again": 60}


def share(name):
    points = wanted("MEMORY_POINTS", sum(SHARE.values()))
    return None if points is None else \
        max(2, SHARE[name] * points // sum(SHARE.values()))


def jobs(report):
    chance = seed()
    sim = Sim()
    why = may_trace()
    try:
        for name, (prepare, words) in READERS.items():
            if prepare is journal_left and why:
                print("skip: %s; no journal is left to be replayed" % why)
                continue
            with prepare(sim) as project:
                text = callers(project, *words)
            picked = shots(chance, text, share(name))
            for i in range(0, len(picked), BATCH):
                yield (name, "", lambda sim, n=name, b=picked[i:i + BATCH]:
                       read_only(sim, report, n, b))
        for name, scene in SCENES.items():
            with scene.prepare(sim) as project:
                text = callers(project, *command(scene, project))
            for shot in shots(chance, text, share(name)):
                yield ("%s, memory" % name, "%d%s" % (
                    shot.at, " and on" if shot.on else ""),
                    lambda sim, n=name, s=shot: change(sim, n, s))
            for most in (1, 4, 100):
                yield ("short writes", "%s, %d" % (name, most),
                       lambda sim, n=name, m=most: short_writes(sim, n, m))
        if not why:
            with journal_left(sim) as project:
                text = callers(project, "apply", *YES)
            for shot in shots(chance, text, share("apply again")):
                yield ("apply again, memory", "%d%s" % (
                    shot.at, " and on" if shot.on else ""),
                    lambda sim, s=shot: replay(sim, s))
    finally:
        sim.stop()


def build():
    compiler = shlex.split(os.environ.get("CC", "gcc"))
    subprocess.run([*compiler, "-std=c17", "-Wall", "-Wextra", "-O1", "-fPIC",
                    "-shared", "-o", LIBRARY, HERE + "/failing_malloc.c"],
                   check=True)


def main():
    with open(PODFORM, "rb") as file:
        if b"__asan_init" in file.read():
            print("skip: a sanitizer has an allocator of its own")
            return 77
    build()
    report = Report()
    work(list(jobs(report)), report)
    return report.close()


if __name__ == "__main__":
    sys.exit(main())
