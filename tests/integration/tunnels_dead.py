#!/usr/bin/python3
"""tunnels_dead.py - tunnels whose other end is dead, frozen, gone or another
one; and a holder that slept.
"""

import os
import signal
import socket
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "tunnel"))

from common.proc import name_of
from tunnel_world import (TunnelCase, alive, children, free_port,
                          wait_for)

DEAD_S = 45		# promised
SLACK_S = 10		# of a machine that is busy with other things


def sshds_below(pid):
    """The newest last."""
    return sorted(child for child in children(pid)
                  if name_of(child) == "sshd")


class Dead(TunnelCase):
    def freeze(self, pids):
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        # Whatever happens: nothing may stay frozen.
        self.addCleanup(self.thaw, pids)

    def thaw(self, pids):
        for pid in pids:
            if alive(pid):
                os.kill(pid, signal.SIGCONT)

    def test_silent_peer_is_found_and_left_for_a_living_one(self):
        pod, port = self.pod(), free_port()
        self.start_holder()
        self.open_up(pod, port)
        # The session's processes, and not the one that listens: a new
        # connection will find somebody.
        frozen = sshds_below(self.sim.pid)[1:]
        self.assertTrue(frozen)
        begun = time.monotonic()
        self.freeze(frozen)
        wait_for(lambda: self.state()["state"] != "up", 120)
        self.assertLess(time.monotonic() - begun, DEAD_S + SLACK_S)
        wait_for(lambda: self.state()["state"] == "up")
        self.assertEqual(self.get(port), b"hello")
        # On a busy machine the first new login may come too late.
        self.assertIn(self.state()["reconnects"], (1, 2, 3))

    def gets_through(self, port):
        try:
            return self.get(port) == b"hello"
        except OSError:
            return False

    def test_holder_that_slept_goes_on(self):
        pod, port = self.pod(), free_port()
        self.start_holder()
        self.open_up(pod, port)
        pid = self.holder_pid()
        workers = children(pid)
        asleep = [pid] + workers
        self.freeze(asleep)
        time.sleep(DEAD_S + 5)
        self.thaw(asleep)
        wait_for(lambda: self.state()["state"] == "up")
        # What looks up may be a moment from being found dead, and cuts
        # those who talk through it when it is.
        wait_for(lambda: self.gets_through(port))
        self.assertEqual(self.holder_pid(), pid)
        time.sleep(2)
        self.assertEqual(self.get(port), b"hello")
        self.assertEqual(self.state()["state"], "up")
        self.assertEqual([worker for worker in workers if alive(worker)
                          and worker not in children(pid)], [])

    def other_sshd(self, port):
        """Somebody else at the pod's address: what was said to him."""
        key = os.path.join(self.work, "other")
        log = os.path.join(self.work, "other.log")
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "",
                        "-f", key], check=True)
        sshd = subprocess.Popen(
            ["/usr/sbin/sshd", "-D", "-E", log, "-f", "/dev/null",
             "-p", str(port), "-h", key, "-o", "ListenAddress=127.0.0.1",
             "-o", "PidFile=none", "-o", "LogLevel=DEBUG1"])
        self.addCleanup(sshd.wait)
        self.addCleanup(sshd.kill)
        wait_for(lambda: "listening" in self.read(log))
        return log

    def read(self, path):
        try:
            with open(path, encoding="utf-8") as file:
                return file.read()
        except FileNotFoundError:
            return ""

    def test_other_key_without_a_new_start_stops_the_tunnel_alone(self):
        if os.geteuid() == 0:
            os.makedirs("/run/sshd", exist_ok=True)
        pod, port = self.pod(), free_port()
        self.start_holder()
        self.open_up(pod, port)
        ssh_port = pod["ssh"]["direct"]["port"]
        for pid in sshds_below(self.sim.pid):
            os.kill(pid, signal.SIGKILL)
        wait_for(lambda: not any(alive(pid) for pid in
                                 sshds_below(self.sim.pid)))
        log = self.other_sshd(ssh_port)
        found = wait_for(lambda: (self.state() if self.state()["state"]
                                  == "conflict" else None), 120)
        self.assertIn("not the pinned one", found["error"])
        # Nobody has said who he is to the stranger.
        text = self.read(log)
        self.assertIn("Connection from", text)
        self.assertNotIn("userauth-request", text)
        with self.assertRaises(OSError):
            with socket.create_connection(("127.0.0.1", port), 20) as one:
                one.settimeout(20)
                one.sendall(b"GET / HTTP/1.0\r\n\r\n")
                if not one.recv(10):
                    raise OSError("cut")
        again = self.call("GET", "/pods/" + pod["id"])
        self.assertEqual(again["status"], "RUNNING")
        # It ends with a new start, which has another key and another port.
        self.console(pod, "stop")
        self.console(pod, "start")
        wait_for(lambda: self.state()["state"] == "up", 120)
        self.assertEqual(self.get(port), b"hello")


if __name__ == "__main__":
    unittest.main()
