#!/usr/bin/python3
"""podform-ssh and those who talk to it from this side: podform, whose messages
it checks like any other input, and clients of a dynamic forward.

A message that makes no sense ends the worker, and nothing else: at once and
without a word, since nobody is there who would understand one.  Of SOCKS each
form is understood however it is cut, and what is none is hung up on.
"""
import os
import socket
import struct
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "ssh"))
try:
    from ssh_worker_test import WithSshd, Echo, read_all
    from ssh_worker import Down, Gone, NUMBER, HEAD, LOCAL, REMOTE, DYNAMIC
except ImportError as missing:
    print("skip: needs %s" % missing.name)
    sys.exit(77)

LONG = b"x" * 256


class Talk(WithSshd):
    def ends_without_a_word(self, wire, *what):
        self.addCleanup(wire.sock.close)
        until = time.monotonic() + 10
        while time.monotonic() < until:
            try:
                message = wire.receive(10)
            except Gone:
                return
            self.assertNotEqual(message.type, "DOWN", what)
        self.fail("it goes on after %r" % (what,))

    def fd(self, kind):
        """A descriptor of this kind; it goes with the test."""
        if kind == "socket":
            one, other = socket.socketpair()
            self.addCleanup(other.close)
        elif kind == "listener":
            one = socket.create_server(("127.0.0.1", 0))
        else:
            one = tempfile.TemporaryFile()
        self.addCleanup(one.close)
        return one.fileno()


