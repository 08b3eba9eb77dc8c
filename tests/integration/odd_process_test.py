#!/usr/bin/python3
"""odd_process_test.py - podform started by odd parents, in odd places.

A disk that is really full, a mount that is read-only, standard streams that
are closed or full, few descriptors, ignored signals, huge arguments and
none at all: an apply either does what was asked, or says why not and leaves
nothing that the next one does not set right.
"""

import itertools
import os
import re
import resource
import shutil
import signal
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + "/kill")

from calls import may_trace
from crew import Report, work
from record import Wrong
from scenes import SCENES
from world import PODFORM, SETTLE

CREATE = SCENES["create"]
APPLY = ("apply", "-y", "--settle", SETTLE)
LONG = os.environ.get("KILL_POINTS") == "all"


def done_or_said(project, status, text, codes=(1, 9, 10)):
    """Exit 0 and all there, or a code that says what is left."""
    project.check_now()
    if status == 0:
        CREATE.finished(project)
        return
    if status not in codes:
        raise Wrong("exit %d\n%s" % (status, text))
    left = [pod["id"] for pod in project.pods() if pod["ended_ms"] is None]
    if left and status != 10:
        raise Wrong("exit %d, and left: %s\n%s" % (status, left, text))


# ------------------------------------------------------ mounts of our own ---

def in_namespace(project, script, *words):
    """sh script, as root of a user namespace with mounts of its own."""
    return subprocess.run(
        ["unshare", "-Urm", "sh", "-c", script, "sh", *words],
        cwd="/", env=project.env, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60,
        check=False)


def may_mount():
    done = subprocess.run(
        ["unshare", "-Urm", "sh", "-c", "mount -t tmpfs none /mnt"],
        capture_output=True, check=False)
    return done.returncode == 0


# The file `full` takes all room but so many pages.
FULL = r"""
set -e
mount -t tmpfs -o size=256k none "$1"
cp -a "$2/." "$1"
cd "$1"
cat /dev/zero >full 2>/dev/null || true
truncate -s -$(($3 * 4096)) full
set +e
shift 3
"$@"
status=$?
cd /
rm -f "$1/full"
exit $status
"""


def full_disk(sim, pages, scene):
    with scene.prepare(sim) as project:
        disk = project.dir + ".disk"
        os.mkdir(disk)
        script = FULL.replace('rm -f "$1/full"', 'rm -f "$OLDPWD/full"\n'
                              'cp -a "$OLDPWD/." "$SOURCE"')
        project.env["SOURCE"] = project.dir
        done = in_namespace(project, script, disk, project.dir, str(pages),
                            PODFORM, *scene.command)
        text = done.stdout.decode("utf-8", "replace")
        project.check_now()
        if done.returncode == 0:
            scene.finished(project)
        elif done.returncode not in (1, 9, 10) or not text:
            raise Wrong("exit %d\n%s" % (done.returncode, text))
        elif pages == 0 and "No space left" not in text:
            raise Wrong("it does not say why: " + text)
        scene.settle(project)
        shutil.rmtree(disk, ignore_errors=True)


READ_ONLY = r"""
mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" || exit 99
cd "$1"
shift
exec "$@"
"""


# P-08: plan works, apply stops before it asks the service for anything.
def a_read_only_mount_stops_apply_before_a_request(sim):
    with CREATE.prepare(sim) as project:
        done = in_namespace(project, READ_ONLY, project.dir, PODFORM, "plan",
                            "--detailed-exitcode")
        if done.returncode != 2:
            raise Wrong("plan: exit %d\n%s" % (done.returncode, done.stdout))
        before = sim.account()["calls"]
        done = in_namespace(project, READ_ONLY, project.dir, PODFORM, *APPLY)
        if done.returncode != 1 or b"cannot write in" not in done.stdout:
            raise Wrong("apply: exit %d\n%s" %
                        (done.returncode, done.stdout.decode()))
        if sim.account()["calls"] != before:
            raise Wrong("sent: %s" % sim.account()["calls"])
        CREATE.settle(project)


