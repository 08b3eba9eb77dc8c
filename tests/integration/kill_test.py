#!/usr/bin/python3
"""kill_test.py - the real podform, struck at any of its system calls.

Create, replace, scale-down, rollback, destroy and import run against
podform-sim. strace sends a signal at the Nth call of a kind: SIGKILL at
about 200 of them, SIGINT once and twice, SIGTERM, SIGHUP and SIGSTOP at
some. Right after it the lock file must read, the journal must know every
pod that was made, no foreign pod may have been touched, and nothing may
ever have been billed twice. The next run then has to leave exactly what
was asked for, all of it in the lock file, and nothing to do.

KILL_POINTS is how many calls are sampled for SIGKILL (`all`: every one, and
ten times as many of the other signals); KILL_SEED repeats a sample.
"""

import os
import re
import signal
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + "/kill")

from calls import may_trace, record_all, sample, seed, strike, wanted
from crew import MISSED, Report, work
from record import Wrong
from scenes import SCENES, command
from world import PODFORM, SETTLE, Sim

PATIENCE = 33       # seconds; reads are given up after 30, settling in 1


# ---------------------------------------------------------------- SIGKILL ---

def kill(sim, point):
    scene = SCENES[point.scene]
    with scene.prepare(sim) as project:
        status, text = project.run(
            *command(scene, project), status=None,
            before=strike(point, "signal=SIGKILL"))
        project.check_now()
        if status == 0:     # it makes a call less now and then
            scene.finished(project)
        elif status not in (-signal.SIGKILL, scene.status):
            raise Wrong("exit %d\n%s" % (status, text))
        scene.settle(project)
    return None if status == -signal.SIGKILL else MISSED


# -------------------------------------------------------- other signals ---

def signalled(sim, point, name, times):
    scene = SCENES[point.scene]
    if times > 1:
        point = point._replace(when="%d..%d" % (point.when,
                                                point.when + times - 1))
    with scene.prepare(sim) as project:
        status, text = project.run(
            *command(scene, project), status=None,
            before=strike(point, "signal=" + name))
        if status not in (0, 1, 9, 10, 130, 143, -getattr(signal, name)):
            raise Wrong("exit %d\n%s" % (status, text))
        project.check_now()
        scene.honest(project, status, text)
        scene.settle(project)


def traced(strace):
    """The podform that strace runs, and its state; strace has had other
    children before it."""
    path = "/proc/%d/task/%d/children" % (strace, strace)
    try:
        with open(path, encoding="ascii") as file:
            pids = file.read().split()
        for pid in pids:
            if os.path.realpath("/proc/%s/exe" % pid) == \
                    os.path.realpath(PODFORM):
                with open("/proc/%s/stat" % pid, encoding="ascii") as file:
                    return int(pid), file.read().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        pass
    return None, ""


def wait_for_stop(process):
    """Its pid once it stands still; None when it is through."""
    still, end = 0, time.monotonic() + 60
    while process.poll() is None:
        pid, state = traced(process.pid)
        still = still + 1 if state in ("t", "T") else 0
        if still == 5:
            return pid
        if time.monotonic() > end:
            raise Wrong("neither stopped nor through after 60 s")
        time.sleep(0.03)
    return None


def frozen(sim, point, seconds):
    """Stopped in the middle for so long; another podform comes meanwhile."""
    scene = SCENES[point.scene]
    with scene.prepare(sim) as project:
        process = project.start(*command(scene, project),
                                before=strike(point, "signal=SIGSTOP"))
        pid = None
        try:
            pid = wait_for_stop(process)
            if pid is not None:
                project.check_now()
                status, text = project.run(*command(scene, project),
                                           status=None)
                if status not in (0, 1, 5, 9, 10):
                    raise Wrong("beside it: exit %d\n%s" % (status, text))
                project.check_now()
                time.sleep(seconds)
                os.kill(pid, signal.SIGCONT)
            text = process.communicate(timeout=90)[0].decode()
        finally:
            if process.poll() is None:
                process.kill()
                if pid is not None:
                    os.kill(pid, signal.SIGKILL)
                process.communicate()
        if process.returncode not in (0, 1, 5, 6, 9, 10):
            raise Wrong("exit %d\n%s" % (process.returncode, text))
        project.check_now()
        scene.settle(project)
    return None if pid is not None else MISSED


# ------------------------------------------------------- by what it says ---

def wait_for(path, text, seconds=10):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            with open(path, encoding="utf-8", errors="replace") as file:
                if text in file.read():
                    return
        except FileNotFoundError:
            pass
        time.sleep(0.01)
    raise Wrong("'%s' did not come" % text)


def signal_when(project, text, *signals, pause=0.15,
                words=("apply", "-y", "--settle", SETTLE)):
    """Start words, send signals once they have said text."""
    path = project.dir + "/said"
    with open(path, "w", encoding="utf-8") as said:
        process = project.start(*words, stdout=said, stderr=said)
        wait_for(path, text)
        for i, number in enumerate(signals):
            if i > 0:
                time.sleep(pause)
            process.send_signal(number)
        status = process.wait(timeout=60)
    with open(path, encoding="utf-8") as said:
        return status, said.read()


def all_undone(project, status, text, code):
    if status != code:
        raise Wrong("exit %d, wanted %d\n%s" % (status, code, text))
    if project.alive() or project.volumes():
        raise Wrong("left: %s %s\n%s" %
                    (project.alive(), project.volumes(), text))


