#!/usr/bin/python3
"""podform against pods whose SSH servers mean no good.

The cases H-01 to H-07 and the faults F50 to F55, on the real programs, as a
person runs them: what podform says, its exit code, how long it takes, how
large it grows, and that the lock file and the pods stay as they were.  The
server is ssh/liar.py; between podform and podform-sim stands a proxy that
sends podform there.
"""
import concurrent.futures
import json
import os
import re
import socket
import struct
import sys
import threading
import time
import traceback

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "ssh"))
try:
    from crooked import PODFORM, Cloud, Project
    from liar import *
except ImportError as missing:
    print("skip: needs %s" % missing.name)
    sys.exit(77)

MIB = 1 << 20
UNDER_SANITIZERS = b"__asan_init" in open(PODFORM, "rb").read()
EVIL = b"bye\x1b]52;c;cm0=\x07\r\n\xe2\x80\xae\xff\0end"
LINE = EVIL.replace(b"\0", b"")
TOLD = re.escape("bye?]52;c;cm0=????????end")
#: What no terminal and no log may get from a pod.
RAW = re.compile("[\0-\x08\x0b-\x1f\x7f-\x9f]|\xe2\x80[\xa8-\xae]")


# ------------------------------------------------------------- the lies ----

def command(*steps, end=True):
    """A command that does this, in place of what commands do."""
    def lie(connection, channel, _):
        for step in steps:
            step(connection, channel)
        if end:
            connection.send(EOF, u32(channel.theirs))
            connection.send(CLOSE, u32(channel.theirs))
    return lie


def out(data, stream=None, times=1):
    def step(connection, channel):
        for _ in range(times):
            connection.say(channel, data, stream)
    return step


def status(number):
    return lambda connection, channel: connection.tell(
        channel, b"exit-status", u32(number))


def signal(name):
    return lambda connection, channel: connection.tell(
        channel, b"exit-signal", string(name) + b"\0" + string(EVIL) +
        string(b""))


def silent(connection, *_):
    connection.idle()


def endless(part):
    def lie(connection, *_):
        while True:
            connection.raw(part)
    return lie


def leaves(connection, *_):
    connection.leave(EVIL)


def hangs_up(connection, *_):
    raise Over("enough")


def out_for_ever(connection, channel, _):
    while True:
        connection.say(channel, b"\x1b[2J" * 8192)


def flood(number, *parts):
    def lie(connection, *_):
        while True:
            connection.raw(b"".join(connection.packet(
                bytes([number]) + b"".join(parts)) for _ in range(200)))
    return lie


def changes_key(connection, channel, _):
    connection.liar.key = HostKey()
    connection.exchange()
    connection.end(channel, 0)


def sftp(**replies):
    """By name of the request: a function that answers it."""
    numbers = {"init": 1, "open": 3, "close": 4, "read": 5, "write": 6,
               "opendir": 11, "readdir": 12, "lstat": 7, "stat": 17}

    def lie(_, it, kind, request, reader):
        for name, answer in replies.items():
            if numbers[name] == kind:
                return answer(it, request, reader)
        return False
    return lie


def entries(*names, mode=0o100644, size=1):
    """A directory of these, once."""
    def answer(it, request, reader):
        entry = it.handles[reader.string()]
        entry[1] += 1
        if entry[1] > 1:
            it.status(request, it.END)
            return
        it.send(104, u32(request), u32(len(names)), *[
            string(name) + string(b"") + u32(5) + struct.pack(">Q", size) +
            u32(mode) for name in names])
    return answer


def same_names(it, request, reader):
    it.send(104, u32(request), u32(1000), *[
        string(b"n%d" % n) + string(b"") + u32(4) + u32(0o100644)
        for n in range(1000)])


def directories(it, request, reader):
    """Each has one in it."""
    entries(b"d", mode=0o40755)(it, request, reader)


def odd_names(it, request, reader):
    it.send(104, u32(request), u32(500), *[
        string(b"../" + b"x" * 400) + string(b"") + u32(4) + u32(0o100644)
    ] * 500)


def any_handle(it, request, reader):
    handle = u32(len(it.handles))
    it.handles[handle] = [{}, 0]
    it.send(102, u32(request), string(handle))


def is_directory(it, request, reader):
    it.send(105, u32(request), u32(4), u32(0o40755))


def of_size(size):
    def answer(it, request, reader):
        it.send(105, u32(request), u32(5), struct.pack(">Q", size),
                u32(0o100644))
    return answer


def wrong_id(it, request, reader):
    it.send(103, u32(request + 4711), string(b"x"))


