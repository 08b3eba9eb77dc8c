#!/usr/bin/python3
"""logs_test.py - podform logs against real pods: every source, followed.

The container's log is the service's, the setup log was kept by apply, those
of the process and of runners are read on the pod.
"""

import json
import os
import signal
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "ssh"))
# pylint: disable=wrong-import-position
from inside_pods import NOBODY, Inside, alive, wait_for, workers

SPEC = r"""
project: inside
pods:
  trainer:
    image: runpod/pytorch
    gpu: [NVIDIA A40]
    disk: 10GB
    ports: [22/tcp]
    args: "echo from the container; printf 'colour \\033[31m\\n'"
    setup:
      - run: echo first step; printf 'setup \033[2J\n'
      - run: echo second step
    process:
      run: |
        echo process begins
        while sleep 0.2; do n=$((n + 1)); echo tick $n; done
      log: /workspace/out/train.log
  plain:
    image: runpod/pytorch
    gpu: [NVIDIA A40]
    disk: 10GB
    ports: [22/tcp]
    process: { run: "echo in its own place; sleep 1000" }
  none:
    image: runpod/pytorch
    args: "while sleep 0.5; do [ -e /tmp/say ] && cat /tmp/say && rm /tmp/say; done"
    gpu: [NVIDIA A40]
    disk: 10GB
    ports: [22/tcp]
runners:
  ci:
    pod: plain
    repository: acme/model
    labels: [gpu]
    ephemeral: false
  second:
    pod: plain
    repository: acme/model
    labels: [gpu]
    ephemeral: false
"""


