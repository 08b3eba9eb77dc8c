#!/usr/bin/python3
"""commands_test.py - every command that reads or keeps records, with odd
values: what it says, where, and the exit code.
"""

import fcntl
import json
import os
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(__file__))
# pylint: disable=wrong-import-position
from common.desk import PODFORM, SPEC, Desk
from common.proc import wait_for

RUNNER = {"address": "runner.ci", "id": "17", "kind": "runner",
          "op": "0" * 31 + "3", "price_per_hour": 0,
          "runner": {"ephemeral": True, "labels": ["gpu", "big"],
                     "name": "ci-pf01", "pod": "pod.one", "pod_id": "p1",
                     "repository": "acme/model", "version": "9.999.0"}}


def add_runner(lock, **changes):
    lock["resources"].append({**RUNNER, **changes})


class Records(Desk):
    """What the lock file holds, offline."""

    def test_nothing_is_recorded_yet(self):
        for words, said in ((["state", "list"], "nothing is recorded\n"),
                            (["history"], "nothing was applied yet\n"),
                            (["show"], ""), (["output", "--refresh=false"],
                                             ""),
                            (["unlock"], "Free; nobody ever held it.\n")):
            self.assertEqual(self.run_podform(*words).out, said, words)
        self.assertEqual(self.run_podform("unlock", "--json").json(),
                         {"format_version": "1.0", "held": False})
        self.assertEqual(self.run_podform("history", "--json").json(), [])
        self.assertEqual(self.run_podform("show", "--json").json(), [])
        self.assertEqual(self.run_podform("state", "list", "--json").json()
                         ["resources"], [])
        self.assertEqual(self.run_podform("output", "--json").json(), {})
        self.assertFalse(os.path.exists(self.path(".podform")))

    def test_usage_is_refused_by_name(self):
        for words, code, said in (
                (["state"], 3, "podform state needs list|show|pull|push|migrate"),
                (["state", "lsit"], 3, "pull, push and migrate, not 'lsit'"),
                (["state", "list", "pod.one"], 3,
                 "'pod.one' is one argument too many"),
                (["state", "show"], 3, "state show needs ADDRESS"),
                (["state", "show", "pod.x"], 1, "no record of 'pod.x'"),
                (["state", "show", "pod.x", "--json"], 1, ""),
                (["show", "pod.x"], 1, "shown by the name of its file"),
                (["show", "--format", "markdown"], 3, "shows a saved plan"),
                (["show", "--format", "dot"], 1, "not built yet"),
                (["drift", "--format", "markdown"], 1, "not built yet"),
                (["drift", "ack", "pod.one"], 3, "ack needs ADDRESS PATH"),
                (["drift", "akc", "one", "disk"], 3, "ack, not 'akc'"),
                (["drift", "ack", "one", "disk"], 3, "--reason TEXT"),
                (["drift", "ack", "one", "disk", "--reason", " "], 3,
                 "--reason TEXT"),
                (["drift", "--reason", "x"], 3, "for podform drift ack"),
                (["drift", "ack", "one", "disk", "--reason", "x", "--until",
                  "soon"], 3, "'soon' is neither a duration like 7d"),
                (["drift", "ack", "one", "disk", "--reason", "x", "--until",
                  "2020-01-01T00:00:00Z"], 3, "is over already"),
                (["drift", "ack", "one", "disk", "--reason", "x",
                  "--refresh=false"], 3, "needs to see the account"),
                (["graph", "--format", "markdown"], 1, "not built yet"),
                (["status", "-w"], 3, "following the status is not built yet"),
                (["schema", "plan"], 1, "of 'plan' is not built yet"),
                (["why", "one", "--json"], 1, "why --json is not built"),
                (["help", "plna"], 3, "unknown command 'plna'"),
                (["docs", "pages"], 3, "pages: commands"),
                (["completion", "tcsh"], 3, "'tcsh' is not a shell"),
                (["mv", "pod.x", "pod.y"], 1, "no record of 'pod.x'"),
                (["forget", "x"], 1, "no record of 'x'"),
                (["tunnel", "list", "x"], 3, "one argument too many"),
                (["tunnel", "x"], 3, "'x' is none of them"),
                (["tunnel", "down"], 3, "an address or --all"),
                (["tunnel", "down", "x", "--all"], 3, "or --all"),
                (["tunnel", "up"], 3, "needs the address of a tunnel"),
                (["tunnel", "up", "web"], 1, "no tunnel.web in the spec"),
                (["--log-file", "no/such", "tunnel"], 1, "the log file"),
                (["--log-file", "no/such", "tunnel", "down", "x"], 1,
                 "cannot open the log file"),
                (["--log-file", "no/such", "mv", "a", "b"], 1, "log file"),
                (["--log-file", "no/such", "forget", "a"], 1, "log file"),
                (["--log-file", "no/such", "history"], 1, "the log file"),
                (["--log-file", "no/such", "show"], 1, "the log file"),
                (["--log-file", "no/such", "init"], 1, "the log file"),
                (["--lock", "etcd://x", "history"], 3, "etcd://HOST:PORT/KEY"),
                (["--lock", "http://x", "mv", "a", "b"], 3,
                 "it names a host and no record there"),
                (["--log-file", "no/such", "audit"], 1,
                 "cannot open the log file 'no/such': No such file"),
                (["-C", "no/such", "state", "list"], 3, "cannot work in")):
            done = self.run_podform(*words, code=code)
            if "--json" not in words:
                done.says(said)
                self.assertEqual(done.out, "", done)
            else:
                self.assertTrue(done.json()["diagnostics"], done)

    def test_records_are_shown_and_moved(self):
        self.apply()
        self.run_podform("state", "list").has("pod.one", "1 x A40", "$0.44/h",
                                              "volume.data", "10GB in EU-RO-1")
        listed = self.run_podform("state", "list", "--json").json()
        self.assertEqual([r["address"] for r in listed["resources"]],
                         ["pod.one", "volume.data"])
        self.assertEqual(listed["serial"], 1)
        one = self.run_podform("state", "show", "one", "--json").json()
        self.assertEqual(one, listed["resources"][0])
        self.run_podform("state", "show", "volume.data").has("size", "10GB")
        self.assertEqual(self.run_podform("show", "one", "--json").json(),
                         one)
        self.assertEqual(self.run_podform("show", "--json").json(),
                         listed["resources"])
        self.run_podform("show").has("pod.one", "volume.data")
        shown = self.run_podform("show", "volume.data").has("volume.data")
        self.assertNotIn("pod.one", shown.out)
        self.run_podform("mv", "one", "two", code=3).says(
            "'two' is not an address")
        self.run_podform("mv", "one", "volume.two", code=3).says(
            "pod.one is a pod and cannot become a volume")
        self.run_podform("mv", "one", "pod.one", code=1).says("already")
        self.run_podform("mv", "one", "pod.two").has(
            "Moved: pod.one is now pod.two")
        moved = self.run_podform("mv", "two", "pod.one", "--json").json()
        self.assertIn("pod.two is now pod.one", moved["message"])
        past = self.run_podform("history", "--json").json()
        self.assertEqual([h["command"] for h in past],
                         ["apply", "mv", "mv"])
        self.assertEqual([h["exit_code"] for h in past], [0, 0, 0])
        self.run_podform("history").has("moved pod.one to pod.two")

    def test_records_of_runners(self):
        self.apply()
        self.edit_lock(lambda lock: (add_runner(lock), add_runner(
            lock, address="runner.org", id="18", op="0" * 31 + "4",
            runner={**RUNNER["runner"], "repository": None,
                    "organization": "acme", "labels": []})) and
            lock["resources"][-1]["runner"].pop("repository"))
        self.run_podform("state", "list").has("of acme/model on pod.one",
                                              "of acme on pod.one")
        self.run_podform("state", "show", "runner.ci").has(
            "labels       gpu", "             big", "ephemeral    true")
        # Nobody asks GitHub without a credential, and the rest is shown.
        done = self.run_podform("status").has(
            "of acme/model on pod.one: gpu, big", "unknown",
            "GitHub does not tell about the runners of acme/model: ",
            "GitHub does not tell about the runners of acme: ")
        self.assertIn("pod.one", done.out)
        done = self.run_podform("status", env={"GITHUB_TOKEN": "ghp_sim"})
        self.assertRegex(done.has("gone").out, r"runner\.ci +gone")
        got = self.run_podform("status", "--json", env={
            "GITHUB_TOKEN": "ghp_sim"}).json()
        runners = {r["address"]: r["runner"] for r in got["resources"]
                   if r["kind"] == "runner"}
        self.assertEqual(runners["runner.ci"]["repository"], "acme/model")
        self.assertEqual(runners["runner.ci"]["labels"], ["gpu", "big"])
        self.assertIs(runners["runner.ci"]["known"], True)
        self.assertEqual(runners["runner.org"]["organization"], "acme")
        got = self.run_podform("status", "--json", "--refresh=false").json()
        self.assertEqual({r["state"] for r in got["resources"]},
                         {"running", "kept", "registered"})
        self.run_podform("output").has("runner.ci.name = ci-pf01")
        self.run_podform("forget", "runner.org").has(
            "it stays registered at GitHub")
        self.run_podform("mv", "runner.ci", "runner.two").has("Moved")

    def test_records_of_another_time(self):
        self.apply()
        self.control("pods/one/stop")
        wait_for(lambda: self.pods()[0]["status"] == "EXITED")
        self.run_podform("status").has("stopped")
        self.run_podform("output", "pod.one.status", "--raw").has("stopped")
        self.run_podform("output", "pod.one.ssh.port", code=1).says(
            "there is no output 'pod.one.ssh.port'", "podform output lists")
        self.edit_lock(lambda lock: lock["resources"].append(
            {**lock["resources"][0], "id": "goneaway", "deposed": True,
             "op": "0" * 31 + "5", "price_per_hour": 0.1}))
        self.run_podform("status").has("deposed")
        self.run_podform("state", "list").has("deposed")
        self.run_podform("output").lacks("goneaway")
        self.control("pods/one/delete")
        self.run_podform("status").has("gone")
        done = self.run_podform("forget", "one").has("Forgotten: pod.one")
        self.assertIn("podform import takes it in again", done.out)

    def test_output_of_each_kind(self):
        self.apply()
        everything = self.run_podform("output", "--json").json()
        for name, value in (("pod.one.status", "running"),
                            ("pod.one.per_hour", "0.44"),
                            ("pod.one.gpu", "NVIDIA A40"),
                            ("volume.data.size", "10GB"),
                            ("volume.data.data_center", "EU-RO-1")):
            self.assertEqual(everything[name], value)
            self.assertEqual(self.run_podform("output", name).out,
                             value + "\n")
            self.assertEqual(self.run_podform("output", name, "--raw").out,
                             value)
            self.assertEqual(self.run_podform("output", name, "--json")
                             .json(), value)
        self.run_podform("output", "pod.one.sttus", code=1).says(
            "did you mean 'pod.one.status'?")
        offline = self.run_podform("output", "--refresh=false",
                                   env={"RUNPOD_API_KEY": None})
        offline.has("volume.data.size = 10GB", "pod.one.status = running")
        # Nobody else's pod is ours.
        self.control("preload", {"count": 2, "name": "mine-{n}"})
        self.run_podform("status").has("Not managed: 2 pods ($0.88/h)")

    def test_records_without_what_came_later(self):
        self.apply()
        self.edit_lock(lambda lock: lock["resources"][0].pop("gpu_name"))
        for words in (["state", "list"], ["status"], ["state", "show",
                                                      "one"]):
            self.run_podform(*words).has("1 x NVIDIA A40")

    def test_a_clock_that_is_behind_the_service(self):
        self.control("clock", {"advance_ms": 3600000})
        self.apply()
        line = next(line for line in self.run_podform("status").out
                    .splitlines() if line.startswith("pod.one"))
        self.assertRegex(line, r"EU-RO-1 +\$0\.44")	# up: not known

    def test_who_we_are(self):
        self.run_podform("init", env={"USER": None, "GITHUB_SERVER_URL":
                                      "https://github.com"})
        self.run_podform("forget", "x", code=1)
        self.apply(env={"USER": None, "LOGNAME": "log"})
        self.run_podform("mv", "one", "pod.two", env={
            "GITHUB_SERVER_URL": "https://github.com",
            "GITHUB_REPOSITORY": "acme/model"})
        who = [h["who"].split("@")[0] for h in self.run_podform(
            "history", "--json").json()]
        self.assertEqual(who, ["uid%d" % os.geteuid(), "log", "tester"])
        self.assertNotIn("run ", self.run_podform("unlock").out)

    def test_what_is_unclear_is_said(self):
        self.apply()
        self.edit("MODE: a", "MODE: b")
        self.edit_lock(lambda lock: lock.update(pending=[{
            "op": "0" * 31 + "9", "action": "create", "address": "pod.two",
            "wall_ms": int(time.time() * 1000), "boot_ms": 1,
            "boot_id": "x", "entry": {**lock["resources"][0],
                                      "address": "pod.two"}}])
            or lock["pending"][0]["entry"].pop("id"))
        self.run_podform("status").has("1 unclear from an earlier run")
        self.run_podform("state", "list").has("1 unclear from an earlier")
        self.run_podform("doctor").has("1 unclear")

    def test_odd_locks_are_refused_by_each_command(self):
        self.write("podform.lock", "<<<<<<< ours\n{}\n")
        for words in (["state", "list"], ["status"], ["output"], ["history"],
                      ["show"], ["mv", "a", "b"], ["forget", "a"],
                      ["import", "pod.one", "x"], ["audit"], ["gc"],
                      ["drift"], ["why", "one"], ["plan"],
                      ["exec", "one", "--", "ls"], ["logs", "one"],
                      ["ssh-config"], ["tunnel", "up", "web"], ["init"]):
            self.run_podform(*words, code=1).says(
                "lock file 'podform.lock' holds conflict markers",
                "git checkout --ours podform.lock")

    def test_lock_by_another_path(self):
        self.write("sub/.keep", "")
        for lock in ("sub/a.lock", "file:sub/b.lock",
                     "file://" + self.path("sub/c.lock")):
            self.run_podform("--lock", lock, "apply", "-y", "--target",
                             "volume.data")
            self.run_podform("state", "list", env={"PODFORM_LOCK": lock}
                             ).has("volume.data")
            # Under the next one it would look like a lock that was lost.
            self.run_podform("--lock", lock, "destroy", "-y")
        self.assertLessEqual({"a.lock", "b.lock", "c.lock"},
                             set(os.listdir(self.path("sub"))))
        self.run_podform("--lock", "none/x.lock", "apply", "-y", code=1).says(
            "cannot write in 'none', where none/x.lock belongs: No such",
            "nothing was asked of the service")

    def test_forget_and_import(self):
        self.apply()
        pod, volume = self.pods()[0]["id"], self.volumes()[0]["id"]
        for words, code, said in (
                (["pod.tow", "x"], 3, "the spec has no 'pod.tow'"),
                (["pod.on", "x"], 3, "did you mean 'pod.one'?"),
                (["pod.one", pod], 1, "pod.one is recorded already"),
                (["volume.data", "x"], 1, "is recorded already")):
            self.run_podform("import", *words, code=code).says(said)
        self.run_podform("forget", "one").has(
            "id " + pod, "It goes on billing $0.44/h")
        self.run_podform("forget", "volume.data").has("id " + volume)
        self.run_podform("import", "pod.one", "nobody", code=1).says(
            "nobody")
        self.run_podform("import", "volume.data", "nobody", code=1).says(
            "nobody")
        done = self.run_podform("import", "pod.one", pod, "--json").json()
        self.assertIn("Imported: pod.one, id " + pod, done["message"])
        self.edit("pods:\n", "pods:\n  two: { image: i, gpu: NVIDIA A40 }\n")
        self.run_podform("import", "pod.two", pod, code=1).says(
            "pod.one is recorded already, with id " + pod)
        self.run_podform("import", "volume.data", volume).has("Imported")
        # A stranger's pod: of its environment what the spec names.
        self.control("preload", {"count": 1, "name": "theirs",
                                 "env": {"MODE": "x", "TOKEN": "hidden"}})
        other = next(p["id"] for p in self.pods() if p["name"] == "theirs")
        self.spec(SPEC.replace("pods:\n", """pods:
  two:
    image: runpod/base:1.0.2-ubuntu2204
    gpu: NVIDIA A40
    ports: [22/tcp]
    protect: true
    env: { MODE: y, MORE: z }
"""))
        self.run_podform("import", "pod.two", other).has("Imported: pod.two")
        got = self.run_podform("state", "show", "two", "--json").json()
        self.assertEqual(got["pod"]["env"], {"MODE": "y"})
        self.assertIs(got["protect"], True)
        self.assertNotIn("hidden", self.read("podform.lock"))
        # Of another project: it is not for us to take.
        self.control("preload", {"count": 1, "name": "a-pf000000" + "1" * 10,
                                 "env": {"PODFORM_MARK": "v1 " + "0" * 32 +
                                         " " + "1" * 32 + " pod.a"}})
        marked = next(p["id"] for p in self.pods()
                      if p["name"].startswith("a-pf"))
        self.run_podform("forget", "two")
        self.run_podform("import", "pod.two", marked, code=1).says(
            "carries a mark of podform already", "ask its project to forget")
        self.edit("  two:\n", "  two:\n    state: stopped\n")
        self.run_podform("import", "pod.two", other).has("Imported")

    def test_import_is_of_pods_and_volumes(self):
        self.spec(SPEC + "runners:\n  ci: { pod: one, repository: acme/model,"
                  " labels: [gpu], ephemeral: false }\n"
                  "tunnels:\n  web: { pod: one, local: 8188, remote: 8188 }\n")
        for address, kind in (("runner.ci", "runner"),
                              ("tunnel.web", "tunnel")):
            self.run_podform("import", address, "x", code=1).says(
                "a %s cannot be imported" % kind)
        self.run_podform("import", "pod.one", "x", code=4,
                         env={"RUNPOD_API_KEY": None}).says("no RunPod API")
        self.spec("project: [\n")
        self.run_podform("import", "pod.one", "x", code=3).says("pods.yaml:")

    def test_who_holds_the_lock(self):
        self.control("pace", {"latency_ms": 600})
        env = self.environment({
            "GITHUB_SERVER_URL": "https://git.acme.io",
            "GITHUB_REPOSITORY": "acme/model", "GITHUB_RUN_ID": "7",
            "USER": None, "LOGNAME": "worker"})
        with subprocess.Popen(
                [PODFORM, "apply", "-y"], cwd=self.dir, env=env,
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL) as holder:
            wait_for(lambda: os.path.exists(self.path(".podform/mutex")) and
                     self.read(".podform/mutex"))
            held = wait_for(lambda: self.held(), 10)
            self.assertTrue(held["holder"]["who"].startswith("worker@"))
            self.assertEqual(held["holder"]["pid"], holder.pid)
            self.assertEqual(held["holder"]["run_url"],
                             "https://git.acme.io/acme/model/actions/runs/7")
            self.run_podform("unlock", code=5).has(
                "Held by:", "run        https://git.acme.io/acme").says(
                "needs the id of its holder",
                "podform unlock " + held["holder"]["id"])
            self.run_podform("unlock", "other", code=5).says(
                "held by %s, not by other" % held["holder"]["id"])
            self.run_podform("unlock", held["holder"]["id"], code=5).says(
                "the holder is alive", "kill -INT %d" % holder.pid,
                "kill -KILL %d" % holder.pid)
            self.run_podform("mv", "a", "b", code=5).says("worker@")
            self.run_podform("init", code=5)
            self.control("pace", {"latency_ms": 0})
            self.assertEqual(holder.wait(30), 0)
        self.run_podform("unlock").has("Free; last held by:")
        self.run_podform("unlock", "whatever").has("Free")

    def held(self):
        done = subprocess.run(
            [PODFORM, "unlock", "--json"], cwd=self.dir, check=False,
            env=self.environment({}), stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL)
        said = json.loads(done.stdout)
        return said if done.returncode == 5 and said["held"] else None