def another_digest(connection, channel, line):
    """sha256sum -c, as the pod has it."""
    connection.say(channel, b"f: FAILED\x1b[2J\n")
    connection.end(channel, 1)


# ------------------------------------------------------------ the cases ----
# Name; what the liar is told; words for podform, where POD is the pod; the
# exit code; what stderr must be, whole; and a function that looks at more.

EXEC = ("exec", "POD", "--", "true")
COPY = ("cp", "POD:f", "COPY")
TREE = ("cp", "POD:d", "COPY")
LOST = "was lost on the way: nobody knows how it ended: "
FILES = {b"f": b"content\n" * 1000, b"d": {b"x": b"1"}}


def fails(words, code="PF0867"):
    return r"error: pod\.NAME " + words + r" \[%s\]\n(   hint: .*\n)*" % code


def copy_fails(words):
    return (r"error: cannot copy from pod\.NAME: " + words +
            r" \[PF0868\]\n(   hint: .*\n)*")


def nothing_out(done, case):
    assert done.out == "", done.out[:200]


def no_copy(done, case):
    left = os.listdir(case.copy)
    assert left == [], left


def said_all(size):
    def look(done, case):
        assert len(done.out) == size, len(done.out)
    return look


def nothing_signed(done, case):
    assert case.liar.connections, "it did not come"
    assert case.liar.logins == 0, "it went on to log in"


def nobody_asked(done, case):
    assert not case.liar.commands, case.liar.commands


