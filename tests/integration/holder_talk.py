#!/usr/bin/python3
"""holder_talk.py - both ends of the holder's socket, with a stranger at the
other: podform against holders that lie, hang up or fall silent, and a real
holder against clients that do.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(__file__))
# pylint: disable=wrong-import-position
from common.desk import PODFORM, SPEC, Desk
from common.pretender import SOCKET, Pretender, answer, status, tunnel
from common.proc import alive, free_port, wait_for

WEB = SPEC + "tunnels:\n  web: { pod: one, local: %d, remote: 8188 }\n"


class Client(Desk):
    """podform, and somebody who pretends to be the holder."""

    def test_list_shows_what_it_says(self):
        seen = Pretender(self, lambda request: answer(tunnels=[
            status(), status(address="tunnel.db", state="backoff",
                             error="lost\x1b[2J", retry_at_ms=5)]))
        done = self.run_podform("tunnel").has(
            "tunnel.web", "up", "tunnel.db", "backoff", "lost\\x1b[2J")
        self.assertNotIn("\x1b", done.out)
        listed = self.run_podform("tunnel", "list", "--json").json()
        self.assertEqual([t["state"] for t in listed["tunnels"]],
                         ["up", "backoff"])
        self.run_podform("status").has("tunnel.web", "tunnel.db")
        self.run_podform("output").has(
            "tunnel.web.local.port = 8188", "tunnel.db.status = backoff")
        self.run_podform("tunnel", "down", "nothing").has(
            "tunnel.nothing was not open; podform tunnel list shows")
        self.run_podform("tunnel", "down", "web").has(
            "tunnel.web is closed")
        self.run_podform("tunnel", "close", "--all").has(
            "no tunnel is held any more")
        verbs = [request["verb"] for request in seen.asked]
        self.assertEqual((set(verbs[:-2]), verbs[-2:]),
                         ({"list"}, ["close", "end"]))
        # A key is not what it is told.
        self.assertNotIn("rpa_sim", json.dumps(seen.asked))

    def test_outputs_of_each_kind_of_end(self):
        Pretender(self, lambda request: answer(tunnels=[
            status(address="tunnel.sock", local_address="/run/x.sock"),
            status(address="tunnel.back", direction="remote", port=4000),
            status(address="tunnel.auto", local_port=0, port=0,
                   state="connecting"),
            status(address="tunnel.over", state="closed")]))
        done = self.run_podform("output").has(
            "tunnel.sock.local.path = /run/x.sock",
            "tunnel.back.local.port = 8188",
            "tunnel.auto.status = connecting")
        self.assertNotIn("tunnel.over", done.out)

    def test_refusals_are_told(self):
        Pretender(self, lambda request: answer(
            ok=False, reason="no room\x07", tunnels=[]))
        for words in (["tunnel", "list"], ["tunnel", "down", "web"],
                      ["tunnel", "down", "--all"]):
            self.run_podform(*words, code=1).says(
                "tunnels are not known: no room\\x07")
        self.run_podform("status")
        self.assertEqual(self.run_podform("output").out, "")

    def test_a_close_that_is_refused_is_told(self):
        Pretender(self, lambda request: answer(tunnels=[status()])
                  if request["verb"] == "list" else
                  answer(ok=False, reason="busy"))
        self.run_podform("tunnel", "down", "web", code=1).says(
            "tunnels are not known: busy")

    def test_what_is_no_answer_is_told(self):
        for said, words in (
                (b"{\n", "the holder's answer is none"),
                (b"[]\n", "the holder's answer is none"),
                (answer(tunnels=[{"address": "x"}]),
                 "the holder's answer is none"),
                (answer(surprise=1), "the holder's answer is none"),
                (answer(protocol=2, ok=False), "which speaks protocol 2 and "
                 "not 1; `podform tunnel close --all` ends it"),
                (b"x" * ((8 << 20) + 1) + b"\n",
                 "the holder's answer is too long"),
                (None, "ended without an answer; see .podform/tunnels.log"),
                (b'{"protocol":1', "ended without an answer")):
            seen = Pretender(self, lambda request, said=said: said)
            self.run_podform("tunnel", "list", code=1).says(
                "tunnels are not known: ", words)
            if said is None:
                self.assertEqual(len(seen.asked), 3)	# it came again
            seen.close()

    @unittest.skipIf(os.getuid() != 0, "only root can be another user, too")
    def test_another_s_socket_is_not_spoken_to(self):
        os.mkdir(self.path(".podform"))
        code = ("import os, socket, sys, time\n"
                "s = socket.socket(socket.AF_UNIX)\n"
                "os.setuid(65534)\n"
                "s.bind(sys.argv[1]); s.listen(5); print(flush=True)\n"
                "p = s.accept()[0]; p.settimeout(5)\n"
                "try: print(p.recv(100), flush=True)\n"
                "except OSError: print('reset', flush=True)\n")
        os.chmod(self.path(".podform"), 0o777)
        os.chmod(self.dir, 0o755)
        with subprocess.Popen([sys.executable, "-c", code,
                               self.path(SOCKET)],
                              stdout=subprocess.PIPE) as other:
            other.stdout.readline()
            self.run_podform("tunnel", "list", code=1).says(
                "the holder's socket is of another user")
            self.assertEqual(other.stdout.readline().strip(), b"b''")

    def test_open_is_told_all_that_is_known(self):
        port = free_port()
        self.spec(WEB % port)
        self.run_podform("tunnel", "up", "web", code=1).says("pod.one")
        self.apply("--target", "pod.one")
        for reply, code, words in (
                (answer(tunnels=[status()]), 0, ""),
                (answer(ok=False, reason="port is taken", conflict=True), 1,
                 "tunnel.web is not up: port is taken"),
                (answer(ok=False, reason="no route"), 1,
                 "it goes on trying: podform tunnel list")):
            seen = Pretender(self, lambda request, reply=reply: reply)
            done = self.run_podform("tunnel", "up", "web", code=code,
                                    env={"SSH_KEY_PATH": None})
            self.assertIn(words, done.err)
            if code == 0:
                done.has("tunnel.web")
            request = seen.asked[-1]
            self.assertEqual(request["verb"], "open")
            self.assertEqual(request["tunnel"]["local_port"], port)
            self.assertEqual(request["tunnel"]["pod"], "pod.one")
            self.assertEqual(request["ssh"]["host"], "127.0.0.1")
            self.assertTrue(request["start"])
            lineage = json.loads(self.read("podform.lock"))["lineage"]
            self.assertTrue(request["keys"].endswith("/" + lineage))
            seen.close()
        self.control("pods/one/stop")
        wait_for(lambda: self.pods()[0]["status"] == "EXITED")
        self.run_podform("tunnel", "up", "web", code=1).says("pod.one")
        self.control("pods/one/delete")
        self.run_podform("tunnel", "up", "web", code=1).says("pod.one")


class Holder(Desk):
    """A real holder, and clients that are none."""

    def setUp(self):
        super().setUp()
        os.mkdir(self.path(".podform"), 0o700)
        self.pid = None
        self.addCleanup(self.end)

    def start(self, **env):
        with open(self.path(".podform/tunnels.log"), "ab") as log:
            subprocess.run([PODFORM, "tunnel", "hold"], cwd=self.dir,
                           env=self.environment(env), stdout=log,
                           stderr=log, stdin=subprocess.DEVNULL, check=True)
        wait_for(lambda: os.path.exists(self.path(SOCKET)), 10)
        self.pid = int(self.read(".podform/holder.lock").split()[1])

    def end(self):
        if self.pid is not None and alive(self.pid):
            os.kill(self.pid, signal.SIGTERM)
            wait_for(lambda: not alive(self.pid), 20)

    def connect(self):
        peer = socket.socket(socket.AF_UNIX)
        peer.settimeout(20)
        os.chdir(self.dir)
        peer.connect(SOCKET)
        self.addCleanup(peer.close)
        return peer

    def say(self, data):
        """What it answers to these bytes; None when it hangs up."""
        peer = self.connect()
        peer.sendall(data)
        return self.hear(peer)

    @staticmethod
    def hear(peer):
        got = b""
        while not got.endswith(b"\n"):
            try:
                more = peer.recv(65536)
            except ConnectionResetError:
                more = b""
            if not more:
                return None
            got += more
        peer.close()
        return json.loads(got)

    def tell(self, verb, **more):
        return self.say(json.dumps({"protocol": 1, "version": "0",
                                    "verb": verb, **more}).encode() + b"\n")

    def test_odd_clients_do_no_harm(self):
        self.start()
        for data, said in (
                (b"\n", None), (b"{\n", None), (b"[1]\n", None),
                (b'{"protocol":1,"version":"0","verb":"dance"}\n', None),
                (b'{"protocol":1,"version":"0","verb":"list","x":1}\n', None),
                (b'{"protocol":2,"version":"9","verb":"list"}\n',
                 "another protocol is spoken here")):
            got = self.say(data)
            self.assertIs(got["ok"], False, data)
            self.assertTrue(got["reason"], data)
            if said is not None:
                self.assertEqual(got["reason"], said)
        # Too much is not read to its end.
        peer = self.connect()
        with self.assertRaises((BrokenPipeError, ConnectionResetError)):
            for _ in range(100):
                peer.sendall(b"x" * 65536)
            self.assertIsNone(self.hear(peer))
            raise BrokenPipeError
        # Who has asked may not ask again, nor wait for ever to ask.
        peer = self.connect()
        peer.sendall(b'{"protocol":1,"version":"0","verb":"li')
        time.sleep(0.05)
        peer.sendall(b'st"}\n')
        self.assertEqual(self.hear(peer)["tunnels"], [])
        peer = self.connect()
        peer.close()
        self.assertEqual(self.tell("list")["tunnels"], [])
        self.assertEqual(self.tell("close", address="tunnel.x")["ok"], True)
        # More at once than it has room for: the others come later.
        crowd = [self.connect() for _ in range(70)]
        wait_for(lambda: any(self.is_closed(peer) for peer in crowd))
        for peer in crowd:
            peer.close()
        self.assertEqual(wait_for(lambda: self.tell("list"))["tunnels"], [])
        # Of another protocol, too, it can be told to end.
        self.assertIs(self.say(b'{"protocol":7,"version":"9","verb":"end"}\n')
                      ["ok"], True)
        wait_for(lambda: not alive(self.pid))
        self.assertFalse(os.path.exists(self.path(SOCKET)))
        self.assertIn("told to end", self.read(".podform/tunnels.log"))

    @staticmethod
    def is_closed(peer):
        peer.setblocking(False)
        try:
            return peer.recv(1) == b""
        except BlockingIOError:
            return False
        except ConnectionResetError:
            return True
        finally:
            peer.settimeout(20)

    def open_nowhere(self, port, **more):
        """A tunnel whose pod nobody can log in to."""
        return self.tell("open", timeout_ms=300, tunnel=tunnel(
            local_port=port, pod_id="nobody"), start="x", **more)

    def test_a_tunnel_that_is_not_up_is_held_all_the_same(self):
        self.start()
        port = free_port()
        got = self.open_nowhere(port, keys="/" + "k" * 5000)
        self.assertIs(got["ok"], False)
        self.assertEqual([t["address"] for t in self.tell("list")["tunnels"]],
                         ["tunnel.web"])
        # Asked, and gone before it was answered.
        peer = self.connect()
        peer.sendall(json.dumps({
            "protocol": 1, "version": "0", "verb": "open",
            "timeout_ms": 60000, "tunnel": tunnel(
                address="tunnel.two", local_port=free_port(),
                pod_id="nobody"), "start": "x"}).encode() + b"\n")
        time.sleep(0.1)
        peer.close()
        peer = self.connect()	# and one that goes on talking
        peer.sendall(json.dumps({
            "protocol": 1, "version": "0", "verb": "open",
            "timeout_ms": 60000, "tunnel": tunnel(
                address="tunnel.six", local_port=free_port(),
                pod_id="nobody"), "start": "x"}).encode() + b"\n")
        time.sleep(0.1)
        peer.sendall(b"more\n")
        self.assertIsNone(self.hear(peer))
        self.assertEqual(self.tell("close", address="tunnel.web")["ok"], True)
        # Somebody else's port is a conflict, told at once.
        with socket.create_server(("127.0.0.1", 0)) as taken:
            got = self.open_nowhere(taken.getsockname()[1])
            self.assertEqual((got["ok"], got["conflict"]), (False, True))
        os.kill(self.pid, signal.SIGTERM)
        wait_for(lambda: not alive(self.pid))
        self.assertIn("ended by signal 15",
                      self.read(".podform/tunnels.log"))

    def test_a_second_holder_leaves_it_to_the_first(self):
        self.start()
        first = self.pid
        self.run_podform("tunnel", "hold")
        time.sleep(0.2)
        self.assertEqual(int(self.read(".podform/holder.lock").split()[1]),
                         first)
        self.assertEqual(self.tell("list")["tunnels"], [])

    def test_places_that_no_holder_can_have(self):
        def holds(name, said, **env):
            before = self.log()
            subprocess.run(
                [PODFORM, "tunnel", "hold"], cwd=self.dir, check=True,
                env=self.environment(env), stdin=subprocess.DEVNULL,
                stdout=self.open_log(), stderr=subprocess.STDOUT)
            wait_for(lambda: said in self.log()[len(before):], 10)
        os.mkdir(self.path(".podform/holder.lock"))
        holds("lock", "cannot take .podform/holder.lock: Is a directory")
        os.rmdir(self.path(".podform/holder.lock"))
        os.symlink("nothing", self.path(".podform/holder.lock"))
        holds("lock", "cannot take .podform/holder.lock: Too many levels")
        os.unlink(self.path(".podform/holder.lock"))
        os.mkfifo(self.path(".podform/holder.lock"))
        holds("lock", "cannot take .podform/holder.lock: Operation not")
        os.unlink(self.path(".podform/holder.lock"))
        self.write(SOCKET, "a file of the user's")
        holds("socket", "the holder cannot be reached: ")
        self.assertEqual(self.read(SOCKET), "a file of the user's")
        os.unlink(self.path(SOCKET))
        holds("url", "in RUNPOD_API_URL cannot be used",
              RUNPOD_API_URL="ftp://x")

    def log(self):
        try:
            return self.read(".podform/tunnels.log")
        except FileNotFoundError:
            return ""

    def open_log(self):
        log = open(self.path(".podform/tunnels.log"), "ab")
        self.addCleanup(log.close)
        return log

    def test_the_log_is_turned_over(self):
        for number in range(1, 5):
            self.write(".podform/tunnels.log.%d" % number, "old %d" % number)
        self.write(".podform/tunnels.log", b"x" * ((10 << 20) + 1))
        self.start()
        self.assertTrue(wait_for(lambda: "holds tunnels" in self.log(), 10))
        self.assertLess(len(self.log()), 1000)
        self.assertEqual(os.path.getsize(self.path(".podform/tunnels.log.1")),
                         (10 << 20) + 1)
        self.assertEqual([self.read(".podform/tunnels.log.%d" % n)
                          for n in (2, 3, 4)], ["old 1", "old 2", "old 3"])


if __name__ == "__main__":
    unittest.main()
