#!/usr/bin/python3
"""inside_odd.py - commands that go into pods, where that is not possible:
pods that only greet, have gone, or were never made; odd records and specs;
and the logs that need no login.
"""

import http.server
import json
import os
import signal
import subprocess
import sys
import threading
import time
import unittest

sys.path.insert(0, os.path.dirname(__file__))
# pylint: disable=wrong-import-position
from common.desk import PODFORM, SPEC, Desk
from common.proc import wait_for


class Unreachable(Desk):
    def test_usage_is_refused_by_name(self):
        for words, code, said in (
                (["exec"], 3, "needs a command behind --"),
                (["exec", "one", "ls"], 3, "podform exec trainer -- nvidia"),
                (["exec", "one", "--"], 3, "needs a command behind --"),
                (["exec", "--", "ls"], 3, "needs an address, or --all"),
                (["cp", "a", "b"], 3, "neither 'a' nor 'b' names a pod"),
                (["cp", "one:a", "one:b"], 3, "not between two"),
                (["cp", "./a:b", "/x:y"], 3, "names a pod"),
                (["cp", ":a", "b"], 3, "names a pod"),
                (["cp", "", "one:a"], 3, "names a pod"),
                (["ssh", "one", "--json"], 3, "has no --json"),
                (["logs", "one", "--since", "then"], 3,
                 "neither a duration like 10m nor a time"),
                (["logs", "one", "--since", "10m", "--source", "setup"], 3,
                 "lines of the setup log have no times"),
                (["logs", "one", "--since", "10m", "--source", "process"], 3,
                 "of the process log"),
                (["logs", "one", "--since", "10m", "--source", "runner"], 3,
                 "of the runner log"),
                (["exec", "one", "--", "ls"], 1, "pod.one"),
                (["exec", "--all", "--", "ls"], 1, ""),
                (["logs", "one"], 1, "pod.one"),
                (["cp", "one:a", "b"], 1, "pod.one"),
                (["ssh", "one"], 1, "pod.one"), (["ssh-config"], 1, "")):
            done = self.run_podform(*words, code=code)
            if "--json" in words:
                self.assertIn(said, done.json()["diagnostics"][0]["summary"])
                continue
            self.assertEqual(done.says(said).out, "", done)
            self.assertTrue(done.err, words)

    def test_pods_that_stopped_or_went_away(self):
        self.apply()
        self.control("pods/one/stop")
        wait_for(lambda: self.pods()[0]["status"] == "EXITED")
        commands = (["exec", "one", "--", "ls"], ["ssh", "one"],
                    ["cp", "one:a", "b"], ["tunnel", "up", "x"])
        for words in commands[:3]:
            self.run_podform(*words, code=1).says("pod.one")
        self.run_podform("ssh-config", "one", code=1).has("# ")
        self.control("pods/one/delete")
        for words in commands[:3]:
            self.run_podform(*words, code=1).says("pod.one")
        self.edit_lock(lambda lock: lock["resources"][0].update(id="nope"))
        for words in commands[:3]:
            self.run_podform(*words, code=1).says("pod.one")
        self.run_podform("logs", "one", code=1).says(
            "the service has no log of pod.one (nope)")
        self.run_podform("logs", "one", "-f", code=1).says("nope")

    def test_a_bad_spec_keeps_nobody_from_looking(self):
        self.apply()
        self.spec("project: [\n")
        for words in (["logs", "one"], ["ssh-config"]):
            done = self.run_podform(*words, code=0 if words[0] == "logs"
                                    else 1)
            done.says("the spec cannot be used, so users and keys that it "
                      "names are not known",
                      "podform validate shows its mistakes")
        # Without any spec there is nothing to say of it.
        os.rename(self.path("specs"), self.path("away"))
        self.assertEqual(self.run_podform("logs", "one").err, "")

    def test_keys_that_cannot_be_used(self):
        self.write("specs/key", "nonsense")
        self.edit("    ports: [22/tcp]\n", "    ports: [22/tcp]\n"
                  "    ssh: { key: ./key }\n")
        self.run_podform("validate", code=3).says("pods.yaml:")
        self.run_podform("plan", code=3).says("[PF0872]", "pods.yaml:")
        os.unlink(self.path("specs/key"))
        self.run_podform("validate").says("there is no key ", "[PF0873]")
        self.run_podform("plan", code=3).says("pods.yaml:", "[PF0872]")
        self.spec(SPEC)
        self.run_podform("plan", code=3, env={"SSH_KEY_PATH": "none"}).says(
            "SSH_KEY_PATH names it")
        self.apply(code=3, env={"SSH_KEY_PATH": "none"})
        self.apply()
        self.run_podform("exec", "one", "--", "ls", code=1,
                         env={"SSH_KEY_PATH": "none"}).says("none")
        self.run_podform("exec", "one", "--", "ls", code=1, env={
            "PODFORM_SSH_WORKER": "/none"}).says("pod.one")


