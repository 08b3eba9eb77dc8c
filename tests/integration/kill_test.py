#!/usr/bin/python3
"""kill_test.py - a real apply, ended at its worst moments.

podform applies against podform-sim and is killed at a system call (strace
sends SIGKILL before the Nth write, sync, rename, send ...) or at a time.
The next `podform apply` has to leave exactly the pods of the spec, and the
simulator's own account tells whether anything was ever billed twice.

KILL_POINTS is how many calls are sampled of all (default 30; `all` for
every one).  Where strace may not trace, only the timed kills run.
"""

import collections
import concurrent.futures
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request

TOP = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
PODFORM = os.environ.get("PODFORM", TOP + "/build/gcc/podform")
SIM = os.environ.get("PODFORM_SIM", TOP + "/build/gcc/podform-sim")
CALLS = ["write", "fdatasync", "fsync", "rename", "link", "ftruncate",
         "sendto"]
SETTLE = "1s"
STATUSES = (0, 130, 143, 10)

BEFORE = """project: kill
volumes:
  data: { size: 10GB, data_center: EU-RO-1 }
pods:
  one: { image: "runpod/base:1.0", gpu: NVIDIA A40, ports: [22/tcp],
    network_volume: { volume: data, path: /w } }
  two: { image: "runpod/base:1.0", gpu: NVIDIA A40, ports: [80/http] }
"""
# One pod replaced, one changed in place, one new, one gone.
AFTER = """project: kill
volumes:
  data: { size: 20GB, data_center: EU-RO-1 }
pods:
  one: { image: "runpod/base:1.0", gpu: NVIDIA RTX A5000, ports: [22/tcp] }
  three: { image: "runpod/base:1.0", gpu: NVIDIA A40, ports: [80/http],
    env: { MODE: b } }
"""

failures = 0


def report(name, problem):
    global failures
    if problem:
        failures += 1
        print("not ok - %s" % name)
        print("  " + problem.replace("\n", "\n  "), file=sys.stderr)
    else:
        print("ok - %s" % name)
    sys.stdout.flush()


class Wrong(Exception):
    pass


