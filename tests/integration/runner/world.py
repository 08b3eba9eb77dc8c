"""world.py - a project with runners on real pods of podform-sim.

Runners(...) is the base of the tests in runners.py and runner_faults.py: the
simulator with its stand-in for GitHub, a project with a home of its own, and
the words for what happens outside of podform.
"""

import json
import os
import shutil
import signal
import subprocess
import tempfile
import unittest
import urllib.error
import urllib.request

from common.proc import wait_for

KEY = "rpa_runners"
TOKEN = "ghp_" + "simulated0123456789abcdefghijklmnop"
PODFORM = os.path.abspath(os.environ.get("PODFORM", "build/gcc/podform"))
SIMULATOR = os.path.abspath(os.environ.get("PODFORM_SIM",
                                           "build/gcc/podform-sim"))
POD = """
project: ci
pods:
  box:
    image: runpod/pytorch:2.4.0
    gpu: [NVIDIA A40]
    disk: 20GB
    ports: [22/tcp]
"""


def spec(runner, pod=POD, more=""):
    """A project with one runner, `ci`, of these lines."""
    return f"{pod}{more}runners:\n  ci:\n" + "".join(
        f"    {line.strip()}\n" for line in runner.strip().splitlines())


def processes():
    """pid -> command line of everything that runs here."""
    found = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                found[int(pid)] = file.read().replace(b"\0", b" ").decode(
                    "utf-8", "replace").strip()
        except OSError:
            pass
    return found


class World(unittest.TestCase):
    sim_options = []

    def setUp(self):
        self.work = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.work)
        self.project = os.path.join(self.work, "project")
        os.makedirs(os.path.join(self.project, "specs"))
        self.sim = subprocess.Popen(
            [SIMULATOR, "--pods", "sandbox", "--key", KEY, "--pod-start",
             "100", "--rate-limit", "off", "--github-token", TOKEN,
             "--parent-pid", str(os.getpid()), *self.sim_options],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(self.end_sim)
        line = self.sim.stdout.readline()
        if not line:
            why = self.sim.stderr.read().strip()
            print("skip:", why, flush=True)
            self.skipTest(why)
        self.url = line.split()[-1]
        self.env = {"PATH": os.environ["PATH"], "HOME": self.work,
                    "XDG_DATA_HOME": os.path.join(self.work, "data"),
                    "RUNPOD_API_KEY": KEY, "RUNPOD_API_URL": self.url,
                    "GITHUB_TOKEN": TOKEN,
                    "GITHUB_API_URL": self.url + "/github"}
        for name in ("PODFORM_SSH_WORKER", "ASAN_OPTIONS", "TMPDIR"):
            if name in os.environ:
                self.env[name] = os.environ[name]

    def end_sim(self):
        self.sim.terminate()
        self.sim.wait(20)
        self.sim.stdout.close()
        self.sim.stderr.close()

    # -------------------------------------------------------- the program

    def write(self, text):
        with open(os.path.join(self.project, "specs", "a.yaml"), "w",
                  encoding="utf-8") as file:
            file.write(text)

    def begin(self, *words, **env):
        return subprocess.Popen(
            [PODFORM, *words], env={**self.env, **env}, cwd=self.project,
            text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT)

    def end(self, process, code=0, seconds=120):
        try:
            text = process.communicate(timeout=seconds)[0]
        except subprocess.TimeoutExpired:
            process.kill()
            text = process.communicate()[0]
            self.fail(f"it did not end in {seconds} s:\n{text}")
        self.assertEqual(process.returncode, code, text)
        return text

    def podform(self, *words, code=0, **env):
        return self.end(self.begin(*words, **env), code)

    def apply(self, *words, code=0, **env):
        return self.podform("apply", "-y", "--idle-window", "1s", *words,
                            code=code, **env)

    def destroy(self, *words, code=0):
        return self.podform("destroy", "-y", "--idle-window", "1s", *words,
                            code=code)

    def plan(self):
        """Address -> (actions, reason) of what would change."""
        said = json.loads(self.podform("plan", "--json"))
        return {c["address"]: (c["change"]["actions"], c.get("action_reason"))
                for c in said["resource_changes"]
                if c["change"]["actions"] != ["no-op"]}

    def status(self, address="runner.ci"):
        said = json.loads(self.podform("status", "--json"))
        for resource in said["resources"]:
            if resource["address"] == address:
                return resource
        return None

    def lock(self):
        with open(os.path.join(self.project, "podform.lock"),
                  encoding="utf-8") as file:
            return json.load(file)

    def project_text(self):
        """All that the project's files hold, with their names."""
        text = ""
        for place, _, names in os.walk(self.project):
            for name in names:
                with open(os.path.join(place, name), "rb") as file:
                    text += f"\n== {place}/{name}\n" + file.read().decode(
                        "utf-8", "replace")
        return text

    # ------------------------------------------------------------ outside

    def ask(self, method, path, body=None, token=KEY):
        request = urllib.request.Request(
            self.url + path, method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": "Bearer " + token,
                     "User-Agent": "podform-test/1",
                     "Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.loads(answer.read() or "null")

    def hub(self):
        return self.ask("GET", "/control/github")

    def runners(self):
        """Those that GitHub has now."""
        return [r for r in self.hub()["runners"] if r["removed_ms"] is None]

    def operations(self, word):
        return [o for o in self.hub()["operations"] if o["op"] == word]

    def job(self, seconds=0, run="true", labels=("gpu",), **more):
        return self.ask("POST", "/control/github/job", {
            "labels": list(labels), "seconds": seconds, "run": run,
            **more})["id"]

    def job_state(self, number):
        return next(j for j in self.hub()["jobs"] if j["id"] == number)

    def job_runs(self, number):
        wait_for(lambda: self.job_state(number)["status"] == "running")

    def job_done(self, number, conclusion="success", seconds=30):
        wait_for(lambda: self.job_state(number)["status"] == "done", seconds)
        done = self.job_state(number)
        self.assertEqual(done["conclusion"], conclusion, done)
        self.assertFalse(done["killed"], done)
        return done

    def script(self, call, fault, nth=1, **more):
        self.ask("POST", "/control/github/script",
                 {"call": call, "nth": nth, "fault": fault, **more})

    def faults(self, **faults):
        self.ask("DELETE", "/control/github/faults")
        if faults:
            self.ask("POST", "/control/github/faults", faults)

    def pods(self):
        return [p for p in self.ask("GET", "/v2/pods")["pods"]
                if p["status"] != "TERMINATED"]

    # ------------------------------------------------------- inside a pod

    def of_runner(self, name, word):
        """pids, seen from outside, of this runner's processes."""
        return [pid for pid, line in processes().items()
                if name in line and word in line]

    def kill(self, name, *words, number=signal.SIGKILL):
        for word in words:
            for pid in self.of_runner(name, word):
                os.kill(pid, number)

    def inside(self, script, code=0):
        return self.podform("exec", "box", "--", "sh", "-c", script,
                            code=code)
