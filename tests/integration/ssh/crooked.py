"""crooked.py - a project whose pods are liars (liar.py).

Between podform and podform-sim stands a proxy that says of each pod that its
SSH is at the liar of that name, and that its log is what a test wants; all
else is the simulator's.  A pod's name stands in its environment, as LIAR.
"""
import http.client
import http.server
import json
import os
import pty
import re
import resource
import shutil
import subprocess
import tempfile
import threading
import time

from liar import HostKey, Liar

KEY = "rpa_crooked"
PODFORM = os.path.abspath(os.environ.get("PODFORM", "build/gcc/podform"))
SIMULATOR = os.path.abspath(os.environ.get("PODFORM_SIM",
                                           "build/gcc/podform-sim"))


class Proxy(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.cloud = self.server.cloud
        size = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(size) if size else None
        pod = re.match(r"/v2/pods/([^/]+)/logs", self.path)
        if pod:
            self.answer(200, self.cloud.log(pod.group(1)),
                        "text/event-stream")
            return
        link = http.client.HTTPConnection("127.0.0.1", self.cloud.port)
        link.request(self.command, self.path, body, {
            name: value for name, value in self.headers.items()
            if name.lower() in ("authorization", "content-type")})
        reply = link.getresponse()
        data = reply.read()
        link.close()
        kind = reply.getheader("Content-Type") or ""
        if "json" in kind and data:
            value = json.loads(data)
            self.cloud.bend(value)
            data = json.dumps(value).encode()
        self.answer(reply.status, data, kind)

    do_POST = do_PUT = do_PATCH = do_DELETE = do_GET

    def answer(self, status, data, kind):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        try:
            self.wfile.write(data)
        except OSError:
            pass

    def log_message(self, *_):
        pass


class Cloud:
    """podform-sim, and what is bent of its answers."""

    def __init__(self):
        self.liars = {}           # by name
        self.lines = {}           # of a pod's log, by name
        self.names = {}           # by the pod's id
        self.sim = subprocess.Popen(
            [SIMULATOR, "--pods", "tcp", "--key", KEY, "--pod-start", "50",
             "--rate-limit", "off", "--parent-pid", str(os.getpid())],
            stdout=subprocess.PIPE, text=True)
        line = self.sim.stdout.readline()
        self.port = int(line.rsplit(":", 1)[1])
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0),
                                                      Proxy)
        self.server.daemon_threads = True
        self.server.cloud = self
        self.url = "http://127.0.0.1:%d" % self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever,
                         daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.sim.terminate()
        self.sim.wait(20)
        self.sim.stdout.close()

    def bend(self, value):
        if isinstance(value, list):
            for one in value:
                self.bend(one)
        elif isinstance(value, dict):
            name = (value.get("env") or {}).get("LIAR")
            if name in self.liars and "id" in value:
                self.names[value["id"]] = name
                direct = (value.get("ssh") or {}).get("direct")
                if direct:
                    direct["host"] = "127.0.0.1"
                    direct["port"] = self.liars[name].port
            for one in value.values():
                self.bend(one)

    def log(self, number):
        """The newest time there is: no line is of an earlier container."""
        events = []
        for at, line in enumerate(self.lines.get(self.names.get(number),
                                                 ["no key here"])):
            events.append("id: %d\ndata: %s\n\n" % (at, json.dumps({
                "ts": "2099-01-01T00:00:00.%06dZ" % at,
                "source": "container", "line": line})))
        return "".join(events).encode()

    def pods(self):
        link = http.client.HTTPConnection("127.0.0.1", self.port)
        link.request("GET", "/v2/pods", headers={
            "Authorization": "Bearer " + KEY})
        pods = json.loads(link.getresponse().read())["pods"]
        link.close()
        return sorted((pod["name"], pod["id"], pod["status"])
                      for pod in pods)


class Done:
    """How a command ended."""


class Project:
    """A directory with a spec, and podform in it."""

    def __init__(self, cloud, spec):
        self.cloud = cloud
        self.work = tempfile.mkdtemp()
        self.path = os.path.join(self.work, "project")
        os.makedirs(os.path.join(self.path, "specs"))
        with open(os.path.join(self.path, "specs/a.yaml"), "w",
                  encoding="utf-8") as file:
            file.write(spec)
        self.env = {"PATH": os.environ["PATH"], "HOME": self.work,
                    "USER": "t", "RUNPOD_API_KEY": KEY,
                    "RUNPOD_API_URL": cloud.url}
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS"):
            if name in os.environ:
                self.env[name] = os.environ[name]

    def run(self, *words, seconds=100, descriptors=None, terminal=False,
            **env):
        """Run podform; what it says, how it ends, how long and how large
        it was."""
        def before():
            if descriptors:
                resource.setrlimit(resource.RLIMIT_NOFILE,
                                   (descriptors, descriptors))
        done = Done()
        began = time.monotonic()
        out = tempfile.TemporaryFile()
        err = tempfile.TemporaryFile()
        shown = err
        if terminal:
            master, shown = pty.openpty()
        process = subprocess.Popen(
            [PODFORM, *words], cwd=self.path, env={**self.env, **env},
            stdin=subprocess.DEVNULL, stdout=shown if terminal else out,
            stderr=err, preexec_fn=before)
        if terminal:
            os.close(shown)
            reader = threading.Thread(target=self.copy, args=(master, out))
            reader.start()
        done.mib = 0
        while process.poll() is None:
            done.mib = max(done.mib, self.peak(process.pid))
            time.sleep(0.01)
            if time.monotonic() - began > seconds:
                process.kill()
        done.code = process.returncode
        done.seconds = time.monotonic() - began
        if terminal:
            reader.join()
        done.out, done.err = self.text(out), self.text(err)
        return done

    @staticmethod
    def peak(pid):
        """MiB.  What wait4() tells would count this process, too, of which
        the child was a copy at first."""
        try:
            with open("/proc/%d/status" % pid, encoding="ascii",
                      errors="replace") as file:
                text = file.read()
        except OSError:
            return 0
        found = re.search(r"Name:\s+podform\n(?s:.*)VmHWM:\s+(\d+)", text)
        return int(found.group(1)) / 1024 if found else 0

    @staticmethod
    def copy(master, out):
        while True:
            try:
                data = os.read(master, 65536)
            except OSError:
                data = b""
            if not data:
                break
            out.write(data)
        os.close(master)

    @staticmethod
    def text(file):
        file.seek(0)
        text = file.read().decode("latin-1")
        file.close()
        return text

    def lock(self):
        with open(os.path.join(self.path, "podform.lock"),
                  encoding="utf-8") as file:
            return file.read()

    def close(self):
        shutil.rmtree(self.work, ignore_errors=True)
