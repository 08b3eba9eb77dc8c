#!/usr/bin/python3
"""podform against pods whose SSH servers mean no good, as stories.

Where a case needs more than one command: host keys that change (H-01), pods
that are silent among others (H-03), what apply does with lies (H-05, H-06),
few descriptors (H-07), tunnels (F51, F53, F54), and a worker that somebody
has taken over (F55).
"""
import json
import os
import re
import resource
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import time
import unittest

from common.proc import free_port, wait_for

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "ssh"))
try:
    from crooked import PODFORM, Cloud, Project
    from liar import *
except ImportError as missing:
    print("skip: needs %s" % missing.name)
    sys.exit(77)

EVIL = b"bye\x1b]52;c;cm0=\x07\r\n\xe2\x80\xae\xff\0end"
RAW = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]|\xe2\x80[\xa8-\xae]")


def upper(connection, channel, data):
    connection.say(channel, data.upper())


class Story(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cloud = Cloud()
        cls.count = 0
        cls.addClassCleanup(cls.cloud.close)

    def begin(self, pods, more="", **options):
        """A project with these pods: names to what their specs have."""
        text = ("project: p%d%s\nsettings: { budget: { per_hour: 900.00 } }"
                "\npods:\n" % (id(self) % 10000, self._testMethodName[-8:]
                               .replace("_", "").lower()))
        for name, fields in pods.items():
            text += ("  %s:\n    image: runpod/base:1.0\n    gpu: NVIDIA A40"
                     "\n    env: { LIAR: %s }\n%s" % (
                         name, self.own(name), fields))
        self.project = Project(self.cloud, text + more)
        self.addCleanup(self.project.close)
        self.addCleanup(self.project.run, "tunnel", "down", "--all")

    def own(self, name):
        """Its name among all liars."""
        return self._testMethodName + "_" + name

    def liar(self, name="one", pinned=True, **how):
        """Who answers for a pod from now on."""
        liar = Liar(**how)
        self.addCleanup(liar.close)
        self.cloud.liars[self.own(name)] = liar
        if pinned:
            self.cloud.lines[self.own(name)] = [liar.key.line]
        return liar

    def apply(self, code=0):
        done = self.project.run("apply", "--auto-approve")
        self.assertEqual(done.code, code, done.err[-2000:])
        return done

    def exec(self, name="one", code=0, words=("true",), **how):
        done = self.project.run("exec", name, "--", *words, **how)
        self.assertEqual(done.code, code, done.err[-2000:])
        return done

    def tunnel(self):
        done = self.project.run("tunnel", "list", "--json")
        return json.loads(done.out)["tunnels"][0]

    def wait_for_state(self, *states, seconds=60):
        return wait_for(lambda: self.tunnel() if self.tunnel()["state"] in
                        states else None, seconds)


class HostKeys(Story):
    def test_h_01_another_key_than_the_log_vouches_for(self):
        self.liar()
        self.begin({"one": ""})
        self.apply()
        before = self.project.lock(), self.cloud.pods()
        other = self.liar(pinned=False)
        self.assertEqual(
            self.exec(code=1).err, "error: pod.one was sent nothing: the "
            "host key is %s, which is not the pinned one [PF0867]\n"
            "   hint: somebody else may be answering there; if its keys "
            "were changed by hand, restart the pod: each start is pinned "
            "anew\n" % other.key.print)
        self.assertEqual((other.logins, other.commands), (0, []))
        self.assertEqual((self.project.lock(), self.cloud.pods()), before)

    def test_h_01_another_key_than_was_seen_before(self):
        self.liar(pinned=False)
        self.begin({"one": ""})
        self.apply()
        self.assertIn("nothing vouched for the host key", self.exec().err)
        other = self.liar(pinned=False)
        self.assertEqual(
            self.exec(code=1).err, "error: pod.one was sent nothing: the "
            "host key is %s, which is not the pinned one [PF0867]\n"
            "   hint: somebody else may be answering there; if its keys "
            "were changed by hand, restart the pod: each start is pinned "
            "anew\n" % other.key.print)
        self.assertEqual(other.logins, 0)

    def test_h_01_a_key_of_another_type(self):
        self.liar()
        self.begin({"one": ""})
        self.apply()
        other = self.liar(pinned=False, key=HostKey("ecdsa-sha2-nistp256"))
        self.assertIn("was sent nothing", self.exec(code=1).err)
        self.assertEqual(other.logins, 0)

    def test_h_01_podform_ssh_hands_over_to_nobody(self):
        self.liar()
        self.begin({"one": ""})
        self.apply()
        other = self.liar(pinned=False)
        done = self.project.run("ssh", "one", "--", "true")
        self.assertEqual(done.code, 1)
        self.assertIn("error: the host key of pod.one is not the right one: "
                      "nothing was sent", done.err)
        self.assertEqual(other.logins, 0)


class Others(Story):
    def test_h_03_others_go_on_beside_a_silent_one(self):
        """And are not shown later for its sake."""
        liars = {name: self.liar(name) for name in ("one", "two", "three")}
        self.begin({name: "" for name in liars})
        self.apply()
        self.liar("one", accepted=lambda connection: connection.idle())
        began = time.monotonic()
        process = subprocess.Popen(
            [PODFORM, "exec", "--all", "--", "true"], env=self.project.env,
            cwd=self.project.path, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL)
        lines = sorted(process.stdout.readline() for _ in range(2))
        shown = time.monotonic() - began
        rest, errors = process.communicate(timeout=40)
        took = time.monotonic() - began
        self.assertEqual(lines, ["pod.three: honest\n", "pod.two: honest\n"])
        self.assertEqual(rest, "")
        self.assertEqual(errors, "error: pod.one cannot be reached: no SSH "
                         "banner within 10 s [PF0867]\n")
        self.assertEqual(process.returncode, 1)
        self.assertLess(shown, 9)
        self.assertGreater(took, 9.9)

    def test_f_55_a_worker_that_is_killed_takes_no_other_along(self):
        """Two pods, a worker each: one of them dies."""
        def wait(connection, channel, line):
            self.going.set()
            self.go_on.wait(30)
            connection.say(channel, b"honest\n")
            connection.end(channel, 0)
        self.going, self.go_on = threading.Event(), threading.Event()
        self.liar("one", exec=lambda c, channel, line: c.leave(EVIL))
        self.liar("two", exec=wait)
        self.begin({"one": "", "two": ""})
        self.apply()
        process = subprocess.Popen(
            [PODFORM, "exec", "--all", "--", "true"], env=self.project.env,
            cwd=self.project.path, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL)
        self.assertTrue(self.going.wait(20))
        time.sleep(0.5)
        self.go_on.set()
        rest, errors = process.communicate(timeout=40)
        self.assertEqual(rest, "pod.two: honest\n")
        self.assertIn("pod.one was lost on the way", errors)
        self.assertEqual(process.returncode, 1)


class Output(Story):
    STEP = ("    setup: [{ run: ./prepare }]\n    on_failure: keep\n")

    def flooded(self, connection, channel, line):
        if b"sh" not in line:
            return False
        for _ in range(320):
            connection.say(channel, b"\x1b[2J\x1b]0;x\x07" * 2978)
        connection.say(channel, b"\nthe last line\n")
        connection.end(channel, 3)
        return True

    def test_h_05_escapes_on_a_terminal(self):
        def shout(connection, channel, line):
            connection.say(channel, b"\x1b]52;c;cm0=\x07 \xc2\x9b2J ok\n" *
                           1000)
            connection.end(channel, 0)
        self.liar(exec=shout)
        self.begin({"one": ""})
        self.apply()
        done = self.exec(terminal=True)
        self.assertIn(r"\x1b]52;c;cm0=\x07", done.out)
        self.assertIsNone(RAW.search(done.out), done.out[:200])

    def test_h_05_ten_megabytes_of_a_setup_step(self):
        self.liar(exec=self.flooded)
        self.begin({"one": self.STEP})
        done = self.apply(code=10)
        self.assertIn("the last line", done.err + done.out)
        self.assertLess(len(done.err + done.out), 200 << 10)
        self.assertIsNone(RAW.search(done.err + done.out))
        self.assertLess(done.mib, 96)
        logs = self.project.run("logs", "one", "--source", "setup",
                                terminal=True)
        self.assertIsNone(RAW.search(logs.out), logs.out[:200])

    def ends(self, *parts):
        def lie(connection, channel, line):
            for kind, body in parts:
                connection.tell(channel, kind, body)
            connection.send(EOF, u32(channel.theirs))
            connection.send(CLOSE, u32(channel.theirs))
        return lie

    def assert_step_fails(self, words, *parts):
        self.liar(exec=self.ends(*parts))
        self.begin({"one": self.STEP})
        done = self.apply(code=10)
        self.assertIn(words, done.err + done.out)
        self.assertIn("pod.one", done.err)
        self.assertEqual(len([pod for pod in self.cloud.pods()
                              if pod[1] in self.project.lock()]), 1)

    def test_h_06_a_step_without_a_status_has_not_succeeded(self):
        self.assert_step_fails("setup")

    def test_h_06_a_step_that_a_signal_ended_has_not_succeeded(self):
        self.assert_step_fails(
            "setup", (b"exit-status", u32(0)),
            (b"exit-signal", string(b"KILL") + b"\0" + string(EVIL) +
             string(b"")))

    def test_h_06_a_step_of_status_255_has_not_succeeded(self):
        self.assert_step_fails("setup", (b"exit-status", u32(255)))


class Tunnels(Story):
    def setUp(self):
        self.port = free_port()
        self.one = self.liar(data=upper)
        self.begin({"one": ""}, "tunnels:\n  web: { pod: one, local: %d, "
                   "remote: 8188 }\n" % self.port)
        self.apply()
        self.assertEqual(self.through(b"abc"), b"ABC")

    def through(self, data, seconds=10):
        with socket.create_connection(("127.0.0.1", self.port)) as sock:
            sock.settimeout(seconds)
            sock.sendall(data)
            try:
                return sock.recv(100)
            except (TimeoutError, ConnectionResetError):
                return b""

    def cut(self, liar):
        for connection in liar.connections:
            try:
                connection.sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def test_f_51_another_host_key_stops_the_tunnel_and_not_the_pod(self):
        before = self.project.lock(), self.cloud.pods()
        self.one.key = HostKey()
        logins = self.one.logins
        self.cut(self.one)
        told = self.wait_for_state("conflict", seconds=30)
        self.assertIn("host key", told["error"])
        time.sleep(1)
        self.assertEqual(self.one.logins, logins)
        self.assertEqual((self.project.lock(), self.cloud.pods()), before)

    def test_f_53_a_half_open_peer_is_found_within_45_s(self):
        deaf = threading.Event()
        self.one.hooks["message"] = lambda c, number, payload: (
            deaf.set(), c.idle())
        began = time.monotonic()
        wait_for(deaf.is_set, 30)       # it does not hear us from here on
        self.one.hooks.pop("message")
        told = wait_for(lambda: self.tunnel()["reconnects"] > 0, 60)
        self.assertTrue(told)
        self.assertLess(time.monotonic() - began, 15 + 45 + 3)
        self.wait_for_state("up", seconds=20)
        self.assertEqual(self.through(b"abc"), b"ABC")

    def test_f_54_connections_that_are_not_answered_hold_up_no_other(self):
        """The server opens none of them, and then honest ones."""
        self.one.hooks["open"] = lambda c, kind, theirs: \
            kind == b"direct-tcpip"
        waiting = [socket.create_connection(("127.0.0.1", self.port))
                   for _ in range(3)]
        time.sleep(1)
        self.one.hooks.pop("open")
        self.assertEqual(wait_for(lambda: self.through(b"abc", 25), 90),
                         b"ABC")
        for sock in waiting:
            sock.close()

    def test_f_55_an_unasked_connection_gets_nothing(self):
        target = socket.create_server(("127.0.0.1", 0))
        target.settimeout(2)

        def opens(connection, channel, data):
            connection.send(OPEN, string(b"forwarded-tcpip") + u32(0) +
                            u32(1 << 20) + u32(1 << 15) +
                            string(b"localhost") +
                            u32(target.getsockname()[1]) +
                            string(b"127.0.0.1") + u32(5))
            connection.say(channel, data.upper())
        self.one.hooks["data"] = opens
        self.assertEqual(self.through(b"abc"), b"ABC")
        with self.assertRaises(TimeoutError):
            target.accept()
        target.close()


class Limits(Story):
    def test_h_07_two_hundred_tunnels_and_64_descriptors(self):
        self.liar(data=upper)
        tunnels = "tunnels:\n"
        for number in range(200):
            tunnels += "  t%d: { pod: one, local: auto, remote: 80 }\n" % (
                number)
        self.begin({"one": ""}, tunnels)
        done = self.project.run("apply", "--auto-approve", descriptors=64)
        self.assertEqual(done.code, 9, done.err[-1500:])
        self.assertRegex(done.err, r"tunnel\.t\d+: failed: this process may "
                         r"not have more than 64 open files \(ulimit -n\)")
        self.assertIn("pod.one: undo: terminated", done.err)
        self.assertIn("no tunnel is held",
                      self.project.run("tunnel", "list").out)


WORKER = '''#!/usr/bin/python3
# Somebody has taken over the worker: it says what it likes.
import array, os, socket, struct, sys
server = socket.socket(fileno=3)
sys.path.insert(0, %r)
from ssh_worker import NUMBER as NAMES
def send(sock, kind, channel=0, a=0, b=0, c=0, payload=b""):
    sock.send(struct.pack("=IIqqq", kind, channel, a, b, c) + payload)
data, fds, _, _ = socket.recv_fds(server, 40000, 4)
wire = socket.socket(fileno=fds[0])
EVIL = b"bye\\x1b]52;c;cm0=\\x07\\r\\n\\xe2\\x80\\xae\\xff\\0end"
def hear():
    data, fds, _, _ = socket.recv_fds(wire, 40000, 4)
    if not data:
        sys.exit(0)
    return struct.unpack("=I", data[:4])[0]
hear()
%s
while True:
    hear()
'''


class TakenOver(Story):
    """A worker can end, and lie about its pod; nothing else."""

    def play(self, text, **how):
        self.liar(pinned=how.pop("pinned", False))
        self.begin({"one": ""})
        self.apply()
        programs = tempfile.mkdtemp()
        self.addCleanup(subprocess.run, ["rm", "-r", programs], check=False)
        path = os.path.join(programs, "podform-ssh")
        with open(path, "w", encoding="utf-8") as file:
            file.write(WORKER % (os.path.join(os.path.dirname(
                os.path.abspath(__file__)), "ssh"), text))
        os.chmod(path, 0o755)
        done = self.exec(code=1, PODFORM_SSH_WORKER=path)
        self.assertIsNone(RAW.search(done.err), done.err)
        self.assertEqual(done.out, "")
        return done.err

    KEY = "send(wire, NAMES['HOST_KEY'], a=51, payload=bytes(51) + b'\\0')\n"

    def test_f_55_its_last_words_are_escaped(self):
        self.assertIn(r"bye\x1b]52", self.play(
            "send(wire, NAMES['DOWN'], a=4, payload=EVIL)"))

    def test_f_55_it_says_what_is_no_message(self):
        self.assertIn("pod.one", self.play("wire.send(b'x' * 20)"))

    def test_f_55_it_says_a_message_of_no_type(self):
        self.assertIn("pod.one", self.play("send(wire, 4711)"))

    def test_f_55_it_says_up_without_a_login(self):
        self.assertIn("does not keep to its protocol", self.play(
            "send(wire, NAMES['UP'])"))

    def test_f_55_it_wants_something_signed_that_is_no_login(self):
        self.assertIn("wanted something signed that is no login", self.play(
            self.KEY + "hear(); hear()\n"
            "send(wire, NAMES['SIGN'], payload=b'pay me' * 20)\n"))

    def test_f_55_it_has_the_wrong_key_all_the_same(self):
        self.assertIn("was sent nothing", self.play(self.KEY, pinned=True))

    def test_f_55_it_ends_a_command_that_has_not_begun(self):
        self.assertIn("error: pod.one", self.play(
            "send(wire, NAMES['EXIT'], 1, 0)\n"))

    def test_f_55_it_has_a_status_out_of_range(self):
        self.assertIn("ended without an exit status", self.play(
            self.KEY + "hear(); hear()\nsend(wire, NAMES['UP'])\nhear()\n"
            "send(wire, NAMES['CREDIT'], 1, 1 << 40)\n"
            "send(wire, NAMES['TAKEN'], 1, -(1 << 63))\n"
            "send(wire, NAMES['RTT'], 0, 0, -5)\n"
            "send(wire, NAMES['OUT'], 77, 1, payload=b'x')\n"
            "send(wire, NAMES['EXIT'], 1, 1 << 32)\n"))


if __name__ == "__main__":
    unittest.main(warnings="ignore")
