"""A driver for podform-ssh: its wire protocol, and an sshd to talk to."""
import array
import base64
import getpass
import os
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

TYPES = """NONE SPAWN LOGIN TRUST IDENTITY SIGNATURE NO_IDENTITY EXEC INPUT
INPUT_END CREDIT CANCEL PUT GET LIST STAT MKDIR RENAME REMOVE CHMOD FORWARD
CONNECTED UNFORWARD QUIT HOST_KEY SIGN REJECTED UP OUT TAKEN EXIT ENTRY
PROGRESS DONE FAILED LISTENING WANT_CONNECT STATS RTT DOWN""".split()
NUMBER = {name: number for number, name in enumerate(TYPES)}
FAILURES = """NONE BANNER KEX AUTH LOST TIMEOUT PROTOCOL REFUSED MISSING
LOCAL CANCELLED""".split()
LOCAL, REMOTE, DYNAMIC = range(3)
CREDIT_FIRST = 256 << 10
HEAD = struct.Struct("=IIqqq")

WORKER = os.environ.get("PODFORM_SSH_WORKER") or os.path.join(
    os.environ.get("BUILD", "build/gcc"), "podform-ssh")

# What tells a sanitizer where to write, since the worker has no stderr.
SANITIZER = {name: os.environ[name] for name in
             ("ASAN_OPTIONS", "UBSAN_OPTIONS") if name in os.environ}


def string(data):
    return struct.pack(">I", len(data)) + data


class Message:
    def __init__(self, data, fds):
        number, self.channel, self.a, self.b, self.c = HEAD.unpack(data[:32])
        self.type = TYPES[number]
        self.payload = data[32:]
        self.fds = fds

    def __repr__(self):
        return "%s(%d, %d, %d, %d, %r)" % (self.type, self.channel, self.a,
                                           self.b, self.c, self.payload[:200])


class Gone(Exception):
    """The other end of the wire is closed."""


class Wire:
    def __init__(self, sock):
        self.sock = sock

    def send(self, kind, channel=0, a=0, b=0, c=0, payload=b"", fd=None):
        head = HEAD.pack(NUMBER[kind], channel, a, b, c)
        extra = []
        if fd is not None:
            extra = [(socket.SOL_SOCKET, socket.SCM_RIGHTS,
                      array.array("i", [fd]))]
        try:
            self.sock.sendmsg([head, payload], extra)
        except (BrokenPipeError, ConnectionResetError):
            raise Gone("send")

    def receive(self, timeout=20):
        self.sock.settimeout(timeout)
        try:
            data, fds, _, _ = socket.recv_fds(self.sock, 40000, 4)
        except ConnectionResetError:
            raise Gone("reset")
        if not data:
            raise Gone("closed")
        return Message(data, fds)


class Server:
    """podform-ssh, the server of workers."""

    def __init__(self):
        ours, theirs = socket.socketpair(socket.AF_UNIX,
                                         socket.SOCK_SEQPACKET)
        fd = theirs.fileno()

        def be_third():
            os.dup2(fd, 3)
            os.set_inheritable(3, True)
        self.process = subprocess.Popen(
            [WORKER], close_fds=False, preexec_fn=be_third, stdin=0,
            env={"SECRET": "tell nobody", **SANITIZER})
        theirs.close()
        self.wire = Wire(ours)

    def spawn(self):
        ours, theirs = socket.socketpair(socket.AF_UNIX,
                                         socket.SOCK_SEQPACKET)
        self.wire.send("SPAWN", a=1, fd=theirs.fileno())
        theirs.close()
        return Wire(ours)

    def workers(self):
        path = "/proc/%d/task/%d/children" % (self.process.pid,
                                              self.process.pid)
        with open(path) as children:
            return [int(pid) for pid in children.read().split()]

    def close(self):
        self.wire.sock.close()
        self.process.wait(10)


