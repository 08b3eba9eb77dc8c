"""proc.py - waiting for what processes do, and what /proc says of them."""

import os
import socket
import time


def wait_for(what, seconds=60, every=0.05):
    """What it returns, once that is true.  The limit is for what hangs; a
    loaded machine is slow."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = what()
        if found:
            return found
        time.sleep(every)
    name = getattr(what, "__name__", "it")
    raise AssertionError(f"waited {seconds} s in vain for {name}")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def alive(pid):
    """A zombie that nobody has waited for yet is not."""
    try:
        with open(f"/proc/{pid}/stat", encoding="latin-1") as file:
            return file.read().rsplit(")", 1)[1].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def children(pid):
    """And theirs."""
    found = []
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/children",
                      encoding="ascii") as file:
                for child in file.read().split():
                    found += [int(child)] + children(int(child))
    except (FileNotFoundError, ProcessLookupError):
        pass
    return found


def name_of(pid):
    try:
        with open(f"/proc/{pid}/comm", encoding="latin-1") as file:
            return file.read().strip()
    except (FileNotFoundError, ProcessLookupError):
        return ""
