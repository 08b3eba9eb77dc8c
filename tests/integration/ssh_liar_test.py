#!/usr/bin/python3
"""podform-ssh against a server that lies at every stage of the protocol.

Each row of LIES is one lie (ssh/liar.py tells it), what podform would ask for
meanwhile, and what must come of it: the worker's own words, in time, and in
bounded memory.  Rows that begin with H- or F are the cases of those numbers.
"""
import concurrent.futures
import os
import re
import socket
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "ssh"))
try:
    from falsehoods import *
    from liar import *
    from ssh_worker import Server, Session, Down, Gone, WORKER, LOCAL
except ImportError as missing:
    print("skip: needs %s" % missing.name)
    sys.exit(77)

MIB_MAX = 64          # of any worker, whatever it is told
SECONDS_MAX = 40      # until the last word; the deadlines are 4 to 20 s
UNDER_SANITIZERS = b"__asan_init" in open(WORKER, "rb").read()

FLOOD = ("PROTOCOL: the server floods us with messages that nobody asked "
         "for")
NOSSH = "BANNER: what answers is no SSH server"
ENDED = ("LOST: the server closed the connection before it said that it "
         "speaks SSH")
BROKEN = r"PROTOCOL: the server does not keep to the protocol: "
SHAKE = r"PROTOCOL: handshake failed: "
SFTP = "PROTOCOL: the SFTP server does not keep to the protocol"
OK = r"exit 0 out 'honest\\n'"
TREE = {b"f": bytes(300000), b"d": {b"x": b"1"}}

