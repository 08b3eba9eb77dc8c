"""world.py - a pretended RunPod and projects on it, for tests that kill.

One podform-sim serves many points, one after the other: each has a project
of its own, and what is left of it is deleted in the console.  Foreign pods
stand beside it all the time, and whatever is sent for one of them is found
in the simulator's account.
"""

import collections
import http.client
import json
import os
import shutil
import subprocess
import tempfile
import time

from record import Wrong, known_ops, read_journal, read_lock

TOP = os.path.abspath(os.path.dirname(__file__) + "/../../..")
PODFORM = os.environ.get("PODFORM", TOP + "/build/gcc/podform")
SIM = os.environ.get("PODFORM_SIM", TOP + "/build/gcc/podform-sim")
SETTLE = "300ms"
PROJECTS_PER_SIM = 40   # its account grows with each

# Somebody else's: one with our name, one with another lineage's mark.
FOREIGN = {"gpu": "NVIDIA A40", "pods": [
    {"name": "one"},
    {"name": "one-pf0123456789abcdef", "env": {
        "PODFORM_MARK": "v1 0123456789abcdef0123456789abcdef "
                        "89abcdef0123456789abcdef01234567 pod.elsewhere"}}]}


class Sim:
    """podform-sim, and what its account says of this moment's project."""

    def __init__(self):
        self.process = None
        self.served = 0

    def start(self):
        self.stop()
        self.dir = tempfile.mkdtemp(prefix="sim")
        port = self.dir + "/port"
        self.process = subprocess.Popen(
            [SIM, "--port-file", port, "--idle-exit", "5m", "--parent-pid",
             str(os.getpid()), "--pod-start", "0", "--latency", "0",
             "--rate-limit", "off"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        for _ in range(1000):
            if os.path.exists(port) and os.path.getsize(port):
                break
            time.sleep(0.01)
        with open(port, encoding="ascii") as file:
            self.port = int(file.read())
        self.url = "http://127.0.0.1:%d" % self.port
        self.http = http.client.HTTPConnection("127.0.0.1", self.port,
                                               timeout=20)
        self.ask("POST", "preload", FOREIGN)
        self.foreign = {pod["id"] for pod in self.account()["pods"]}
        self.served = 0

    def stop(self):
        if self.process is not None:
            self.process.terminate()
            self.process.wait()
            shutil.rmtree(self.dir, ignore_errors=True)
            self.process = None

    def ask(self, method, path, body=None):
        self.http.request(method, "/control/" + path,
                          None if body is None else json.dumps(body),
                          {"Content-Type": "application/json"})
        answer = self.http.getresponse()
        text = answer.read()
        if answer.status >= 300:
            raise Wrong("%s %s: %s" % (method, path, text))
        return json.loads(text)

    def account(self):
        return self.ask("GET", "account")

    def fresh(self):
        """Ready for a new project: what is here already is not its."""
        if self.process is None or self.served >= PROJECTS_PER_SIM:
            self.start()
        self.served += 1
        self.ask("DELETE", "faults")
        self.ask("DELETE", "script")
        account = self.account()
        for pod in account["pods"]:
            if pod["ended_ms"] is None and pod["id"] not in self.foreign:
                self.ask("POST", "pods/%s/delete" % pod["id"], {})
        for volume in account["volumes"]:
            if volume["alive"]:
                self.ask("POST", "volumes/%s/delete" % volume["id"], {})
        self.old = {pod["id"] for pod in account["pods"]} | \
            {volume["id"] for volume in account["volumes"]}
        self.ops_seen = len(self.account()["operations"])


def address(pod):
    return pod["mark"].split()[3] if pod["mark"] else ""


class Project:
    """A directory with specs, and all that must hold for it."""

    def __init__(self, sim, spec):
        self.sim = sim
        sim.fresh()
        self.dir = tempfile.mkdtemp(prefix="p")
        os.mkdir(self.dir + "/specs")
        self.spec(spec)
        self.surge = ()         # addresses that may be there twice
        self.env = {"PATH": os.environ["PATH"], "HOME": self.dir,
                    "RUNPOD_API_URL": sim.url, "RUNPOD_API_KEY": "rpa_sim",
                    "NO_COLOR": "1",
                    # Leaks cannot be looked for under strace.
                    "ASAN_OPTIONS": "detect_leaks=0"}
        self.serials = {}       # serial -> checksum, of every lock seen
        self.lineage = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.dir, ignore_errors=True)

    def spec(self, text):
        with open(self.dir + "/specs/pods.yaml", "w",
                  encoding="ascii") as file:
            file.write(text)

    # ------------------------------------------------------- running ---

    def start(self, *words, before=(), env=None, **more):
        return subprocess.Popen(
            [*before, PODFORM, *words], cwd=self.dir,
            env=self.env if env is None else {**self.env, **env},
            **{"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE,
               "stderr": subprocess.STDOUT, **more})

    def run(self, *words, status=0, limit=60, **more):
        process = self.start(*words, **more)
        try:
            text = process.communicate(timeout=limit)[0]
        except subprocess.TimeoutExpired:
            process.kill()
            text = process.communicate()[0] or b""
            raise Wrong("podform %s: not done after %d s\n%s" %
                        (" ".join(words), limit,
                         text.decode("utf-8", "replace")))
        text = (text or b"").decode("utf-8", "replace")
        if status is not None and process.returncode != status:
            raise Wrong("podform %s: exit %d, wanted %s\n%s" %
                        (" ".join(words), process.returncode, status, text))
        return process.returncode, text

    def apply(self, **more):
        return self.run("apply", "-y", "--settle", SETTLE, **more)

    # ------------------------------------------------------ the truth ---

    def pods(self, account=None):
        return [pod for pod in (account or self.sim.account())["pods"]
                if pod["id"] not in self.sim.old]

    def alive(self):
        return sorted(address(pod) or pod["name"] for pod in self.pods()
                      if pod["ended_ms"] is None)

    def volumes(self):
        return [volume for volume in self.sim.account()["volumes"]
                if volume["alive"] and volume["id"] not in self.sim.old]

    def lock(self):
        return read_lock(self.dir + "/podform.lock")

    def journal(self):
        return read_journal(self.dir + "/.podform/journal")

    def check_lock(self):
        """I7: it reads, the serial never falls nor repeats with other
        content, the lineage stays."""
        lock = self.lock()
        if lock is None:
            if self.serials:
                raise Wrong("the lock file is gone")
            return None
        serial, checksum = lock["serial"], lock["checksum"]
        if self.serials.setdefault(serial, checksum) != checksum:
            raise Wrong("serial %d came twice, with other content" % serial)
        if serial < max(self.serials):
            raise Wrong("the serial fell from %d to %d" %
                        (max(self.serials), serial))
        if self.lineage not in (None, lock["lineage"]):
            raise Wrong("another lineage: %s" % lock["lineage"])
        self.lineage = lock["lineage"]
        return lock

    def check_now(self):
        """What holds at any moment, also right after a kill."""
        lock, journal = self.check_lock(), self.journal()
        account = self.sim.account()
        known = known_ops(lock, journal)
        recorded = {entry["id"] for entry in
                    (lock or {}).get("resources", [])}
        for pod in self.pods(account):
            if not pod["mark"]:
                continue        # made by the test, not by podform
            op = pod["mark"].split()[2]
            if op not in known and pod["id"] not in recorded:
                raise Wrong("%s (%s) was created, and neither lock nor "
                            "journal knows of it" % (pod["id"], address(pod)))
        self._hands_off(account)
        self._never_twice(account)

    def _hands_off(self, account):
        for operation in account["operations"][self.sim.ops_seen:]:
            if operation["by"] == "api" and \
                    operation["id"] in self.sim.foreign:
                raise Wrong("a foreign pod was touched: %s" % operation)

    def _never_twice(self, account):
        by_address = collections.defaultdict(list)
        for pod in self.pods(account):
            end = pod["ended_ms"]
            by_address[address(pod)].append(
                (pod["created_ms"], float("inf") if end is None else end))
        for name, spans in by_address.items():
            most = 2 if name in self.surge else 1
            for begin, _ in spans:
                there = sum(1 for first, end in spans
                            if first <= begin < end)
                if name and there > most:
                    raise Wrong("%s was billed %d times at once" %
                                (name, there))

    def check_settled(self, alive, volumes):
        """Nothing is left to do, and nothing leaks."""
        self.check_now()
        if self.alive() != sorted(alive):
            raise Wrong("alive: %s, wanted %s" % (self.alive(), alive))
        there = self.volumes()
        if len(there) != volumes:
            raise Wrong("volumes: %s, wanted %d" % (there, volumes))
        ids = {pod["id"] for pod in self.pods() if pod["ended_ms"] is None} \
            | {volume["id"] for volume in there}
        lock = self.lock() or {}
        recorded = {entry["id"] for entry in lock.get("resources", [])}
        if ids != recorded:
            raise Wrong("on the account: %s, in the lock file: %s" %
                        (sorted(ids), sorted(recorded)))
        if lock.get("pending"):
            raise Wrong("still pending: %s" % lock["pending"])