CASES = [
    ("H-02 a megabyte of lines", dict(accepted=endless(LINE + b"\n")), EXEC,
     1, fails("cannot be reached: no SSH server: 65536 bytes without a "
              "banner"), nothing_out),
    ("H-02 no banner but the end", dict(accepted=hangs_up), EXEC, 1,
     fails("cannot be reached: the server closed the connection before it "
           "said that it speaks SSH"), nothing_out),
    ("H-03 silence", dict(accepted=silent), EXEC, 1,
     fails("cannot be reached: no SSH banner within 10 s"),
     lambda done, case: done.seconds < 13 or 1 / 0),
    ("H-03 silence after the banner", dict(offer=silent), EXEC, 1,
     fails("cannot be reached: (no SSH server answered in time|login not "
           "finished within 30 s)"), nothing_out),
    ("H-03 silence at the login", dict(login=silent), EXEC, 1,
     fails("cannot be reached: (it did not let us in in time|login not "
           "finished within 30 s)"), nothing_out),
    ("H-04 only RSA", dict(offers={"host": b"ssh-rsa,rsa-sha2-256"}), EXEC,
     1, fails("cannot be used: the server offers only ssh-rsa, rsa-sha2-256 "
              "as host key; podform speaks ssh-ed25519,[a-z0-9,-]*"),
     nothing_signed),
    ("H-04 only CBC", dict(offers={"cipher": b"aes256-cbc,3des-cbc"}), EXEC,
     1, fails("cannot be used: the server offers only aes256-cbc, 3des-cbc "
              "as cipher; podform speaks aes128-ctr,aes192-ctr,aes256-ctr"),
     nothing_signed),
    ("H-04 names with escapes", dict(offers={"mac": b"\x1b[2J,\x9b"}), EXEC,
     1, fails(r"cannot be used: the server offers only \?\[2J, \? as MAC; "
              "podform speaks hmac-sha2-256,hmac-sha2-512"), nothing_signed),
    ("H-05 ten megabytes of escapes", dict(exec=command(
        out(b"\x1b[2J" * 8192, times=320), status(0))),
     EXEC, 0, "", said_all(320 * 32768)),
    ("H-05 the same on standard error", dict(exec=command(
        out(b"\x1b[2J" * 8192, 1, times=320), status(0))), EXEC, 0,
     r"(\x1b\[2J){2621440}", nothing_out),
    ("H-05 the same in JSON", dict(exec=command(
        out(b"\x1b[2J" * 8192, times=320), status(0))),
     ("exec", "--json", "POD", "--", "true"), 0, "",
     lambda done, case: (json.loads(done.out)["pods"][0]["truncated"] and
                         RAW.search(done.out) is None) or 1 / 0),
    ("H-06 no status", dict(exec=command(out(b"done\n"))), EXEC, 1,
     fails("ended without an exit status"), said_all(5)),
    ("H-06 a signal", dict(exec=command(status(0), signal(b"KILL"))), EXEC,
     137, "", nothing_out),
    ("H-06 a signal that is none", dict(exec=command(signal(EVIL))), EXEC,
     255, "", nothing_out),
    ("H-06 status 255", dict(exec=command(status(255))), EXEC, 255, "",
     nothing_out),
    ("H-06 status 256", dict(exec=command(status(256))), EXEC, 1,
     fails("ended without an exit status"), nothing_out),
    ("H-06 status 2^32-1", dict(exec=command(status(0xffffffff))), EXEC, 1,
     fails("ended without an exit status"), nothing_out),
    ("F50 leaves during the handshake", dict(kex_reply=leaves), EXEC, 1,
     fails("cannot be reached: the connection ended during the handshake: "
           + TOLD), nothing_signed),
    ("F51 the host key changes later", dict(exec=changes_key), EXEC, 1,
     fails(LOST + "the server changed its host key when it renewed keys"),
     nothing_out),
    ("F52 no key is good", dict(login=lambda c, signed: c.send(
        AUTH_FAILURE, string(EVIL), b"\0")), EXEC, 1,
     fails("accepts none of our keys: no key is accepted for user 'root': "
           "[^\x1b]*"), nobody_asked),
    ("F52 leaves at the login", dict(login=leaves), EXEC, 1,
     fails("accepts none of our keys: the server ended the login: " + TOLD),
     nobody_asked),
    ("F53 says nothing any more", dict(exec=command(
        out(b"begun\n"), silent)), EXEC, 1,
     fails(LOST + "nothing was heard of the server for 45 s"),
     lambda done, case: done.seconds < 50 or 1 / 0),
    ("F54 opens no channel", dict(open=lambda c, kind, theirs:
                                  kind == b"session"), EXEC, 1,
     fails(LOST + "the server did not answer in time"), nothing_out),
    ("F55 leaves in the middle", dict(exec=leaves), EXEC, 1,
     fails(LOST + "the server ended the connection: " + TOLD), nothing_out),
    ("F55 noise when keys are set", dict(sealed=endless(bytes(5000))), EXEC,
     1, fails("cannot be used: handshake failed: [a-zA-Z ]*(-[0-9]+)?.*"),
     nobody_asked),
    ("F55 messages nobody asked for", dict(exec=flood(200, bytes(30000))),
     EXEC, 1, fails(LOST + "the server floods us with messages that nobody "
                    "asked for"), nothing_out),
    ("F55 refuses with words", dict(open=lambda c, kind, theirs: kind ==
                                    b"session" and c.send(
        OPEN_FAILURE, u32(theirs), u32(99), string(EVIL), string(b""))
                                    is None), EXEC, 1,
     fails("cannot be used: the server refuses a channel"), nothing_out),
    ("F54 output without end, of which ten lines are read", dict(
        exec=out_for_ever), ("HEAD",), 0, ".*", None),
    # Copies: names, sizes and answers that are lies.
    ("F55 a copy that is none", dict(exec=another_digest), COPY, 1,
     copy_fails(r"the copy differs from its source: f: FAILED\\x1b\[2J"),
     None),
    ("F55 names that lead out", dict(sftp=sftp(
        stat=is_directory, readdir=entries(
            b"../evil", b"..", b".", b"/etc/evil", b"a/b", b"", EVIL, b"\n",
            b"x" * 300))), TREE, 0, ".*",
     lambda done, case: case.only_inside()),
    ("F55 a name of 5000 letters", dict(sftp=sftp(
        stat=is_directory, readdir=entries(b"x" * 5000))), TREE, 1,
     copy_fails(".*d: the SFTP server does not keep to the protocol"),
     lambda done, case: case.only_inside()),
    ("F55 names without end", dict(sftp=sftp(
        stat=is_directory, readdir=same_names)), TREE, 1,
     copy_fails("d: too many files"),
     lambda done, case: case.only_inside()),
    ("F55 odd names without end", dict(sftp=sftp(
        stat=is_directory, readdir=odd_names)), TREE, 1,
     copy_fails("d: too many names that cannot be copied"),
     lambda done, case: case.only_inside()),
    ("F55 directories without end", dict(sftp=sftp(
        stat=is_directory, opendir=any_handle, readdir=directories)),
     TREE, 1,
     copy_fails("d: directories that are too deep"),
     lambda done, case: case.only_inside()),
    ("F55 a file that is longer than it says", dict(sftp=sftp(
        stat=of_size(100))), COPY, 1,
     copy_fails(".*f: the file is larger than it may be"), no_copy),
    ("F55 a file that is shorter than it says", dict(sftp=sftp(
        stat=of_size(1 << 40))), COPY, 1,
     copy_fails("f changed while it was copied"), no_copy),
    ("F55 answers to another question", dict(sftp=sftp(read=wrong_id)),
     COPY, 1, copy_fails(".*f: the SFTP server does not keep to the "
                         "protocol"), no_copy),
    ("F50 closes in the middle of a file", dict(sftp=sftp(
        read=hangs_up)), COPY, 1,
     copy_fails("it " + LOST + "(the server closed the connection|connection lost: "
                "Connection reset by peer)"), no_copy),
    ("F54 no answer in the middle of a file", dict(sftp=sftp(
        read=lambda *_: None)), COPY, 1,
     copy_fails(".*f: the SFTP server does not answer"), no_copy),
]


