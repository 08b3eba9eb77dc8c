"""tunnel_world.py - a project, podform-sim with pods that are sandboxes, and
the holder of tunnels; for the tests that import it.

A sandbox shares the network of this machine: a server in a pod and one of
this process are reached alike, and no port may be used twice.
"""

import http.server
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import unittest
import urllib.request

from common.proc import alive, children, free_port, wait_for

KEY = "rpa_tunnels"
PODFORM = os.path.abspath(os.environ.get("PODFORM", "build/gcc/podform"))
SIMULATOR = os.environ.get("PODFORM_SIM", "build/gcc/podform-sim")


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 256

    def handle_error(self, *_):
        """Clients that die half-way are what some tests are about."""


class Hello(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "5")
        self.end_headers()
        self.wfile.write(b"hello")

    def log_message(self, *args):
        pass


class TunnelCase(unittest.TestCase):
    def setUp(self):
        self.work = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.work)
        self.project = os.path.join(self.work, "project")
        os.makedirs(os.path.join(self.project, ".podform"), 0o700)
        self.key = os.path.join(self.work, "key")
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f",
                        self.key], check=True)
        self.sim = subprocess.Popen(
            [SIMULATOR, "--pods", "sandbox", "--key", KEY, "--pod-start",
             "100", "--rate-limit", "off", "--parent-pid", str(os.getpid())],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(self.end_sim)
        line = self.sim.stdout.readline()
        if not line:
            why = self.sim.stderr.read().strip()
            print("skip:", why, flush=True)
            self.skipTest(why)
        self.url = line.split()[-1]
        self.env = {"PATH": os.environ["PATH"], "HOME": self.work,
                    "RUNPOD_API_KEY": KEY, "RUNPOD_API_URL": self.url,
                    "SSH_KEY_PATH": self.key}
        for name in ("PODFORM_SSH_WORKER", "ASAN_OPTIONS"):
            if name in os.environ:
                self.env[name] = os.environ[name]
        self.addCleanup(self.end_holder)
        # Sandboxes share the network: the server stands for one in the pod.
        self.server = Server(("127.0.0.1", 0), Hello)
        threading.Thread(target=self.server.serve_forever,
                         daemon=True).start()
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)

    def end_sim(self):
        self.sim.terminate()
        self.sim.wait(20)
        self.sim.stdout.close()
        self.sim.stderr.close()

    def end_holder(self):
        subprocess.run([PODFORM, "tunnel", "close", "--all"], env=self.env,
                       cwd=self.project, capture_output=True, timeout=20,
                       check=False)

    def podform(self, *words, timeout=120):
        return subprocess.run([PODFORM, *words], env=self.env, text=True,
                              cwd=self.project, capture_output=True,
                              timeout=timeout, check=False)

    # ---------------------------------------------------------- the cloud

    def call(self, method, path, body=None):
        request = urllib.request.Request(
            self.url + "/v2" + path, method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": "Bearer " + KEY,
                     "User-Agent": "podform-test/1",
                     "Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.loads(answer.read() or "null")

    def console(self, pod, action):
        """What somebody does to the pod behind podform's back."""
        urllib.request.urlopen(urllib.request.Request(
            f"{self.url}/control/pods/{pod['id']}/{action}",
            method="POST"), timeout=20).close()

    def pod(self):
        with open(self.key + ".pub", encoding="ascii") as file:
            public = file.read().strip()
        number = self.call("POST", "/pods", {
            "name": "a", "image": "runpod/pytorch", "disk": 10,
            "gpu": {"id": "NVIDIA A40", "count": 1}, "ports": ["22/tcp"],
            "env": {"PUBLIC_KEY": public}})["id"]
        return self.ready(number)

    def ready(self, number):
        def is_ready():
            pod = self.call("GET", "/pods/" + number)
            return (pod if pod["status"] == "RUNNING" and pod["runtime"]
                    and pod["ssh"]["direct"] else None)
        return wait_for(is_ready)

    # --------------------------------------------------------- the holder

    def start_holder(self):
        """Start one as clients do: its words go to the log."""
        with open(self.path("tunnels.log"), "ab") as log:
            subprocess.run([PODFORM, "tunnel", "hold"], env=self.env,
                           cwd=self.project, check=True, timeout=20,
                           stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        wait_for(self.answers, 60)

    def path(self, name):
        return os.path.join(self.project, ".podform", name)

    def answers(self):
        """Does one answer?  A socket alone may be a dead one's."""
        try:
            return self.say(verb="list")["ok"]
        except (FileNotFoundError, ConnectionRefusedError,
                ConnectionResetError, json.JSONDecodeError):
            return False

    def log(self):
        try:
            with open(self.path("tunnels.log"), encoding="utf-8") as file:
                return file.read()
        except FileNotFoundError:
            return "(no tunnels.log)"

    def holder_pid(self):
        def read():
            # It is emptied first and written then.
            with open(self.path("holder.lock"), encoding="ascii") as file:
                words = file.read().split()
            return int(words[1]) if len(words) == 2 else None
        return wait_for(read)

    def say(self, **request):
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(40)
            client.connect(self.path("holder.sock"))
            client.sendall(json.dumps(
                {"protocol": 1, "version": "test", **request}).encode()
                + b"\n")
            text = b""
            while not text.endswith(b"\n"):
                more = client.recv(65536)
                if not more:
                    break
                text += more
        return json.loads(text)

    def open(self, pod, port, name="tunnel.web", timeout_ms=30000, **more):
        tunnel = {"address": name, "direction": "local",
                  "local_address": "127.0.0.1", "local_port": port,
                  "remote_host": "127.0.0.1",
                  "remote_port": self.server.server_port,
                  "pod": "pod.a", "pod_id": pod["id"]}
        tunnel.update(more)
        answer = self.say(verb="open", timeout_ms=timeout_ms, tunnel=tunnel,
                          keys=self.work)
        if "cannot forward" in answer.get("reason", ""):
            print("skip:", answer["reason"], flush=True)
            self.skipTest(answer["reason"])
        return answer

    def open_up(self, *words, **more):
        answer = self.open(*words, **more)
        self.assertTrue(answer["ok"], f"{answer}\n{self.log()}")
        return answer["tunnels"][0]

    def state(self, name="tunnel.web"):
        for tunnel in self.say(verb="list")["tunnels"]:
            if tunnel["address"] == name:
                return tunnel
        return None

    def get(self, port):
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/",
                                    timeout=10) as answer:
            return answer.read()

    def assert_refused(self, port):
        with self.assertRaises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), 5).close()

    def assert_nothing_left(self, pid, workers):
        wait_for(lambda: not alive(pid))
        wait_for(lambda: not any(alive(worker) for worker in workers))
        self.assertFalse(os.path.exists(self.path("holder.sock")))