class Account(Desk):
    """What is on the account, and in the catalog."""

    def test_audit_tells_whose_things_are(self):
        self.run_podform("init")
        lineage = json.loads(self.read("podform.lock"))["lineage"]
        self.run_podform("audit").has("Everything on the account is ours.")
        self.assertEqual(self.run_podform("audit", "--json").json(),
                         {"format_version": "1.0", "unmanaged": [],
                          "orphans": []})

        def mark(of, op, name):
            return {"name": "%s-pf%s%s" % (name, of[:6], op[:10]),
                    "env": {"PODFORM_MARK": "v1 %s %s pod.%s" %
                            (of, op, name)}}
        ours = mark(lineage, "b" * 32, "left")
        self.control("preload", {"gpu": "NVIDIA A40", "pods": [
            {"name": "stranger\x1b[2J"}, mark("c" * 32, "d" * 32, "other"),
            {**mark(lineage, "e" * 32, "odd"), "env": {}}, ours]})
        done = self.run_podform("audit", code=2).has(
            "not of podform", "of another podform project",
            "suspect: carries our mark", "ours, in no record: podform gc",
            "podform import ADDRESS ID", "$0.44", "$321.20")
        self.assertNotIn("\x1b", done.out)
        got = self.run_podform("audit", "--json", code=2).json()
        self.assertEqual(sorted((u["suspect"], u["other_project"])
                                for u in got["unmanaged"]),
                         [(False, False), (False, True), (True, False)])
        self.assertEqual(len(got["orphans"]), 1)
        # gc is dry, then ends that one and no other.
        dry = self.run_podform("gc").has("will be destroyed").says(
            "Nothing was done", "gc --dry-run=false")
        self.assertEqual(len(self.pods()), 4, dry)
        dry = self.run_podform("gc", "--json").events()
        self.assertEqual((dry[0]["type"], dry[-1]["type"]),
                         ("version", "run_summary"))
        self.run_podform("gc", "--dry-run=false", "--max-deletes", "0",
                         code=8).says("--max-deletes allows 0")
        self.assertEqual(len(self.pods()), 4)
        self.run_podform("gc", "--dry-run=false").has("1 destroyed")
        self.assertEqual(len(self.pods()), 3)
        self.run_podform("gc", "--dry-run=false").has(
            "Nothing of ours is left over.")
        self.control("preload", {"gpu": "NVIDIA A40", "pods": [ours]})
        last = self.run_podform("gc", "--dry-run=false", "--json",
                                "--events", "ev").events()[-1]
        self.assertEqual(last["exit_code"], 0)
        self.assertEqual(len(self.pods()), 3)
        self.assertIn("run_summary", self.read("ev"))

    def test_nobody_answers_or_lets_us_in(self):
        for words in (["audit"], ["gc"], ["gpus"], ["datacenters"],
                      ["status"], ["output"], ["drift"], ["why", "one"],
                      ["plan"], ["apply", "-y"], ["destroy", "-y"],
                      ["import", "pod.one", "x"], ["exec", "--all", "--",
                                                   "ls"],
                      ["ssh-config"], ["logs", "one"], ["cp", "a", "one:b"]):
            done = self.run_podform(*words, code=4,
                                    env={"RUNPOD_API_KEY": None})
            done.says("there is no RunPod API key", "RUNPOD_API_KEY_FILE")
        asking = (["audit"], ["gc"], ["gpus"], ["datacenters"],
                  ["status"], ["output"], ["drift"], ["why", "one"],
                  ["import", "pod.one", "x"], ["plan"])
        for words in asking:
            self.run_podform(*words, code=4, env={"RUNPOD_API_KEY": "no"})
            self.run_podform(*words, code=3, env={
                "RUNPOD_API_URL": "ftp://x"}).says(
                "in RUNPOD_API_URL cannot be used")

    def test_gpus_and_datacenters(self):
        self.control("stock", {"gpu": "NVIDIA L4", "count": 0})
        self.control("stock", {"gpu": "NVIDIA A40", "count": 1})
        self.run_podform("gpus", "nothing").has("no GPU matches")
        self.run_podform("datacenters", "nothing").has(
            "no data center matches")
        self.assertEqual(self.run_podform("gpus", "nothing", "--json")
                         .json(), [])
        every = self.run_podform("gpus", "--json").json()
        self.assertIn("NVIDIA A40", {gpu["id"] for gpu in every})
        self.run_podform("gpus").has("GPU", "MEMORY", "$0.44")
        self.run_podform("gpus", "--color", "always").has("\x1b[32m")
        table = self.run_podform("gpus", "nvidia a40").has("48GB").out
        self.assertEqual(len(table.splitlines()), 2)
        places = self.run_podform("datacenters", "--json").json()
        self.assertIn("EU-RO-1", {place["id"] for place in places})
        self.assertEqual({type(place["volumes"]) for place in places},
                         {bool})
        self.run_podform("datacenters").has("REGION", "yes")
        self.run_podform("datacenters", "europe").has("EU-RO-1").lacks(
            "US-")

    def test_verbose_and_log_file(self):
        secret = "rpa_sim"
        self.run_podform("audit", "-v").says("podform: > GET").lacks(secret)
        self.run_podform("audit", "-v", "--log-file", "log").lacks("> GET")
        self.run_podform("audit", "--log-file", "log")
        log = self.read("log")
        self.assertEqual(log.count("> GET %s/v2/pods" % self.url), 2, log)
        self.assertNotIn(secret, log)
        self.assertEqual(os.stat(self.path("log")).st_mode & 0o777, 0o600)