class Key:
    def __init__(self):
        self.private = ed25519.Ed25519PrivateKey.generate()
        public = self.private.public_key().public_bytes(
            serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        self.blob = string(b"ssh-ed25519") + string(public)
        self.line = "ssh-ed25519 %s test\n" % base64.b64encode(
            self.blob).decode()

    def sign(self, data):
        return string(b"ssh-ed25519") + string(self.private.sign(data))


class Sshd:
    """An OpenSSH server of our own, on a port that the kernel chose."""

    def __init__(self, key, extra="", keys=("ed25519",)):
        self.directory = tempfile.mkdtemp(prefix="sshd")
        path = self.directory
        os.chmod(path, 0o755)
        lines = []
        for kind in keys:
            subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", "", "-f",
                            path + "/host_" + kind], check=True)
            lines.append("HostKey %s/host_%s" % (path, kind))
        with open(path + "/authorized_keys", "w") as out:
            out.write(key.line)
        os.chmod(path + "/authorized_keys", 0o644)
        os.makedirs("/run/sshd", exist_ok=True)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        with open(path + "/config", "w") as out:
            out.write("\n".join(lines + [
                "Port %d" % self.port, "ListenAddress 127.0.0.1",
                "UsePAM no", "StrictModes no", "PidFile none",
                "PasswordAuthentication no",
                "KbdInteractiveAuthentication no",
                "PermitRootLogin prohibit-password",
                "AuthorizedKeysFile %s/authorized_keys" % path,
                "Subsystem sftp internal-sftp", "PrintMotd no",
                "MaxStartups 100", extra, ""]))
        self.log = open(path + "/log", "wb")
        self.process = subprocess.Popen(
            [shutil.which("sshd", path="/usr/sbin:/usr/bin:/sbin"), "-D",
             "-e", "-f", path + "/config"], stdin=subprocess.DEVNULL,
            stdout=self.log, stderr=self.log, start_new_session=True)
        self.user = getpass.getuser()
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                return
            except ConnectionRefusedError:
                if self.process.poll() is not None:
                    break
                time.sleep(0.05)
        raise RuntimeError(open(path + "/log").read())

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.port))

    def session_pids(self):
        out = subprocess.run(["ps", "-o", "pid=", "--ppid",
                              str(self.process.pid)], capture_output=True,
                             text=True).stdout
        found = [int(pid) for pid in out.split()]
        for pid in list(found):
            out = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)],
                                 capture_output=True, text=True).stdout
            found += [int(child) for child in out.split()]
        return found

    def close(self):
        for pid in self.session_pids() + [self.process.pid]:
            for number in (signal.SIGCONT, signal.SIGKILL):
                try:
                    os.kill(pid, number)
                except ProcessLookupError:
                    pass
        self.process.wait(10)
        self.log.close()
        shutil.rmtree(self.directory, ignore_errors=True)


class Session:
    """A worker that is logged in; waits for messages by channel."""

    def __init__(self, server, sock, key, user=None, login_ms=20000,
                 keepalive=0, identities=None):
        self.wire = server.spawn()
        self.waiting = []
        self.next = 0
        self.wire.send("LOGIN", a=login_ms, b=keepalive,
                       payload=(user or getpass.getuser()).encode(),
                       fd=sock.fileno())
        sock.close()
        hello = self.wait("HOST_KEY")
        self.host_key = hello.payload[:hello.a]
        self.methods = hello.payload[hello.a + 1:].decode()
        self.wire.send("TRUST")
        for one in identities or [key]:
            self.wire.send("IDENTITY", payload=one.blob)
            answer = self.wait("SIGN", "REJECTED", "UP")
            if answer.type == "UP":
                return
            if answer.type == "REJECTED":
                continue
            self.wire.send("SIGNATURE", payload=one.sign(answer.payload))
            if self.wait("UP", "REJECTED").type == "UP":
                return
        self.wire.send("NO_IDENTITY")
        self.wait("UP")

    def channel(self):
        self.next += 1
        return self.next

    def receive(self, timeout=20):
        message = self.wire.receive(timeout)
        if message.type == "DOWN":
            raise Down(message)
        return message

    def wait(self, *types, channel=None, timeout=20):
        """The next message of one of these types, and of this channel."""
        for i, message in enumerate(self.waiting):
            if message.type in types and channel in (None, message.channel):
                return self.waiting.pop(i)
        until = time.monotonic() + timeout
        while True:
            left = until - time.monotonic()
            if left <= 0:
                raise TimeoutError("%s; got %r" % (types, self.waiting[:5]))
            message = self.receive(left)
            if message.type in types and channel in (None, message.channel):
                return message
            self.waiting.append(message)

    def run(self, command, merge=0, given=None, timeout=60):
        """(status, signal, output, errors) of a command."""
        channel = self.channel()
        self.wire.send("EXEC", channel, a=merge, payload=command.encode())
        if given is not None:
            self.feed(channel, given)
        return self.finish(channel, timeout)

    def feed(self, channel, given):
        def pour():
            self.room = threading.Semaphore(CREDIT_FIRST // 4096)
            try:
                for at in range(0, len(given), 4096):
                    self.wire.send("INPUT", channel,
                                   payload=given[at:at + 4096])
                self.wire.send("INPUT_END", channel)
            except (Gone, OSError):
                pass        # whoever waits for the end hears of it
        threading.Thread(target=pour, daemon=True).start()

    def finish(self, channel, timeout=60):
        out = {1: bytearray(), 2: bytearray()}
        while True:
            message = self.wait("OUT", "EXIT", "FAILED", "TAKEN",
                                channel=channel, timeout=timeout)
            if message.type == "TAKEN":
                continue
            if message.type == "OUT":
                out[message.a] += message.payload
                self.wire.send("CREDIT", channel, a=len(message.payload))
                continue
            if message.type == "FAILED":
                raise Failed(message)
            return (message.a, message.payload.decode(), bytes(out[1]),
                    bytes(out[2]))

    def close(self):
        self.wire.sock.close()


class Down(Exception):
    def __init__(self, message):
        self.failure = FAILURES[message.a]
        self.words = message.payload.decode()
        super().__init__("%s: %s" % (self.failure, self.words))


class Failed(Down):
    pass
