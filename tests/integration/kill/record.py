"""record.py - reads podform.lock and its journal without podform.

Written from pkg/lock's headers, sharing nothing with the program but the
format, so that a program which writes nonsense and understands it again is
found out.  What does not read is a Wrong.
"""

import json
import os
import re

POLYNOMIAL = 0xc96c5795d7870f42     # CRC-64/XZ, reflected
ONES = 0xffffffffffffffff


class Wrong(Exception):
    """An invariant does not hold."""


def _table():
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (POLYNOMIAL if byte & 1 else 0)
        table.append(byte)
    return table


TABLE = _table()


def crc64(data):
    crc = ONES
    for byte in data:
        crc = TABLE[(crc ^ byte) & 255] ^ crc >> 8
    return "%016x" % (crc ^ ONES)


def read_bytes(path):
    """The bytes of a plain file; None if there is none."""
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return None


def read_lock(path):
    """The lock file as a document; None if there is none."""
    data = read_bytes(path)
    if data is None:
        return None
    try:
        lock = json.loads(data)
    except ValueError as error:
        raise Wrong("%s does not parse: %s\n%r" % (path, error, data[:400]))
    said = lock.get("checksum", "")
    if not re.fullmatch("crc64:[0-9a-f]{16}", said):
        raise Wrong("%s has no checksum" % path)
    at = data.index(said[6:].encode())
    if crc64(data[:at] + data[at + 16:]) != said[6:]:
        raise Wrong("%s: the checksum does not fit" % path)
    ids = [entry["id"] for entry in lock.get("resources", [])]
    if len(ids) != len(set(ids)):
        raise Wrong("%s has an id twice: %s" % (path, ids))
    if os.stat(path).st_mode & 0o022:
        raise Wrong("%s can be written by others" % path)
    return lock


def read_journal(path):
    """All records; a torn last line is not there."""
    data = read_bytes(path)
    records = []
    lines = (data or b"").split(b"\n")
    for number, line in enumerate(lines):
        last = number == len(lines) - 1
        if not line and last:
            break
        if len(line) < 18 or line[16:17] != b" " or \
                line[:16].decode("ascii", "replace") != crc64(line[17:]):
            # Only what was never finished may be damaged.
            if number >= len(lines) - 2:
                break
            raise Wrong("%s is damaged in line %d of %d: %r" %
                        (path, number + 1, len(lines), line[:200]))
        found = json.loads(line[17:])
        records += found if isinstance(found, list) else [found]
    return records


def known_ops(lock, journal):
    """Ids of ops that lock or journal know in any way."""
    ops = set()
    for part in ("resources", "pending", "tombstones"):
        ops |= {one.get("op") for one in (lock or {}).get(part, [])}
    ops |= {record.get("op") for record in journal}
    return ops - {None}