# Name, what must come of it (a pattern), what is asked for, and the lie.
LIES = [
    # Before a word of SSH.
    ("H-02 a megabyte of lines", "BANNER: no SSH server: 65536 bytes "
     "without a banner", log_in, dict(accepted=says(
         b"welcome, friend\r\n" * 65536))),
    ("H-02 lines for ever", "BANNER: no SSH server: 65536 bytes without a "
     "banner", log_in, dict(accepted=endless(LINE + b"\n"))),
    ("H-02 a line that never ends", "BANNER: no SSH server: 65536 bytes "
     "without a banner", log_in, dict(accepted=endless(b"x" * 4096))),
    ("H-02 some lines, then the banner", "up", log_in, dict(
        accepted=lambda c: c.raw((LINE + b"\r\n") * 20) or False)),
    ("H-02 no banner but the end", ENDED, log_in, dict(
        accepted=says(then="end"))),
    ("H-02 lines, then the end", ENDED, log_in, dict(
        accepted=says(LINE + b"\n", then="end"))),
    ("H-02 a line with a NUL", NOSSH, log_in, dict(
        accepted=endless(EVIL + b"\n"))),
    ("H-02 a banner with escapes", "up", log_in, dict(
        version=b"SSH-2.0-\x1b[2J\x1b]52;c;cm0=\x07")),
    ("H-02 a banner of 100 kB", "BANNER|PROTOCOL|LOST", log_in, dict(
        greeting=says(b"SSH-2.0-" + b"x" * 100000 + b"\r\n"))),
    ("H-02 the banner of version 1", "BANNER: the server speaks an older "
     "SSH than version 2", log_in, dict(
        greeting=says(b"SSH-1.5-old\r\n"))),
    ("H-03 silence", "BANNER: no SSH banner within 10 s", log_in,
     dict(accepted=silence)),
    ("H-03 a byte now and then", "BANNER: no SSH banner within 10 s",
     log_in, dict(accepted=drip)),
    ("H-03 silence after the banner", "TIMEOUT: login not finished within "
     "4 s", log_in, dict(offer=silence)),
    ("H-03 silence after the offer", "TIMEOUT: login not finished within "
     "4 s", log_in, dict(kex_reply=silence)),
    ("H-03 silence before new keys", "TIMEOUT: login not finished within "
     "4 s", log_in, dict(newkeys=silence)),
    ("H-03 silence after new keys", "TIMEOUT: login not finished within "
     "4 s", log_in, dict(service=silence)),
    ("H-03 silence when a key is offered", "TIMEOUT: login not finished "
     "within 4 s", log_in, dict(login=silence)),
    ("H-03 silence when it is signed", "TIMEOUT: login not finished within "
     "4 s", log_in, dict(
         login=lambda c, signed: c.idle() if signed else False)),
    # The key exchange.
    ("F55 a packet of 4 GB", SHAKE, log_in, dict(offer=packet(
        b"\x14" * 40, length=0xffffffff))),
    ("F55 a packet of nothing", SHAKE, log_in, dict(offer=packet(
        b"\x14" * 40, length=0))),
    ("F55 more padding than packet", SHAKE, log_in, dict(offer=packet(
        b"\x14" * 40, padding=255))),
    ("F55 noise for an offer", SHAKE, log_in, dict(
        offer=endless(os.urandom(4096)))),
    ("F55 offers for ever", FLOOD, log_in, dict(offer=lambda c: endless(
        c.packet(c.offer()))(c))),
    ("H-04 only RSA", "KEX: the server offers only ssh-rsa, rsa-sha2-512 "
     "as host key; podform speaks ssh-ed25519,", log_in, dict(
         offers={"host": b"ssh-rsa,rsa-sha2-512"})),
    ("H-04 only CBC", "KEX: the server offers only aes256-cbc, 3des-cbc as "
     "cipher; podform speaks aes128-ctr,", log_in, dict(
         offers={"cipher": b"aes256-cbc,3des-cbc"})),
    ("H-04 names with escapes", "KEX: the server offers only "
     r"\?\[2J, \?\]52;c; as key exchange; podform speaks curve25519", log_in,
     dict(offers={"kex": b"\x1b[2J,\x9b]52;c;"})),
    ("H-04 names of 12 kB", "KEX: the server offers only x{300} as MAC; "
     "podform speaks ", log_in, dict(offers={"mac": b"x" * 12000})),
    ("H-04 no names at all", "KEX: the server offers only nothing as key "
     "exchange; podform speaks ", log_in, dict(offers={"kex": b""})),
    ("F55 another's signature", SHAKE, log_in, dict(
        kex_reply=lambda c, digest, mine: reply(
            signature=HostKey().sign(digest))(c, digest, mine))),
    ("F55 no signature", SHAKE, log_in, dict(
        kex_reply=reply(signature=b""))),
    ("F55 a signature of 4 GB", SHAKE, log_in, dict(kex_reply=reply(
        signature=string(b"ssh-ed25519") + u32(0xfffffff0)))),
    ("F55 no host key", SHAKE, log_in, dict(kex_reply=reply(blob=b""))),
    ("F55 a host key of 30 kB", SHAKE, log_in, dict(kex_reply=reply(
        blob=string(b"ssh-ed25519") + string(bytes(30000))))),
    ("F51 a host key of another type", SHAKE, log_in, dict(
        kex_reply=lambda c, digest, mine: reply(
            blob=HostKey("ecdsa-sha2-nistp256").blob)(c, digest, mine))),
    ("F55 no point", SHAKE, log_in, dict(kex_reply=reply(point=b""))),
    ("F55 a point of zeros", SHAKE, log_in, dict(
        kex_reply=reply(point=bytes(32)))),
    ("F55 a point of 30 kB", SHAKE, log_in, dict(
        kex_reply=reply(point=bytes(30000)))),
    ("F50 leaves during the handshake", "LOST: the connection ended during "
     "the handshake: " + re.escape(TOLD), log_in, dict(kex_reply=leaves)),
    # Sealed, and then.
    ("F55 a wrong MAC", SHAKE + "Invalid MAC", log_in, dict(sealed=bad_mac)),
    ("F55 sealed noise", SHAKE, log_in, dict(
        sealed=endless(os.urandom(4096)))),
    ("F55 a sealed packet of 2 GB", SHAKE, log_in, dict(
        sealed=packet(b"\2" * 40, length=0x7fffffff))),
    ("F55 a sealed packet of nothing", SHAKE, log_in, dict(
        sealed=packet(b"\2" * 40, length=0))),
    ("F55 ignored for ever", "TIMEOUT: login not finished within 4 s",
     log_in, dict(sealed=flood(IGNORE, string(b"x" * 1000)))),
    ("F55 unknown messages for ever", FLOOD, log_in,
     dict(sealed=flood(200, bytes(1000)))),
    # Logging in.
    ("F52 banners for ever", FLOOD, log_in, dict(login=flood(
        AUTH_BANNER, string(EVIL * 100), string(b"")))),
    ("F52 in without a signature", "up", log_in, dict(
        let_in=True, login=lambda c, signed: c.send(AUTH_SUCCESS))),
    ("F52 accepts another key", "TIMEOUT: login not finished within 4 s", log_in, dict(
        login=lambda c, signed: c.send(AUTH_PK_OK, string(b"ssh-ed25519"),
                                       string(HostKey().blob)))),
    ("F52 accepts nothing, for ever", "AUTH: the server accepts none of the "
     "keys", log_in, dict(login=lambda c, signed: c.send(
         AUTH_FAILURE, string(EVIL), b"\1"))),
    ("F52 leaves with words", "AUTH: the server ended the login: " +
     re.escape(TOLD), log_in, dict(login=leaves)),
    ("F55 channels during the login", "up", log_in, dict(
        login=message(DATA, u32(0), string(b"x" * 1000), times=50))),
    # Messages about what does not exist.
    ("F55 channels that are none", OK, run_twice, dict(exec=command(
        elsewhere(OPEN_OK, OPEN_FAILURE, WINDOW, DATA, EXTENDED, EOF, CLOSE,
                  REQUEST, SUCCESS, FAILURE), out(b"honest\n"),
        status(0)))),
    ("F55 answers to nothing", OK, run_twice, dict(exec=command(
        lambda c, ch: [c.send(REQUEST_SUCCESS) for _ in range(1000)],
        lambda c, ch: [c.send(REQUEST_FAILURE) for _ in range(1000)],
        lambda c, ch: [c.send(SUCCESS, u32(ch.theirs))
                       for _ in range(1000)],
        out(b"honest\n"), status(0)))),
    ("F55 opens nobody asked for", OK, run_twice, dict(exec=command(
        opens(b"forwarded-tcpip", 300), opens(b"x11", 300),
        opens(b"auth-agent@openssh.com", 300), opens(b"session", 300),
        opens(EVIL, 10), out(b"honest\n"), status(0)))),
    ("F55 more connections than anybody serves", "listening on 4000, " +
     OK + ", [0-9]{1,3} wanted", listen_and_run, {
         "global": answers_listen, "exec": command(
             opens(b"forwarded-tcpip", 2000), out(b"honest\n"),
             status(0))}),
    ("F54 a forward that is not answered", "TIMEOUT: the server did not "
     "answer in time", listen, {"global": lambda c, kind, reader: None}),
    ("F54 a channel that is not opened", "TIMEOUT: the server did not "
     "answer in time", run, dict(keepalive=15, open=lambda c, kind, theirs:
                                 kind == b"session")),
    ("F55 a channel opened twice", OK, run_twice, dict(
        open=lambda c, kind, theirs: kind == b"session" and (
            c.accept(kind, theirs), c.accept(kind, theirs))[:0] == ())),
    ("F55 refused with words", "REFUSED: the server refuses a channel", run,
     dict(open=lambda c, kind, theirs: kind == b"session" and c.send(
         OPEN_FAILURE, u32(theirs), u32(99), string(EVIL), string(b""))
          is None)),
    ("F54 a command that is not started", "TIMEOUT: the server does not "
     "start what was asked for", run, dict(
         request=lambda c, channel, kind, rest: None)),
    ("F55 a command that is refused", "REFUSED: the server does not start "
     "what was asked for", run, dict(
         request=lambda c, channel, kind, rest: c.send(
             FAILURE, u32(channel.theirs)))),
    # Commands: how they end, what they say.
    ("H-06 no status", "exit -1$", run, dict(exec=command())),
    ("H-06 status 255", "exit 255$", run, dict(exec=command(status(255)))),
    ("H-06 status 256", "exit 256$", run, dict(exec=command(status(256)))),
    ("H-06 status 2^31", "exit -2147483648$", run, dict(
        exec=command(status(1 << 31)))),
    ("H-06 another's status", "exit -1$", run, dict(
        exec=command(foreign_status))),
    ("H-06 a signal", "exit -1 by KILL$", run, dict(
        exec=command(signal(b"KILL")))),
    ("H-06 a signal and status 0", "exit -1 by KILL$", run, dict(
        exec=command(status(0), signal(b"KILL")))),
    ("H-06 a signal with escapes", r"exit -1 by \?\[2J\?\?$", run, dict(
        exec=command(signal(b"\x1b[2J\r\n")))),
    ("H-06 a signal of 30 kB", "exit -1 by X{32}$", run, dict(
        exec=command(signal(b"X" * 30000)))),
    ("H-06 a signal of 1 GB", "exit -1|LOCAL", run, dict(
        exec=command(signal(b"X", 1 << 30)))),
    ("H-06 a signal of 4 GB", "exit -1|LOCAL", run, dict(
        exec=command(signal(b"X", 0xffffffff)))),
    ("H-06 ends before it begins", "TIMEOUT: the server does not "
     "start what was asked for", run, dict(
        request=lambda c, channel, kind, rest: c.end(channel, 0))),
    ("F55 ends twice", OK, run_twice, dict(exec=command(
        out(b"honest\n"), status(0), to_channel(EOF), to_channel(CLOSE)))),
    ("F55 words after the end", "exit 0 out ('honest|of 1007 bytes)", run_twice, dict(exec=command(
        out(b"honest\n"), status(0), to_channel(EOF), to_channel(CLOSE),
        to_channel(DATA, string(b"x" * 1000)), to_channel(WINDOW, u32(9)),
        end=False))),
    ("F55 more than the window", "exit 0 out of [0-9]+ bytes", run, dict(
        exec=command(over_window, status(0)))),
    ("F55 more than the window, unread", "exit 0 out of [0-9]+ bytes",
     run_slowly, dict(exec=command(out(b"x" * 1000), over_window,
                                   status(0)))),
    ("F55 windows that overflow", OK, run_twice, dict(exec=command(
        lambda c, ch: [c.send(WINDOW, u32(ch.theirs), u32(0xffffffff))
                       for _ in range(100)],
        out(b"honest\n"), status(0)))),
    ("F55 data of nothing", OK, run_twice, dict(exec=command(
        lambda c, ch: [c.lie(ch, b"") for _ in range(10000)],
        out(b"honest\n"), status(0)))),
    ("F55 data on odd streams", OK, run_twice, dict(exec=command(
        lambda c, ch: [c.lie(ch, b"x", stream) for stream in
                       (0, 2, 7, 0xffffffff) for _ in range(100)],
        out(b"honest\n"), status(0)))),
    ("F55 data that says it is longer", "exit 0 out 'abchonest", run_twice, dict(exec=command(
        lambda c, ch: c.send(DATA, u32(ch.theirs), u32(1 << 20), b"abc"),
        out(b"honest\n"), status(0)))),
    ("F54 input that is never taken", "LOST: nothing was heard of the server "
     "for 3 s", feed, dict(exec=command(
        never_again))),
    ("F54 never closes", OK, run, dict(
        exec=command(out(b"honest\n"), status(0), to_channel(EOF),
                     end=False))),
    # Keys, again and again.
    ("F54 twenty rekeyings", OK, run_twice, dict(exec=command(
        rekeys(20), out(b"honest\n"), status(0)))),
    ("F51 another host key when keys are renewed", "PROTOCOL: the server "
     "changed its host key", run, dict(exec=command(
         rekeys_with_another_key, out(b"honest\n"), status(0)))),
    ("F54 keys half renewed", "LOST: ", run, dict(
        exec=command(rekeys_no_further))),
    ("F54 keys half renewed, and talk", "LOST: ", run, dict(
        exec=command(rekeys_for_ever))),
    # Gone, half gone, and deaf.
    ("F53 says nothing any more", "LOST: nothing was heard of the server "
     "for 3 s", run, dict(exec=command(never_again))),
    ("F53 answers nothing any more", "LOST: the server no longer answers",
     run, dict(exec=command(talks_on))),
    ("F54 wants answers, and reads none", "LOST", run, dict(
        exec=command(asks_and_reads_not))),
    ("F50 leaves in the middle", "LOST: the server ended the connection: " +
     re.escape(TOLD), run, dict(exec=leaves)),
    ("F55 unknown messages without end", FLOOD, run, dict(exec=flood(200, bytes(30000)))),
    ("F55 small unknown messages without end", FLOOD + "|LOST: the "
     "server no longer answers", run, dict(
        exec=flood(200, bytes(3)))),
    ("F55 debug messages without end", "LOST: the server no longer answers", run,
     dict(exec=flood(
            DEBUG, b"\1", string(EVIL), string(b"")))),
    # Files.
    ("F55 SFTP of version 2", SFTP, names, dict(sftp=sftp(
        init=(2, u32(2))))),
    ("F55 SFTP with noise for a version", SFTP, names, dict(sftp=sftp(
        init=(77, os.urandom(100))))),
    ("F55 SFTP that is a shell", SFTP, names, dict(sftp=sftp(
        init=lambda it, *_: it.connection.say(it.channel, EVIL * 10)))),
    ("F55 SFTP that ends at once", "REFUSED: the server has no SFTP", names,
     dict(sftp=sftp(init=lambda it, *_: it.connection.end(it.channel)))),
    ("F54 SFTP that says no version", "TIMEOUT: ", names, dict(sftp=sftp(
        init=says_nothing))),
    ("F54 SFTP that stops answering", "TIMEOUT: ", get, dict(sftp=sftp(
        read=first_then(3, says_nothing)))),
    ("F55 SFTP packet of 4 GB", SFTP, get, dict(sftp=sftp(
        read=huge(0xffffffff)))),
    ("F55 SFTP packet of nothing", SFTP, get, dict(sftp=sftp(
        read=huge(0)))),
    ("F55 an answer to another request", SFTP, get, dict(sftp=sftp(
        open=(102, u32(4711), string(b"h"))))),
    ("F55 an answer to another read", SFTP, get, dict(sftp=sftp(
        read=(103, u32(4711), string(b"x"))))),
    ("F55 an answer of another kind", SFTP, get, dict(sftp=sftp(
        open=(105, "id", u32(0))))),
    ("F55 an answer twice", SFTP, get, dict(sftp=sftp(
        read=lambda it, request, reader: [it.send(
            103, u32(request), string(b"x" * 10)) for _ in range(2)]))),
    ("F55 more than was asked for", SFTP, get, dict(sftp=sftp(
        read=data(32769)))),
    ("F55 nothing, as data", SFTP, get, dict(sftp=sftp(read=data(0)))),
    ("F55 a byte at a time", "[0-9]+ bytes|LOCAL|TIMEOUT", job(
        "GET", b=1000), dict(sftp=sftp(read=pieces))),
    ("F55 a file without end", "LOCAL: the file is larger than it may be",
     get, dict(sftp=sftp(read=data(32768)))),
    ("F55 a handle of nothing", SFTP, get, dict(sftp=sftp(
        open=(102, "id", string(b""))))),
    ("F55 a handle of 300 bytes", SFTP, get, dict(sftp=sftp(
        open=(102, "id", string(bytes(300)))))),
    ("F55 four billion names", SFTP, names, dict(sftp=sftp(
        readdir=listing(b"x", count=0xffffffff)))),
    ("F55 names without end", "REFUSED: the directory has more names than "
     "anybody reads", job("LIST", b"d", timeout=20), dict(
        sftp=sftp(readdir=listing(*[b"n%d" % i for i in range(1000)])))),
    ("F55 no names", "done $", job("LIST", b"d", timeout=20), dict(
        sftp=sftp(readdir=listing()))),
    ("F55 a name of 5000 letters", SFTP, names, dict(sftp=sftp(
        readdir=listing(b"x" * 5000)))),
    ("F55 four billion attributes", SFTP, job("STAT"), dict(sftp=sftp(
        lstat=(105, "id", u32(0x80000000), u32(0xffffffff))))),
    ("F55 errors without end beside it", "300000 bytes", get, dict(
        sftp=sftp(close=errors_for_ever))),
    ("F50 hangs up while it is read", "LOST: (the server closed the "
     "connection|connection lost)", get, dict(sftp=sftp(read=first_then(3, hangs_up)))),
    ("F50 closes SFTP while it is read", "REFUSED: [^;]*; " + OK,
     get_then_run, dict(sftp=sftp(read=first_then(3, closes_channel)))),
    ("F55 writes of which one is refused", "REFUSED: the pod cannot write "
     "the file", put, dict(sftp=sftp(write=first_then(
         3, lambda it, request, reader: it.status(request, 4))))),
    ("F54 writes that are not answered", "TIMEOUT: ", put, dict(sftp=sftp(
        write=first_then(3, says_nothing)))),
]


