#!/usr/bin/python3
"""cp_test.py - podform cp against real pods of podform-sim.

Judged against cp -r and scp -r: what goes where, modes, links, odd names,
files that are not there, a full disk, an interrupted copy.
"""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "ssh"))
# pylint: disable=wrong-import-position
from inside_pods import NOBODY, Inside, wait_for

ODD = ["a b", "it's", 'quote"', "back\\slash", "-rf", "$HOME", "*", "tab\t",
       "ünïcode", "\x1b[31mred", "new\rline", "%s", "~", "a:b", "x" * 255]


class Copy(Inside):
    def setUp(self):
        self.here = self.scratch()
        self.there = "/workspace/" + os.path.basename(self.here)
        self.inside(f"mkdir {self.there}")

    def make(self, name, content=b"", mode=0o644):
        path = os.path.join(self.here, name)
        with open(path, "wb") as file:
            file.write(content)
        os.chmod(path, mode)
        return self.give(path)

    def make_directory(self, name, mode=0o755):
        path = os.path.join(self.here, name)
        os.mkdir(path)
        os.chmod(path, mode)
        return self.give(path)

    def cp(self, *words, **more):
        return self.podform("cp", *words, **more)

    def copied(self, *words, **more):
        done = self.cp(*words, **more)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done

    def refused(self, *words):
        done = self.cp(*words)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertEqual(done.stdout, "")
        return done.stderr

    def remote(self, name=""):
        return f"trainer:{self.there}/{name}"

    def listing(self, top="."):
        """Names, types, modes and sizes on the pod."""
        return self.inside(f"cd {self.there} && find {top} -printf "
                           "'%p %y %m %s\\n' | sort").splitlines()

    def read(self, name):
        with open(os.path.join(self.here, name), "rb") as file:
            return file.read()

    # ------------------------------------------------------------- files --

    def test_file_there_and_back(self):
        big = os.urandom((20 << 20) + 7)
        self.make("big", big, 0o640)
        done = self.copied(self.here + "/big", self.remote("big"))
        self.assertIn("sizes and digests agree", done.stderr)
        self.assertEqual(done.stdout, "")
        self.assertEqual(
            self.inside(f"sha256sum <{self.there}/big; stat -c %a,%s "
                        f"{self.there}/big").split(),
            [hashlib.sha256(big).hexdigest(), "-", f"640,{len(big)}"])
        self.copied(self.remote("big"), self.here + "/back")
        self.assert_same_bytes(self.read("back"), big)
        self.assertEqual(os.stat(self.here + "/back").st_mode & 0o777, 0o640)
        self.assertEqual(sorted(os.listdir(self.here)), ["back", "big"])
        self.assertEqual(self.listing()[1:], [f"./big f 640 {len(big)}"])

    def test_empty_file_and_program(self):
        self.make("empty", mode=0o600)
        self.make("run", b"#!/bin/sh\necho ran\n", 0o755)
        self.copied(self.here + "/empty", self.remote())
        self.copied(self.here + "/run", self.remote())
        self.assertEqual(self.inside(f"{self.there}/run"), "ran")
        self.assertEqual(self.listing("empty"), ["empty f 600 0"])
        self.copied(self.remote("empty"), self.here + "/e2")
        self.assertEqual(self.read("e2"), b"")

    def test_targets_are_as_with_cp(self):
        self.make("file", b"1")
        self.inside(f"mkdir {self.there}/d; echo old >{self.there}/old")
        self.copied(self.here + "/file", self.remote("d"))	# into it
        self.copied(self.here + "/file", self.remote("new"))
        self.copied(self.here + "/file", self.remote("old"))	# over it
        self.assertEqual(self.listing()[1:], [
            "./d d 755 " + self.inside(f"stat -c %s {self.there}/d"),
            "./d/file f 644 1", "./new f 644 1", "./old f 644 1"])
        error = self.refused(self.here + "/file", self.remote("no/"))
        self.assertIn(f"{self.there}/no/file: no such file", error)
        os.mkdir(self.here + "/in")
        self.give(self.here + "/in")
        self.copied(self.remote("new"), self.here + "/in")
        self.assertEqual(self.read("in/new"), b"1")
        error = self.refused(self.remote("new"), self.here + "/no/")
        self.assertIn("no/new: No such file", error)
        self.assertNotIn("podform-part", error)

    def test_relative_paths_begin_at_home(self):
        self.make("h", b"home")
        name = "h-" + os.path.basename(self.here)
        self.copied(self.here + "/h", "trainer:" + name)
        self.assertEqual(self.inside(f"cat ~/{name}"), "home")
        self.copied("trainer:~/" + name, self.here + "/h2")
        self.assertEqual(self.read("h2"), b"home")
        self.copied(self.here + "/h", "trainer:")
        self.assertEqual(self.inside("cat ~/h; rm ~/h"), "home")

    # ------------------------------------------------------- directories --

    def make_tree(self):
        self.make_directory("tree")
        self.make_directory("tree/sub", 0o775)
        self.make_directory("tree/none", 0o700)
        for i, name in enumerate(ODD):
            self.make("tree/" + name, name.encode() * i)
        self.make("tree/sub/x", b"x", 0o755)
        os.symlink("/etc/passwd", self.here + "/tree/out")
        os.symlink("sub", self.here + "/tree/sub2")

    def test_tree_there_and_back(self):
        self.make_tree()
        done = self.copied(self.here + "/tree", self.remote())
        for name in ("out", "sub2"):
            self.assertIn(f"left out: {self.here}/tree/{name} is a link\n",
                          done.stderr)
        found = self.inside(f"cd {self.there} && find tree -type l")
        self.assertEqual(found, "")
        done = self.copied(self.remote("tree"), self.here + "/back")
        difference = subprocess.run(
            ["diff", "-r", "--no-dereference", self.here + "/tree",
             self.here + "/back"], capture_output=True, text=True,
            check=False).stdout.splitlines()
        self.assertEqual([line.split(": ")[1] for line in difference],
                         ["out", "sub2"])
        for name, mode in (("", 0o755), ("/sub", 0o775), ("/none", 0o700),
                           ("/sub/x", 0o755)):
            self.assertEqual(os.stat(self.here + "/back" + name).st_mode &
                             0o777, mode, name)

    def test_directories_are_as_with_cp(self):
        self.make_directory("d")
        self.make("d/f", b"f")
        self.copied(self.here + "/d", self.remote("new"))	# becomes new
        self.copied(self.here + "/d", self.remote("new/"))	# goes into
        self.copied(self.here + "/d/", self.remote("slash/"))
        self.inside(f"mkdir {self.there}/dot")
        self.copied(self.here + "/d/.", self.remote("dot"))	# its content
        names = [line.split()[0] for line in self.listing()]
        self.assertEqual(names, [".", "./dot", "./dot/f", "./new",
                                 "./new/d", "./new/d/f", "./new/f",
                                 "./slash", "./slash/f"])
        self.copied(self.remote("new"), self.here + "/made/")
        self.assertEqual(self.read("made/d/f"), b"f")
        done = self.podform("cp", "-r", self.here + "/d",
                            self.remote("habit"))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.copied(self.remote("new/d/.."), self.here + "/up")
        self.assertEqual(self.read("up/f"), b"f")

    def test_directory_that_nobody_may_write_to(self):
        self.make_directory("locked")
        self.make("locked/f", b"f")
        os.chmod(self.here + "/locked", 0o555)
        self.copied(self.here + "/locked", self.remote())
        self.assertEqual(self.inside(f"stat -c %a {self.there}/locked"),
                         "555")
        self.copied(self.remote("locked"), self.here + "/back")
        self.assertEqual(os.stat(self.here + "/back").st_mode & 0o777, 0o555)
        self.assertEqual(self.read("back/f"), b"f")
        for name in ("back", "locked"):
            os.chmod(os.path.join(self.here, name), 0o755)

    def test_what_is_named_may_be_a_link(self):
        self.make("file", b"file")
        self.make_directory("dir")
        self.make("dir/f", b"f")
        for name in ("file", "dir"):
            os.symlink(name, f"{self.here}/{name}-link")
            self.copied(f"{self.here}/{name}-link", self.remote())
        self.assertEqual(self.inside(f"cd {self.there}; cat file-link "
                                     "dir-link/f; ln -s dir-link l"),
                         "filef")
        self.copied(self.remote("l"), self.here + "/back")
        self.assertEqual(self.read("back/f"), b"f")

    def test_odd_things_are_left_out_and_named(self):
        self.inside(f"cd {self.there}; mkdir t; mkfifo t/pipe; ln -s x t/l; "
                    r"touch t/$'line\nbreak' t/f; printf x >t/$'\033[2Jz'")
        done = self.copied(self.remote("t"), self.here + "/t")
        self.assertIn("/t/pipe is neither a file nor a directory",
                      done.stderr)
        self.assertIn("/t/l is a link", done.stderr)
        self.assertIn("/t/line\\nbreak has a name that", done.stderr)
        self.assertNotIn("\x1b", done.stderr)
        self.assertEqual(sorted(os.listdir(self.here + "/t")),
                         ["\x1b[2Jz", "f"])
        self.assertIn("is neither a file nor a directory",
                      self.refused(self.remote("t/pipe"), self.here + "/p"))
        os.mkfifo(self.here + "/fifo")
        self.give(self.here + "/fifo")
        self.assertIn("is neither a file nor a directory",
                      self.refused(self.here + "/fifo", self.remote()))

    # ---------------------------------------------------------- refusals --

    def test_missing_files_are_named(self):
        error = self.refused(self.remote("nope"), self.here + "/x")
        self.assertIn(f"{self.there}/nope: no such file on the pod", error)
        self.assertNotIn("lost", error)
        error = self.refused(self.here + "/nope", self.remote())
        self.assertIn(f"{self.here}/nope: No such file", error)
        self.assertEqual(os.listdir(self.here), [])

    def test_what_is_in_the_way_is_named(self):
        self.make_directory("d")
        self.make("d/f")
        self.make("f", b"mine")
        self.inside(f"touch {self.there}/file; mkdir -p {self.there}/x/f")
        self.assertIn("there is a file of that name",
                      self.refused(self.here + "/d", self.remote("file")))
        self.assertIn(f"{self.there}/x/f", self.refused(
            self.here + "/f", self.remote("x")))
        os.mkdir(self.here + "/d/file")
        self.assertIn("d/file: Is a directory", self.refused(
            self.remote("file"), self.here + "/d"))
        self.assertEqual(self.listing("x"), [
            "x d 755 " + self.inside(f"stat -c %s {self.there}/x"),
            "x/f d 755 " + self.inside(f"stat -c %s {self.there}/x/f")])

    def test_permission_is_said(self):
        self.make("f", b"f")
        error = self.refused(self.here + "/f", "trainer:/proc/f")
        self.assertIn("/proc/f", error)
        self.assertNotIn("lost", error)

    def test_usage(self):
        for words, said in ((["a", "b"], "names a pod"),
                            (["trainer:a", "trainer:b"], "not between two"),
                            (["./a:b", "x"], "names a pod")):
            done = self.cp(*words)
            self.assertEqual(done.returncode, 3)
            self.assertIn(said, done.stderr)
        self.assertIn("no record", self.refused("nosuch:a", "b"))

    def test_json_says_what_was_left_out(self):
        self.make_directory("d")
        os.symlink("x", self.here + "/d/l")
        done = self.copied("--json", self.here + "/d", self.remote())
        document = json.loads(done.stdout)
        self.assertIn("Copied to pod.trainer", document["message"])
        self.assertEqual(document["left_out"],
                         [f"{self.here}/d/l is a link"])

    # -------------------------------------------------------- terminals --

    def test_progress_on_a_terminal_and_only_there(self):
        self.make("big", os.urandom(64 << 20))
        terminal = self.terminal("cp", self.here + "/big", self.remote())
        self.assertEqual(terminal.end(60), 0)
        self.assertRegex(terminal.text, rb"of 67\.1 MB \([0-9]+%\)")
        self.assertIn(b"Copied to pod.trainer", terminal.text)
        done = self.copied(self.remote("big"), self.here + "/b2")
        self.assertNotIn("MB", done.stderr)
        self.assertNotIn("\x1b", done.stderr)
        terminal = self.terminal("cp", "-q", self.here + "/big",
                                 self.remote())
        self.assertEqual(terminal.end(60), 0)
        self.assertEqual(terminal.text, b"")

    # ------------------------------------------------------- interrupted --

    def slow(self):
        """A file that takes its time."""
        return self.make("big", os.urandom(1 << 20) * 200)

    def test_interrupted_copy_to_a_pod_leaves_nothing(self):
        process = self.start("cp", self.slow(), self.remote())
        wait_for(lambda: "podform-part" in
                 self.inside(f"ls {self.there}"), every=0)
        os.killpg(process.pid, signal.SIGINT)
        self.assertEqual(process.wait(20), 130)
        self.assertEqual(self.inside(f"ls -A {self.there}"), "")

    def test_interrupted_copy_from_a_pod_leaves_nothing(self):
        self.inside(f"head -c 300M /dev/zero >{self.there}/big")
        process = self.start("cp", self.remote("big"), self.here)
        wait_for(lambda: os.listdir(self.here), every=0)
        self.assertEqual(os.listdir(self.here), ["big.podform-part"])
        os.killpg(process.pid, signal.SIGTERM)
        self.assertEqual(process.wait(20), 143)
        self.assertEqual(os.listdir(self.here), [])

    def test_killed_copy_leaves_nothing_under_the_name(self):
        process = self.start("cp", self.slow(), self.remote())
        wait_for(lambda: "podform-part" in
                 self.inside(f"ls {self.there}"), every=0)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(20)
        self.assertEqual(self.inside(f"ls -A {self.there}"),
                         "big.podform-part")
        self.copied(self.here + "/big", self.remote())	# takes its place
        self.assertEqual(self.inside(f"ls -A {self.there}"), "big")

    def test_file_that_changes_is_not_taken_for_whole(self):
        path = self.make("log", b"x" * (100 << 20))
        process = self.start("cp", path, self.remote())
        wait_for(lambda: "podform-part" in
                 self.inside(f"ls {self.there}"), every=0)
        with open(path, "ab") as file:
            file.write(b"more")
        self.assertEqual(process.wait(30), 1)
        self.assertIn("changed while it was copied",
                      process.stderr.read().decode())
        self.assertEqual(self.inside(f"ls -A {self.there}"), "")