class Nonsense(Talk):
    def test_before_the_login(self):
        for kind, how, fd in (
                ("LOGIN", dict(payload=b"root"), None),
                ("LOGIN", dict(payload=b""), "socket"),
                ("LOGIN", dict(payload=b"root", a=1 << 31), "socket"),
                ("LOGIN", dict(payload=b"root", b=-1), "socket"),
                ("LOGIN", dict(payload=b"root", b=3601), "socket"),
                ("TRUST", {}, None), ("IDENTITY", dict(payload=b"key!"), None),
                ("SIGNATURE", dict(payload=b"x"), None),
                ("EXEC", dict(channel=1, payload=b"true"), None),
                ("FORWARD", dict(channel=1, a=LOCAL, payload=b"h\0001"),
                 "listener"),
                ("LIST", dict(channel=1, payload=b"/"), None),
                ("HOST_KEY", {}, None), ("DOWN", {}, None)):
            with self.subTest(kind=kind, **how):
                wire = self.server.spawn()
                wire.send(kind, fd=self.fd(fd) if fd else None, **how)
                self.ends_without_a_word(wire, kind, how)

    def test_in_the_login(self):
        for kind, how in (
                ("LOGIN", dict(payload=b"root")), ("SIGNATURE", {}),
                ("IDENTITY", dict(payload=b"abc")),
                ("IDENTITY", dict(payload=b"early")),
                ("EXEC", dict(channel=1, payload=b"true"))):
            with self.subTest(kind=kind, **how):
                wire = self.server.spawn()
                sock = self.sshd.connect()
                wire.send("LOGIN", payload=b"root", fd=sock.fileno())
                sock.close()
                self.assertEqual(wire.receive().type, "HOST_KEY")
                if how.get("payload") == b"abc":
                    wire.send("TRUST")
                wire.send(kind, **how)
                self.ends_without_a_word(wire, kind, how)

    def test_trust_twice_and_a_signature_nobody_asked_for(self):
        for kind, how in (("TRUST", {}), ("SIGNATURE", dict(payload=b"x"))):
            wire = self.server.spawn()
            sock = self.sshd.connect()
            wire.send("LOGIN", payload=b"root", fd=sock.fileno())
            sock.close()
            wire.receive()
            wire.send("TRUST")
            wire.send(kind, **how)
            self.ends_without_a_word(wire, kind)

    def test_a_signature_that_is_none_is_no_login(self):
        for payload in (b"", b"\0\0\0\x0bssh-ed25519", b"\0\0\0\xff",
                        b"\0\0\0\x0bssh-ed25519\0\0\0\x09short",
                        b"\0\0\0\x0bssh-ed25519\0\0\0\x05short"):
            wire = self.server.spawn()
            sock = self.sshd.connect()
            wire.send("LOGIN", payload=self.sshd.user.encode(),
                      fd=sock.fileno())
            sock.close()
            wire.receive()
            wire.send("TRUST")
            wire.send("IDENTITY", payload=self.key.blob)
            self.assertEqual(wire.receive().type, "SIGN")
            wire.send("SIGNATURE", payload=payload)
            answer = wire.receive()
            self.assertIn(answer.type, ("REJECTED", "DOWN"), payload)
            wire.sock.close()

    def test_about_channels_and_forwards(self):
        for kind, how, fd in (
                ("EXEC", dict(channel=0, payload=b"true"), None),
                ("CREDIT", dict(channel=9, a=-1), None),
                ("CREDIT", dict(channel=9, a=1 << 31), None),
                ("SPAWN", dict(channel=9), None),
                ("EXIT", dict(channel=9), None),
                ("FORWARD", dict(channel=1, a=-1, payload=b"h\0001"),
                 "listener"),
                ("FORWARD", dict(channel=1, a=3, payload=b"h\0001"),
                 "listener"),
                ("FORWARD", dict(channel=1, a=LOCAL, payload=b"h\0001"),
                 None),
                ("FORWARD", dict(channel=1, a=REMOTE, payload=b"h\0001"),
                 "listener"),
                ("FORWARD", dict(channel=1, a=LOCAL, payload=LONG + b"\0001"),
                 "listener"),
                ("FORWARD", dict(channel=1, a=LOCAL, payload=b"h"),
                 "listener"),
                ("FORWARD", dict(channel=1, a=LOCAL, payload=b"h\0"),
                 "listener"),
                ("FORWARD", dict(channel=1, a=LOCAL, payload=b"h\0x"),
                 "listener"),
                ("FORWARD", dict(channel=1, a=LOCAL, payload=b"h\0001x"),
                 "listener"),
                ("FORWARD", dict(channel=1, a=LOCAL, payload=b"h\0-1"),
                 "listener"),
                ("FORWARD", dict(channel=1, a=LOCAL, payload=b"h\00065536"),
                 "listener"),
                ("FORWARD", dict(channel=1, a=LOCAL, payload=b"h\0001\0002"),
                 "listener"),
                ("FORWARD", dict(channel=8, a=LOCAL, payload=b"h\0001"),
                 "listener")):
            with self.subTest(kind=kind, **how):
                session = self.login()
                if how["channel"] == 9:
                    session.wire.send("EXEC", 9, payload=b"sleep 9")
                if how["channel"] == 8:     # taken
                    session.wire.send("FORWARD", 8, a=LOCAL, payload=b"h\0001",
                                      fd=self.fd("listener"))
                session.wire.send(kind, fd=self.fd(fd) if fd else None, **how)
                self.ends_without_a_word(session.wire, kind, how)

    def test_about_input(self):
        session = self.login()
        session.wire.send("EXEC", 1, payload=b"cat")
        session.wire.send("INPUT_END", 1)
        session.wire.send("INPUT", 1, payload=b"late")
        self.ends_without_a_word(session.wire)
        # More than anybody is to have unsent.
        session = self.login()
        session.wire.send("EXEC", 1, payload=b"sleep 60")
        try:
            for _ in range(400):
                session.wire.send("INPUT", 1, payload=bytes(32 << 10))
        except Gone:
            pass
        self.ends_without_a_word(session.wire)

    def test_about_files(self):
        for kind, payload, fd in (
                ("PUT", b"f", None), ("GET", b"f", None), ("LIST", b"", None),
                ("LIST", b"d", "file"), ("STAT", b"a\0b", None),
                ("RENAME", b"a", None), ("REMOVE", b"a\0", None),
                ("MKDIR", b"", None), ("CHMOD", b"a", "file")):
            with self.subTest(kind=kind, payload=payload):
                session = self.login()
                session.wire.send(kind, 1, payload=payload,
                                  fd=self.fd(fd) if fd else None)
                self.ends_without_a_word(session.wire, kind, payload)

    def test_packets_that_are_no_messages(self):
        for packet in (b"x", bytes(31),
                       HEAD.pack(len(NUMBER), 1, 0, 0, 0),
                       HEAD.pack(0, 1, 0, 0, 0),
                       HEAD.pack(1 << 31, 1, 0, 0, 0)):
            wire = self.server.spawn()
            wire.sock.send(packet)
            self.ends_without_a_word(wire, packet)

    def test_what_crosses_an_end_means_nothing(self):
        session = self.login()
        self.assertEqual(session.run("true")[0], 0)
        for kind, how, fd in (
                ("INPUT", dict(payload=b"x"), None), ("INPUT_END", {}, None),
                ("CREDIT", dict(a=5), None), ("CANCEL", {}, None),
                ("UNFORWARD", {}, None), ("CONNECTED", dict(a=1), None),
                ("CONNECTED", dict(a=1), "socket")):
            session.wire.send(kind, 77, fd=self.fd(fd) if fd else None, **how)
        self.assertEqual(session.run("echo here")[2], b"here\n")
        session.wire.send("QUIT")
        self.ends_without_a_word(session.wire)

    def test_the_server_of_workers_ends_of_nonsense(self):
        from ssh_worker import Server
        for kind, how in (("SPAWN", dict(a=1)), ("SPAWN", dict(a=2)),
                          ("QUIT", {})):
            server = Server()
            fd = self.fd("socket") if how.get("a") == 2 else None
            server.wire.send(kind, fd=fd, **how)
            self.assertEqual(server.process.wait(10), 0)
            server.wire.sock.close()