class SpecCase(TunnelCase):
    """A project with a spec, which is applied."""

    def spec(self, tunnels, pod=True, more=""):
        """A pod whose process serves files on self.inner; and more pods."""
        text = "project: tunnels\n"
        if pod:
            text += f"""
pods:
  web:
    gpu: NVIDIA A40
    image: runpod/pytorch
    disk: 10GB
    ports: [22/tcp]
    on_failure: terminate
    ready:
      checks: ["true"]
    process:
      run: >-
        exec /usr/bin/python3 -m http.server {self.inner}
        --bind 127.0.0.1 --directory /etc/ssh
""" + more
        if tunnels:
            text += "tunnels:\n" + tunnels
        os.makedirs(os.path.join(self.project, "specs"), exist_ok=True)
        with open(os.path.join(self.project, "specs", "a.yaml"), "w",
                  encoding="utf-8") as file:
            file.write(text)

    def setUp(self):
        super().setUp()
        self.inner, self.port = free_port(), free_port()
        self.web = (f"  web: {{ pod: web, local: {self.port}, remote: "
                    f"{self.inner}, check: 'http://127.0.0.1:{self.port}/'"
                    " }\n")

    def run_ok(self, *words, code=0):
        done = self.podform(*words)
        self.assertEqual(done.returncode, code,
                         f"{words}\n{done.stdout}\n{done.stderr}\n"
                         f"{self.log()}")
        return done

    def apply(self, *words, code=0):
        return self.run_ok("apply", "--auto-approve", *words, code=code)

    def pods(self):
        return [pod for pod in self.call("GET", "/pods")["pods"]
                if pod["status"] != "TERMINATED"]

    def listens(self, port):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    def listed(self):
        done = self.run_ok("tunnel", "list", "--json")
        return {tunnel["address"]: tunnel
                for tunnel in json.loads(done.stdout)["tunnels"]}

    def assert_tidy(self, pid, workers):
        self.assert_nothing_left(pid, workers)
        left = set(os.listdir(self.path(""))) - {
            "holder.lock", "tunnels.log", "logs", "cache", "journal",
            "mutex", "known_hosts"}
        self.assertEqual(left, set())