def a_directory_that_cannot_be_written_stops_before_a_request(sim):
    with CREATE.prepare(sim) as project:
        before = []
        if os.getuid() == 0:
            for path in (project.dir, project.dir + "/specs",
                         project.dir + "/specs/pods.yaml"):
                os.chown(path, 65534, 65534)
            before = ["setpriv", "--reuid=65534", "--regid=65534",
                      "--clear-groups"]
            if subprocess.run([*before, PODFORM, "version"], check=False,
                              cwd=project.dir,
                              capture_output=True).returncode != 0:
                print("skip: nobody may not run podform here")
                return
        os.chmod(project.dir, 0o555)
        calls = sim.account()["calls"]
        status, text = project.run(*APPLY, status=None, before=before)
        os.chmod(project.dir, 0o755)
        if status != 1 or "cannot write in" not in text:
            raise Wrong("exit %d\n%s" % (status, text))
        if sim.account()["calls"] != calls:
            raise Wrong("sent: %s\n%s" % (sim.account()["calls"], text))


# -------------------------------------------------------- standard streams ---

def closed(sim, fds):
    """C-03: nothing that is opened later gets one of 0 to 2."""
    with CREATE.prepare(sim) as project:
        shut = " ".join("%d<&-" % fd for fd in fds)
        before = ["sh", "-c", 'exec "$@" ' + shut, "sh"]
        trace = project.dir + ".trace"
        if not may_trace():
            before = ["strace", "-f", "-o", trace, "-e",
                      "trace=openat,socket,execve,dup,dup2,dup3,fcntl",
                      *before]
        process = project.start(*APPLY, before=before)
        text = process.communicate(timeout=60)[0].decode()
        if process.returncode != 0:
            raise Wrong("exit %d\n%s" % (process.returncode, text))
        for name in ("podform.lock", ".podform/journal"):
            with open(project.dir + "/" + name, "rb") as file:
                if b"creating" in file.read():
                    raise Wrong("progress is in " + name)
        if os.path.exists(trace):
            check_low(trace)
            os.unlink(trace)
        CREATE.finished(project)
        CREATE.settle(project)


def check_low(trace):
    with open(trace, encoding="utf-8", errors="replace") as file:
        text = file.read()
    text = text[text.rindex("/podform\", ["):]      # after the shell
    if "/podform.lock" not in text and "podform.lock" not in text:
        raise Wrong("the trace shows no lock file")
    for line in text.splitlines():
        found = re.search(r"(openat|socket|dup\d?|F_DUPFD\w*)\b.*= ([012])$",
                          line)
        # The loader maps libraries before main() runs, and closes them.
        if found and not re.search(r'/dev/null|ld\.so\.cache|\.so[."]', line):
            raise Wrong("a low descriptor: " + line)


# C-02
def a_reader_that_goes_away_changes_nothing(sim):
    with CREATE.prepare(sim) as project:
        process = subprocess.run(
            ["bash", "-c", '"$@" | head -1; exit ${PIPESTATUS[0]}', "bash",
             PODFORM, *APPLY], cwd=project.dir, env=project.env,
            stdin=subprocess.DEVNULL, capture_output=True, timeout=60,
            check=False)
        if process.returncode != 0:
            raise Wrong("exit %d\n%s" % (process.returncode, process.stderr))
        CREATE.finished(project)


def a_full_standard_output(sim):
    with CREATE.prepare(sim) as project, open("/dev/full", "wb") as full:
        for code, words in ((1, ("plan",)), (0, APPLY), (1, ("status",)),
                            (1, ("state", "list")), (1, ("plan", "--json"))):
            process = project.start(*words, stdout=full,
                                    stderr=subprocess.PIPE)
            said = process.communicate(timeout=60)[1]
            if process.returncode != code:
                raise Wrong("%s: exit %d, wanted %d\n%s" %
                            (words, process.returncode, code, said))
            if b"cannot write to standard output" not in said:
                raise Wrong("%s does not say so: %s" % (words, said))
        CREATE.finished(project)


def everything_on_a_full_device(sim):
    with CREATE.prepare(sim) as project, open("/dev/full", "wb") as full:
        project.run(*APPLY, stdout=full, stderr=full)
        CREATE.finished(project)


# ------------------------------------------------------- limits and parents ---

def few_descriptors(sim, limit):
    """C-04: works, or says why before or while it undoes."""
    with CREATE.prepare(sim) as project:
        # Connections that cannot be made are tried again for 77 s.
        status, text = project.run(
            *APPLY, status=None, limit=150,
            preexec_fn=lambda: resource.setrlimit(
                resource.RLIMIT_NOFILE, (limit, limit)))
        # The loader cannot open the libraries, nor we the specs, below some.
        done_or_said(project, status, text, (1, 3, 9, 10, 127))
        if status != 0 and "oo many open files" not in text and \
                "Error 24" not in text:
            raise Wrong("it does not say why: exit %d\n%s" % (status, text))
        if limit >= 16 and status != 0:
            raise Wrong("%d descriptors are not enough: exit %d\n%s" %
                        (limit, status, text))
        CREATE.settle(project)


