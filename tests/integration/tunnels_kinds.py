#!/usr/bin/python3
"""tunnels_kinds.py - each kind of tunnel and each of its ends, from a spec to
the bytes that go through; and what becomes of an apply whose tunnel does not
come up.
"""

import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import threading
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "tunnel"))

from tunnel_world import PODFORM, SpecCase, children, free_port, wait_for


def echo_once(listener):
    """Answer each client with what it said, in capitals."""
    while True:
        try:
            client = listener.accept()[0]
        except OSError:
            return
        with client:
            client.sendall(client.recv(1000).upper())


class Kinds(SpecCase):
    def serve(self, family=socket.AF_INET, address=("127.0.0.1", 0)):
        """An echo server of this machine: where it listens."""
        listener = socket.socket(family)
        listener.bind(address)
        listener.listen()
        self.addCleanup(listener.close)
        self.addCleanup(listener.shutdown, socket.SHUT_RDWR)
        threading.Thread(target=echo_once, args=(listener,),
                         daemon=True).start()
        return listener.getsockname()

    def say_to(self, address, family=socket.AF_INET):
        with socket.socket(family) as client:
            client.settimeout(20)
            client.connect(address)
            client.sendall(b"hello")
            return client.recv(1000)

    def one(self, tunnel):
        """Apply a spec with one tunnel; the last line of what is said."""
        self.spec(f"  it: {{ pod: web, {tunnel} }}\n")
        return self.apply().stdout.strip().splitlines()[-1]

    def test_local_port_on_another_address(self):
        target = self.serve()[1]
        last = self.one(f"local: '127.0.0.2:{self.port}', remote: {target}")
        self.assertRegex(last, rf"up +127\.0\.0\.2:{self.port}$")
        self.assertEqual(self.say_to(("127.0.0.2", self.port)), b"HELLO")
        # There, and nowhere else.
        self.assert_refused(self.port)

    def test_local_port_of_ipv6(self):
        try:
            with socket.socket(socket.AF_INET6) as probe:
                probe.bind(("::1", 0))
        except OSError as why:
            print("skip: no IPv6 here:", why, flush=True)
            self.skipTest(str(why))
        target = self.serve()[1]
        last = self.one(f"local: '[::1]:{self.port}', remote: {target}")
        self.assertRegex(last, rf"up +\[::1\]:{self.port}$")
        self.assertEqual(self.say_to(("::1", self.port), socket.AF_INET6),
                         b"HELLO")

    def test_local_socket_is_private_and_goes(self):
        path = os.path.join(self.work, "it.sock")
        target = self.serve()[1]
        last = self.one(f"local: {path}, remote: 'localhost:{target}'")
        self.assertTrue(last.endswith(path), last)
        mode = os.stat(path).st_mode
        self.assertTrue(stat.S_ISSOCK(mode))
        self.assertEqual(mode & 0o777, 0o600)
        self.assertEqual(self.say_to(path, socket.AF_UNIX), b"HELLO")
        self.run_ok("destroy", "--auto-approve")
        self.assertFalse(os.path.exists(path))

    def test_remote_port_leads_here(self):
        target = self.serve()[1]
        last = self.one(f"direction: remote, local: {target}, "
                        f"remote: {self.port}")
        self.assertRegex(last, rf"up +127\.0\.0\.1:{self.port} in pod\.web")
        self.assertEqual(self.say_to(("127.0.0.1", self.port)), b"HELLO")
        self.run_ok("destroy", "--auto-approve")
        self.assert_refused(self.port)

    def test_remote_address_leads_to_a_socket_here(self):
        path = os.path.join(self.work, "target.sock")
        self.serve(socket.AF_UNIX, path)
        self.one(f"direction: remote, local: {path}, "
                 f"remote: '127.0.0.1:{self.port}'")
        self.assertEqual(self.say_to(("127.0.0.1", self.port)), b"HELLO")

    def test_dynamic_is_a_socks_proxy(self):
        if shutil.which("curl") is None:
            print("skip: no curl here", flush=True)
            self.skipTest("no curl")
        last = self.one(f"direction: dynamic, local: {self.port}")
        self.assertRegex(last, rf"up +socks5h://127\.0\.0\.1:{self.port}$")
        wait_for(lambda: self.listens(self.inner))
        for host in ("127.0.0.1", "localhost"):
            done = subprocess.run(
                ["curl", "-sS", "--max-time", "20", "--noproxy", "",
                 "--socks5-hostname", f"127.0.0.1:{self.port}",
                 f"http://{host}:{self.inner}/"], capture_output=True,
                check=False, text=True)
            self.assertIn("sshd_config", done.stdout, done.stderr)
        # What is not there is refused, and only that.
        done = subprocess.run(
            ["curl", "-sS", "--max-time", "20", "--noproxy", "",
             "--socks5-hostname", f"127.0.0.1:{self.port}",
             f"http://127.0.0.1:{free_port()}/"], capture_output=True,
            check=False, text=True)
        self.assertNotEqual(done.returncode, 0)
        self.assertEqual(self.listed()["tunnel.it"]["state"], "up")

    def test_check_that_does_not_answer_undoes_the_apply(self):
        nobody = free_port()
        self.spec(f"  it: {{ pod: web, local: {self.port}, remote: {nobody},"
                  f" check: 'http://127.0.0.1:{self.port}/' }}\n")
        done = self.podform("apply", "--auto-approve", timeout=200)
        self.assertEqual(done.returncode, 9, done.stdout + done.stderr)
        self.assertIn("tunnel.it", done.stdout)
        self.assertIn("check", done.stdout)
        self.assertEqual(self.pods(), [])
        self.assert_refused(self.port)
        wait_for(lambda: not os.path.exists(self.path("holder.sock")))

    def test_interrupted_apply_closes_what_it_was_opening(self):
        nobody = free_port()
        self.spec(f"  it: {{ pod: web, local: {self.port}, remote: {nobody},"
                  f" check: 'http://127.0.0.1:{self.port}/' }}\n")
        with subprocess.Popen(
                [PODFORM, "apply", "--auto-approve"], env=self.env,
                cwd=self.project, text=True, stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT) as apply:
            wait_for(lambda: "tunnel.it: probing" in self.log())
            apply.send_signal(signal.SIGINT)
            said = apply.communicate(timeout=120)[0]
        self.assertEqual(apply.returncode, 130, said)
        self.assertEqual(self.pods(), [])
        self.assert_refused(self.port)
        wait_for(lambda: not os.path.exists(self.path("holder.sock")))

    def test_bytes_and_round_trip_are_told_within_80_columns(self):
        target = self.serve()[1]
        self.one(f"local: {self.port}, remote: {target}")
        for _ in range(10):
            self.say_to(("127.0.0.1", self.port))
        found = wait_for(lambda: (self.listed()["tunnel.it"] if
                         self.listed()["tunnel.it"]["bytes_in"] >= 50 and
                         "rtt_us" in self.listed()["tunnel.it"] else None))
        self.assertEqual(found["bytes_in"], 50)
        self.assertEqual(found["bytes_out"], 50)
        self.assertGreater(found["rtt_us"], 0)
        self.env["COLUMNS"] = "80"
        text = self.run_ok("tunnel", "list", "--color", "never").stdout
        for line in text.splitlines():
            self.assertLessEqual(len(line), 80, text)
        self.assertIn("50 B", text)
        self.assertRegex(text, r"\d+\.\d ms")
        self.assertLessEqual(len(children(self.holder_pid())), 2)


if __name__ == "__main__":
    unittest.main()
