#!/usr/bin/python3
"""podform-ssh and the files of a server that says no, or says it oddly.

Rows as in ssh_liar_test.py, which tells them: of each kind of job what comes
of each refusal, of files of this machine that cannot be read or written, and
of attributes and names in all the forms that SFTP has for them.
"""
import os
import struct
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import ssh_liar_test
from ssh_liar_test import (Failed, MIB, OK, data, get, get_then_run, job,
                           listing, names, put, run, sftp, string, u32)

MISSING = "MISSING: no such file on the pod"
DENIED = "REFUSED: permission denied on the pod"
NO = "REFUSED: the pod says that it failed"
SFTP = "PROTOCOL: the SFTP server does not keep to the protocol"


def says(code):
    """SSH_FXP_STATUS: 2 missing, 3 denied, 4 failure."""
    return (101, "id", u32(code), string(b"no"), string(b""))


def answers(**codes):
    """sftp() by the names that it lacks, too."""
    numbers = {"remove": 13, "mkdir": 14, "setstat": 9, "rename": 18,
               "extended": 200}
    known = {name: answer for name, answer in codes.items()
             if name not in numbers}
    first = sftp(**known)

    def lie(connection, it, kind, request, reader):
        for name, answer in codes.items():
            if numbers.get(name) == kind:
                it.send(answer[0], *[u32(request) if part == "id" else part
                                     for part in answer[1:]])
                return True
        return first(connection, it, kind, request, reader)
    return dict(sftp=lie)


def renames(it, request, reader):
    """With the extension that replaces."""
    it.send(2, u32(3), string(b"other@x"), string(b"1"),
            string(b"posix-rename@openssh.com"), string(b"1"))
    return True


def attributes(flags, *parts):
    return (105, "id", u32(flags)) + parts


def dots(it, request, reader):
    """Those of the directory and its parent, and others; then the end."""
    entry = it.handles[reader.string()]
    entry[1] += 1
    if entry[1] > 1:
        it.status(request, it.END)
    else:
        it.send(104, u32(request), u32(4), *[
            string(name) + string(b"") + u32(4) + u32(0o100644)
            for name in (b".", b"..", b"...", b"x")])
    return True


BIG = u32(0) + u32(7)
STAT = job("STAT", b"f")
MAKE = job("MKDIR", b"d", a=0o755)
RENAME = job("RENAME", b"a\0b")
REMOVE = job("REMOVE", b"f")
CHMOD = job("CHMOD", b"f", a=0o600)


def with_local(mode, kind, **how):
    """A copy from or to a file of this machine that does not allow it."""
    def ask(session):
        channel = session.channel()
        with tempfile.NamedTemporaryFile() as there:
            there.truncate(1000)
            fd = os.open(there.name, mode)
            try:
                session.wire.send(kind, channel, payload=b"f", fd=fd, **how)
            finally:
                os.close(fd)
            message = session.wait("DONE", "FAILED", channel=channel)
        if message.type == "FAILED":
            raise Failed(message)
        return "done"
    return ask


def directory(session):
    channel = session.channel()
    fd = os.open("/", os.O_RDONLY)
    session.wire.send("PUT", channel, payload=b"f", fd=fd, a=0o600, b=1)
    os.close(fd)
    raise Failed(session.wait("FAILED", channel=channel))


def two_at_once(session):
    """The second waits for the first, and is given up; then a third."""
    first, second, third = [session.channel() for _ in range(3)]
    session.wire.send("STAT", first, payload=b"f")
    session.wire.send("STAT", second, payload=b"f")
    session.wire.send("CANCEL", second)
    session.wire.send("STAT", third, payload=b"f")
    told = []
    for channel in (first, second, third):
        message = session.wait("DONE", "FAILED", channel=channel)
        told.append(message.type + (" " + message.payload.decode()
                                    if message.type == "FAILED" else ""))
    return ", ".join(told) + "; " + run(session)


