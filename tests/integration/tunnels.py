#!/usr/bin/python3
"""tunnels.py - the holder of tunnels against real pods of podform-sim.

Speaks the holder's protocol, as a client does, and looks at what is there in
the end: listeners, processes, descriptors, files.
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
import time
import unittest
import urllib.request

KEY = "rpa_tunnels"
PODFORM = os.environ.get("PODFORM", "build/gcc/podform")
SIMULATOR = os.environ.get("PODFORM_SIM", "build/gcc/podform-sim")


def wait_for(what, seconds=60):
    """A limit for what hangs; a loaded machine is slow."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = what()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"waited {seconds} s in vain")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="latin-1") as file:
            return file.read().rsplit(")", 1)[1].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def children(pid):
    found = []
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/children",
                      encoding="ascii") as file:
                for child in file.read().split():
                    found += [int(child)] + children(int(child))
    except (FileNotFoundError, ProcessLookupError):
        pass
    return found


class Hello(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "5")
        self.end_headers()
        self.wfile.write(b"hello")

    def log_message(self, *args):
        pass


class Tunnels(unittest.TestCase):
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
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0),
                                                      Hello)
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

    def podform(self, *words):
        return subprocess.run([PODFORM, *words], env=self.env, text=True,
                              cwd=self.project, capture_output=True,
                              timeout=60, check=False)

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

    # --------------------------------------------------------------- tests

    def test_request_goes_through_and_close_leaves_nothing(self):
        pod, port = self.pod(), free_port()
        self.start_holder()
        tunnel = self.open_up(pod, port, check=f"http://127.0.0.1:{port}/")
        self.assertEqual(tunnel["state"], "up")
        self.assertEqual(self.get(port), b"hello")
        pid = self.holder_pid()
        workers = children(pid)
        self.assertTrue(workers)
        shown = self.podform("tunnel", "list")
        self.assertIn("tunnel.web", shown.stdout)
        self.assertIn(" up ", shown.stdout)
        closed = self.podform("tunnel", "down", "web")
        self.assertEqual(closed.returncode, 0, closed.stderr)
        self.assert_refused(port)
        self.assert_nothing_left(pid, workers)

    def test_it_follows_a_pod_through_stop_and_start(self):
        pod, port = self.pod(), free_port()
        self.start_holder()
        self.open_up(pod, port)
        before = self.state()["fingerprint"]
        self.console(pod, "stop")
        wait_for(lambda: self.state()["state"] == "waiting-for-pod")
        self.console(pod, "start")
        wait_for(lambda: self.state()["state"] == "up", 60)
        self.assertNotEqual(self.state()["fingerprint"], before)
        self.assertEqual(self.get(port), b"hello")

    def test_it_closes_when_the_pod_is_deleted(self):
        pod, port = self.pod(), free_port()
        self.start_holder()
        self.open_up(pod, port)
        pid = self.holder_pid()
        workers = children(pid)
        self.call("DELETE", f"/pods/{pod['id']}")
        wait_for(lambda: not alive(pid), 60)
        self.assert_refused(port)
        self.assert_nothing_left(pid, workers)
        self.assertIn("tunnel.web: closed: the pod", self.log())

    def test_killed_holder_takes_its_workers_and_ports_along(self):
        pod, port = self.pod(), free_port()
        self.start_holder()
        self.open_up(pod, port)
        pid = self.holder_pid()
        workers = children(pid)
        os.kill(pid, signal.SIGKILL)
        wait_for(lambda: not any(alive(worker) for worker in workers))
        self.assert_refused(port)
        # The socket is a leftover: it stops nobody.
        self.assertIn("no tunnel is held",
                      self.podform("tunnel", "list").stdout)
        self.start_holder()
        self.assertNotEqual(self.holder_pid(), pid)
        self.open_up(pod, port)
        self.assertEqual(self.get(port), b"hello")

    def test_taken_port_is_a_conflict_that_names_its_owner(self):
        pod = self.pod()
        self.start_holder()
        with socket.socket() as other:
            other.bind(("127.0.0.1", 0))
            other.listen()
            answer = self.open(pod, other.getsockname()[1])
            self.assertFalse(answer["ok"])
            self.assertTrue(answer["conflict"])
            self.assertIn(f"(pid {os.getpid()})", answer["reason"])

    def test_twenty_tunnels_to_one_pod_have_one_session(self):
        pod = self.pod()
        self.start_holder()
        ports = [free_port() for _ in range(20)]
        for i, port in enumerate(ports):
            self.open_up(pod, port, f"tunnel.t{i}")
        for port in ports:
            self.assertEqual(self.get(port), b"hello")
        self.assertLessEqual(len(children(self.holder_pid())), 2)

    def test_unix_socket_is_private_and_removed(self):
        pod = self.pod()
        path = os.path.join(self.work, "web.sock")
        self.start_holder()
        self.open_up(pod, 0, local_address=path)
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(10)
            client.connect(path)
            client.sendall(b"GET / HTTP/1.0\r\n\r\n")
            self.assertTrue(client.recv(100).startswith(b"HTTP/1.0 200"))
        self.say(verb="close", address="tunnel.web")
        self.assertFalse(os.path.exists(path))

    def test_two_holders_are_one(self):
        for _ in range(3):
            self.start_holder()
        pid = self.holder_pid()
        time.sleep(0.5)
        self.assertTrue(alive(pid))
        self.assertEqual(self.holder_pid(), pid)
        os.kill(pid, signal.SIGTERM)
        self.assert_nothing_left(pid, [])

    def test_another_protocol_is_told_and_can_end_it(self):
        self.start_holder()
        pid = self.holder_pid()
        answer = self.say(protocol=9, verb="dance")
        self.assertFalse(answer["ok"])
        self.assertIn("another protocol", answer["reason"])
        self.assertTrue(self.say(protocol=9, verb="end")["ok"])
        self.assert_nothing_left(pid, [])


if __name__ == "__main__":
    unittest.main()
