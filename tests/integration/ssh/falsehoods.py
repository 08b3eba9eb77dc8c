"""What is asked of podform-ssh while a server lies to it, and the lies."""
import os
import tempfile
import time

from liar import *
from ssh_worker import Failed, Key, REMOTE

MIB = 1 << 20
EVIL = b"bye\x1b]52;c;cm0=\x07\r\n\xe2\x80\xae\xff\0end"
TOLD = "bye?]52;c;cm0=????????end"      # of which this may be shown
LINE = EVIL.replace(b"\0", b"")
KEY = Key()


# --------------------------------------------------------- what is asked ----

def log_in(session):
    return "up"


def run(session, command="true", **how):
    status, signal, out, errors = session.run(command, **how)
    words = "exit %d" % status
    if signal:
        words += " by %s" % signal
    for name, stream in ("out", out), ("err", errors):
        if len(stream) > 100:
            words += " %s of %d bytes" % (name, len(stream))
        elif stream:
            words += " %s %r" % (name, stream.decode("latin-1"))
    return words


def run_slowly(session):
    """Take nothing of the output for a while."""
    channel = session.channel()
    session.wire.send("EXEC", channel, payload=b"true")
    session.wait("OUT", channel=channel)
    time.sleep(3)
    status, signal, out, errors = session.finish(channel)
    return "exit %d out of %d bytes" % (status, len(out))


def run_twice(session):
    return run(session) + " " + run(session)


def feed(session):
    """More input than any window."""
    return run(session, given=bytes(16 * MIB), timeout=90)


def listen(session):
    channel = session.channel()
    session.wire.send("FORWARD", channel, a=REMOTE, payload=b"localhost\0000")
    answer = session.wait("LISTENING", "FAILED", channel=channel, timeout=40)
    if answer.type == "FAILED":
        raise Failed(answer)
    return "listening on %d" % answer.a


def listen_and_run(session):
    """A remote forward, and how often it wants a connection meanwhile."""
    words = listen(session)
    words += ", " + run(session)
    wanted = sum(1 for m in session.waiting if m.type == "WANT_CONNECT")
    return "%s, %d wanted" % (words, wanted)


def wait_for_loss(seconds):
    def ask(session):
        session.wait("EXIT", timeout=seconds)
        return "nothing"
    return ask


def job(kind, path=b"f", timeout=60, **how):
    def ask(session):
        channel = session.channel()
        with tempfile.TemporaryFile() as local:
            if kind == "PUT":
                local.truncate(how.get("b", 0))
            fd = local.fileno() if kind in ("GET", "PUT") else None
            session.wire.send(kind, channel, payload=path, fd=fd, **how)
            entries = []
            while True:
                message = session.wait("DONE", "FAILED", "ENTRY",
                                       channel=channel, timeout=timeout)
                if message.type == "FAILED":
                    raise Failed(message)
                if message.type == "DONE":
                    break
                entries.append(message.payload)
            if kind == "GET":
                return "%d bytes" % local.seek(0, 2)
            return "done %s" % b" ".join(entries[:9]).decode("latin-1")
    return ask


get = job("GET", b=MIB)
put = job("PUT", a=0o600, b=4 * MIB)
names = job("LIST", b"d")


def get_then_run(session):
    try:
        got = get(session)
    except Failed as failed:
        got = str(failed)
    return got + "; " + run(session)


# ------------------------------------------------------------- how it lies ----

def says(*parts, then="idle"):
    """Bytes as they are, in place of what is due; then silence, or not."""
    def lie(connection, *_):
        for part in parts:
            connection.raw(part)
        if then == "idle":
            connection.idle()
        raise Over("said")
    return lie


def endless(part):
    def lie(connection, *_):
        while True:
            connection.raw(part)
    return lie


def silence(connection, *_):
    connection.idle()


def drip(connection, *_):
    while True:
        connection.raw(b"x")
        time.sleep(0.3)


def message(number, *parts, times=1, idle=False):
    """A message nobody expects here; then honest, or idle."""
    def lie(connection, *_):
        for _ in range(times):
            connection.send(number, *parts)
        if idle:
            connection.idle()
        return False
    return lie


def flood(number, *parts):
    """One message, for ever, in pieces that are quick to make."""
    def lie(connection, *_):
        while True:
            connection.raw(b"".join(connection.packet(
                bytes([number]) + b"".join(parts)) for _ in range(200)))
    return lie


def packet(payload, **lies):
    def lie(connection, *_):
        connection.raw(connection.packet(payload, **lies))
        connection.raw(os.urandom(40000))
        connection.idle()
    return lie


def leaves(connection, *_):
    connection.leave(EVIL)


def reply(blob=None, point=None, signature=None):
    """A key exchange reply of which something is a lie."""
    def lie(connection, digest, mine):
        key = connection.liar.key
        connection.raw(connection.packet(
            bytes([ECDH_REPLY]) +
            string(key.blob if blob is None else blob) +
            string(mine if point is None else point) +
            string(key.sign(digest) if signature is None else signature)))
        if signature is not None or blob is not None or point is not None:
            connection.idle()
    return lie