class Socks(Talk):
    def begin(self):
        session = self.login()
        listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)
        self.forward(session, DYNAMIC, b"", listener)
        return session, listener.getsockname()

    def test_each_form_however_it_is_cut(self):
        _, place = self.begin()
        echo = Echo()
        port = struct.pack(">H", echo.port)
        five = b"\5\0\0\1" + bytes(6)
        four = b"\0\x5a" + bytes(6)
        for parts in (
                [(b"\5\1\0", b"\5\0"),
                 (b"\5\1\0\1\x7f\0\0\1" + port, five)],
                [(b"\5\3\1\2\0", b"\5\0"),
                 (b"\5\1\0\3\x09localhost" + port, five)],
                [(b"\4\1" + port + b"\x7f\0\0\1me\0", four)],
                [(b"\4\1" + port + b"\x7f\0\0\1\0", four)],
                [(b"\4\1" + port + b"\0\0\0\1\0localhost\0", four)]):
            for pause in (0, 0.005):
                with socket.create_connection(place) as sock:
                    sock.settimeout(10)
                    for given, wanted in parts:
                        for byte in given if pause else [given]:
                            sock.sendall(bytes([byte]) if pause else byte)
                            time.sleep(pause)
                        got = b""
                        while len(got) < len(wanted):
                            got += sock.recv(len(wanted) - len(got))
                        self.assertEqual(got, wanted)
                    sock.sendall(b"abc")
                    sock.shutdown(socket.SHUT_WR)
                    self.assertEqual(read_all(sock), b"cba")

    def test_what_comes_with_the_request_is_passed_on(self):
        _, place = self.begin()
        echo = Echo()
        with socket.create_connection(place) as sock:
            sock.settimeout(10)
            sock.sendall(b"\4\1" + struct.pack(">H", echo.port) +
                         b"\x7f\0\0\1\0" + b"early")
            sock.shutdown(socket.SHUT_WR)
            self.assertEqual(read_all(sock), b"\0\x5a" + bytes(6) + b"ylrae")

    def test_what_is_none_is_hung_up_on(self):
        session, place = self.begin()
        nobody = struct.pack(">H", 1)
        for given, answer in (
                (b"GET / HTTP/1.1\r\n\r\n", b""), (b"\0\0", b""),
                (b"\5\1\2", b"\5\xff"), (b"\5\0", b"\5\xff"),
                (b"\5\1\0" + b"\4\1\0\1", None),
                (b"\5\1\0" + b"\5\2\0\1\x7f\0\0\1" + nobody, b"\5\0"),
                (b"\5\1\0" + b"\5\1\0\2\x7f\0\0\1" + nobody, b"\5\0"),
                (b"\5\1\0" + b"\5\1\0\3\0" + nobody, b"\5\0"),
                (b"\5\1\0" + b"\5\1\0\3\3a\0b" + nobody, b"\5\0"),
                (b"\4\2" + nobody + b"\x7f\0\0\1\0", b""),
                (b"\4\1" + nobody + b"\0\0\0\1\0\0", b""),
                (b"\4\1" + nobody + b"\0\0\0\1\0" + LONG + b"\0", b""),
                (b"\4\1" + nobody + b"\x7f\0\0\1" + b"x" * 700, b""),
                # Nobody listens there.
                (b"\5\1\0" + b"\5\1\0\1\x7f\0\0\1" + nobody,
                 b"\5\0" + b"\5\5\0\1" + bytes(6)),
                (b"\5\1\0" + b"\5\1\0\4" + bytes(15) + b"\1" + nobody,
                 b"\5\0" + b"\5\5\0\1" + bytes(6)),
                (b"\4\1" + nobody + b"\x7f\0\0\1\0",
                 b"\0\x5b" + bytes(6))):
            with self.subTest(given=given[:20]):
                with socket.create_connection(place) as sock:
                    sock.settimeout(10)
                    sock.sendall(given)
                    try:
                        got = read_all(sock)
                    except ConnectionResetError:
                        got = None
                    if answer is not None and got is not None:
                        self.assertEqual(got, answer)
        # Who leaves before he has asked leaves nothing behind.
        for given in (b"", b"\5", b"\5\1\0", b"\4\1"):
            with socket.create_connection(place) as sock:
                sock.sendall(given)
        self.assertEqual(session.run("echo here")[2], b"here\n")


if __name__ == "__main__":
    unittest.main()