class Case:
    """One row, and the pod that is its own."""

    def __init__(self, number, row):
        (self.title, self.lies, self.words, self.code, self.err,
         self.look) = row
        self.name = "c%d" % number
        self.key = HostKey()

    def play(self, project, cloud):
        lies = dict(self.lies)
        self.copy = os.path.join(project.work, "copy-" + self.name, "in")
        os.makedirs(self.copy)
        self.liar = Liar(key=self.key, tree=dict(FILES), **lies)
        cloud.liars[self.name] = self.liar
        cloud.lines[self.name] = [self.key.line]
        if self.words == ("HEAD",):
            self.head(project)
            return "", 0
        words = [word.replace("POD", self.name).replace("COPY", self.copy)
                 for word in self.words]
        done = project.run(*words)
        self.judge(done)
        self.liar.close()
        return done.err.strip()[:200], "%d MiB" % done.mib

    def judge(self, done):
        wanted = self.err.replace("NAME", self.name)
        assert done.code == self.code, "exit %d: %s" % (done.code,
                                                        done.err[-500:])
        assert re.fullmatch(wanted, done.err, re.DOTALL), done.err[-700:]
        assert done.mib < 64 or UNDER_SANITIZERS, "%d MiB" % done.mib
        if "H-05" not in self.title:
            assert RAW.search(done.err.replace("\n", "")) is None, done.err
        if self.look is not None:
            self.look(done, self)

    def only_inside(self):
        """A copy has made nothing beside the directory it was given."""
        above = os.path.dirname(self.copy)
        assert os.listdir(above) == ["in"], os.listdir(above)
        for path, _, files in os.walk(self.copy):
            for file in files:
                assert os.path.getsize(os.path.join(path, file)) <= 1

    def head(self, project):
        """podform exec ... | head"""
        import subprocess
        done = subprocess.run(
            ["bash", "-c", '"$0" exec %s --raw -- true | head -c 100 | wc -c'
             % self.name, PODFORM], cwd=project.path, env=project.env,
            stdin=subprocess.DEVNULL, capture_output=True, timeout=20,
            check=False)
        assert done.stdout.strip() == b"100", done


def spec(names):
    text = "project: crooked\nsettings: { budget: { per_hour: 900.00 } }\n"
    text += "pods:\n"
    for name in names:
        text += ("  %s: { image: 'runpod/base:1.0', gpu: [NVIDIA A40], env: "
                 "{ LIAR: %s } }\n" % (name, name))
    return text


def attempt(title, function):
    """One result, in the words that tests/run understands."""
    began = time.monotonic()
    try:
        words = function()
    except Exception as error:  # whatever it was, it is a failure
        lines = traceback.format_exc().splitlines()
        return False, "not ok - %s\n# %s" % (title, "\n# ".join(
            lines[-12:] if not isinstance(error, AssertionError)
            else str(error).splitlines()[:8] or lines[-4:]))
    return True, "ok - %s\n# %.1f s: %s" % (
        title, time.monotonic() - began, words)


def main():
    wanted = sys.argv[1:]
    rows = [row for row in CASES if not wanted or
            any(word in row[0] for word in wanted)]
    cases = [Case(number, row) for number, row in enumerate(rows)]
    cloud = Cloud()
    for case in cases:
        cloud.liars[case.name] = Liar(key=case.key)
    project = Project(cloud, spec([case.name for case in cases]))
    made = project.run("apply", "--auto-approve")
    if made.code != 0:
        print("not ok - apply: %s" % made.err[-1000:])
        return 1
    before = project.lock(), cloud.pods()
    jobs = [(case.title, lambda case=case: case.play(project, cloud))
            for case in cases]
    bad = 0
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        for good, words in pool.map(lambda job: attempt(*job), jobs):
            bad += not good
            print(words, flush=True)
    same = (project.lock(), cloud.pods()) == before
    print("%s - H-* pods and lock file stay as they were" % (
        "ok" if same else "not ok"))
    print("1..%d" % (len(jobs) + 1))
    project.close()
    cloud.close()
    return bad > 0 or not same


if __name__ == "__main__":
    sys.exit(main())
