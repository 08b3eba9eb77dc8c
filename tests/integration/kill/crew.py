"""crew.py - many points at a time, each worker with a simulator of its own,
and the figures in the end."""

import collections
import os
import queue
import subprocess
import sys
import threading

from world import Sim
from record import Wrong

MISSED, REPORTED = "missed", "reported"
WORKERS = int(os.environ.get("KILL_WORKERS", "8"))


# A command makes a call less now and then, when an answer comes at once; a
# group in which less than this is struck proves too little.
STRUCK = 0.7


class Report:
    """Results as the test runner reads them: one line per group of points,
    and every point that failed."""

    def __init__(self):
        self.done = collections.Counter()
        self.missed = collections.Counter()
        self.failed = collections.Counter()
        self.lock = threading.Lock()

    def point(self, group, name, problem, missed=False):
        with self.lock:
            self.done[group] += 1
            self.missed[group] += missed
            if problem:
                self.failed[group] += 1
                print("not ok - %s: %s" % (group, name))
                print("  " + problem.replace("\n", "\n  "), file=sys.stderr)
            sys.stdout.flush()
            sys.stderr.flush()

    def close(self):
        for group, n in sorted(self.done.items()):
            struck = n - self.missed[group]
            # Of a few, one may miss by chance.
            if struck < max(1, min(STRUCK * n, n - 1)):
                self.failed[group] += 1
                print("not ok - %s: struck only %d of %d" %
                      (group, struck, n))
            elif not self.failed[group]:
                print("ok - %s (%d)" % (group, struck))
        print("# %d points, %d of them never reached; %d failed" %
              (sum(self.done.values()), sum(self.missed.values()),
               sum(self.failed.values())))
        sys.stdout.flush()
        return 1 if self.failed else 0


def work(jobs, report):
    """Each job is (group, name, function of a Sim), which returns MISSED
    when what it waits for did not come, or REPORTED when it stands for
    several points and has told the report of each."""
    todo = queue.Queue()
    for job in jobs:
        todo.put(job)

    def worker():
        sim = Sim()
        try:
            while True:
                try:
                    group, name, function = todo.get_nowait()
                except queue.Empty:
                    return
                problem = came = None
                try:
                    came = function(sim)
                except (Wrong, subprocess.TimeoutExpired, OSError,
                        ValueError, KeyError) as error:
                    problem = "%s: %s" % (type(error).__name__, error)
                    sim.stop()  # the next one begins with a clean one
                if came is not REPORTED or problem:
                    report.point(group, name, problem, came is MISSED)
        finally:
            sim.stop()

    threads = [threading.Thread(target=worker) for _ in range(WORKERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