class Looking(Desk):
    """drift, why, doctor, graph, explain: evidence, and its absence."""

    def test_drift_is_a_difference(self):
        self.apply()
        self.run_podform("drift").has("No drift.")
        self.run_podform("drift", "--refresh=false").has("No drift.")
        self.control("pods/one/env", {"name": "MODE", "value": "z"})
        self.run_podform("diff", code=2).has(
            "podform plan shows what an apply would do")
        got = self.run_podform("drift", "--format", "json", code=2).json()
        self.assertEqual(len(got["resource_drift"]), 1)
        self.run_podform("drift", "--concise", code=2)
        self.spec("project: [\n")
        self.run_podform("drift", code=3).says("pods.yaml:")

    def test_drift_that_is_accepted_is_no_difference(self):
        self.apply()
        ack = ["drift", "ack", "one", "env.MODE", "--reason", "a trial"]
        self.run_podform(*ack, code=1).says(
            "nothing of 'pod.one' was changed outside of podform")
        self.control("pods/one/env", {"name": "MODE", "value": "z"})
        self.run_podform("drift", "ack", "one", "disk", "--reason", "x",
                         code=1).says("disk of pod.one was not changed",
                                      "what has changed is: env.MODE")
        self.run_podform("drift", code=2)
        self.run_podform(*ack, "--until", "7d").has(
            "Acknowledged: env.MODE of pod.one may be \"z\" until 20")
        lock = json.loads(self.read("podform.lock"))
        (kept,) = lock["drift_accepted"]
        self.assertEqual([kept[k] for k in ("address", "path", "reason",
                                            "value")],
                         ["pod.one", "env.MODE", "a trial", '"z"'])
        self.run_podform("drift").has("a trial (acknowledged until " +
                                      kept["until"], "# acknowledged",
                                      "No other drift.")
        self.run_podform("plan", "--detailed-exitcode").has(
            "acknowledged until", "No changes.")
        for command in ("plan", "drift"):
            (drift,) = self.run_podform(command, "--json").json()[
                "resource_drift"]
            self.assertEqual(drift["acknowledged"], {
                "reason": "a trial", "until": kept["until"]})
        self.run_podform("apply", "-y").has("No changes.")
        # It goes with its thing, and another value is another drift.
        self.run_podform("mv", "one", "pod.two")
        self.run_podform("mv", "two", "pod.one")
        self.run_podform("drift")
        self.control("pods/one/env", {"name": "MODE", "value": "y"})
        self.run_podform("drift", code=2)
        # Said again it replaces what was said, here for good.
        done = self.run_podform(*ack, "--json").json()
        self.assertIn('may be "y". An apply', done["message"])
        lock = json.loads(self.read("podform.lock"))
        self.assertEqual([a["value"] for a in lock["drift_accepted"]],
                         ['"y"'])
        self.run_podform("drift")
        self.assertEqual(self.run_podform("history", "--json").json()[-1]
                         ["command"], "drift ack")

    def test_why_shows_the_evidence(self):
        self.run_podform("why", "one").has(
            "Wanted:    specs/pods.yaml:5:3", "needs volume.data",
            "Recorded:  no, it was never made", "nothing of ours at this",
            "will be created", "Tried in this order:", "  1. ", "  2. ")
        self.apply()
        self.run_podform("why", "one").has(
            "Recorded:  running, id ", ", made ", ", a container runs",
            ", SSH on 127.0.0.1:", ", $0.44/h", "Last run:  ",
            "apply by tester@", "nothing to do")
        self.run_podform("why", "volume.data").has("there, 10GB")
        self.run_podform("why", "one", "--refresh=false").has(
            "not asked (--refresh=false)")
        self.control("pods/one/stop")
        wait_for(lambda: self.pods()[0]["status"] == "EXITED")
        self.run_podform("why", "pod.one").has(
            "status EXITED, no container is reported", "was stopped",
            "will be started")
        self.edit_lock(lambda lock: lock["resources"][0].update(
            id="nowhere"))
        self.run_podform("why", "one").has("not in the listing")
        self.run_podform("why", "tow", code=1).says("no record of 'pod.tow'")
        self.edit("  one:", "  two:")
        self.run_podform("why", "one").has("no, the spec does not name it")

    def test_doctor_looks_at_everything(self):
        done = self.run_podform("doctor", "-q", env={"GITHUB_TOKEN":
                                                     "ghp_sim"})
        done.has("--quiet is set", "command line", "project desk, 2 resources",
                 "there is none yet; the first apply makes it",
                 "RUNPOD_API_KEY", "answers in", "balance",
                 "a token found for")
        self.apply()
        add = lambda lock: add_runner(lock)
        self.edit_lock(add)
        self.run_podform("doctor", env={"GITHUB_TOKEN": "ghp_sim"}).has(
            "serial 1, 3 records, 0 unclear",
            "may look at the runners of acme/model (0)")
        for env, code, said in (
                ({}, 4, "cannot look at the runners of acme/model"),
                ({"GITHUB_TOKEN": "a b"}, 4, "holds a character"),
                ({"GITHUB_SERVER_URL": "x", "GITHUB_API_URL": "y"}, 3,
                 "GITHUB_SERVER_URL or GITHUB_API_URL is no URL"),
                ({"RUNPOD_API_KEY": None}, 4, "there is no RunPod API key"),
                ({"RUNPOD_API_KEY": "no"}, 4, "BAD"),
                ({"RUNPOD_API_URL": "ftp://x"}, 3, "cannot be used"),
                ({"RUNPOD_API_KEY_FILE": "specs",
                  "RUNPOD_API_KEY": None}, 4, "specs")):
            self.run_podform("doctor", code=code, env=env).has(said)
        self.control("balance", {"balance": 0.1})
        self.run_podform("doctor", env={"GITHUB_TOKEN": "ghp_sim"}).has(
            "BAD", "balance")
        self.control("balance", {"balance": 1000})
        self.write("podform.lock", "x")
        done = self.run_podform("doctor", "--json", code=1).json()
        self.assertEqual([f["check"] for f in done if f["health"] == "bad"
                          ][:1], ["lock"])
        os.unlink(self.path("podform.lock"))
        self.spec("project: [\n")
        self.run_podform("doctor", code=3).has("BAD", "spec")
        os.unlink(self.path("specs/pods.yaml"))
        os.rmdir(self.path("specs"))
        self.run_podform("doctor").has("podform init makes one")

    def test_graph_says_what_needs_what(self):
        self.run_podform("graph").has("pod.one\n  needs volume.data\n")
        self.run_podform("graph", "--format", "dot").has(
            '\t"pod.one" -> "volume.data";\n')
        self.assertEqual(self.run_podform("graph", "--json").json()["edges"],
                         [{"from": "pod.one", "needs": "volume.data"}])
        self.run_podform("graph", "--json", "--format", "dot").has(
            '"nodes"')
        self.spec("project: [\n")
        self.run_podform("graph", code=3).says("pods.yaml:")
        # With --json the diagnostics are the document.
        self.assertTrue(self.run_podform("graph", "--json", code=3).json()
                        ["diagnostics"])

    def test_help_explain_and_schema(self):
        self.run_podform("help").has("usage: podform")
        self.run_podform("help", "logs").has("-f, --follow")
        self.run_podform("help", "fmt").has("It is not built yet.")
        self.run_podform("help", "unlock").has("Also known as: force-unlock")
        self.run_podform("explain").has("pod")
        self.run_podform("explain", "PF0103").has("PF0103")
        self.run_podform("explain", "pod.imge", code=3).says(
            "there is no field 'pod.imge'", "podform explain lists the kinds")
        self.run_podform("schema", "spec").has("$schema")
        # Narrow and wide, a row is a name and what it means.
        for columns in ("40", "200"):
            self.run_podform("plan", "--help", env={"COLUMNS": columns}).has(
                "--detailed-exitcode")

    def test_spec_from_standard_input(self):
        self.run_podform("validate", "-f", "-", stdin=SPEC.encode()).has(
            "valid: 2 resources in 1 file")
        self.run_podform("validate", "-f", "-", code=3, stdin=b"")
        self.run_podform("validate", "-f", "-", code=3,
                         stdin=b"project: [\n").says("<stdin>:1")
        self.run_podform("validate", "-f", "-", code=3,
                         stdin=b"#" * ((16 << 20) + 1)).says(
            "standard input is larger than 16 MiB")
        directory = os.open(self.dir, os.O_RDONLY)
        self.addCleanup(os.close, directory)
        self.run_podform("validate", "-f", "-", code=3,
                         stdin=directory).says("cannot read standard input")

    def test_init_in_places_that_are_not_empty(self):
        os.unlink(self.path("specs/pods.yaml"))
        os.rmdir(self.path("specs"))
        self.write(".gitignore", "build", 0o644)
        done = self.run_podform("init").has(
            "made     specs/pods.yaml", "made     .gitignore (one line)",
            "made     podform.lock, lineage ", "works    the API key from "
            "RUNPOD_API_KEY", "Next: podform plan")
        self.assertEqual(self.read(".gitignore"), "build\n.podform/\n")
        done = self.run_podform("init", "--json").json()
        self.assertIn("is there podform.lock", done["message"])
        self.assertEqual(self.run_podform("init", "-q").out, "")
        self.write(".gitignore", "build\n", 0o644)
        os.unlink(self.path("podform.lock"))
        self.run_podform("init", "-f", "other.yaml", env={
            "RUNPOD_API_KEY": None}).has("is there specs",
                                         "missing  an API key")
        self.assertEqual(self.read(".gitignore"), "build\n.podform/\n")
        # Names of directories that no project may have.
        for name, project in (("9 Lives!", "9-lives"), ("---", "project"),
                              ("x" * 40, "x" * 30)):
            os.mkdir(self.path(name))
            self.run_podform("-C", name, "init")
            self.assertIn("\nproject: %s\n" % project,
                          self.read(name + "/specs/pods.yaml"))
        # What cannot be made is said, with what can.
        self.write("bad/.gitignore/x", "")
        self.write("bad/specs", "")
        done = self.run_podform("-C", "bad", "init", code=1).says(
            "cannot make '.gitignore': Is a directory").has(
            "made     podform.lock")
        self.assertNotIn("Next:", done.out)
        self.run_podform("init", code=4, env={"RUNPOD_API_KEY": "no"})


class Streams(Desk):
    def test_a_pipe_that_is_slow_and_does_not_block_gets_all(self):
        whole = self.run_podform("docs", "reference").out
        self.assertGreater(len(whole), 10000)
        read, write = os.pipe()
        fcntl.fcntl(write, fcntl.F_SETPIPE_SZ, 4096)
        os.set_blocking(write, False)
        with subprocess.Popen([PODFORM, "docs", "reference"], stdout=write,
                              env=self.environment({}),
                              stdin=subprocess.DEVNULL) as process:
            os.close(write)
            time.sleep(0.2)
            with open(read, "rb") as pipe:
                got = pipe.read().decode()
            self.assertEqual(process.wait(20), 0)
        self.assertEqual(got, whole)


if __name__ == "__main__":
    unittest.main()