class Logs(Inside):
    spec = SPEC

    @classmethod
    def start_sim(cls):
        super().start_sim()
        # Runners come from the GitHub of the simulator.
        cls.more_env = {"GITHUB_API_URL": cls.url + "/github",
                        "GITHUB_TOKEN": "ghp_sim"}

    def lines(self, *words, code=0):
        done = self.podform("logs", *words)
        self.assertEqual(done.returncode, code, done.stderr)
        return done.stdout.splitlines()

    def refused(self, *words, code=1):
        done = self.podform("logs", *words)
        self.assertEqual(done.returncode, code, done.stderr)
        self.assertEqual(done.stdout, "")
        return done.stderr

    # ----------------------------------------------------------- sources --

    def test_default_is_container_and_system(self):
        lines = self.lines("trainer")
        self.assertIn("from the container", lines)
        self.assertTrue(any(line.startswith("system: ") for line in lines))
        self.assertNotIn("first step", lines)

    def test_container_and_system_alone(self):
        lines = self.lines("trainer", "--source", "container")
        self.assertIn("from the container", lines)
        self.assertFalse([x for x in lines if x.startswith("system: ")])
        system = self.lines("trainer", "--source", "system")
        self.assertTrue(system)
        self.assertFalse(set(system) & set(lines))

    def test_setup(self):
        lines = self.lines("trainer", "--source", "setup")
        for i, number in ((0, 1), (3, 2)):
            self.assertRegex(lines[i], f"^== .*Z setup {number} ==$")
        self.assertEqual([lines[i] for i in (1, 2, 4)],
                         ["first step", "setup \x1b[2J", "second step"])
        self.assertEqual(self.lines("trainer", "--source", "setup",
                                    "--tail", "1"), ["second step"])
        self.assertIn("no setup of pod.none",
                      self.refused("none", "--source", "setup"))

    def test_process(self):
        def lines_of_it():
            return self.lines("trainer", "--source", "process", "--tail",
                              "5000")
        wait_for(lambda: "tick 5" in lines_of_it())
        lines = lines_of_it()
        self.assertEqual(lines[:2], ["process begins", "tick 1"])
        lines = self.lines("trainer", "--source", "process", "--tail", "2")
        self.assertEqual(len(lines), 2)
        self.assertRegex(lines[1], "^tick [0-9]+$")
        self.assertEqual(self.lines("plain", "--source", "process")[0],
                         "in its own place")

    def test_process_log_is_found_without_the_spec(self):
        path = self.path("specs")
        os.rename(path, path + ".away")
        try:
            lines = self.lines("trainer", "--source", "process", "--tail",
                               "5000")
        finally:
            os.rename(path + ".away", path)
        self.assertIn("process begins", lines)

    def test_no_process(self):
        self.assertIn("pod.none has no log of the process",
                      self.refused("none", "--source", "process"))

    def test_runners(self):
        lines = self.lines("runner.ci", "--source", "runner")
        self.assertTrue(any("Listening for Jobs" in line for line in lines))
        both = self.lines("plain", "--source", "runner")
        for name in ("runner.ci: ", "runner.second: "):
            self.assertTrue(any(line.startswith(name) and
                                "Listening for Jobs" in line
                                for line in both))
        self.assertIn("pod.none has no runner",
                      self.refused("none", "--source", "runner"))

    def test_all(self):
        lines = self.lines("trainer", "--source", "all", "--tail", "5000")
        for line in ("from the container", "setup: second step",
                     "process: tick 2"):
            self.assertIn(line, lines)
        lines = self.lines("plain", "--source", "all")
        self.assertIn("process: in its own place", lines)
        self.assertTrue(any(line.startswith("runner.ci: ")
                            for line in lines))
        self.lines("none", "--source", "all")

    def test_json(self):
        document = json.loads("\n".join(self.lines(
            "plain", "--source", "all", "--json")))
        self.assertEqual(document["address"], "pod.plain")
        found = {line["source"] for line in document["lines"]}
        self.assertEqual(found, {"container", "system", "process", "runner"})

    def test_since_and_usage(self):
        self.assertIn("from the container", self.lines("trainer", "--since",
                                                       "1h"))
        self.assertEqual(self.lines("trainer", "--since",
                                    "2035-01-01T00:00:00Z"), [])
        for source in ("process", "runner", "setup"):
            self.assertIn("have no times", self.refused(
                "trainer", "--source", source, "--since", "1h", code=3))
        self.assertIn("neither a duration", self.refused(
            "trainer", "--since", "yesterday", code=3))
        self.assertIn("no record", self.refused("nosuch"))

    # ---------------------------------------------------------- terminal --

    def test_a_terminal_gets_no_control_characters(self):
        for source, shown in (("container", b"colour \\x1b[31m\r\n"),
                              ("setup", b"setup \\x1b[2J\r\n")):
            terminal = self.terminal("logs", "trainer", "--source", source)
            self.assertEqual(terminal.end(), 0)
            self.assertIn(shown, terminal.text)
            self.assertNotIn(b"\x1b", terminal.text)
        self.inside(r"printf 'bad \033]52;c;x\007\n' >>~/.podform/process/"
                    "process/log", "plain")
        terminal = self.terminal("logs", "plain", "--source", "process")
        self.assertEqual(terminal.end(), 0)
        self.assertIn(b"bad \\x1b]52;c;x\\x07\r\n", terminal.text)
        terminal = self.terminal("logs", "--raw", "plain", "--source",
                                 "process")
        self.assertEqual(terminal.end(), 0)
        self.assertIn(b"bad \x1b]52", terminal.text)

    # ------------------------------------------------------------ follow --

    def follow(self, *words):
        return self.start("logs", "--follow", *words)

    def test_follow_the_process(self):
        process = self.follow("trainer", "--source", "process", "--tail", "1")
        first = process.stdout.readline().split()
        for i in range(1, 4):
            self.assertEqual(process.stdout.readline().split(),
                             [b"tick", str(int(first[1]) + i).encode()])
        found = workers(process.pid)
        os.killpg(process.pid, signal.SIGINT)
        self.assertEqual(process.wait(10), 130)
        self.assertEqual(process.stderr.read(), b"")
        wait_for(lambda: not self.runs_inside("tail -n 1 -F"))
        self.assertEqual([pid for pid in found if alive(pid)], [])

    def test_follow_through_a_pipe_that_closes(self):
        process = self.follow("trainer", "--source", "process")
        process.stdout.readline()
        process.stdout.close()
        self.assertEqual(process.wait(20), 0)
        self.assertEqual(process.stderr.read(), b"")
        wait_for(lambda: not self.runs_inside("tail -n 100 -F"))

    def test_follow_what_is_not_there_yet(self):
        process = self.follow("none", "--source", "process")
        time.sleep(1)
        self.assertIsNone(process.poll())
        self.inside("mkdir -p ~/.podform/process/process && cd "
                    "~/.podform/process/process && touch loop && echo late "
                    ">log", "none")
        self.assertEqual(process.stdout.readline(), b"late\n")
        self.inside("rm -r ~/.podform/process", "none")
        os.killpg(process.pid, signal.SIGTERM)
        self.assertEqual(process.wait(10), 143)

    def test_follow_the_container(self):
        process = self.follow("none", "--source", "container")
        time.sleep(1)
        self.inside("echo written later >/tmp/say", "none")
        while True:
            line = process.stdout.readline()
            self.assertTrue(line)
            if line == b"written later\n":
                break
        os.killpg(process.pid, signal.SIGINT)
        self.assertEqual(process.wait(10), 130)

    def test_follow_all_in_json(self):
        process = self.follow("plain", "--source", "all", "--json")
        seen = set()
        while seen != {"container", "system", "process", "runner"}:
            seen.add(json.loads(process.stdout.readline())["source"])
        os.killpg(process.pid, signal.SIGINT)
        self.assertEqual(process.wait(10), 130)

    def test_follow_of_a_pod_that_dies_ends(self):
        """The sshd of the session goes: said, and no silence for ever."""
        process = self.follow("trainer", "--source", "process", "--tail", "1")
        process.stdout.readline()
        self.podform("exec", "trainer", "--",
                     "for p in $(pgrep -f '[t]ail -n 1 -F'); do kill -9 "
                     "$(cut -d' ' -f4 /proc/$p/stat); done")
        process.stdout.read()
        self.assertEqual(process.wait(20), 1)
        self.assertIn("pod.trainer was lost on the way",
                      process.stderr.read().decode())


class LogsAsNobody(Logs):
    become = NOBODY


class StoppedPod(Inside):
    def test_logs_of_a_stopped_pod(self):
        self.call("POST", f"/pods/{self.record()['id']}/action",
                  {"action": "stop"})
        done = self.podform("logs", "trainer", "--source", "container")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("key fingerprint", done.stdout)
        done = self.podform("logs", "trainer", "--source", "all")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("key fingerprint", done.stdout)
        self.assertIn("is stopped", done.stderr)
        done = self.podform("logs", "trainer", "--source", "process")
        self.assertEqual(done.returncode, 1)
        self.assertIn("is stopped", done.stderr)


if __name__ == "__main__":
    unittest.main()