# ------------------------------------------------------------- the judge ----

class Watch(threading.Thread):
    """What a server's workers have had of memory at most, in MiB."""

    def __init__(self, server):
        super().__init__(daemon=True)
        self.server = server
        self.most = 0
        self.over = threading.Event()

    def look(self):
        for pid in self.server.workers():
            try:
                with open("/proc/%d/status" % pid) as status_file:
                    text = status_file.read()
            except OSError:
                continue
            found = re.search(r"VmHWM:\s+(\d+)", text)
            if found:
                self.most = max(self.most, int(found.group(1)) / 1024)

    def run(self):
        while not self.over.wait(0.03):
            self.look()


HONEST = Liar()


def tell(lie):
    """(what came of it, seconds, MiB) of one row; and that another session
    of the same server of workers does not mind."""
    name, _, ask, hooks = lie
    hooks = dict(hooks)
    keepalive = hooks.pop("keepalive", 1)
    version = hooks.pop("version", b"SSH-2.0-liar")
    liar = Liar(version=version, tree=dict(TREE, d=dict(TREE[b"d"])),
                **hooks)
    server = Server()
    other = Session(server, socket.create_connection(
        ("127.0.0.1", HONEST.port)), KEY)
    watch = Watch(server)
    watch.start()
    began = time.monotonic()
    session = None
    try:
        session = Session(server, socket.create_connection(
            ("127.0.0.1", liar.port)), KEY, keepalive=keepalive,
            login_ms=4000 if ask is log_in and "H-03 silence" != name and
            "H-03 a byte" not in name else 30000)
        words = ask(session)
    except Gone:
        words = "the worker ended without a word"
    except Down as down:
        words = str(down)
    except TimeoutError:
        words = "TimeoutError"
    seconds = time.monotonic() - began
    watch.over.set()
    watch.join()
    try:
        beside = run(other)
    except (Gone, Down, TimeoutError) as error:
        beside = str(error)
    if session is not None:
        session.close()
    other.close()
    server.close()
    liar.close()
    if re.match(OK, beside) is None:
        words += "; beside it: " + beside
    return words, seconds, watch.most


def main(lies):
    wanted = sys.argv[1:]
    rows = [row for row in lies if not wanted or
            any(word in row[0] for word in wanted)]
    bad = 0
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        for row, (words, seconds, mib) in zip(rows, pool.map(tell, rows)):
            good = (re.match(row[1], words) is not None and
                    "beside it" not in words and seconds < SECONDS_MAX and
                    (mib < MIB_MAX or UNDER_SANITIZERS))
            bad += not good
            print("%s - %s" % ("ok" if good else "not ok", row[0]))
            print("#   %.1f s, %.0f MiB: %s" % (seconds, mib, words),
                  flush=True)
            if not good:
                print("#   wanted: %s" % row[1])
    print("1..%d" % len(rows))
    return bad > 0


if __name__ == "__main__":
    sys.exit(main(LIES))
