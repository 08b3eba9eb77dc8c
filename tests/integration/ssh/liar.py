"""An SSH server that tells lies: before, during and after encryption.

It is honest by itself: curve25519, an ed25519 or ecdsa host key, aes128-ctr
and hmac-sha2-256, any public key may log in, commands print a line, SFTP
serves a small tree.  A test replaces what is to be a lie: every hook is a
function of the connection, given to Liar by name.  A good SSH library would
not tell such lies, so the protocol is spoken here.
"""
import base64
import hashlib
import hmac
import os
import socket
import stat
import struct
import threading

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, x25519
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature)
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

(DISCONNECT, IGNORE, UNIMPLEMENTED, DEBUG, SERVICE_REQUEST,
 SERVICE_ACCEPT) = range(1, 7)
KEXINIT, NEWKEYS, ECDH_INIT, ECDH_REPLY = 20, 21, 30, 31
AUTH_REQUEST, AUTH_FAILURE, AUTH_SUCCESS, AUTH_BANNER = range(50, 54)
AUTH_PK_OK = 60
GLOBAL_REQUEST, REQUEST_SUCCESS, REQUEST_FAILURE = range(80, 83)
(OPEN, OPEN_OK, OPEN_FAILURE, WINDOW, DATA, EXTENDED, EOF, CLOSE, REQUEST,
 SUCCESS, FAILURE) = range(90, 101)

LISTS = {
    "kex": b"curve25519-sha256", "host": b"", "cipher": b"aes128-ctr",
    "mac": b"hmac-sha2-256",
}


class Over(Exception):
    """The client is gone, or the play is over."""


def u32(number):
    return struct.pack(">I", number & 0xffffffff)


def string(data):
    return u32(len(data)) + data


