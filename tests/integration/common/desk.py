"""desk.py - podform at a desk: one podform-sim for a class of tests, and a
project of its own for each test, where commands run as a person types them.

Pods are those that only greet (--pods tcp): they start at once, and nobody
can log in to them.
"""

import json
import os
import pty
import select
import shutil
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.error
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "kill"))
# pylint: disable=wrong-import-position
from record import crc64

PODFORM = os.path.abspath(os.environ.get("PODFORM", "build/gcc/podform"))
SIMULATOR = os.path.abspath(os.environ.get("PODFORM_SIM",
                                           "build/gcc/podform-sim"))
SPEC = """\
project: desk
volumes:
  data: { size: 10GB, data_center: EU-RO-1 }
pods:
  one:
    image: runpod/base:1.0
    gpu: [NVIDIA A40, NVIDIA RTX A6000]
    network_volume: { volume: data, path: /workspace }
    ports: [22/tcp]
    env: { MODE: a }
"""


class Result:
    """How a command ended, and the test that it belongs to."""

    def __init__(self, test, words, code, out, err):
        self.test, self.words = test, words
        self.code, self.out, self.err = code, out, err

    def __str__(self):
        return "podform %s\nexit %d\nout: %s\nerr: %s" % (
            " ".join(self.words), self.code, self.out[:4000],
            self.err[:4000])

    def has(self, *texts):
        """On standard output."""
        for text in texts:
            self.test.assertIn(text, self.out, self)
        return self

    def lacks(self, *texts):
        for text in texts:
            self.test.assertNotIn(text, self.out + self.err, self)
        return self

    def says(self, *texts):
        """On standard error."""
        for text in texts:
            self.test.assertIn(text, self.err, self)
        return self

    def json(self):
        try:
            return json.loads(self.out)
        except ValueError:
            self.test.fail("no JSON: %s" % self)
            return None

    def events(self):
        return [json.loads(line) for line in self.out.splitlines()]


class Desk(unittest.TestCase):
    options = ()		# of podform-sim

    @classmethod
    def setUpClass(cls):
        cls.sim = subprocess.Popen(
            [SIMULATOR, "--pod-start", "50", "--rate-limit", "off",
             "--idle-exit", "2m", "--parent-pid", str(os.getpid()),
             *cls.options], stdout=subprocess.PIPE, text=True)
        cls.addClassCleanup(cls.end_sim)
        cls.url = cls.sim.stdout.readline().split()[-1]

    @classmethod
    def end_sim(cls):
        cls.sim.terminate()
        cls.sim.wait(20)
        cls.sim.stdout.close()

    def setUp(self):
        self.dir = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.dir)
        self.addCleanup(self.clear_account)
        self.env = {"PATH": os.environ["PATH"], "HOME": self.dir,
                    "USER": "tester", "TERM": "xterm",
                    "RUNPOD_API_URL": self.url, "RUNPOD_API_KEY": "rpa_sim",
                    "GITHUB_API_URL": self.url + "/github",
                    "PODFORM_SETTLE": "500ms"}
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS"):
            if name in os.environ:
                self.env[name] = os.environ[name]
        self.spec(SPEC)

    # ------------------------------------------------------------- files --

    def path(self, name):
        return os.path.join(self.dir, name)

    def write(self, name, text, mode=0o600):
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(text if isinstance(text, bytes) else text.encode())
        os.chmod(path, mode)
        return path

    def read(self, name):
        with open(self.path(name), encoding="utf-8") as file:
            return file.read()

    def spec(self, text):
        self.write("specs/pods.yaml", text)

    def edit(self, old, new):
        text = self.read("specs/pods.yaml")
        self.assertIn(old, text)
        self.spec(text.replace(old, new))

    def edit_lock(self, change):
        """Let change(document) have the lock file, and make it sound."""
        lock = json.loads(self.read("podform.lock"))
        change(lock)
        lock["checksum"] = "crc64:" + "0" * 16
        text = json.dumps(lock, indent=2, sort_keys=True).encode() + b"\n"
        at = text.index(b"0" * 16)
        fits = crc64(text[:at] + text[at + 16:]).encode()
        self.write("podform.lock", text[:at] + fits + text[at + 16:])

    # ----------------------------------------------------------- podform --

    def environment(self, more):
        env = {**self.env, **more}
        return {name: env[name] for name in env if env[name] is not None}

    def run_podform(self, *words, code=0, env=None, stdin=None, timeout=60):
        """Standard input is empty, or bytes, or a file."""
        more = {"input": stdin} if isinstance(stdin, bytes) else {
            "stdin": stdin or subprocess.DEVNULL}
        done = subprocess.run(
            [PODFORM, *words], cwd=self.dir, env=self.environment(env or {}),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False,
            timeout=timeout, **more)
        result = Result(self, words, done.returncode,
                        done.stdout.decode("utf-8", "backslashreplace"),
                        done.stderr.decode("utf-8", "backslashreplace"))
        self.assertEqual(result.code, code, result)
        return result

    def on_terminal(self, *words, code=0, answer=None, asked="Only `yes`",
                    env=None):
        """All three streams are a terminal, where `answer` (bytes) is typed
        once `asked` is shown."""
        environment = self.environment(env or {})
        pid, fd = pty.fork()
        if pid == 0:
            try:
                os.chdir(self.dir)
                os.execve(PODFORM, [PODFORM, *words], environment)
            finally:
                os._exit(126)
        seen, end = b"", time.monotonic() + 60
        while time.monotonic() < end:
            if not select.select([fd], [], [], 1)[0]:
                continue
            try:
                block = os.read(fd, 65536)
            except OSError:
                break
            if not block:
                break
            seen += block
            if answer is not None and asked.encode() in seen:
                os.write(fd, answer)
                answer = None
        os.close(fd)
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        result = Result(self, words, status,
                        seen.decode("utf-8", "backslashreplace"), "")
        self.assertEqual(status, code, result)
        return result

    def apply(self, *words, **more):
        return self.run_podform("apply", "-y", *words, **more)

    # ------------------------------------------------------------- cloud --

    @classmethod
    def ask(cls, method, path, body=None):
        request = urllib.request.Request(
            cls.url + path, method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": "Bearer rpa_sim"})
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return answer.status, json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.loads(error.read() or b"null")

    def control(self, path, body=None, method="POST"):
        status, answer = self.ask(method, "/control/" + path, body)
        self.assertEqual(status, 200, (path, body, answer))
        return answer

    def pods(self):
        """Those that are not terminated."""
        return [pod for pod in self.ask("GET", "/v2/pods?limit=1000")[1]
                ["pods"] if pod["status"] != "TERMINATED"]

    def volumes(self):
        answer = self.ask("GET", "/v2/network-volumes")[1]
        return answer if isinstance(answer, list) else next(
            value for value in answer.values() if isinstance(value, list))

    def clear_account(self):
        """What a test has left is not the next one's."""
        self.control("script", method="DELETE")
        self.control("faults", method="DELETE")
        self.control("key", {"revoked": False})
        self.control("pace", {"latency_ms": 0})
        for pod in self.pods():
            self.ask("DELETE", "/v2/pods/" + pod["id"])
        for volume in self.volumes():
            self.ask("DELETE", "/v2/network-volumes/" + volume["id"])