def signals_that_the_parent_ignores(sim):
    def ignore():
        for number in (signal.SIGPIPE, signal.SIGCHLD):
            signal.signal(number, signal.SIG_IGN)
    with CREATE.prepare(sim) as project:
        # A secret of a command: its child must be waited for all the same.
        project.spec(SECRET)
        project.run(*APPLY, preexec_fn=ignore, restore_signals=False)
        if project.alive() != ["pod.one"]:
            raise Wrong("alive: %s" % project.alive())
        project.run("plan", "--detailed-exitcode", preexec_fn=ignore,
                    restore_signals=False)


SECRET = """project: kill
secrets:
  key: { command: [echo, hidden] }
pods:
  one: { image: "runpod/base:1.0", gpu: NVIDIA A40,
    env: { KEY: "${secret.key}" } }
"""


def a_mebibyte_of_arguments(sim):
    """One word may have 128 KiB on Linux, so it takes more than one."""
    word = "x" * (128 * 1024 - 1)
    with CREATE.prepare(sim) as project:
        for words in (["validate"] + [word] * 8, [word] * 8,
                      ["apply", "-y"] + ["--target=" + word[9:]] * 8,
                      ["plan"] + ["-f", word] * 8,
                      ["plan", "--var", "=" + word[1:]] * 8):
            status, text = project.run(*words, status=None)
            if status not in (1, 3) or len(text) > 4 << 20:
                raise Wrong("%s: exit %d, %d bytes of output" %
                            (words[0][:10], status, len(text)))
        if project.alive() or project.volumes():
            raise Wrong("alive: %s" % project.alive())


# No argv at all; newer kernels put an empty word there.
NO_NAME = """
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
words = [word.encode() for word in sys.argv[2:]]
argv = (ctypes.c_char_p * (len(words) + 1))(*words, None)
env = [("%s=%s" % pair).encode() for pair in os.environ.items()]
envp = (ctypes.c_char_p * (len(env) + 1))(*env, None)
libc.execve(sys.argv[1].encode(), argv, envp)
sys.exit(99)
"""


def no_name_of_its_own(sim):
    with CREATE.prepare(sim) as project:
        for words, code in (([], 3), (["", *APPLY], 0), (["", "plan"], 0)):
            done = subprocess.run(
                [sys.executable, "-c", NO_NAME, PODFORM, *words],
                cwd=project.dir, env=project.env, stdin=subprocess.DEVNULL,
                capture_output=True, timeout=60, check=False)
            if done.returncode != code:
                raise Wrong("%s: exit %d, wanted %d\n%s" % (
                    words, done.returncode, code, done.stderr))
        CREATE.finished(project)


TESTS = (a_directory_that_cannot_be_written_stops_before_a_request,
         a_reader_that_goes_away_changes_nothing, a_full_standard_output,
         everything_on_a_full_device, signals_that_the_parent_ignores,
         a_mebibyte_of_arguments, no_name_of_its_own)


def jobs():
    for test in TESTS:
        yield test.__name__, "", test
    for n in range(1, 4):
        for fds in itertools.combinations((0, 1, 2), n):
            yield ("descriptors closed at the start", str(fds),
                   lambda sim, fds=fds: closed(sim, fds))
    for limit in range(3, 21) if LONG else (3, 4, 5, 7, 10, 16, 20):
        yield ("few descriptors", str(limit),
               lambda sim, n=limit: few_descriptors(sim, n))
    if not may_mount():
        print("skip: no mounts in a user namespace here")
        return
    test = a_read_only_mount_stops_apply_before_a_request
    yield test.__name__, "", test
    for name in ("create", "replace", "destroy"):
        for pages in range(8):
            yield ("a full disk", "%s, %d pages are left" % (name, pages),
                   lambda sim, n=pages, s=name: full_disk(sim, n, SCENES[s]))


def main():
    report = Report()
    work(list(jobs()), report)
    return report.close()


if __name__ == "__main__":
    sys.exit(main())
