#!/usr/bin/python3
"""apply_odd.py - plan and apply with odd options, saved plans that carry
theirs, prompts and how people answer them, and the event stream.
"""

import json
import os
import signal
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(__file__))
# pylint: disable=wrong-import-position
from common.desk import PODFORM, SPEC, Desk
from common.proc import free_port, wait_for

TWO = SPEC + """\
  two:
    image: "${var.IMAGE}"
    gpu: NVIDIA A40
    ports: [8888/http]
"""


class Plans(Desk):
    def test_usage_is_refused_by_name(self):
        for words, code, said in (
                (["plan", "--destroy", "--refresh-only"], 3,
                 "--refresh-only and --destroy exclude each other"),
                (["destroy", "--refresh-only", "-y"], 3, "exclude each"),
                (["plan", "--refresh-only", "--refresh=false"], 3,
                 "--refresh-only and --refresh=false exclude each other"),
                (["apply", "--format", "dot"], 1, "dot is not built yet"),
                (["apply", "--refresh=false"], 3, "needs to see the account"),
                (["destroy", "--refresh=false"], 3, "needs to see the"),
                (["plan", "--target", "pod.tow"], 3, "pod.tow"),
                (["plan", "--exclude", "x y"], 3, "x y"),
                (["plan", "--replace", "tow"], 3, "tow"),
                (["plan", "--out", "no/such/file"], 1, "no/such/file"),
                (["plan", "--out", "specs"], 1, "specs"),
                (["apply", "-y", "--events", "no/such"], 1,
                 "cannot write events to 'no/such': No such"),
                (["gc", "--events", "specs"], 1, "cannot write events to")):
            self.run_podform(*words, code=code).says(said)
        self.assertEqual(self.pods(), [])

    def test_ways_to_show(self):
        whole = self.run_podform("plan").out
        short = self.run_podform("plan", "--concise").out
        self.assertLess(len(short), len(whole))
        self.assertIn("# pod.one will be created", short)
        self.assertNotIn("NVIDIA", short)
        self.run_podform("plan", "-q", "--out", "p").lacks("Saved as")
        self.run_podform("plan", "--out", "p").says("podform apply p")
        seen = self.run_podform("plan", "--json", "--out", "p")
        seen.lacks("Saved as")
        shown = self.run_podform("show", "p", "--json")
        self.assertEqual(shown.out, self.read("p"))
        self.assertEqual(shown.json()["summary"], seen.json()["summary"])
        self.run_podform("show", "p", "--concise").has("Plan ", "made ")
        self.run_podform("plan", "--out", "p", "--expires", "1ms")
        time.sleep(0.02)
        self.run_podform("show", "p").has("; it has expired.")
        self.run_podform("destroy", "-y").has("No changes.")
        self.run_podform("plan", "--destroy").has("No changes.")

    def test_a_saved_plan_carries_its_options(self):
        self.spec(TWO)
        self.write("more/vol.yaml", "volumes:\n  more: { size: 10GB, "
                   "data_center: EU-RO-1 }\n")
        options = ("-f", "specs", "-f", "more", "--var", "IMAGE=a:1")
        self.run_podform("plan", *options, "--target", "pod.two", "--target",
                         "volume.more", "--exclude", "volume.more", "--out",
                         "p")
        self.run_podform("apply", "p").has("1 added")
        self.assertEqual([pod["image"] for pod in self.pods()], ["a:1"])
        # What is given anew is another spec.
        self.run_podform("plan", *options, "--out", "p")
        self.run_podform("apply", "p", "--var", "IMAGE=b:1", code=6).says(
            "the spec has changed since")
        self.run_podform("apply", "p", "-f", "specs", "--var", "IMAGE=a:1",
                         code=6).says("the spec has changed since")
        self.run_podform("apply", "p", "-y").has("3 added")
        self.run_podform("plan", *options, "--replace", "two", "--out", "p")
        self.run_podform("apply", "p").has("1 added", "1 destroyed")
        self.run_podform("plan", *options, "--refresh-only", "--out", "p")
        self.run_podform("apply", "p").has("No changes.")
        self.run_podform("plan", "--destroy", "--var", "IMAGE=a:1", "--out",
                         "p")
        for words in (["--destroy"], ["--target", "pod.one"], ["--exclude",
                      "pod.one"], ["--replace", "pod.one"],
                      ["--refresh-only"]):
            self.run_podform("apply", "p", *words, code=3).says(
                "was decided when it was made")
        last = self.run_podform("apply", "p", "--json").events()[-1]
        self.assertEqual((last["type"], last["exit_code"]),
                         ("run_summary", 0))
        self.assertEqual(self.pods(), [])
        # Nothing to do is said in either way, and is a plan that was used.
        self.run_podform("plan", "--destroy", "--var", "IMAGE=a:1", "--out",
                         "p")
        last = self.run_podform("apply", "p", "--json").events()[-1]
        self.assertEqual(last["exit_code"], 0)

    def test_a_stale_plan_names_what_has_changed(self):
        self.spec(TWO.replace("${var.IMAGE}", "a:1"))
        self.apply()
        # Two pods drift, and one that was to be made has been made.
        self.edit("MODE: a", "MODE: b")
        self.run_podform("plan", "--out", "p")
        self.control("pods/two/stop")
        self.control("pods/one/env", {"name": "MODE", "value": "b"})
        wait_for(lambda: "EXITED" in {p["status"] for p in self.pods()})
        self.run_podform("apply", "p", code=6).says(
            "the account has changed since",
            "pod.one has changed outside of podform: env.MODE",
            "pod.two was stopped outside of podform",
            "pod.one needs nothing now")
        self.run_podform("plan", "--out", "p")
        self.run_podform("apply", "p")
        self.run_podform("plan", "--replace", "two", "--out", "p")
        self.control("pods/one/stop")
        wait_for(lambda: "EXITED" in {p["status"] for p in self.pods()})
        self.run_podform("apply", "p", code=6).says(
            "pod.one will be started: the spec says running now, and was "
            "left alone then")
        self.control("pods/one/start")
        wait_for(lambda: "EXITED" not in {p["status"] for p in self.pods()})
        self.control("pods/two/stop")
        self.run_podform("plan", "--out", "p")
        self.control("pods/two/start")
        self.run_podform("apply", "p", code=6).says("[PF084")

    def test_prices_and_policy_of_a_saved_plan(self):
        self.edit("project: desk\n", "project: desk\nsettings: { budget: "
                  "{ per_hour: 0.10 } }\n")
        self.run_podform("plan", "--out", "p", code=8).says("--over-budget")
        self.run_podform("apply", "p", code=8).says("--over-budget")
        self.run_podform("apply", "p", "--over-budget").has("2 added")

    def test_files_that_are_no_plan(self):
        self.run_podform("plan", "--out", "p")
        plan = json.loads(self.read("p"))
        for change, code, shown in (({"format_version": "2.0"}, 6, 1),
                                    ({"format_version": 1}, 3, 1),
                                    ({"lineage": "x"}, 6, 1),
                                    ({"resource_changes": 3}, 6, 1)):
            self.write("q", json.dumps({**plan, **change}))
            self.run_podform("apply", "q", code=code).says("plan")
            self.run_podform("show", "q", code=shown)
        for text in ("", "[]", "null", "{", "x" * 100, "\xff"):
            self.write("q", text)
            self.run_podform("apply", "q", code=3).says("q")
            self.run_podform("show", "q", code=1).says("q")
        self.run_podform("apply", "specs", code=3).says("specs")

    def test_ci_opens_no_tunnels_and_says_so(self):
        self.edit("pods:\n", "tunnels:\n  web: { pod: one, local: %d, "
                  "remote: 8188 }\npods:\n" % free_port())
        note = "note: this is CI, so no tunnel is opened or closed"
        self.run_podform("plan", env={"CI": "1"}).says(note)
        for words in (["-q"], ["--tunnels=false"], ["--tunnels=true"],
                      ["--destroy"]):
            done = self.run_podform("plan", *words, env={"CI": "1"})
            self.assertNotIn(note, done.err)
        self.run_podform("plan").has("tunnel.web will be")
        self.spec(SPEC)
        done = self.run_podform("plan", env={"CI": "1"})
        self.assertEqual(done.err, "")