LIES = [
    # Each kind of job, and each word of refusal.
    *[("%s, %s" % (name, word), wanted, ask, answers(**{reply: says(code)}))
      for name, ask, reply in (
          ("a list", names, "opendir"), ("a directory", MAKE, "mkdir"),
          ("a removal", REMOVE, "remove"), ("a mode", CHMOD, "setstat"),
          ("a rename", RENAME, "rename"), ("a copy to it", put, "open"),
          ("a copy from it", get, "open"), ("a look", STAT, "lstat"),
          ("a mode after a copy", put, "fsetstat"),
          ("an end of a copy", put, "close"))
      for word, code, wanted in (("missing", 2, MISSING),
                                 ("denied", 3, DENIED), ("no", 4, NO))
      if (reply, code) != ("mkdir", 4)],
    # The end of what was only read does not matter.
    ("a close that fails behind a list", "done x", names,
     answers(close=says(4))),
    ("a close that fails behind a read", r"\d+ bytes", get,
     answers(close=says(4))),
    ("a read that is denied", "REFUSED: the pod cannot read the file", get,
     answers(read=says(3))),
    ("a write that is denied", "REFUSED: the pod cannot write the file", put,
     answers(write=says(4))),
    # Without the extension the target is removed first, with it it is not.
    ("a rename of old", "done", RENAME, answers(remove=says(2))),
    ("a rename with the extension", "done", RENAME,
     answers(init=renames, remove=says(4), rename=says(4))),
    ("a rename that the extension refuses", DENIED, RENAME,
     answers(init=renames, extended=says(3))),
    # A directory that is there is fine, anything else of its name is not.
    ("a directory that is there", "done", job("MKDIR", b"d"),
     answers(mkdir=says(4))),
    ("a file in its place", "REFUSED: there is a file of that name on the "
     "pod", job("MKDIR", b"f"), answers(mkdir=says(4))),
    ("nothing there, and yet no", MISSING, job("MKDIR", b"no"),
     answers(mkdir=says(4))),
    ("a directory, and no look at it", DENIED, MAKE,
     answers(mkdir=says(4), stat=says(3))),
    # Attributes in all forms; what is not told is nothing.
    ("attributes of nothing", "done f", STAT,
     answers(lstat=attributes(0))),
    ("attributes of all kinds", "done f", STAT, answers(lstat=attributes(
        0x8000000f, BIG, u32(1), u32(2), u32(0o100644), u32(3), u32(4),
        u32(2), string(b"a"), string(b"b"), string(b"c"), string(b"d")))),
    ("attributes that are followed", "done f", job("STAT", b"f", a=1),
     answers(stat=attributes(4, u32(0o40755)))),
    ("attributes that end too early", SFTP, STAT,
     answers(lstat=attributes(1, u32(0)))),
    ("attributes with four billion extensions", SFTP, STAT,
     answers(lstat=attributes(0x80000000, u32(0xffffffff)))),
    ("names instead of attributes", SFTP, STAT,
     answers(lstat=listing(b"x"))),
    ("attributes instead of names", SFTP, names,
     answers(readdir=attributes(0))),
    ("a handle for a look", SFTP, STAT,
     answers(lstat=(102, "id", string(b"h")))),
    ("a status that is cut", SFTP, STAT, answers(lstat=(101, "id"))),
    ("no names is the end", "done ", names, answers(readdir=listing())),
    ("names that are dots", r"done \.\.\. x$", names, answers(
        readdir=lambda it, request, reader: dots(it, request, reader))),
    ("a name of 5,000 letters", SFTP, names,
     answers(readdir=listing(b"x" * 5000))),
    ("names that are cut", SFTP, names,
     answers(readdir=listing(b"x", count=2))),
    ("a handle twice", SFTP, names,
     answers(readdir=(102, "id", string(b"h")))),
    ("an answer to nothing after a write", SFTP, put, answers(
        write=lambda it, request, reader: [
            it.status(request, it.OK), it.status(request, it.OK)])),
    ("data for a look", SFTP, STAT, answers(lstat=data(5))),
    # This machine.
    ("a file that cannot be read here", "LOCAL: Bad file descriptor",
     with_local(os.O_WRONLY, "PUT", a=0o600, b=1000), {}),
    ("a file that cannot be written here", "LOCAL: Bad file descriptor",
     with_local(os.O_RDONLY, "GET", b=MIB), {}),
    ("a file that is larger than it may be",
     "LOCAL: the file is larger than it may be",
     with_local(os.O_RDWR, "GET", b=3), {}),
    ("a read from a directory", "LOCAL: Is a directory", directory, {}),
    ("one of two is given up", "DONE, FAILED cancelled, DONE; " + OK,
     two_at_once, {}),
    ("a copy that fails, and then a command", "REFUSED: .*; " + OK,
     get_then_run, answers(open=says(3))),
]


if __name__ == "__main__":
    sys.exit(ssh_liar_test.main(LIES))
