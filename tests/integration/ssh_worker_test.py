#!/usr/bin/python3
"""podform-ssh against a real sshd and against hostile servers."""
import hashlib
import os
import signal
import socket
import struct
import stat
import sys
import tempfile
import threading
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "ssh"))
try:
    from ssh_worker import (Key, Sshd, Server, Session, Down, Failed, Gone,
                            Message, LOCAL, REMOTE, DYNAMIC, CREDIT_FIRST)
except ImportError as missing:
    print("skip: needs %s" % missing.name)
    sys.exit(77)

MIB = 1 << 20


def read_all(sock):
    parts = []
    while True:
        part = sock.recv(1 << 16)
        if not part:
            return b"".join(parts)
        parts.append(part)


class Echo:
    """A TCP server that answers, at the end of what came, all of it."""

    def __init__(self):
        self.sock = socket.create_server(("127.0.0.1", 0))
        self.port = self.sock.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.sock.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(client,),
                             daemon=True).start()

    def serve(self, client):
        data = read_all(client)
        client.sendall(data[::-1])
        client.close()


class Base(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.key = Key()
        cls.server = Server()

    @classmethod
    def tearDownClass(cls):
        cls.server.close()


class WithSshd(Base):
    extra = ""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.sshd = Sshd(cls.key, cls.extra)

    @classmethod
    def tearDownClass(cls):
        cls.sshd.close()
        super().tearDownClass()

    def login(self, **how):
        session = Session(self.server, self.sshd.connect(), self.key, **how)
        self.addCleanup(session.close)
        return session

    def forward(self, session, direction, payload, listener=None):
        channel = session.channel()
        session.wire.send("FORWARD", channel, a=direction, payload=payload,
                          fd=listener.fileno() if listener else None)
        answer = session.wait("LISTENING", "FAILED", channel=channel)
        self.assertEqual(answer.type, "LISTENING", answer)
        return channel, answer.a

    def exchange(self, port, data, before=None):
        sock = socket.create_connection(("127.0.0.1", port))
        with sock:
            sock.settimeout(30)
            if before:
                before(sock)
            sender = threading.Thread(target=lambda: (
                sock.sendall(data), sock.shutdown(socket.SHUT_WR)))
            sender.start()
            got = read_all(sock)
            sender.join()
        self.assertEqual(hashlib.sha256(got).hexdigest(),
                         hashlib.sha256(data[::-1]).hexdigest())


class Commands(WithSshd):
    def test_methods_are_the_sound_ones(self):
        session = self.login()
        self.assertRegex(session.methods, r"^curve25519-sha256.*ssh-ed25519"
                         r".*(aes|chacha).*hmac-sha2|gcm|chacha")
        self.assertIn(b"ssh-ed25519", session.host_key[:20])

    def test_status_signal_and_streams(self):
        session = self.login()
        self.assertEqual(session.run("echo a; echo b >&2; exit 7"),
                         (7, "", b"a\n", b"b\n"))
        self.assertEqual(session.run("exit 255")[0], 255)
        self.assertEqual(session.run("kill -TERM $$"), (-1, "TERM", b"",
                                                        b""))
        self.assertEqual(session.run("echo a; echo b >&2", merge=1),
                         (0, "", b"a\nb\n", b""))

    def test_output_stops_at_the_credit_and_goes_on(self):
        session = self.login()
        channel = session.channel()
        session.wire.send("EXEC", channel, payload=b"head -c 9000000 /dev/zero")
        got = 0
        while got < CREDIT_FIRST:
            got += len(session.wait("OUT", channel=channel).payload)
        self.assertEqual(got, CREDIT_FIRST)
        with self.assertRaises((TimeoutError, socket.timeout)):
            session.wait("OUT", channel=channel, timeout=0.5)
        session.wire.send("CREDIT", channel, a=9000000)
        status, _, rest, _ = session.finish(channel)
        self.assertEqual((status, got + len(rest)), (0, 9000000))

    def test_input_arrives_whole(self):
        session = self.login()
        data = os.urandom(900000)
        self.assertEqual(session.run("cat", given=data)[2], data)

    def test_a_wrong_key_is_rejected_and_the_next_one_tried(self):
        session = self.login(identities=[Key(), Key(), self.key])
        self.assertEqual(session.run("true")[0], 0)

    def test_no_key_means_down(self):
        with self.assertRaises(Down) as caught:
            self.login(identities=[Key()])
        self.assertEqual(caught.exception.failure, "AUTH")

    def test_a_refused_channel_is_told_and_harms_nobody(self):
        session = self.login()
        channels = [session.channel() for _ in range(12)]
        for channel in channels:
            session.wire.send("EXEC", channel, payload=b"sleep 1; echo ok")
        ended = [0, 0]
        for channel in channels:
            try:
                self.assertEqual(session.finish(channel)[0], 0)
                ended[0] += 1
            except Failed as failed:
                self.assertEqual(failed.failure, "REFUSED")
                ended[1] += 1
        self.assertEqual(ended, [10, 2])
        self.assertEqual(session.run("true")[0], 0)

    def test_cancel_ends_a_command(self):
        session = self.login()
        channel = session.channel()
        session.wire.send("EXEC", channel, payload=b"sleep 100")
        time.sleep(0.3)
        session.wire.send("CANCEL", channel)
        failed = session.wait("FAILED", channel=channel)
        self.assertEqual(failed.a, 10)
        self.assertEqual(session.run("true")[0], 0)

    def test_it_is_confined(self):
        session = self.login()
        self.assertEqual(session.run("true")[0], 0)
        for pid in self.server.workers():
            with open("/proc/%d/status" % pid) as status:
                text = status.read()
            if "libasan" not in open("/proc/%d/maps" % pid).read():
                self.assertIn("Seccomp:\t2", text)
            self.assertIn("NoNewPrivs:\t1", text)
            with open("/proc/%d/environ" % pid, "rb") as environ:
                self.assertEqual(environ.read().strip(b"\0"), b"")
            fds = set(os.listdir("/proc/%d/fd" % pid))
            self.assertLessEqual(fds, {"0", "1", "2", "3", "4"})
            self.assertEqual({os.readlink("/proc/%d/fd/%d" % (pid, fd))
                              for fd in range(3)}, {"/dev/null"})


class Forwards(WithSshd):
    def test_eight_at_once_with_half_close(self):
        session = self.login()
        echo = Echo()
        listener = socket.create_server(("127.0.0.1", 0))
        self.forward(session, LOCAL, b"127.0.0.1\0%d" % echo.port, listener)
        port = listener.getsockname()[1]
        errors = []

        def one(size):
            try:
                self.exchange(port, os.urandom(size))
            except BaseException as error:
                errors.append(error)
        threads = [threading.Thread(target=one, args=(size,)) for size in
                   (0, 1, 1000, 65536, MIB, 5 * MIB, 7 * MIB, 9 * MIB)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(errors, [])
        total = 22 * MIB + 65536 + 1001
        until = time.monotonic() + 10
        while time.monotonic() < until:
            stats = session.wait("STATS")
            if (stats.a, stats.b, stats.c) == (0, total, total):
                return
        self.fail(stats)

    def test_a_unix_socket(self):
        session = self.login()
        echo = Echo()
        path = self.sshd.directory + "/listen"
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(path)
        listener.listen()
        self.forward(session, LOCAL, b"127.0.0.1\0%d" % echo.port, listener)
        with socket.socket(socket.AF_UNIX) as sock:
            sock.connect(path)
            sock.sendall(b"abc")
            sock.shutdown(socket.SHUT_WR)
            self.assertEqual(read_all(sock), b"cba")

    def test_a_refused_target_closes_the_client(self):
        session = self.login()
        listener = socket.create_server(("127.0.0.1", 0))
        self.forward(session, LOCAL, b"127.0.0.1\0001", listener)
        with socket.create_connection(listener.getsockname()) as sock:
            sock.settimeout(10)
            self.assertEqual(sock.recv(1), b"")
        self.assertEqual(session.run("true")[0], 0)

    def test_a_silent_target_holds_up_nobody(self):
        session = self.login()
        echo = Echo()
        silent = socket.socket()
        silent.bind(("127.0.0.1", 0))
        silent.listen(0)
        full = []
        for _ in range(3):      # until a connection to it is not answered
            full.append(socket.socket())
            full[-1].setblocking(False)
            full[-1].connect_ex(silent.getsockname())
        ways = []
        for port in (silent.getsockname()[1], echo.port):
            ways.append(socket.create_server(("127.0.0.1", 0)))
            self.forward(session, LOCAL, b"127.0.0.1\0%d" % port, ways[-1])
        with socket.create_connection(ways[0].getsockname()) as waiting:
            time.sleep(0.2)     # its open is under way
            self.exchange(ways[1].getsockname()[1], b"abc")
            self.assertEqual(session.run("echo here")[2], b"here\n")
            waiting.setblocking(False)
            self.assertRaises(BlockingIOError, waiting.recv, 1)

    def test_socks(self):
        session = self.login()
        echo = Echo()
        listener = socket.create_server(("127.0.0.1", 0))
        self.forward(session, DYNAMIC, b"", listener)
        port = listener.getsockname()[1]

        def five(sock):
            sock.sendall(b"\5\1\0")
            self.assertEqual(sock.recv(2), b"\5\0")
            sock.sendall(b"\5\1\0\3\x09localhost" +
                         struct.pack(">H", echo.port))
            self.assertEqual(sock.recv(10), b"\5\0\0\1" + bytes(6))

        def four_a(sock):
            sock.sendall(b"\4\1" + struct.pack(">H", echo.port) +
                         b"\0\0\0\1me\0localhost\0")
            self.assertEqual(sock.recv(8), b"\0\x5a" + bytes(6))

        self.exchange(port, os.urandom(100000), five)
        self.exchange(port, os.urandom(100000), four_a)
        with socket.create_connection(("127.0.0.1", port)) as sock:
            sock.settimeout(10)
            sock.sendall(b"GET / HTTP/1.1\r\n\r\n")
            self.assertEqual(sock.recv(10), b"")

    def test_remote_takes_a_socket_that_still_connects(self):
        session = self.login()
        channel, port = self.forward(session, REMOTE, b"127.0.0.1\0000")
        silent = socket.socket()
        silent.bind(("127.0.0.1", 0))
        silent.listen(0)
        # What is not taken from its queue makes the next one wait.
        first = socket.create_connection(silent.getsockname())
        target = socket.socket()
        target.setblocking(False)
        target.connect_ex(silent.getsockname())
        with socket.create_connection(("127.0.0.1", port)) as sock:
            sock.settimeout(30)
            want = session.wait("WANT_CONNECT", channel=channel)
            session.wire.send("CONNECTED", channel, a=want.a,
                              fd=target.fileno())
            sock.sendall(b"early")
            self.assertEqual(session.run("echo here")[2], b"here\n")
            silent.accept()
            first.close()
            silent.settimeout(30)
            peer, _ = silent.accept()
            self.assertEqual(peer.recv(5), b"early")
            peer.sendall(b"late")
            self.assertEqual(sock.recv(4), b"late")

    def test_remote(self):
        session = self.login()
        echo = Echo()
        channel, port = self.forward(session, REMOTE, b"127.0.0.1\0000")
        self.assertGreater(port, 0)
        failed = []

        def one():
            try:
                self.exchange(port, os.urandom(3 * MIB))
            except BaseException as error:
                failed.append(error)
        thread = threading.Thread(target=one)
        thread.start()
        want = session.wait("WANT_CONNECT", channel=channel)
        with socket.create_connection(("127.0.0.1", echo.port)) as target:
            session.wire.send("CONNECTED", channel, a=want.a,
                              fd=target.fileno())
        thread.join()
        self.assertEqual(failed, [])
        with socket.create_connection(("127.0.0.1", port)) as sock:
            want = session.wait("WANT_CONNECT", channel=channel)
            session.wire.send("CONNECTED", channel, a=want.a)
            self.assertEqual(sock.recv(1), b"")
        session.wire.send("UNFORWARD", channel)
        session.run("true")
        with self.assertRaises(ConnectionRefusedError):
            for _ in range(20):
                socket.create_connection(("127.0.0.1", port)).close()
                time.sleep(0.1)


class Files(WithSshd):
    def job(self, session, kind, payload, timeout=30, **how):
        """The messages that a job brings; the last is DONE."""
        channel = session.channel()
        session.wire.send(kind, channel, payload=payload, **how)
        seen = []
        while True:
            message = session.wait("DONE", "FAILED", "ENTRY", "PROGRESS",
                                   channel=channel, timeout=timeout)
            if message.type == "FAILED":
                raise Failed(message)
            seen.append(message)
            if message.type == "DONE":
                return seen

    def test_fifty_megabytes_there_and_back(self):
        session = self.login()
        remote = (self.sshd.directory + "/big").encode()
        data = os.urandom(50 * MIB + 12345)
        digest = hashlib.sha256(data).digest()
        with tempfile.TemporaryFile() as local:
            local.write(data)
            local.seek(0)
            seen = self.job(session, "PUT", remote, fd=local.fileno(),
                            a=0o640, b=len(data))
        self.assertEqual((seen[-1].b, seen[-1].payload), (len(data), digest))
        self.assertEqual(stat.S_IMODE(os.stat(remote).st_mode), 0o640)
        with open(remote, "rb") as there:
            self.assertEqual(hashlib.sha256(there.read()).digest(), digest)
        with tempfile.TemporaryFile() as local:
            seen = self.job(session, "GET", remote, fd=local.fileno(),
                            b=1 << 40)
            local.seek(0)
            self.assertEqual(local.read(), data)
        self.assertEqual((seen[-1].b, seen[-1].payload), (len(data), digest))
        with tempfile.TemporaryFile() as local:
            with self.assertRaises(Failed) as caught:
                self.job(session, "GET", remote, fd=local.fileno(), b=1000)
        self.assertEqual(caught.exception.failure, "LOCAL")

    def test_an_empty_file(self):
        session = self.login()
        remote = (self.sshd.directory + "/empty").encode()
        with tempfile.TemporaryFile() as local:
            for kind in "PUT", "GET":
                done = self.job(session, kind, remote, fd=local.fileno(),
                                a=0o600, b=0)[-1]
                self.assertEqual(done.payload, hashlib.sha256().digest())

    def test_names(self):
        session = self.login()
        top = (self.sshd.directory + "/names").encode()
        self.job(session, "MKDIR", top, a=0o700)
        self.job(session, "MKDIR", top, a=0o700)
        for name in b"/a", b"/b":
            with open(top + name, "wb") as out:
                out.write(name * 10)
        self.job(session, "RENAME", top + b"/a\0" + top + b"/b")
        seen = self.job(session, "LIST", top)
        self.assertEqual([(entry.payload, entry.b) for entry in seen[:-1]],
                         [(b"b", 20)])
        entry = self.job(session, "STAT", top)[0]
        self.assertTrue(stat.S_ISDIR(entry.a))
        with open(top + b"/b", "rb") as moved:
            self.assertEqual(moved.read(), b"/a" * 10)
        self.job(session, "REMOVE", top + b"/b")
        for kind in "REMOVE", "STAT", "LIST":
            with self.assertRaises(Failed) as caught:
                self.job(session, kind, top + b"/b")
            self.assertEqual(caught.exception.failure, "MISSING")

    def test_cancel_and_the_next(self):
        session = self.login()
        remote = (self.sshd.directory + "/zero").encode()
        with open("/dev/zero", "rb") as endless:
            channel = session.channel()
            session.wire.send("PUT", channel, payload=remote, a=0o600,
                              fd=endless.fileno())
            session.wait("PROGRESS", channel=channel)
            session.wire.send("CANCEL", channel)
            self.assertEqual(session.wait("FAILED", channel=channel).a, 10)
        self.job(session, "REMOVE", remote)


class Rekeying(WithSshd):
    extra = "RekeyLimit 1M"

    def test_in_a_full_pipe(self):
        session = self.login()
        echo = Echo()
        listener = socket.create_server(("127.0.0.1", 0))
        self.forward(session, LOCAL, b"127.0.0.1\0%d" % echo.port, listener)
        threads = [threading.Thread(target=self.exchange, args=(
            listener.getsockname()[1], os.urandom(12 * MIB)))
            for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        self.assertFalse(any(thread.is_alive() for thread in threads))
        self.assertEqual(session.run("true")[0], 0)


class Loss(WithSshd):
    def test_killed_server_is_noticed(self):
        session = self.login()
        session.run("true")
        for pid in self.sshd.session_pids():
            os.kill(pid, signal.SIGKILL)
        with self.assertRaises(Down) as caught:
            session.wait("EXIT", timeout=5)
        self.assertEqual(caught.exception.failure, "LOST")

    def test_stopped_server_is_noticed(self):
        session = self.login(keepalive=1)
        session.wait("RTT", timeout=5)
        for pid in self.sshd.session_pids():
            os.kill(pid, signal.SIGSTOP)
        began = time.monotonic()
        with self.assertRaises(Down) as caught:
            session.wait("EXIT", timeout=10)
        self.assertEqual(caught.exception.failure, "LOST")
        self.assertLess(time.monotonic() - began, 5)


class Ends(Base):
    def test_nonsense_of_podform_ends_it(self):
        wire = self.server.spawn()
        wire.send("EXEC", 1, payload=b"true")
        with self.assertRaises(Gone):
            wire.receive(5)

    def test_the_end_of_the_server_ends_workers(self):
        server = Server()
        wire = server.spawn()
        time.sleep(0.2)
        server.close()
        with self.assertRaises(Gone):
            wire.receive(5)


class Hostile(Base):
    """Servers that mean no good: each ends with DOWN, in time."""

    def down(self, play, timeout=15, **how):
        ours, theirs = socket.socketpair()
        thread = threading.Thread(target=play, args=(theirs,), daemon=True)
        thread.start()
        began = time.monotonic()
        with self.assertRaises((Down, Gone)) as caught:
            Session(self.server, ours, self.key, **how)
        self.assertLess(time.monotonic() - began, timeout)
        theirs.close()
        return caught.exception

    def test_banner_flood(self):
        def play(sock):
            try:
                for _ in range(1 << 15):
                    sock.sendall(b"welcome to the machine, friend..\r\n")
            except OSError:
                pass
        self.assertEqual(self.down(play).failure, "BANNER")

    def test_silence(self):
        down = self.down(lambda sock: time.sleep(20))
        self.assertEqual(down.failure, "BANNER")
        self.assertIn("10 s", down.words)

    def test_silence_after_the_banner(self):
        def play(sock):
            sock.sendall(b"SSH-2.0-mute\r\n")
            time.sleep(20)
        self.assertEqual(self.down(play, 6, login_ms=3000).failure,
                         "TIMEOUT")

    def test_another_protocol(self):
        def play(sock):
            sock.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            sock.close()
        self.assertEqual(self.down(play).failure, "LOST")

    def test_random_bytes_after_the_banner(self):
        def play(sock):
            sock.sendall(b"SSH-2.0-noise\r\n")
            try:
                for _ in range(50):
                    sock.sendall(os.urandom(10000))
            except OSError:
                pass
        for _ in range(10):
            down = self.down(play, 10, login_ms=5000)
            if isinstance(down, Down):
                self.assertIn(down.failure, ("PROTOCOL", "LOST", "KEX",
                                             "TIMEOUT", "LOCAL"))

    def offer(self, **only):
        """Why a server that offers these alone will not do."""
        lists = ["curve25519-sha256", "ssh-ed25519", "aes128-ctr",
                 "aes128-ctr", "hmac-sha2-256", "hmac-sha2-256", "none",
                 "none", "", ""]
        for name, value in only.items():
            at = ("kex", "host", "cipher", "back", "mac").index(name)
            lists[at] = value
            if name == "cipher":
                lists[at + 1] = value

        def play(sock):
            body = b"\x14" + os.urandom(16)
            for one in lists:
                body += struct.pack(">I", len(one)) + one.encode()
            body += bytes(5)
            pad = 8 - (len(body) + 5) % 8
            pad += 8 if pad < 4 else 0
            sock.sendall(b"SSH-2.0-picky\r\n" + struct.pack(
                ">IB", len(body) + pad + 1, pad) + body + bytes(pad))
            time.sleep(5)
        down = self.down(play)
        self.assertEqual(down.failure, "KEX")
        return down.words

    def test_only_rsa(self):
        words = self.offer(host="ssh-rsa,ssh-dss")
        self.assertIn("offers only ssh-rsa, ssh-dss as host key", words)
        self.assertIn("ssh-ed25519", words)

    def test_only_cbc(self):
        words = self.offer(cipher="aes256-cbc,3des-cbc")
        self.assertIn("offers only aes256-cbc, 3des-cbc as cipher", words)
        self.assertNotIn("cbc", words.split("podform")[1])

    def test_only_a_new_kex(self):
        self.assertIn("sntrup761", self.offer(kex="sntrup761x25519-sha512"))


if __name__ == "__main__":
    unittest.main(warnings="ignore")