class Prompts(Desk):
    def test_only_yes_is_yes(self):
        for answer in (b"\n", b"y\n", b"YES\n", b"yes please\n",
                       b"x" * 300 + b"\n"):
            self.on_terminal("apply", answer=answer, code=11).has(
                "After this", "per month", "declined; nothing was done")
        self.assertEqual(self.pods(), [])
        self.on_terminal("apply", answer=b"\x04", code=11).has("declined")
        self.on_terminal("apply", answer=b"\x03", code=-signal.SIGINT)
        self.on_terminal("apply", answer=b" yes \n").has("Apply complete")
        self.on_terminal("apply").has("No changes.")
        self.on_terminal("destroy", answer=b"no\n", code=11).has(
            "there is no undo")
        self.on_terminal("destroy", "--json", code=11).lacks("Only `yes`")
        self.on_terminal("destroy", "--input=false", code=11).lacks(
            "Only `yes`").has("--auto-approve")
        self.on_terminal("destroy", answer=b"yes\n").has("Destroy complete")

    def test_a_spec_that_asks_for_nothing(self):
        self.apply()
        self.spec("project: desk\n")
        self.apply(code=8).says("so all 2 of our resources would be",
                                "podform destroy, or --allow-empty")
        # Somebody who was asked has seen it.
        self.on_terminal("apply", answer=b"yes\n").has("2 destroyed")

    def test_a_policy_is_kept(self):
        rules = ("project: desk\nsettings: { policy: { images: "
                 "\"runpod/*\", clouds: secure } }\n")
        self.edit("project: desk\n", rules)
        self.run_podform("plan", "--out", "p").has("will be created")
        # The rules of somebody else, whose place is not in the spec.
        self.write("rules.yaml", "images: [\"acme/*\"]\n")
        for words in (["plan"], ["apply", "-y"], ["apply", "p"]):
            self.run_podform(*words, "--policy", "rules.yaml", code=8).says(
                "specs/pods.yaml:7:12", "pod.one may not use image "
                "'runpod/base:1.0' (images of the policy)")
        got = self.run_podform("plan", "--json", "--policy", "rules.yaml",
                               code=8).json()
        self.assertEqual(
            [(c["id"], c["status"]) for c in got["checks"]
             if c["id"].startswith("policy.")],
            [("policy.clouds", "pass"), ("policy.images", "pass"),
             ("policy.images", "fail")])
        self.assertEqual(self.pods(), [])
        for text, said in (
                ("", "has no rule"), ("{}\n", "has no rule"),
                ("require_lease: false\n", "has no rule"),
                ("image: x\n", "image"), ("clouds: [here]\n", "clouds"),
                ("images: [\"${env.HOME}\"]\n", "references"),
                ("pods: {}\n", "pods")):
            self.write("rules.yaml", text)
            self.run_podform("plan", "--policy", "rules.yaml", code=3).says(
                said)
        self.run_podform("plan", "--policy", "none.yaml", code=3).says(
            "cannot read the policy 'none.yaml'")
        self.edit(rules, rules.replace("runpod/", "acme/"))
        self.run_podform("apply", "-y", code=8).says("pod.one may not use")
        self.edit("acme/", "runpod/")
        self.apply()
        # What there is may always be ended.
        self.edit("runpod/*", "acme/*")
        self.run_podform("destroy", "-y").has("2 destroyed")

    def test_deletions_have_a_limit(self):
        self.apply()
        for words in (["destroy", "-y"], ["apply", "-y", "--destroy"]):
            self.run_podform(*words, "--max-deletes", "1", code=8).says(
                "2 things would be destroyed, and --max-deletes allows 1",
                "if they are meant: --max-deletes 2")
        self.run_podform("apply", "--max-deletes", "0").has("No changes.")
        self.run_podform("apply", "--max-deletes", "-1", code=3).says(
            "'-1' is not a number from 0 to 1000000")
        # Of a saved plan, too, though it was made without.
        self.run_podform("plan", "--destroy", "--out", "p")
        self.run_podform("apply", "p", "--max-deletes", "1", code=8).says(
            "--max-deletes allows 1")
        self.assertEqual(len(self.pods()) + len(self.volumes()), 2)
        self.run_podform("apply", "p", "--max-deletes", "2").has(
            "2 destroyed")

    def test_nobody_can_be_asked(self):
        self.run_podform("apply", code=11).has("will be created").says(
            "nobody can be asked here", "--auto-approve")
        self.edit("project: desk\n", "project: desk\nsettings: { budget: "
                  "{ per_hour: 0.10 } }\n")
        self.run_podform("apply", code=8).says("--over-budget")
        self.run_podform("apply", "--json", code=8)
        self.apply("--over-budget")
        # A record that changes alone is no question.
        self.edit("    env: { MODE: a }\n",
                  "    env: { MODE: a }\n    protect: true\n")
        self.run_podform("apply", "--over-budget")
        self.run_podform("state", "show", "one").has("protect      true")
        self.run_podform("apply", "--over-budget").has("No changes.")
        self.run_podform("destroy", "-y").has("protected and is kept")

    def test_live_progress_on_a_terminal(self):
        self.control("pace", {"latency_ms": 120})
        done = self.on_terminal("apply", "-y").has(
            "\x1b[", "volume.data: create volume", "0 of 4 done",
            "Apply complete")
        self.on_terminal("destroy", "-y", "-q").lacks("destroying")
        # Events on a terminal are not mixed with a live area.
        done = self.on_terminal("apply", "-y", "--json")
        done.lacks("\x1b[1A", "\x1b[2A", "\x1b[J", "of 4 done")