class CopyAsNobody(Copy):
    become = NOBODY


EVIL = r"""#!/usr/bin/python3
import os, struct, sys
# An SFTP server that means no good: it has one directory, whose entries have
# names that lead out of it, and says of each that it is a file.
NAMES = [b"..", b".", b"../../evil", b"/etc/evil", b"a/b", b"", b"nul\0x",
         b"../evil", b"good"]

def text(data):
    return struct.pack(">I", len(data)) + data

def mode(value):
    return struct.pack(">IQI", 5, 4, value)

def say(kind, body):
    sys.stdout.buffer.write(struct.pack(">IB", len(body) + 1, kind) + body)
    sys.stdout.buffer.flush()

listed = False
while True:
    head = sys.stdin.buffer.read(4)
    if len(head) < 4:
        break
    packet = sys.stdin.buffer.read(struct.unpack(">I", head)[0])
    kind, number = packet[0], packet[1:5]
    path = packet[9:9 + struct.unpack(">I", packet[5:9])[0]] if len(
        packet) >= 9 else b""
    if kind == 1:
        say(2, struct.pack(">I", 3))
    elif kind in (7, 17):
        say(105, number + mode(0o40755 if path.endswith(b"trap")
                               else 0o100644))
    elif kind in (3, 11):
        say(102, number + text(path))
    elif kind == 12 and not listed:
        listed = True
        say(104, number + struct.pack(">I", len(NAMES)) + b"".join(
            text(name) + text(name) + mode(0o100644) for name in NAMES))
    elif kind == 5 and packet[-12:-4] == bytes(8):
        say(103, number + text(b"evil"))
    else:
        ended = kind in (5, 12)
        say(101, number + struct.pack(">I", 1 if ended else 0) +
            text(b"") + text(b""))
"""


