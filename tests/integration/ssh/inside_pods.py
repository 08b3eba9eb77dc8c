"""inside_pods.py - what the tests of commands inside pods share.

`Inside` is a project of its own with real pods of podform-sim (a sandbox
with an OpenSSH server each), made by `podform apply` when a class begins and
gone with it.  Commands run as a person would run them: with or without a
terminal, with input, interrupted.  A class whose `become` is NOBODY does all
of it as that user.
"""

import fcntl
import json
import os
import pty
import select
import shutil
import signal
import struct
import subprocess
import tempfile
import termios
import time
import unittest
import urllib.request

from common.proc import alive, children, name_of, wait_for

KEY = "rpa_inside_pods"
NOBODY = [shutil.which("setpriv") or "setpriv", "--reuid=65534",
          "--regid=65534", "--clear-groups"]
PODFORM = os.path.abspath(os.environ.get("PODFORM", "build/gcc/podform"))
SIMULATOR = os.path.abspath(os.environ.get("PODFORM_SIM",
                                           "build/gcc/podform-sim"))
SPEC = """
project: inside
pods:
  trainer:
    image: runpod/pytorch
    gpu: [NVIDIA A40]
    disk: 10GB
    ports: [22/tcp]
    env: { MODE: train }
"""


def workers(pid):
    """The processes of podform-ssh below pid: its server, then workers."""
    return [child for child in children(pid)
            if name_of(child) == "podform-ssh"]


class Terminal:
    """A program on a terminal of its own, which we play."""

    def __init__(self, argv, env, cwd, preexec=None):
        self.text = b""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            try:
                os.chdir(cwd)
                if preexec:
                    preexec()
                os.execvpe(argv[0], argv, env)
            finally:
                os._exit(126)
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ,
                    struct.pack("HHHH", 24, 80, 0, 0))
        self.status = None

    def read(self, seconds):
        """More of what it shows; False at its end."""
        if not select.select([self.fd], [], [], seconds)[0]:
            return True
        try:
            more = os.read(self.fd, 65536)
        except OSError:
            more = b""
        self.text += more
        return bool(more)

    def until(self, wanted, seconds=20):
        """Wait until it has shown this; what it has shown up to there."""
        end = time.monotonic() + seconds
        while wanted not in self.text:
            if not self.read(0.1) or time.monotonic() > end:
                raise AssertionError(f"{wanted} is not in {self.text}")
        return self.text

    def type(self, text):
        os.write(self.fd, text)

    def end(self, seconds=20):
        """Wait for its end: the exit status, or minus the signal."""
        end = time.monotonic() + seconds
        while self.read(0.1):
            if time.monotonic() > end:
                os.kill(self.pid, signal.SIGKILL)
        os.close(self.fd)
        status = os.waitpid(self.pid, 0)[1]
        return os.waitstatus_to_exitcode(status)