def mpint(number):
    data = number.to_bytes((number.bit_length() + 8) // 8, "big")
    return string(data if number else b"")


class Reader:
    def __init__(self, data):
        self.data = data
        self.at = 0

    def take(self, size):
        part = self.data[self.at:self.at + size]
        self.at += size
        if len(part) < size:
            raise Over("short")
        return part

    def byte(self):
        return self.take(1)[0]

    def u32(self):
        return struct.unpack(">I", self.take(4))[0]

    def u64(self):
        return struct.unpack(">Q", self.take(8))[0]

    def string(self):
        return self.take(self.u32())


class HostKey:
    """Of one type; `line` is how a log would print its fingerprint."""

    def __init__(self, kind="ssh-ed25519"):
        self.kind = kind.encode()
        if kind == "ssh-ed25519":
            self.key = ed25519.Ed25519PrivateKey.generate()
            public = self.key.public_key().public_bytes(
                serialization.Encoding.Raw, serialization.PublicFormat.Raw)
            self.blob = string(self.kind) + string(public)
        else:
            self.key = ec.generate_private_key(ec.SECP256R1())
            public = self.key.public_key().public_bytes(
                serialization.Encoding.X962,
                serialization.PublicFormat.UncompressedPoint)
            self.blob = (string(self.kind) + string(b"nistp256") +
                         string(public))
        digest = hashlib.sha256(self.blob).digest()
        self.print = "SHA256:" + base64.b64encode(digest).decode().rstrip("=")
        self.line = "256 %s root@pod (%s)" % (
            self.print, "ED25519" if "ed25519" in kind else "ECDSA")

    def sign(self, data):
        if self.kind == b"ssh-ed25519":
            return string(self.kind) + string(self.key.sign(data))
        r, s = decode_dss_signature(self.key.sign(data, ec.ECDSA(
            hashes.SHA256())))
        return string(self.kind) + string(mpint(r) + mpint(s))


class Direction:
    """Packets one way: clear until keys are set."""

    def __init__(self):
        self.sequence = 0
        self.cipher = self.mac_key = None

    def key(self, cipher_key, iv, mac_key):
        self.cipher = Cipher(algorithms.AES(cipher_key),
                             modes.CTR(iv)).encryptor()
        self.mac_key = mac_key

    def mac(self, packet):
        return hmac.new(self.mac_key, u32(self.sequence) + packet,
                        hashlib.sha256).digest()


class Channel:
    def __init__(self, number, theirs, room):
        self.number = number
        self.theirs = theirs
        self.room = room          # what they let us send
        self.kind = b""
        self.taken = 0            # bytes of theirs since the last adjustment
        self.sftp = None


class Connection:
    def __init__(self, liar, sock):
        self.liar = liar
        self.sock = sock
        self.input = Direction()
        self.output = Direction()
        self.channels = {}
        self.session_id = None
        self.client_version = b""
        self.sending = threading.RLock()
        self.backlog = []

    def hook(self, name, *args):
        """True if the play did it all itself."""
        function = self.liar.hooks.get(name)
        if function is None:
            return False
        return function(self, *args) is not False

    def run(self):
        self.hook("accepted")
        self.versions()
        self.exchange()
        self.hook("sealed")
        self.log_in()
        self.hook("logged_in")
        while True:
            self.handle(self.backlog.pop(0) if self.backlog else
                        self.receive())

    # ------------------------------------------------------------- packets

    def raw(self, data):
        self.sock.sendall(data)

    def read(self, size):
        parts = bytearray()
        while len(parts) < size:
            part = self.sock.recv(size - len(parts))
            if not part:
                raise Over("closed")
            parts += part
        return bytes(parts)

    def packet(self, payload, length=None, padding=None):
        """The bytes of one packet; length and padding may be lies."""
        block = 16 if self.output.cipher else 8
        pad = block - (len(payload) + 5) % block
        pad += block if pad < 4 else 0
        size = len(payload) + pad + 1 if length is None else length
        clear = (u32(size) + bytes([pad if padding is None else padding]) +
                 payload + os.urandom(pad))
        if self.output.cipher:
            mac = self.output.mac(clear)
            clear = self.output.cipher.update(clear) + mac
        self.output.sequence = (self.output.sequence + 1) & 0xffffffff
        return clear

    def send(self, number, *parts):
        with self.sending:
            self.raw(self.packet(bytes([number]) + b"".join(parts)))

    def receive_any(self):
        if self.input.cipher:
            first = self.input.cipher.update(self.read(16))
        else:
            first = self.read(8)
        size = struct.unpack(">I", first[:4])[0]
        if size > 1 << 20:
            raise Over("a packet of %d bytes" % size)
        rest = self.read(size + 4 - len(first))
        if self.input.cipher:
            rest = self.input.cipher.update(rest)
            self.read(32)
        packet = first + rest
        self.input.sequence = (self.input.sequence + 1) & 0xffffffff
        return packet[5:len(packet) - packet[4]]

    def receive(self):
        while True:
            payload = self.receive_any()
            if payload[0] == DISCONNECT:
                raise Over("they left")
            if payload[0] == KEXINIT and self.session_id:
                self.exchange(theirs=payload)
                continue
            if payload[0] not in (IGNORE, DEBUG, UNIMPLEMENTED):
                return payload

    # ----------------------------------------------------------- handshake

    def versions(self):
        if not self.hook("greeting"):
            self.raw(self.liar.version + b"\r\n")
        line = b""
        while not line.endswith(b"\n"):
            line += self.read(1)
        self.client_version = line.rstrip(b"\r\n")

    def offer(self):
        lists = dict(LISTS, host=self.liar.key.kind)
        lists.update(self.liar.offers)
        names = ["kex", "host", "cipher", "cipher", "mac", "mac"]
        return (bytes([KEXINIT]) + os.urandom(16) +
                b"".join(string(lists[name]) for name in names) +
                string(b"none") * 2 + string(b"") * 2 + bytes(5))

    def exchange(self, theirs=None):
        ours = self.offer()
        with self.sending:
            if not self.hook("offer"):
                self.raw(self.packet(ours))
            while theirs is None:
                payload = self.receive_any()
                if payload[0] == KEXINIT:
                    theirs = payload
                elif self.session_id is None:
                    raise Over("no KEXINIT")
            self.agree(ours, theirs)

    def agree(self, ours, theirs):
        liar = self.liar
        reader = Reader(self.receive_any())
        if reader.byte() != ECDH_INIT:
            raise Over("no ECDH_INIT")
        point = reader.string()
        private = x25519.X25519PrivateKey.generate()
        mine = private.public_key().public_bytes(
            serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        shared = mpint(int.from_bytes(private.exchange(
            x25519.X25519PublicKey.from_public_bytes(point)), "big"))
        digest = hashlib.sha256(
            string(self.client_version) + string(liar.version) +
            string(theirs) + string(ours) + string(liar.key.blob) +
            string(point) + string(mine) + shared).digest()
        self.session_id = self.session_id or digest
        if not self.hook("kex_reply", digest, mine):
            self.raw(self.packet(bytes([ECDH_REPLY]) +
                                 string(liar.key.blob) + string(mine) +
                                 string(liar.key.sign(digest))))
        if not self.hook("newkeys"):
            self.raw(self.packet(bytes([NEWKEYS])))

        def derive(letter, size):
            return hashlib.sha256(shared + digest + letter +
                                  self.session_id).digest()[:size]
        self.output.key(derive(b"D", 16), derive(b"B", 16), derive(b"F", 32))
        while self.receive_any()[0] != NEWKEYS:
            pass
        self.input.key(derive(b"C", 16), derive(b"A", 16), derive(b"E", 32))

    def log_in(self):
        self.receive()
        if not self.hook("service"):
            self.send(SERVICE_ACCEPT, string(b"ssh-userauth"))
        while True:
            reader = Reader(self.receive())
            if reader.byte() != AUTH_REQUEST:
                raise Over("no request to log in")
            self.liar.logins += 1
            user, _, method = (reader.string(), reader.string(),
                               reader.string())
            self.liar.user = user
            if method != b"publickey":
                self.send(AUTH_FAILURE, string(b"publickey"), b"\0")
                continue
            signed, kind, blob = (reader.byte(), reader.string(),
                                  reader.string())
            if self.hook("login", signed):
                if self.liar.let_in:
                    return
                continue
            if signed:
                self.send(AUTH_SUCCESS)
                return
            self.send(AUTH_PK_OK, string(kind), string(blob))

    # ------------------------------------------------------------ channels

    def handle(self, payload):
        reader = Reader(payload)
        number = reader.byte()
        if self.hook("message", number, payload):
            return
        if number == OPEN:
            self.open(reader)
        elif number == GLOBAL_REQUEST:
            kind, wanted = reader.string(), reader.byte()
            if not self.hook("global", kind, reader) and wanted:
                self.send(REQUEST_FAILURE)
        elif number in (WINDOW, DATA, EOF, CLOSE, REQUEST):
            channel = self.channels.get(reader.u32())
            if channel is not None:
                self.of_channel(number, channel, reader)

    def open(self, reader):
        kind, theirs, room = reader.string(), reader.u32(), reader.u32()
        if self.hook("open", kind, theirs):
            return
        if kind not in (b"session", b"direct-tcpip"):
            self.send(OPEN_FAILURE, u32(theirs), u32(3),
                      string(b"unknown"), string(b""))
            return
        self.accept(kind, theirs, room)

    def accept(self, kind, theirs, room=2 << 20):
        channel = Channel(len(self.channels) + 100, theirs, room)
        channel.kind = kind
        self.channels[channel.number] = channel
        self.send(OPEN_OK, u32(theirs), u32(channel.number), u32(1 << 20),
                  u32(32 << 10))
        if kind == b"direct-tcpip":
            self.hook("connected", channel)
        return channel

    def of_channel(self, number, channel, reader):
        if number == WINDOW:
            channel.room += reader.u32()
        elif number == REQUEST:
            kind, wanted = reader.string(), reader.byte()
            rest = reader.string() if kind != b"signal" else b""
            if self.hook("request", channel, kind, rest):
                return
            if wanted:
                self.send(SUCCESS, u32(channel.theirs))
            if kind == b"exec":
                self.liar.commands.append(rest)
                if not self.hook("exec", channel, rest):
                    self.say(channel, b"honest\n")
                    self.end(channel, 0)
            elif kind == b"subsystem":
                channel.sftp = Sftp(self, channel)
        elif number == DATA:
            data = reader.string()
            channel.taken += len(data)
            if channel.taken > 256 << 10:
                self.send(WINDOW, u32(channel.theirs), u32(channel.taken))
                channel.taken = 0
            if channel.sftp is not None:
                channel.sftp.take(data)
            else:
                self.hook("data", channel, data)
        elif number == EOF:
            self.hook("eof", channel)
        elif number == CLOSE:
            if not self.hook("close", channel):
                self.send(CLOSE, u32(channel.theirs))
            self.channels.pop(channel.number, None)

    def say(self, channel, data, stream=None):
        """Data of a channel, as far as its window lets us."""
        while data:
            while channel.room == 0:
                self.wait_for_room()
            part = data[:min(32 << 10, channel.room)]
            data = data[len(part):]
            channel.room -= len(part)
            self.lie(channel, part, stream)

    def wait_for_room(self):
        """Windows are heard at once, all else in its order."""
        payload = self.receive()
        if payload[0] == WINDOW:
            self.handle(payload)
        else:
            self.backlog.append(payload)

    def lie(self, channel, data, stream=None):
        """The same, whatever the window."""
        if stream is None:
            self.send(DATA, u32(channel.theirs), string(data))
        else:
            self.send(EXTENDED, u32(channel.theirs), u32(stream),
                      string(data))

    def end(self, channel, status=None, signal=None):
        if status is not None:
            self.tell(channel, b"exit-status", u32(status))
        if signal is not None:
            self.tell(channel, b"exit-signal", string(signal) + b"\0" +
                      string(b"") + string(b""))
        self.send(EOF, u32(channel.theirs))
        self.send(CLOSE, u32(channel.theirs))

    def tell(self, channel, kind, rest, wanted=b"\0"):
        self.send(REQUEST, u32(channel.theirs), string(kind), wanted, rest)

    def leave(self, words, reason=11):
        self.send(DISCONNECT, u32(reason), string(words), string(b""))
        raise Over("left")

    def idle(self):
        """Take what comes, and say nothing."""
        while self.sock.recv(1 << 16):
            pass
        raise Over("closed")


class Sftp:
    """Version 3, over a tree of names: bytes are files, a dict is a
    directory.  A hook `sftp` may answer a request itself."""
    OK, END, MISSING = 0, 1, 2

    def __init__(self, connection, channel):
        self.connection = connection
        self.channel = channel
        self.input = b""
        self.handles = {}

    def send(self, kind, *parts):
        body = bytes([kind]) + b"".join(parts)
        self.connection.say(self.channel, string(body))

    def status(self, request, code):
        self.send(101, u32(request), u32(code), string(b""), string(b""))

    def take(self, data):
        self.input += data
        while len(self.input) >= 4:
            size = struct.unpack(">I", self.input[:4])[0]
            if len(self.input) < 4 + size:
                return
            packet = self.input[4:4 + size]
            self.input = self.input[4 + size:]
            self.answer(Reader(packet))

    def find(self, path):
        node = self.connection.liar.tree
        for name in path.split(b"/"):
            if name in (b"", b"."):
                continue
            if not isinstance(node, dict) or name not in node:
                return None
            node = node[name]
        return node

    @staticmethod
    def attributes(node):
        if isinstance(node, dict):
            return u32(5) + struct.pack(">Q", 0) + u32(stat.S_IFDIR | 0o755)
        return (u32(5) + struct.pack(">Q", len(node)) +
                u32(stat.S_IFREG | 0o644))

    @classmethod
    def name(cls, name, node):
        return string(name) + string(b"-") + cls.attributes(node)

    def answer(self, reader):
        kind = reader.byte()
        if kind == 1:
            if not self.connection.hook("sftp", self, kind, 0, reader):
                self.send(2, u32(3))
            return
        request = reader.u32()
        if self.connection.hook("sftp", self, kind, request, reader):
            return
        if kind in (3, 11):
            node = self.find(reader.string())
            if node is None and kind == 11 or (
                    kind == 3 and node is None and not reader.u32() & 2):
                self.status(request, self.MISSING)
                return
            handle = u32(len(self.handles))
            self.handles[handle] = [node, 0]
            self.send(102, u32(request), string(handle))
        elif kind == 4:
            self.handles.pop(reader.string(), None)
            self.status(request, self.OK)
        elif kind == 5:
            node = self.handles[reader.string()][0]
            at, size = reader.u64(), reader.u32()
            if at >= len(node):
                self.status(request, self.END)
            else:
                self.send(103, u32(request), string(node[at:at + size]))
        elif kind == 12:
            entry = self.handles[reader.string()]
            entry[1] += 1
            if entry[1] > 1:
                self.status(request, self.END)
            else:
                self.send(104, u32(request), u32(len(entry[0])), *[
                    self.name(name, node)
                    for name, node in entry[0].items()])
        elif kind in (7, 8, 17):
            node = self.find(reader.string())
            if node is None:
                self.status(request, self.MISSING)
            else:
                self.send(105, u32(request), self.attributes(node))
        else:
            self.status(request, self.OK)


class Liar:
    """A server on 127.0.0.1; each client gets a thread and the hooks."""

    def __init__(self, key=None, version=b"SSH-2.0-liar", offers=None,
                 tree=None, let_in=False, **hooks):
        self.key = key or HostKey()
        self.version = version
        self.offers = offers or {}
        self.tree = tree if tree is not None else {}
        self.hooks = hooks
        self.commands = []
        self.connections = []
        self.logins = 0
        self.let_in = let_in      # without a signature
        self.user = None
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            self.serve(sock)

    def serve(self, sock):
        """Speak to this socket, in a thread of its own."""
        connection = Connection(self, sock)
        self.connections.append(connection)
        threading.Thread(target=self.one, args=(connection,),
                         daemon=True).start()

    @staticmethod
    def one(connection):
        try:
            connection.sock.setsockopt(socket.IPPROTO_TCP,
                                       socket.TCP_NODELAY, 1)
        except OSError:
            pass
        try:
            connection.run()
        except (Over, OSError, struct.error):
            pass
        finally:
            try:
                connection.sock.close()
            except OSError:
                pass

    def close(self):
        # A thread that accepts holds the socket: wake it.
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for connection in self.connections:
            try:
                connection.sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