def bad_mac(connection, *_):
    data = bytearray(connection.packet(bytes([IGNORE]) + string(b"x" * 100)))
    data[-1] ^= 1
    connection.raw(bytes(data))
    connection.idle()


def command(*steps, end=True):
    """A command that does this, in place of what commands do."""
    def lie(connection, channel, _):
        for step in steps:
            step(connection, channel)
        if end:
            connection.send(EOF, u32(channel.theirs))
            connection.send(CLOSE, u32(channel.theirs))
    return lie


def status(number):
    return lambda connection, channel: connection.tell(
        channel, b"exit-status", u32(number))


def signal(name, size=None):
    body = u32(len(name) if size is None else size) + name
    return lambda connection, channel: connection.tell(
        channel, b"exit-signal", body + b"\0" + string(EVIL) + string(b""))


def out(data, stream=None, times=1):
    def step(connection, channel):
        for _ in range(times):
            connection.say(channel, data, stream)
    return step


def over_window(connection, channel):
    """Four times what was allowed, in one go."""
    for _ in range(4 * 64):
        connection.lie(channel, bytes(32 << 10))


def out_for_ever(stream=None, size=32 << 10):
    def lie(connection, channel, _):
        while True:
            connection.say(channel, b"\x1b[2J" * (size // 4), stream)
    return lie


def to_channel(number, *parts):
    return lambda connection, channel: connection.send(
        number, u32(channel.theirs), *parts)


def never_again(connection, channel):
    connection.idle()


def elsewhere(*numbers):
    """Messages about a channel that does not exist."""
    def step(connection, channel):
        for number in numbers:
            for where in (77, 0xffffffff):
                connection.send(number, u32(where), u32(100),
                                string(b"x" * 90), bytes(60))
    return step


def foreign_status(connection, channel):
    connection.send(REQUEST, u32(channel.theirs + 1), string(b"exit-status"),
                    b"\0", u32(0))


def opens(kind, times=1):
    body = (u32(0) + u32(1 << 20) + u32(1 << 15) + string(b"localhost") +
            u32(4000) + string(b"10.1.1.1") + u32(5))

    def step(connection, *_):
        for _ in range(times):
            connection.send(OPEN, string(kind), body)
    return step


def answers_listen(connection, kind, reader):
    connection.send(REQUEST_SUCCESS, u32(4000))


def rekeys(times, sleep=0):
    def step(connection, channel):
        for _ in range(times):
            connection.exchange()
            time.sleep(sleep)
    return step


def rekeys_with_another_key(connection, channel):
    connection.liar.key = HostKey()
    connection.exchange()


def rekeys_no_further(connection, channel):
    connection.raw(connection.packet(connection.offer()))
    connection.idle()


def rekeys_for_ever(connection, channel):
    """Asks for new keys; while they are due, talks of something else."""
    connection.raw(connection.packet(connection.offer()))
    while True:
        connection.raw(connection.packet(bytes([IGNORE]) + string(b"x")))
        time.sleep(0.1)


def talks_on(connection, channel):
    """Says something all the time, and answers nothing."""
    while True:
        connection.send(IGNORE, string(b"still here"))
        time.sleep(0.1)


def asks_and_reads_not(connection, channel):
    """Wants answers, and takes none of them."""
    body = bytes([GLOBAL_REQUEST]) + string(b"x@y") + b"\1"
    while True:
        connection.raw(b"".join(connection.packet(body) for _ in range(200)))


def reads_not(connection, channel):
    time.sleep(60)


def sftp(**replies):
    """By name of the request: bytes of an answer, or a function."""
    numbers = {"init": 1, "open": 3, "close": 4, "read": 5, "write": 6,
               "opendir": 11, "readdir": 12, "lstat": 7, "stat": 17,
               "fsetstat": 10}

    def lie(connection, it, kind, request, reader):
        for name, answer in replies.items():
            if numbers[name] != kind:
                continue
            if callable(answer):
                return answer(it, request, reader)
            it.send(answer[0], *[u32(request) if part == "id" else part
                                 for part in answer[1:]])
            return True
        return False
    return lie


def data(size):
    return (103, "id", string(bytes(size)))


def listing(*entries, count=None):
    return (104, "id", u32(len(entries) if count is None else count)) + tuple(
        string(name) + string(b"") + u32(4) + u32(0o100644)
        for name in entries)


def pieces(it, request, reader):
    """A byte at a time, whatever was asked for."""
    it.send(103, u32(request), string(b"x"))


def first_then(count, answer):
    seen = []

    def lie(it, request, reader):
        seen.append(request)
        if len(seen) <= count:
            return False
        return answer(it, request, reader)
    return lie


def hangs_up(it, request, reader):
    raise Over("enough")


def closes_channel(it, request, reader):
    it.connection.send(CLOSE, u32(it.channel.theirs))


def says_nothing(it, request, reader):
    pass


def errors_for_ever(it, request, reader):
    for _ in range(100):
        it.connection.say(it.channel, bytes(32 << 10), 1)
    it.status(request, it.OK)


def huge(size):
    def lie(it, *_):
        it.connection.say(it.channel, u32(size) + bytes(300))
    return lie