class HostileServer(Inside):
    """A pod whose SFTP server is somebody else's program."""

    def test_no_name_leads_out_of_the_directory(self):
        here = self.scratch()
        self.file("evil.py", EVIL, 0o755)
        done = self.podform("cp", self.path("evil.py"), "trainer:/tmp/evil")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.inside("printf evil >/tmp/good; mkdir -p /tmp/trap; cp "
                    "/tmp/good /tmp/trap/; cd /etc/ssh; grep -v Subsystem "
                    "sshd_config >x; echo Subsystem sftp /tmp/evil >>x; cat x "
                    ">sshd_config; kill -HUP $(pgrep -o -x sshd)")
        done = wait_for(lambda: self.tried(here))
        self.assertEqual(done.returncode, 0, done.stderr)
        for name in ("../../evil", "/etc/evil", "a/b", "../evil"):
            self.assertIn(f"left out: /tmp/trap/{name} has a name that no "
                          "file may have", done.stderr)
        found = [os.path.join(top, name) for top, _, names in os.walk(here)
                 for name in names]
        self.assertEqual(found, [here + "/deep/in/trap/good"])
        for path in (here + "/evil", here + "/deep/evil", "/etc/evil"):
            self.assertFalse(os.path.lexists(path))

    def tried(self, here):
        """Once the server listens again."""
        os.makedirs(here + "/deep/in", exist_ok=True)
        done = self.podform("cp", "trainer:/tmp/trap", here + "/deep/in")
        return None if "refused" in done.stderr else done