class World:
    """A project directory with a simulator of its own."""

    def __init__(self, spec=BEFORE, options=()):
        self.dir = tempfile.mkdtemp()
        os.chmod(self.dir, 0o755)
        os.mkdir(self.dir + "/p")
        os.mkdir(self.dir + "/p/specs")
        self.spec(spec)
        port = self.dir + "/port"
        self.sim = subprocess.Popen(
            [SIM, "--port-file", port, "--idle-exit", "2m", "--parent-pid",
             str(os.getpid()), "--pod-start", "60", "--latency", "5",
             *options],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        for _ in range(200):
            if os.path.exists(port) and os.path.getsize(port):
                break
            time.sleep(0.02)
        with open(port, encoding="ascii") as file:
            self.url = "http://127.0.0.1:" + file.read().strip()
        self.env = {"PATH": os.environ["PATH"], "HOME": self.dir,
                    "RUNPOD_API_URL": self.url, "RUNPOD_API_KEY": "rpa_sim",
                    "NO_COLOR": "1"}
        # Leaks cannot be looked for under strace, nor after SIGKILL.
        self.env["ASAN_OPTIONS"] = "detect_leaks=0"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sim.terminate()
        self.sim.wait()
        shutil.rmtree(self.dir, ignore_errors=True)

    def spec(self, text):
        with open(self.dir + "/p/specs/pods.yaml", "w",
                  encoding="ascii") as file:
            file.write(text)

    def start(self, *words, before=(), **more):
        return subprocess.Popen(
            [*before, PODFORM, *words], cwd=self.dir + "/p", env=self.env,
            **{"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE,
               "stderr": subprocess.STDOUT, "text": True, **more})

    def run(self, *words, status=0, **more):
        process = self.start(*words, **more)
        text = process.communicate(timeout=60)[0]
        if status is not None and process.returncode != status:
            raise Wrong("podform %s: exit %d, wanted %s\n%s" %
                        (" ".join(words), process.returncode, status, text))
        return process.returncode, text

    def apply(self, *words, **more):
        return self.run("apply", "-y", "--settle", SETTLE, *words, **more)

    def ask(self, method, path, body=None):
        request = urllib.request.Request(
            self.url + "/control/" + path, method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def account(self):
        return self.ask("GET", "account")

    def alive(self):
        pods = [pod["name"].rsplit("-pf", 1)[0]
                for pod in self.account()["pods"] if "ended_ms" not in pod or
                pod["ended_ms"] in (None, -1)]
        return sorted(pods)

    def never_twice(self):
        """No address may ever have had two pods at one time."""
        by_address = collections.defaultdict(list)
        for pod in self.account()["pods"]:
            end = pod.get("ended_ms")
            by_address[pod["mark"].split()[3]].append(
                (pod["created_ms"], float("inf") if end in (None, -1)
                 else end, pod["id"]))
        for address, spans in by_address.items():
            spans.sort()
            for first, second in zip(spans, spans[1:]):
                if second[0] < first[1]:
                    raise Wrong("%s was billed twice: %s and %s" %
                                (address, first[2], second[2]))

    def volumes(self):
        return [volume["name"] for volume in self.account()["volumes"]
                if volume["alive"]]

    def converges(self, wanted, volumes=1):
        """The next apply sets right whatever was left."""
        _, text = self.apply()
        if self.alive() != wanted:
            raise Wrong("alive: %s, wanted %s\n%s" %
                        (self.alive(), wanted, text))
        if len(self.volumes()) != volumes:
            raise Wrong("volumes: %s\n%s" % (self.volumes(), text))
        self.never_twice()
        self.run("plan", "--detailed-exitcode")
        lock = self.lock()
        ids = {pod["id"] for pod in self.account()["pods"]
               if pod.get("ended_ms") in (None, -1)}
        missing = [one for one in ids if one not in lock]
        if missing:
            raise Wrong("not in the lock file: %s" % missing)

    def lock(self):
        with open(self.dir + "/p/podform.lock", encoding="utf-8") as file:
            text = file.read()
        json.loads(text)
        return text

    def journal(self):
        try:
            with open(self.dir + "/p/.podform/journal",
                      encoding="utf-8") as file:
                return file.read()
        except FileNotFoundError:
            return ""


# --------------------------------------------------------- kills by calls ---

SCENES = {
    "create": (None, BEFORE, ["one", "two"], 1, "apply"),
    "change": (BEFORE, AFTER, ["one", "three"], 1, "apply"),
    "destroy": (BEFORE, BEFORE, ["one", "two"], 1, "destroy"),
}


def scene(world, name):
    """Bring the world to where the scene begins; its command."""
    first, then, _, _, command = SCENES[name]
    if first is not None:
        world.apply()
    world.spec(then)
    return [command, "-y", "--settle", SETTLE]


def after(world, name):
    _, _, wanted, volumes, _ = SCENES[name]
    world.converges(wanted, volumes)


def count_calls(name):
    with World() as world:
        command = scene(world, name)
        out = world.dir + "/trace"
        world.run(*command, before=["strace", "-f", "-o", out, "-e",
                                    "trace=" + ",".join(CALLS)])
        with open(out, encoding="utf-8", errors="replace") as file:
            found = re.findall(r"^\d+ +(\w+)\(", file.read(), re.M)
    return collections.Counter(found)


def kill_at(name, call, when):
    label = "%s killed at %s %d" % (name, call, when)
    with World() as world:
        try:
            command = scene(world, name)
            world.run(*command, status=None, before=[
                "strace", "-f", "-o", "/dev/null", "-e",
                "trace=" + ",".join(CALLS), "-e",
                "inject=%s:signal=SIGKILL:when=%d" % (call, when)])
            after(world, name)
        except (Wrong, subprocess.TimeoutExpired) as wrong:
            return label, str(wrong)
    return label, None


def kill_after(name, delay):
    label = "%s killed after %d ms" % (name, delay * 1000)
    with World() as world:
        try:
            process = world.start(*scene(world, name))
            time.sleep(delay)
            process.kill()
            process.communicate()
            after(world, name)
        except (Wrong, subprocess.TimeoutExpired) as wrong:
            return label, str(wrong)
    return label, None


def may_trace():
    try:
        return subprocess.run(
            ["strace", "-f", "-o", "/dev/null", "-e", "trace=write", "true"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, check=False).returncode == 0
    except FileNotFoundError:
        return False


def points():
    """(scene, call, when), sampled evenly over all calls of all scenes."""
    every = []
    for name in SCENES:
        for call, count in sorted(count_calls(name).items()):
            every += [(name, call, when) for when in range(1, count + 1)]
    wanted = os.environ.get("KILL_POINTS", "30")
    if wanted == "all" or int(wanted) >= len(every):
        return every
    step = len(every) / int(wanted)
    return [every[int(i * step)] for i in range(int(wanted))]


def kills():
    jobs = []
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        if may_trace():
            for point in points():
                jobs.append(pool.submit(kill_at, *point))
        else:
            print("skip: strace cannot trace here; only timed kills")
        for name in SCENES:
            for delay in (0.02, 0.05, 0.09):
                jobs.append(pool.submit(kill_after, name, delay))
        for job in jobs:
            report(*job.result())


# ----------------------------------------------------------------- signals ---

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


def signalled(world, text, *signals, pause=0.15):
    """Start an apply, send signals once it has said text."""
    path = world.dir + "/said"
    with open(path, "w", encoding="utf-8") as said:
        process = world.start("apply", "-y", "--settle", SETTLE, stdout=said,
                              stderr=said)
        wait_for(path, text)
        for i, number in enumerate(signals):
            if i > 0:
                time.sleep(pause)
            process.send_signal(number)
        status = process.wait(timeout=60)
    with open(path, encoding="utf-8") as said:
        return status, said.read()


def rolled_back(number, code):
    with World() as world:
        world.ask("POST", "pace", {"start_ms": 30000})
        status, text = signalled(world, "pod.two: waiting", number)
        if status != code:
            raise Wrong("exit %d, wanted %d\n%s" % (status, code, text))
        if world.alive() or world.volumes():
            raise Wrong("left: %s %s\n%s" %
                        (world.alive(), world.volumes(), text))
        if "once more leaves at once" not in text:
            raise Wrong("it does not say what a second one does\n" + text)
        if world.journal().strip():
            raise Wrong("the journal is not empty:\n" + world.journal())
        world.ask("POST", "pace", {"start_ms": 60})
        world.converges(["one", "two"])


def interrupt_once_undoes_and_exits_130():
    rolled_back(signal.SIGINT, 130)


def terminate_once_undoes_and_exits_143():
    rolled_back(signal.SIGTERM, 143)


# Everywhere but in watch it means what SIGTERM means.
def hangup_once_undoes_and_exits_143():
    rolled_back(signal.SIGHUP, 143)


# I18: every pod that still bills, with its price, and what to type next.
def interrupt_of_a_destroy_lists_what_still_bills():
    with World() as world:
        world.apply()
        world.ask("POST", "faults", {"delete": {"slow": 1.0},
                                     "delay_max_ms": 1500})
        path = world.dir + "/said"
        with open(path, "w", encoding="utf-8") as said:
            process = world.start("destroy", "-y", "--parallelism", "1",
                                  stdout=said, stderr=said)
            wait_for(path, "terminating")
            process.send_signal(signal.SIGINT)
            status = process.wait(timeout=60)
        with open(path, encoding="utf-8") as said:
            text = said.read()
        left = [pod["id"] for pod in world.account()["pods"]
                if pod.get("ended_ms") in (None, -1)]
        if not left or status != 10:
            raise Wrong("exit %d, alive: %s\n%s" % (status, left, text))
        for one in left:
            if not re.search(r"%s +\$0\.\d+/h" % one, text):
                raise Wrong("%s is not listed with its price\n%s" %
                            (one, text))
        if "Next: podform destroy" not in text:
            raise Wrong("it does not say what to type next\n" + text)
        world.ask("DELETE", "faults")
        world.run("destroy", "-y", "--settle", SETTLE)
        if world.alive() or world.volumes():
            raise Wrong("left: %s %s" % (world.alive(), world.volumes()))


def interrupt_twice_leaves_at_once_and_lists_what_is_left():
    with World() as world:
        # Rollback takes long: the second signal must not wait for it.
        world.ask("POST", "pace", {"start_ms": 30000})
        world.ask("POST", "faults", {"delete": {"slow": 1.0},
                                     "delay_max_ms": 8000})
        began = time.monotonic()
        status, text = signalled(world, "pod.two: waiting", signal.SIGINT,
                                 signal.SIGINT, pause=0.1)
        if status != 10:
            raise Wrong("exit %d, wanted 10\n%s" % (status, text))
        if time.monotonic() - began > 5:
            raise Wrong("it took its time\n" + text)
        for pod in world.account()["pods"]:
            if pod.get("ended_ms") in (None, -1) and pod["id"] not in text:
                raise Wrong("%s is left and not listed\n%s" %
                            (pod["id"], text))
        world.lock()
        world.ask("DELETE", "faults")
        world.ask("POST", "pace", {"start_ms": 60})
        world.converges(["one", "two"])


# A create is on its way: it comes to a result before anything is undone.
def interrupt_waits_for_a_create_that_is_on_its_way():
    with World() as world:
        world.ask("POST", "pace", {"latency_ms": 400})
        status, text = signalled(world, "pod.two: creating", signal.SIGINT)
        if status != 130:
            raise Wrong("exit %d, wanted 130\n%s" % (status, text))
        if world.alive() or world.volumes():
            raise Wrong("left: %s %s\n%s" %
                        (world.alive(), world.volumes(), text))
        world.ask("POST", "pace", {"latency_ms": 5})
        world.converges(["one", "two"])


# ------------------------------------------------------------ surroundings ---

def a_reader_that_goes_away_changes_nothing():
    with World() as world:
        process = world.start("apply", "-y", stderr=subprocess.DEVNULL)
        process.stdout.readline()
        process.stdout.close()
        if process.wait(timeout=60) != 0:
            raise Wrong("exit %d" % process.returncode)
        if world.alive() != ["one", "two"]:
            raise Wrong("alive: %s" % world.alive())


def closed_standard_streams_end_up_in_no_file():
    with World() as world:
        process = subprocess.Popen(
            ["/bin/sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", PODFORM,
             "apply", "-y"], cwd=world.dir + "/p", env=world.env)
        if process.wait(timeout=60) != 0:
            raise Wrong("exit %d" % process.returncode)
        if "{" != world.lock().strip()[0] or "creating" in world.lock():
            raise Wrong("the lock file: " + world.lock())
        if "creating" in world.journal():
            raise Wrong("the journal: " + world.journal())
        world.converges(["one", "two"])


# P-08: refused before anything is asked of the service.
def a_directory_that_cannot_be_written_stops_before_a_request():
    with World() as world:
        project = world.dir + "/p"
        before = []
        if os.getuid() == 0:
            for path in (project, project + "/specs",
                         project + "/specs/pods.yaml"):
                os.chown(path, 65534, 65534)
            os.chmod(world.dir, 0o755)
            before = ["setpriv", "--reuid=65534", "--regid=65534",
                      "--clear-groups"]
            if subprocess.run([*before, PODFORM, "version"], check=False,
                              capture_output=True).returncode != 0:
                print("skip: nobody may not run podform here")
                return
        os.chmod(project, 0o555)
        status, text = world.apply(status=None, before=before)
        os.chmod(project, 0o755)
        if status != 1:
            raise Wrong("exit %d, wanted 1\n%s" % (status, text))
        if world.account()["calls"]:
            raise Wrong("sent: %s\n%s" % (world.account()["calls"], text))
        if "cannot write in" not in text:
            raise Wrong(text)


def main():
    for test in (interrupt_once_undoes_and_exits_130,
                 terminate_once_undoes_and_exits_143,
                 hangup_once_undoes_and_exits_143,
                 interrupt_of_a_destroy_lists_what_still_bills,
                 interrupt_twice_leaves_at_once_and_lists_what_is_left,
                 interrupt_waits_for_a_create_that_is_on_its_way,
                 a_reader_that_goes_away_changes_nothing,
                 closed_standard_streams_end_up_in_no_file,
                 a_directory_that_cannot_be_written_stops_before_a_request):
        try:
            test()
            report(test.__name__, None)
        except (Wrong, subprocess.TimeoutExpired) as wrong:
            report(test.__name__, str(wrong))
    kills()
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