def rolled_back(sim, number, code):
    scene = SCENES["create"]
    with scene.prepare(sim) as project:
        sim.ask("POST", "pace", {"start_ms": 30000})
        status, text = signal_when(project, "pod.two: waiting", number)
        sim.ask("POST", "pace", {"start_ms": 0})
        all_undone(project, status, text, code)
        if "once more leaves at once" not in text:
            raise Wrong("it does not say what a second one does\n" + text)
        if project.journal():
            raise Wrong("in the journal: %s" % project.journal())
        scene.settle(project)


def interrupt_once_undoes_and_exits_130(sim):
    rolled_back(sim, signal.SIGINT, 130)


def terminate_once_undoes_and_exits_143(sim):
    rolled_back(sim, signal.SIGTERM, 143)


# Everywhere but in watch it means what SIGTERM means.
def hangup_once_undoes_and_exits_143(sim):
    rolled_back(sim, signal.SIGHUP, 143)


# I18: every pod that still bills, with its price, and what to type next.
def interrupt_of_a_destroy_lists_what_still_bills(sim):
    scene = SCENES["destroy"]
    with scene.prepare(sim) as project:
        sim.ask("POST", "faults", {"delete": {"slow": 1.0},
                                   "delay_max_ms": 1500})
        status, text = signal_when(
            project, "terminating", signal.SIGINT,
            words=("destroy", "-y", "--parallelism", "1"))
        left = [pod["id"] for pod in project.pods()
                if pod["ended_ms"] is None]
        if not left or status != 10:
            raise Wrong("exit %d, alive: %s\n%s" % (status, left, text))
        for one in left:
            if not re.search(r"%s +\$0\.\d+/h" % one, text):
                raise Wrong("%s is not listed with its price\n%s" %
                            (one, text))
        if "Next: podform destroy" not in text:
            raise Wrong("it does not say what to type next\n" + text)
        sim.ask("DELETE", "faults")
        scene.settle(project)


def interrupt_twice_leaves_at_once_and_lists_what_is_left(sim):
    scene = SCENES["create"]
    with scene.prepare(sim) as project:
        # Rollback takes long: the second signal must not wait for it.
        sim.ask("POST", "pace", {"start_ms": 30000})
        sim.ask("POST", "faults", {"delete": {"slow": 1.0},
                                   "delay_max_ms": 8000})
        began = time.monotonic()
        status, text = signal_when(project, "pod.two: waiting",
                                   signal.SIGINT, signal.SIGINT, pause=0.1)
        took = time.monotonic() - began
        sim.ask("DELETE", "faults")
        sim.ask("POST", "pace", {"start_ms": 0})
        if status != 10:
            raise Wrong("exit %d, wanted 10\n%s" % (status, text))
        if took > 5:
            raise Wrong("it took its time: %.1f s\n%s" % (took, text))
        project.check_now()
        scene.honest(project, status, text)
        scene.settle(project)


# A create is on its way: it comes to a result before anything is undone.
def interrupt_waits_for_a_create_that_is_on_its_way(sim):
    scene = SCENES["create"]
    with scene.prepare(sim) as project:
        sim.ask("POST", "pace", {"latency_ms": 400})
        status, text = signal_when(project, "pod.two: creating",
                                   signal.SIGINT)
        sim.ask("POST", "pace", {"latency_ms": 0})
        all_undone(project, status, text, 130)
        scene.settle(project)


def kill_after(sim, name, delay):
    scene = SCENES[name]
    with scene.prepare(sim) as project:
        sim.ask("POST", "pace", {"latency_ms": 5})
        process = project.start(*command(scene, project))
        time.sleep(delay)
        process.kill()
        process.communicate()
        sim.ask("POST", "pace", {"latency_ms": 0})
        project.check_now()
        scene.settle(project)


BY_WORDS = (interrupt_once_undoes_and_exits_130,
            terminate_once_undoes_and_exits_143,
            hangup_once_undoes_and_exits_143,
            interrupt_of_a_destroy_lists_what_still_bills,
            interrupt_twice_leaves_at_once_and_lists_what_is_left,
            interrupt_waits_for_a_create_that_is_on_its_way)


def label(point):
    return "%s at %s %s" % point


def jobs():
    """The long ones first, so that others run while they wait."""
    for test in BY_WORDS:
        yield test.__name__, "", test
    for name in SCENES:
        for delay in (0.01, 0.03):
            yield ("killed after a time", "%s, %d ms" %
                   (name, delay * 1000),
                   lambda sim, a=name, b=delay: kill_after(sim, a, b))
    why = may_trace()
    if why:
        print("skip: %s; only kills by time" % why)
        return
    chance = seed()
    sim = Sim()
    try:
        counts = record_all(sim)
    finally:
        sim.stop()
    points = wanted("KILL_POINTS", 204)
    many = 10 if points is None else 1
    for group, how, seconds, n in (
            ("frozen long", None, PATIENCE, 3),
            ("frozen", None, 0.4, 12)):
        for point in sample(chance, counts, n * many, {
                "sendto", "recvfrom", "fdatasync", "poll", "rename",
                "write"}):
            yield (group, label(point), lambda sim, p=point, s=seconds:
                   frozen(sim, p, s))
    for name, times, n in (("SIGINT", 1, 18), ("SIGINT", 2, 12),
                           ("SIGTERM", 1, 12), ("SIGHUP", 1, 12)):
        group = name + " at a call" + (" and again" if times > 1 else "")
        for point in sample(chance, counts, n * many):
            yield (group, label(point), lambda sim, p=point, s=name, t=times:
                   signalled(sim, p, s, t))
    for point in sample(chance, counts, points):
        yield ("%s, SIGKILL" % point.scene, label(point),
               lambda sim, p=point: kill(sim, p))


def main():
    report = Report()
    work(list(jobs()), report)
    return report.close()


if __name__ == "__main__":
    sys.exit(main())