class Streams(Desk):
    def test_quiet_says_only_what_is_left(self):
        done = self.apply("-q")
        self.assertEqual((done.err, "Apply complete" in done.out),
                         ("", False))
        done = self.run_podform("destroy", "-y", "-q", "--json")
        self.assertEqual(done.events()[-1]["exit_code"], 0)

    def test_events_to_a_file_beside_text(self):
        self.write("ev", "old")
        self.apply("--events", "ev").has("Apply complete")
        types = [json.loads(line)["type"]
                 for line in self.read("ev").splitlines()]
        self.assertEqual((types[0], types[-1]), ("version", "run_summary"))
        self.assertEqual(types.count("id_assigned"), 2)
        self.apply("-q", "--events", "ev")
        types = [json.loads(line)["type"]
                 for line in self.read("ev").splitlines()]
        self.assertEqual(types[-1], "run_summary")
        self.run_podform("apply", "-y", "--json", "--target", "no", code=3)
        last = self.run_podform("apply", "-y", "--json", code=4, env={
            "RUNPOD_API_KEY": "no"}).events()
        self.assertEqual([last[-2]["type"], last[-1]["exit_code"]],
                         ["diagnostic", 4])

    def test_keys_of_the_account_stay_welcome(self):
        keys = ("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGFhYWFhYWFhYWFhYWFhYW"
                "FhYWFhYWFhYWFhYWFhYWFh me", "ssh-rsa AAAAB3NzaC1yc2E= old")
        status, said = self.ask("POST", "/graphql?api_key=rpa_sim", {
            "query": "mutation($i: UpdateUserSettingsInput!) { "
            "updateUserSettings(input: $i) { id } }",
            "variables": {"i": {"pubKey": "\n".join(keys + keys[:1])}}})
        self.assertEqual(status, 200, said)
        self.apply()
        given = self.pods()[0]["env"]["PUBLIC_KEY"].splitlines()
        self.assertEqual(len(given), 3)
        self.assertEqual(given[1:], list(keys))
        # Without them, and with nowhere to keep one of its own.
        self.run_podform("destroy", "-y")
        self.control("script", {"call": "graphql", "status": 500,
                                "fault": "error_before", "nth": 1})
        self.apply()
        self.run_podform("destroy", "-y")
        self.apply(code=1, env={"XDG_DATA_HOME": "/proc/none"}).says(
            "cannot make the project's SSH key")
        self.assertEqual(self.pods(), [])

    def test_secrets_by_command_while_it_is_followed(self):
        self.edit("env: { MODE: a }", 'env: { MODE: "${secret.T}" }')
        self.write("specs/s.yaml", "secrets:\n  T: { command: [sh, -c, "
                   "'echo from-a-command'] }\n")
        self.apply().lacks("from-a-command")
        self.assertEqual(self.pods()[0]["env"]["MODE"], "from-a-command")
        self.write("specs/s.yaml", "secrets:\n  T: { command: [sh, -c, "
                   "'exit 3'] }\n")
        self.apply(code=3).says("T")
        self.run_podform("destroy", "-y")	# needs none

    def test_an_apply_that_is_stopped_while_it_waits(self):
        self.control("pace", {"latency_ms": 1500})
        for number, code in ((signal.SIGTERM, 143), (signal.SIGHUP, 129)):
            with subprocess.Popen(
                    [PODFORM, "apply", "-y", "--json"], cwd=self.dir,
                    env=self.environment({}), stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL) as process:
                time.sleep(0.4)
                process.send_signal(number)
                out = process.communicate(timeout=60)[0]
            # Before anything was asked to begin: by the signal itself.
            self.assertIn(process.returncode, (code, -number, 1), out)
        self.assertEqual(self.pods(), [])


if __name__ == "__main__":
    unittest.main()
