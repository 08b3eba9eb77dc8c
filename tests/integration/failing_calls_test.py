#!/usr/bin/python3
"""failing_calls_test.py - system calls of the real podform that fail.

At the points at which kill_test.py kills, a call gives an error instead:
a full disk, a broken one, a quota, no descriptor left, a lost connection,
an interruption; once, or from there on. podform does all that was asked, or
says what went wrong and what is left; never more is sent than the journal
knows of, and the next run settles.

ERROR_POINTS is how many are sampled (`all`: every one).
"""

import collections
import os
import signal
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + "/kill")

from calls import every_point, draw, may_trace, record_all, seed, strike, \
    wanted, weight
from crew import Report, work
from record import Wrong
from scenes import SCENES, command
from world import Sim

DISK = ("ENOSPC", "EIO", "EDQUOT")
ERRORS = {
    "write": (*DISK, "EINTR"), "pwrite64": (*DISK, "EINTR"),
    "fsync": (*DISK, "EINTR"), "fdatasync": (*DISK, "EINTR"),
    "rename": (*DISK, "EROFS", "EACCES"), "link": (*DISK, "EPERM"),
    "unlink": ("EIO", "EROFS"), "mkdir": (*DISK, "EROFS", "EACCES"),
    "ftruncate": ("EIO", "EINTR", "EROFS"), "fchmod": ("EIO", "EPERM"),
    "openat": (*DISK, "EMFILE", "ENFILE", "EACCES", "EINTR"),
    "read": ("EIO", "EINTR"), "pread64": ("EIO", "EINTR"),
    "close": ("EIO", "EINTR"), "flock": ("EINTR", "ENOLCK", "EIO"),
    "newfstatat": ("EIO", "EACCES"), "getdents64": ("EIO",),
    "socket": ("EMFILE", "ENFILE", "ENOBUFS"),
    "connect": ("ECONNREFUSED", "ENETUNREACH", "EINTR"),
    "sendto": ("ECONNRESET", "EPIPE", "EINTR"),
    "recvfrom": ("ECONNRESET", "EIO", "EINTR"),
    "poll": ("EINTR", "ENOMEM"), "epoll_wait": ("EINTR",),
    "epoll_ctl": ("ENOMEM", "ENOSPC"), "epoll_create1": ("EMFILE",),
    "signalfd4": ("EMFILE",), "socketpair": ("EMFILE",),
    "getrandom": ("EINTR",), "fcntl": ("EINTR",),
}
# For ever, these would only prove that somebody waits, or what the loader
# does; connections that cannot be made are tried again for 77 s.
NOT_FOR_EVER = {"EINTR"}
SLOW_FOR_EVER = {"socket", "connect", "sendto", "recvfrom", "poll"}

Fault = collections.namedtuple("Fault", "scene call when error on")


def mute(fault):
    return fault.call == "write"


def fail(sim, fault):
    scene = SCENES[fault.scene]
    with scene.prepare(sim) as project:
        point = fault._replace(when="%d%s" % (fault.when,
                                              "+" if fault.on else ""))
        status, text = project.run(
            *command(scene, project), status=None, limit=150,
            before=strike(point, "error=" + fault.error))
        project.check_now()
        if status == -signal.SIGABRT and text:
            pass                # a stop with a message
        elif not 0 <= status < 128:
            raise Wrong("exit %d\n%s" % (status, text))
        elif status != 0 and not text and not mute(fault):
            raise Wrong("exit %d without a word" % status)
        # Where nothing can be printed, the code alone has to be honest.
        if not (mute(fault) and status == 10):
            scene.honest(project, status, text)
        scene.settle(project)


def faults(chance, counts, share):
    every = [Fault(*point, error, on)
             for point in every_point(counts, ERRORS)
             for error in ERRORS[point.call] for on in (False, True)
             if not on or (error not in NOT_FOR_EVER and
                           (share is None or
                            point.call not in SLOW_FOR_EVER))]
    if share is None:
        return every
    kinds = collections.Counter((one.scene, one.call) for one in every)
    return draw(chance, every, share, lambda one:
                weight(one.call) / kinds[one.scene, one.call])


def main():
    why = may_trace()
    if why:
        print("skip: %s" % why)
        return 77
    chance = seed()
    sim = Sim()
    try:
        counts = record_all(sim)
    finally:
        sim.stop()
    report = Report()
    work([("%s, %s" % (fault.scene, "for ever" if fault.on else "once"),
           "%s %d %s" % (fault.call, fault.when, fault.error),
           lambda sim, one=fault: fail(sim, one))
          for fault in faults(chance, counts, wanted("ERROR_POINTS", 150))],
         report)
    return report.close()


if __name__ == "__main__":
    sys.exit(main())
