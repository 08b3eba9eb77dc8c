#!/usr/bin/python3
"""exec_test.py - podform exec against real pods of podform-sim.

As a person or a script uses it: exit status, signals, streams in both
directions, several pods at once, Ctrl-C, a terminal or none, the worker or
the server dying in the middle.
"""

import hashlib
import json
import os
import signal
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "ssh"))
# pylint: disable=wrong-import-position
from inside_pods import NOBODY, Inside, alive, wait_for, workers

SPEC = """
project: inside
pods:
  trainer:
    image: runpod/pytorch
    gpu: [NVIDIA A40]
    disk: 10GB
    ports: [22/tcp]
  pair:
    image: runpod/pytorch
    gpu: [NVIDIA A40]
    disk: 10GB
    ports: [22/tcp]
    replicas: 2
"""


class Exec(Inside):
    spec = SPEC

    # ------------------------------------------------------------ status --

    def test_no_key_is_needed_and_nothing_is_asked(self):
        """The first use: no key on the account nor on this machine."""
        key = os.path.join(self.home, ".local/share/podform")
        lineage, = os.listdir(key)
        private = os.path.join(key, lineage, "id_ed25519")
        self.assertEqual(os.stat(private).st_mode & 0o777, 0o600)
        self.assertEqual(os.stat(os.path.dirname(private)).st_mode & 0o777,
                         0o700)
        self.assertEqual(self.inside("id -un"), "root")

    def test_status_is_the_commands_own(self):
        for status in (0, 1, 7, 126, 127, 255):
            done = self.podform("exec", "trainer", "--", f"exit {status}")
            self.assertEqual(done.returncode, status)
            self.assertEqual(done.stderr, "")
        done = self.podform("exec", "trainer", "--", "no-such-command")
        self.assertEqual(done.returncode, 127)

    def test_signal_is_128_and_its_number(self):
        for number in (signal.SIGTERM, signal.SIGKILL, signal.SIGSEGV):
            done = self.podform("exec", "trainer", "--",
                                f"kill -{int(number)} $$")
            self.assertEqual(done.returncode, 128 + number)

    def test_words_are_handed_on_as_they_are(self):
        words = ["a b", "$HOME", "it's", "", "*", "\\n", "-x", "--"]
        done = self.podform("exec", "trainer", "--", "printf", "%s|", *words)
        self.assertEqual(done.stdout, "|".join(words) + "|")

    def test_one_word_is_a_line_of_the_shell(self):
        self.assertEqual(self.inside("echo $((6 * 7)) | tr 4 x"), "x2")

    # ----------------------------------------------------------- streams --

    def test_both_streams_stay_apart_and_binary_is_safe(self):
        every = bytes(range(256)) * 400
        done = self.podform("exec", "trainer", "--", "tee /dev/stderr",
                            input=every, text=False)
        self.assertEqual(done.returncode, 0)
        self.assert_same_bytes(done.stdout, every)
        self.assert_same_bytes(done.stderr, every)

    def test_large_input_goes_there_and_back(self):
        big = os.urandom(1 << 20) * 32
        done = self.podform("exec", "trainer", "--", "cat", input=big,
                            text=False)
        self.assert_same_bytes(done.stdout, big)
        done = self.podform("exec", "trainer", "--", "sha256sum", input=big,
                            text=False)
        self.assertEqual(done.stdout.split()[0].decode(),
                         hashlib.sha256(big).hexdigest())

    def test_output_comes_while_it_is_made(self):
        process = self.start("exec", "trainer", "--",
                             "echo first; read x; echo $x; exec cat",
                             stdin=-1)
        self.assertEqual(process.stdout.readline(), b"first\n")
        process.stdin.write(b"second\n")
        process.stdin.flush()
        self.assertEqual(process.stdout.readline(), b"second\n")
        self.assertIsNone(process.poll())
        process.stdin.write(b"rest")
        process.stdin.close()
        self.assertEqual(process.stdout.read(), b"rest")
        self.assertEqual(process.wait(10), 0)

    def test_input_that_nobody_reads_stops_nothing(self):
        done = self.podform("exec", "trainer", "--", "exit 4",
                            input=b"x" * (8 << 20), text=False)
        self.assertEqual(done.returncode, 4)

    def test_no_input_is_the_end_of_input(self):
        self.assertEqual(self.inside("cat; echo over"), "over")
        process = self.start("exec", "trainer", "--", "cat; echo over",
                             preexec_fn=lambda: os.close(0), stdin=None)
        self.assertEqual(process.stdout.read(), b"over\n")
        self.assertEqual(process.wait(10), 0)

    def test_reader_that_goes_ends_the_command(self):
        process = self.start("exec", "trainer", "--", "yes mark-of-yes")
        self.assertEqual(process.stdout.read(5), b"mark-")
        process.stdout.close()
        process.wait(20)
        self.assertEqual(process.stderr.read(), b"")
        wait_for(lambda: not self.runs_inside("yes mark-of-yes"))

    def test_slow_reader_holds_the_command_up(self):
        """Nothing is kept without bound, and nothing is lost."""
        process = self.start("exec", "trainer", "--",
                             "head -c 60000000 /dev/zero")
        time.sleep(2)
        with open(f"/proc/{process.pid}/status", encoding="ascii") as file:
            peak, = [int(line.split()[1]) for line in file
                     if line.startswith("VmHWM")]
        self.assertLess(peak, 40000)
        total = 0
        while True:
            more = process.stdout.read(1 << 20)
            total += len(more)
            if not more:
                break
        self.assertEqual(total, 60000000)
        self.assertEqual(process.wait(10), 0)

    # ------------------------------------------------------ several pods --

    def test_all_pods_at_once(self):
        done = self.podform("exec", "--all", "--",
                            "echo out; echo wrong >&2; printf no-end; exit 3")
        self.assertEqual(done.returncode, 3)
        names = ["pod.pair[0]", "pod.pair[1]", "pod.trainer"]
        self.assertEqual(sorted(done.stdout.splitlines()),
                         sorted(f"{name}: {line}" for name in names
                                for line in ("no-end", "out")))
        self.assertEqual(sorted(done.stderr.splitlines()),
                         [f"{name}: wrong" for name in names])

    def test_of_several_the_highest_status_counts(self):
        done = self.podform("exec", "pair", "--all", "--",
                            "case $(hostname) in "
                            f"{self.record('pod.pair[1]')['id']}) exit 9;; "
                            "*) exit 2;; esac")
        self.assertEqual(done.returncode, 9)

    def test_replicas_must_be_chosen(self):
        done = self.podform("exec", "pair", "--", "true")
        self.assertEqual(done.returncode, 1)
        self.assertIn("has 2 replicas", done.stderr)
        self.assertIn("pod.pair[0]", done.stderr)
        self.assertIn("--all", done.stderr)
        self.assertEqual(self.inside("hostname", "pair[1]"),
                         self.record("pod.pair[1]")["id"])

    def test_json_is_one_document(self):
        done = self.podform("exec", "--json", "trainer", "pair[0]", "--",
                            r"printf 'a\377\033[31m'; exit 5", text=False)
        self.assertEqual(done.returncode, 5)
        document = json.loads(done.stdout.decode("utf-8"))
        self.assertEqual([pod["address"] for pod in document["pods"]],
                         ["pod.trainer", "pod.pair[0]"])
        for pod in document["pods"]:
            self.assertEqual(pod["exit_status"], 5)
            self.assertEqual(pod["stderr"], "")
            self.assertEqual(pod["stdout"][0], "a")
            self.assertTrue(pod["stdout"].endswith("\x1b[31m"))

    def test_sessions_are_limited(self):
        """With one session at a time they come one after another."""
        began = time.monotonic()
        done = self.podform("exec", "--all", "--ssh-sessions", "1", "--",
                            "date +%s.%N; sleep 0.7; date +%s.%N")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertGreater(time.monotonic() - began, 2.0)
        times = {}
        for line in done.stdout.splitlines():
            name, when = line.split(": ")
            times.setdefault(name, []).append(float(when))
        spans = sorted(times.values())
        for one, other in zip(spans, spans[1:]):
            self.assertLessEqual(one[1], other[0])

    # ------------------------------------------------------------ Ctrl-C --

    def interrupt(self, number, code, command, mark):
        process = self.start("exec", "trainer", "--", command)
        self.assertEqual(process.stdout.readline(), b"begun\n")
        os.killpg(process.pid, number)
        self.assertEqual(process.wait(25), code)
        wait_for(lambda: not self.runs_inside(mark))
        return process

    def test_interrupt_ends_the_command_too(self):
        self.interrupt(signal.SIGINT, 130, "echo begun; sleep 4001",
                       "sleep 4001")

    def test_termination_ends_the_command_too(self):
        self.interrupt(signal.SIGTERM, 143, "echo begun; sleep 4002",
                       "sleep 4002")

    def test_the_command_is_told_which_signal_and_may_clean_up(self):
        process = self.interrupt(
            signal.SIGINT, 130, "trap 'echo cleaning; exit 3' INT; "
            "echo begun; while :; do sleep 0.1; : mark4003; done",
            "mark4003")
        self.assertEqual(process.stdout.read(), b"cleaning\n")

    def test_what_does_not_listen_is_killed(self):
        began = time.monotonic()
        self.interrupt(signal.SIGINT, 130, "trap '' INT TERM; echo begun; "
                       "while :; do sleep 0.1; : mark4004; done", "mark4004")
        self.assertLess(time.monotonic() - began, 25)

    def test_a_second_interrupt_leaves_at_once(self):
        process = self.start("exec", "trainer", "--", "trap '' INT TERM; "
                             "echo begun; while :; do sleep 0.1; "
                             ": mark4005; done")
        self.assertEqual(process.stdout.readline(), b"begun\n")
        os.killpg(process.pid, signal.SIGINT)
        time.sleep(0.5)
        began = time.monotonic()
        os.killpg(process.pid, signal.SIGINT)
        self.assertEqual(process.wait(20), 130)
        self.assertLess(time.monotonic() - began, 1.5)
        wait_for(lambda: not self.runs_inside("mark4005"))

    def test_all_are_interrupted(self):
        process = self.start("exec", "--all", "--", "echo begun; sleep 4006")
        for _ in range(3):
            self.assertIn(b": begun\n", process.stdout.readline())
        os.killpg(process.pid, signal.SIGINT)
        self.assertEqual(process.wait(20), 130)
        for pod in ("trainer", "pair[0]", "pair[1]"):
            wait_for(lambda pod=pod: not self.runs_inside("sleep 4006", pod))

    def test_what_has_not_begun_does_not_begin(self):
        process = self.start("exec", "--all", "--ssh-sessions", "1", "--",
                             "echo begun; sleep 4011")
        self.assertIn(b": begun\n", process.stdout.readline())
        os.killpg(process.pid, signal.SIGINT)
        self.assertEqual(process.wait(20), 130)
        self.assertEqual(process.stdout.read(), b"")

    def test_interrupt_before_the_login_leaves_at_once(self):
        process = self.start("exec", "trainer", "--", "echo begun")
        process.send_signal(signal.SIGINT)
        began = time.monotonic()
        self.assertIn(process.wait(20), (-2, 130))
        self.assertLess(time.monotonic() - began, 3)

    def test_what_was_detached_on_purpose_stays(self):
        process = self.start("exec", "trainer", "--",
                             "setsid sleep 4007 </dev/null >/dev/null 2>&1 &"
                             " echo begun; sleep 4008")
        self.assertEqual(process.stdout.readline(), b"begun\n")
        os.killpg(process.pid, signal.SIGINT)
        self.assertEqual(process.wait(20), 130)
        wait_for(lambda: not self.runs_inside("sleep 4008"))
        self.assertTrue(self.runs_inside("sleep 4007"))
        self.inside("pkill -f '[s]leep 4007'")

    # ---------------------------------------------------------- terminal --

    def test_control_characters_do_not_reach_a_terminal(self):
        terminal = self.terminal("exec", "trainer", "--",
                                 r"printf '\033[2J\007x\tq\n'")
        self.assertEqual(terminal.end(), 0)
        self.assertIn(b"\\x1b[2J\\x07x\tq\r\n", terminal.text)
        self.assertNotIn(b"\x1b[2J", terminal.text)
        terminal = self.terminal("exec", "--raw", "trainer", "--",
                                 r"printf '\033[2Jx'")
        self.assertEqual(terminal.end(), 0)
        self.assertIn(b"\x1b[2Jx", terminal.text)

    def test_the_command_has_no_terminal(self):
        terminal = self.terminal("exec", "trainer", "--",
                                 "test -t 0 || test -t 1 || echo none")
        self.assertEqual(terminal.end(), 0)
        self.assertIn(b"none", terminal.text)

    def test_a_terminals_input_is_passed_on_only_if_asked_for(self):
        terminal = self.terminal("exec", "trainer", "--", "cat; echo over")
        self.assertEqual(terminal.end(), 0)
        self.assertIn(b"over", terminal.text)
        terminal = self.terminal("exec", "-i", "trainer", "--",
                                 "echo ready; while read -r x; do "
                                 "echo ${x^^}; done")
        terminal.until(b"ready")
        terminal.type(b"hello\n")
        terminal.until(b"HELLO")
        terminal.type(b"\x04")
        self.assertEqual(terminal.end(), 0)

    def test_ctrl_c_on_a_terminal(self):
        terminal = self.terminal("exec", "trainer", "--",
                                 "echo begun; sleep 4009")
        terminal.until(b"begun")
        terminal.type(b"\x03")
        self.assertEqual(terminal.end(), 130)
        wait_for(lambda: not self.runs_inside("sleep 4009"))

    # ------------------------------------------------------------- usage --

    def test_usage(self):
        for words, code, said in (
                (["exec", "trainer"], 3, "needs a command"),
                (["exec", "--", "true"], 3, "needs an address"),
                (["exec", "nosuch", "--", "true"], 1, "no record"),
                (["exec", "volume.x", "--", "true"], 1, "is a volume")):
            done = self.podform(*words)
            self.assertEqual(done.returncode, code, words)
            self.assertIn(said, done.stderr)
            self.assertEqual(done.stdout, "")

    # ----------------------------------------------------- worker, server --

    def begun(self, command="echo begun; sleep 4010"):
        process = self.start("exec", "trainer", "--", command)
        self.assertEqual(process.stdout.readline(), b"begun\n")
        return process

    def test_killed_worker_is_said(self):
        process = self.begun()
        server, worker = workers(process.pid)
        os.kill(worker, signal.SIGKILL)
        self.assertEqual(process.wait(20), 1)
        error = process.stderr.read().decode()
        self.assertIn("pod.trainer was lost on the way", error)
        self.assertIn("worker", error)
        wait_for(lambda: not alive(server))

    def test_killed_server_of_workers_takes_them_along(self):
        process = self.begun()
        server, worker = workers(process.pid)
        os.kill(server, signal.SIGKILL)
        self.assertEqual(process.wait(20), 1)
        self.assertIn("was lost on the way", process.stderr.read().decode())
        wait_for(lambda: not alive(worker))

    def test_killed_server_is_said(self):
        process = self.begun()
        began = time.monotonic()
        # The sshd of the session: parent of the shell that asks.
        self.podform("exec", "trainer", "--",
                     "for p in $(pgrep -f '[s]leep 4010'); do while [ "
                     "\"$(cat /proc/$p/comm)\" != sshd ]; do p=$(cut -d' ' "
                     "-f4 /proc/$p/stat); done; kill -9 $p; done")
        self.assertEqual(process.wait(20), 1)
        self.assertLess(time.monotonic() - began, 10)
        self.assertIn("was lost on the way", process.stderr.read().decode())

    def test_server_that_falls_silent_is_said(self):
        if self.become:
            self.skipTest("takes long; once is enough")
        process = self.begun("echo begun; exec sleep 4012")
        began = time.monotonic()
        self.inside("kill -STOP $(cut -d' ' -f4 /proc/$(pgrep -f "
                    "'[s]leep 4012')/stat)")
        self.assertEqual(process.wait(70), 1)
        self.assertLess(time.monotonic() - began, 60)
        self.assertIn("was lost on the way", process.stderr.read().decode())
        self.inside("pkill -KILL -f '[s]leep 4012'; true")

    def test_worker_has_nothing_of_ours(self):
        secret = "rpa_inside_pods"
        process = self.begun("echo begun; sleep 2")
        for pid in workers(process.pid):
            for name in ("environ", "cmdline"):
                with open(f"/proc/{pid}/{name}", "rb") as file:
                    content = file.read()
                self.assertNotIn(secret.encode(), content)
                if name == "environ":
                    self.assertEqual(content, b"")
            for fd in os.listdir(f"/proc/{pid}/fd"):
                target = os.readlink(f"/proc/{pid}/fd/{fd}")
                self.assertTrue(
                    target == "/dev/null" or target.startswith("socket:") or
                    target.startswith("anon_inode:") or
                    fd == "2", f"{fd} -> {target}")
        self.assertEqual(process.wait(20), 0)


class ExecAsNobody(Exec):
    become = NOBODY


class InterruptedSetup(Inside):
    """A step of setup ends with the apply that ran it."""

    def test_it_does_not_go_on_behind_our_back(self):
        self.file("specs/b.yaml", SPEC.replace("  trainer:", "  other:")
                  .split("  pair:")[0].replace("project: inside\n", "") +
                  "    setup: [ { run: \"echo begun; sleep 4013\" } ]\n")
        process = self.start("apply", "--auto-approve", "--on-failure",
                             "keep")
        text = b""
        while b"doing setup step" not in text:
            line = process.stderr.readline()
            self.assertTrue(line, text)
            text += line
        wait_for(lambda: self.setup_log().endswith("begun\n"))
        os.killpg(process.pid, signal.SIGINT)
        self.assertEqual(process.wait(30), 10)
        wait_for(lambda: not self.runs_inside("sleep 4013", "other"))

    def setup_log(self):
        try:
            with open(self.path(".podform/logs/pod.other/setup.log"),
                      encoding="utf-8") as file:
                return file.read()
        except FileNotFoundError:
            return ""


if __name__ == "__main__":
    unittest.main()