class Logs(Desk):
    """Of the service, and those that apply has kept."""

    def setUp(self):
        super().setUp()
        self.apply("--target", "pod.one")

    def test_lines_by_source_number_and_time(self):
        whole = self.run_podform("logs", "one").out.splitlines()
        self.assertTrue(any(line.startswith("system: ") for line in whole))
        self.assertEqual(self.run_podform("logs", "one", "--tail", "1")
                         .out.splitlines(), whole[-1:])
        own = self.run_podform("logs", "one", "--source", "system").out
        self.assertNotIn("system: ", own)
        self.assertEqual(self.run_podform(
            "logs", "one", "--since", "2099-01-01T00:00:00Z").out, "")
        self.assertEqual(self.run_podform(
            "logs", "one", "--since", "10m").out.splitlines(), whole)
        got = self.run_podform("logs", "one", "--json", "--tail", "10000")
        got = got.json()
        self.assertEqual(got["address"], "pod.one")
        self.assertEqual(len(got["lines"]), len(whole))
        self.assertEqual({"source", "time", "line"}, set(got["lines"][0]))

    def test_the_log_that_apply_has_kept(self):
        self.run_podform("logs", "one", "--source", "setup", code=1).says(
            "no setup of pod.one was run from here")
        path = ".podform/logs/pod.one/setup.log"
        self.write(path, "== 1 ==\r\none\n\x1b[2Jtwo\nno end")
        done = self.run_podform("logs", "one", "--source", "setup")
        self.assertEqual(done.out, "== 1 ==\none\n\x1b[2Jtwo\nno end\n")
        done = self.run_podform("logs", "one", "--source", "setup", "--tail",
                                "2")
        self.assertEqual(done.out, "\x1b[2Jtwo\nno end\n")
        got = self.run_podform("logs", "one", "--source", "setup",
                               "--json").json()
        self.assertEqual([(line["source"], line["line"])
                          for line in got["lines"]][:2],
                         [("setup", "== 1 =="), ("setup", "one")])
        done = self.on_terminal("logs", "one", "--source", "setup")
        self.assertIn("\\x1b[2Jtwo", done.out)
        os.unlink(self.path(path))
        os.mkdir(self.path(path))
        self.run_podform("logs", "one", "--source", "setup", code=1).says(
            "cannot read .podform/logs/pod.one/setup.log: Is a directory")
        os.rmdir(self.path(path))
        # What is not there yet may come.
        process = self.following("one", "--source", "setup")
        time.sleep(0.3)
        self.write(path, "late\n")
        self.assertEqual(process.stdout.readline(), "late\n")
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(20), 130)

    def following(self, *words):
        process = subprocess.Popen(
            [PODFORM, "logs", *words, "-f"], cwd=self.dir, text=True,
            env=self.environment({}), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def test_following_ends_in_good_order(self):
        for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
            process = self.following("one", "--json")
            first = json.loads(process.stdout.readline())
            self.assertEqual(first["source"], "system")
            process.send_signal(number)
            self.assertEqual(process.wait(20), code)
        # Nobody reads any more.
        process = self.following("one")
        process.stdout.readline()
        process.stdout.close()
        # Seen with the next line, which a start brings.
        self.control("pods/one/stop")
        wait_for(lambda: self.pods()[0]["status"] == "EXITED")
        self.control("pods/one/start")
        self.assertEqual(process.wait(30), 0)

    def test_all_of_a_pod_that_cannot_be_entered(self):
        self.control("pods/one/stop")
        wait_for(lambda: self.pods()[0]["status"] == "EXITED")
        done = self.run_podform("logs", "one", "--source", "all").says(
            "no log is read on the pod: ")
        self.assertIn("system: ", done.out)
        # A warning is not a second document.
        done = self.run_podform("logs", "one", "--source", "all", "--json",
                                "--tail", "3").says("no log is read on")
        self.assertEqual(len(done.json()["lines"]), 3)

    def test_runners_of_a_record(self):
        def add(lock):
            for number, pod in ((1, "pod.one"), (2, "pod.gone")):
                lock["resources"].append({
                    "address": "runner.r%d" % number, "id": str(number),
                    "kind": "runner", "op": "0" * 31 + str(number),
                    "price_per_hour": 0, "runner": {
                        "ephemeral": False, "labels": [], "name": "r/../x",
                        "pod": pod, "pod_id": "p",
                        "repository": "acme/model"}})
        self.edit_lock(add)
        self.run_podform("logs", "runner.r1", "--source", "runner",
                         code=1).says("no runner can be called 'r/../x'")
        self.run_podform("logs", "runner.r2", "--source", "runner", code=1)


class Tokens(Desk):
    """What doctor says of GitHub, by a GitHub that tells of tokens."""

    def test_the_end_of_a_token_is_told(self):
        class GitHub(http.server.BaseHTTPRequestHandler):
            ends = ""

            def do_GET(self):
                body = b'{"total_count":0,"runners":[]}'
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                if self.ends:
                    self.send_header("GitHub-Authentication-Token-Expiration",
                                     self.ends)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args):
                pass
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), GitHub)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        self.spec(SPEC + "runners:\n  ci: { pod: one, repository: acme/model,"
                  " labels: [gpu], ephemeral: false }\n")
        url = "http://127.0.0.1:%d/api" % server.server_address[1]

        def day(days):
            return time.strftime("%Y-%m-%d %H:%M:%S UTC",
                                 time.gmtime(time.time() + days * 86400))
        for ends, said, health in (
                ("", None, None), (day(30), "the token ends on", "ok"),
                (day(3), ", soon: make a new one", "note"),
                (day(-1), ": it has ended", "note"),
                ("some day", "the token ends on some day", "ok")):
            GitHub.ends = ends
            found = self.run_podform("doctor", "--json", env={
                "GITHUB_API_URL": url, "GITHUB_TOKEN": "ghp_x"}).json()
            told = [(f["finding"], f["health"]) for f in found
                    if "the token ends" in f["finding"]]
            if said is None:
                self.assertEqual(told, [])
            else:
                self.assertIn(said, told[0][0])
                self.assertEqual(told[0][1], health)


if __name__ == "__main__":
    unittest.main()