class Inside(unittest.TestCase):
    become = []
    spec = SPEC
    options = []		# of podform-sim
    more_env = {}		# of podform

    # ------------------------------------------------------- class' life --

    @classmethod
    def setUpClass(cls):
        if cls.become and os.getuid() != 0:
            raise unittest.SkipTest("only root can become nobody")
        cls.work = tempfile.mkdtemp()
        cls.addClassCleanup(shutil.rmtree, cls.work)
        cls.project = os.path.join(cls.work, "project")
        cls.home = os.path.join(cls.work, "home")
        cls.programs = os.path.dirname(PODFORM)
        if cls.become:
            cls.copy_programs()
        for path in (cls.project, cls.home, os.path.join(cls.work, "tmp")):
            cls.directory(path)
        cls.directory(os.path.join(cls.project, "specs"))
        cls.file("specs/a.yaml", cls.spec)
        cls.start_sim()
        cls.env = {"PATH": os.environ["PATH"], "HOME": cls.home,
                   "TERM": "xterm", "RUNPOD_API_KEY": KEY,
                   "USER": "tester", "RUNPOD_API_URL": cls.url}
        cls.env.update(cls.more_env)
        if "ASAN_OPTIONS" in os.environ:
            cls.env["ASAN_OPTIONS"] = os.environ["ASAN_OPTIONS"]
        cls.made = cls.podform("apply", "--auto-approve")
        if cls.made.returncode != 0:
            raise AssertionError(cls.made.stderr)

    @classmethod
    def copy_programs(cls):
        """To where another user may read them."""
        os.chmod(cls.work, 0o755)
        cls.programs = os.path.join(cls.work, "bin")
        os.mkdir(cls.programs)
        for name in ("podform", "podform-ssh", "podform-sim"):
            shutil.copy(os.path.join(os.path.dirname(PODFORM), name),
                        cls.programs)
        os.chmod(cls.programs, 0o755)

    @classmethod
    def start_sim(cls):
        sim = SIMULATOR
        if cls.become:
            sim = os.path.join(cls.programs, "podform-sim")
        cls.sim = subprocess.Popen(
            [*cls.become, sim, "--pods", "sandbox", "--key", KEY,
             "--pod-start", "100", "--rate-limit", "off", "--parent-pid",
             str(os.getpid()), *cls.options],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            cwd="/", env={"PATH": os.environ["PATH"],
                          "TMPDIR": os.path.join(cls.work, "tmp")})
        cls.addClassCleanup(cls.end_sim)
        line = cls.sim.stdout.readline()
        if not line:
            why = cls.sim.stderr.read().strip()
            print("skip:", why, flush=True)
            raise unittest.SkipTest(why)
        cls.url = line.split()[-1]

    @classmethod
    def end_sim(cls):
        cls.sim.terminate()
        cls.sim.wait(20)
        cls.sim.stdout.close()
        cls.sim.stderr.close()

    # ------------------------------------------------------------- files --

    @classmethod
    def give(cls, path):
        if cls.become:
            os.chown(path, 65534, 65534, follow_symlinks=False)
        return path

    @classmethod
    def directory(cls, path):
        os.mkdir(path, 0o755)
        return cls.give(path)

    @classmethod
    def file(cls, name, content, mode=0o644):
        """A file of the project, of the user who works in it."""
        path = os.path.join(cls.project, name)
        with open(path, "wb") as file:
            file.write(content if isinstance(content, bytes)
                       else content.encode())
        os.chmod(path, mode)
        return cls.give(path)

    def path(self, name):
        return os.path.join(self.project, name)

    def scratch(self):
        """A directory that goes with the test."""
        path = tempfile.mkdtemp(dir=self.project)
        os.chmod(path, 0o755)
        self.give(path)
        self.addCleanup(shutil.rmtree, path)
        return path

    # ----------------------------------------------------------- podform --

    @classmethod
    def words(cls, words):
        return [*cls.become, os.path.join(cls.programs, "podform"), *words]

    @classmethod
    def podform(cls, *words, env=None, text=True, seconds=60, **more):
        """Run it without a terminal; standard input is empty unless said."""
        if "input" not in more and "stdin" not in more:
            more["stdin"] = subprocess.DEVNULL
        return subprocess.run(
            cls.words(words), env={**cls.env, **(env or {})}, text=text,
            cwd=cls.project, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            timeout=seconds, check=False, **more)

    def start(self, *words, env=None, **more):
        """Start it, in a process group of its own."""
        pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE,
                 "stderr": subprocess.PIPE, "start_new_session": True}
        pipes.update(more)
        process = subprocess.Popen(
            self.words(words), env={**self.env, **(env or {})},
            cwd=self.project, **pipes)
        self.addCleanup(self.end_process, process)
        return process

    def end_process(self, process):
        if process.poll() is None:
            process.kill()
        process.wait(10)
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe and not pipe.closed:
                pipe.close()

    def terminal(self, *words, env=None):
        return Terminal(self.words(words), {**self.env, **(env or {})},
                        self.project)

    def inside(self, command, pod="trainer"):
        """What a command on the pod prints; it must succeed."""
        done = self.podform("exec", pod, "--", command)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout.strip()

    def runs_inside(self, words, pod="trainer"):
        """Does a process with these words run on the pod?  Each word is
        written so that the question is not its own answer."""
        pattern = "[" + words[0] + "]" + words[1:]
        done = self.podform("exec", pod, "--", f"pgrep -f '{pattern}'")
        return done.returncode == 0

    # --------------------------------------------------------- the cloud --

    @classmethod
    def call(cls, method, path, body=None, base="/v2"):
        request = urllib.request.Request(
            cls.url + base + path, method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": "Bearer " + KEY,
                     "User-Agent": "podform-test/1",
                     "Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.loads(answer.read() or "null")

    @classmethod
    def record(cls, address="pod.trainer"):
        with open(os.path.join(cls.project, "podform.lock"),
                  encoding="utf-8") as file:
            for resource in json.load(file)["resources"]:
                if resource["address"] == address:
                    return resource
        return None

    @classmethod
    def live(cls, address="pod.trainer"):
        return cls.call("GET", "/pods/" + cls.record(address)["id"])

    def assert_same_bytes(self, one, other):
        """Without both of them in a message."""
        self.assertEqual(len(one), len(other))
        self.assertTrue(one == other, "the bytes differ")