class FullDisk(Inside):
    """A pod whose volume is on a disk of 24 MB, and a small one here."""
    spec = """
project: inside
volumes:
  small: { size: 10GB, data_center: EU-RO-1 }
pods:
  trainer:
    image: runpod/pytorch
    gpu: [NVIDIA A40]
    disk: 10GB
    network_volume: { volume: small, path: /small }
    ports: [22/tcp]
"""

    @classmethod
    def setUpClass(cls):
        cls.become = ["unshare", "-m", "--propagation", "slave", "sh", "-c",
                      'mount -t tmpfs -o size=24m,mode=777 tmpfs "$TMPDIR" '
                      '&& exec "$@"', "sh"]
        tried = subprocess.run(["unshare", "-m", "true"], check=False,
                               capture_output=True)
        if tried.returncode != 0:
            print("skip: no small disk can be mounted here", flush=True)
            raise unittest.SkipTest("cannot mount")
        super().setUpClass()

    @classmethod
    def words(cls, words):
        return [os.path.join(cls.programs, "podform"), *words]

    @classmethod
    def give(cls, path):
        return path

    def test_full_disk_of_a_pod(self):
        path = self.file("big", os.urandom(30 << 20))
        self.inside("echo old >/small/big")
        done = self.podform("cp", path, "trainer:/small/big")
        self.assertEqual(done.returncode, 1)
        self.assertIn("/small/big: the pod cannot write the file (is it "
                      "full?)", done.stderr)
        self.assertEqual(self.inside("ls -A /small; cat /small/big"),
                         "big\nold")

    def test_full_disk_here(self):
        self.inside("head -c 30M /dev/zero >/tmp/big")
        here = self.scratch()
        done = subprocess.run(
            ["unshare", "-m", "--propagation", "slave", "sh", "-c",
             'mount -t tmpfs -o size=8m tmpfs "$1" && '
             '"$0" cp trainer:/tmp/big "$1"; code=$?; ls -A "$1"; exit $code',
             os.path.join(self.programs, "podform"), here],
            env=self.env, cwd=self.project, capture_output=True, text=True,
            timeout=60, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"{here}/big: No space left on device", done.stderr)
        self.assertEqual(done.stdout, "")


if __name__ == "__main__":
    unittest.main()
