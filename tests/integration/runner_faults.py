#!/usr/bin/python3
"""runner_faults.py - runners that drift, fail, or of which nobody knows.

As runners.py: real programs, sandboxes, the stand-in package.
"""

import json
import os
import shutil
import signal
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "runner"))
from world import POD, World, spec, wait_for  # noqa: E402

REPOSITORY = "pod: box\nrepository: acme/model\nlabels: [gpu]\n"
EPHEMERAL = REPOSITORY + "ephemeral: true\n"


def pod_with(**env):
    return POD + "    env: " + json.dumps(env) + "\n"


class RunnerFaults(World):
    def later(self, minutes):
        self.ask("POST", "/control/clock", {"advance_ms": minutes * 60000})

    def fails(self, text, *words, code=9):
        """A spec whose apply fails with these words and leaves nothing."""
        self.write(text)
        said = self.apply(code=code)
        flat = " ".join(said.split())
        for word in words:
            self.assertIn(word, flat)
        self.assertEqual(self.runners(), [])
        self.assertEqual(self.pods(), [])
        self.assertEqual(self.lock().get("resources", []), [])
        self.assertEqual(self.lock().get("pending", []), [])
        return said

    # -------------------------------------------------------------- drift

    def test_drift_is_seen_and_repaired(self):
        self.write(spec(REPOSITORY))
        self.apply()
        (first,) = self.runners()
        # Somebody deletes it in the browser.
        self.ask("POST", f"/control/github/runners/{first['name']}/delete")
        self.assertEqual(self.status()["state"], "gone")
        self.assertEqual(self.plan()["runner.ci"],
                         (["delete", "create"], "replace_because_lost"))
        self.apply()
        (second,) = self.runners()
        self.assertTrue(second["online"])
        self.assertEqual(self.plan(), {})
        # A listener that crashes begins again by itself.
        (pid,) = self.of_runner(second["name"], "Runner.Listener")
        os.kill(pid, signal.SIGKILL)
        wait_for(lambda: self.of_runner(second["name"], "Runner.Listener")
                 not in ([], [pid]))
        # Loop and listener are gone: GitHub notices after a while.
        self.kill(second["name"], ".podform-loop", "Runner.Listener")
        self.later(2)
        self.assertEqual(self.status()["state"], "offline")
        self.assertEqual(self.plan()["runner.ci"][0], ["delete", "create"])
        began = time.monotonic()
        self.apply()
        self.assertLess(time.monotonic() - began, 20)
        (third,) = self.runners()
        self.assertTrue(third["online"])
        self.assertNotEqual(third["id"], second["id"])
        self.job_done(self.job())
        # The pod goes in the console, and with it all that was on it.
        (pod,) = self.pods()
        self.ask("POST", f"/control/pods/{pod['id']}/delete")
        plan = self.plan()
        self.assertIn("pod.box", plan)
        self.assertIn("runner.ci", plan)
        self.apply()
        (fourth,) = self.runners()
        self.assertTrue(fourth["online"])
        self.assertNotEqual(fourth["pod"], third["pod"])
        self.assertEqual(self.plan(), {})

    def test_silent_listener_is_given_time_to_come_back(self):
        self.write(spec(REPOSITORY))
        self.apply()
        (runner,) = self.runners()
        (pid,) = self.of_runner(runner["name"], "Runner.Listener")
        os.kill(pid, signal.SIGSTOP)
        self.later(2)
        wait_for(lambda: self.status()["state"] == "offline")
        self.assertIn("runner.ci", self.plan())
        apply = self.begin("apply", "-y", "--idle-window", "1s")
        time.sleep(4)
        self.assertIsNone(apply.poll())
        os.kill(pid, signal.SIGCONT)
        text = self.end(apply, 0)
        self.assertIn("its listener", text)
        self.assertIn("No changes.", text)
        self.assertEqual([r["id"] for r in self.runners()], [runner["id"]])

    def test_leftovers_of_a_lost_record_are_removed(self):
        path = os.path.join(self.project, "podform.lock")
        self.write(POD)
        self.apply()
        with open(path, "rb") as file:
            before = file.read()
        self.write(spec(EPHEMERAL))
        self.apply()
        (runner,) = self.runners()
        # The record of an hour ago, on another machine.
        with open(path, "wb") as file:
            file.write(before)
        shutil.rmtree(os.path.join(self.project, ".podform"))
        self.apply()
        ids = [r["id"] for r in self.runners()]
        self.assertEqual(len(ids), 1)
        self.assertNotIn(runner["id"], ids)
        self.assertTrue(self.runners()[0]["online"])
        self.assertEqual(self.plan(), {})

    # --------------------------------------------- nobody knows means busy

    def test_what_github_does_not_tell_means_busy(self):
        self.write(spec(EPHEMERAL))
        self.apply()
        destroy = ("destroy", "-y", "--idle-window", "1s",
                   "--drain-timeout", "4s")
        for faults in ({"list": {"busy_false": 1}},
                       {"delete": {"error_before": 1}},
                       {"delete": {"secondary": 1}}):
            self.faults(**faults)
            if "list" in faults:
                # GitHub calls it idle, and it has a job.
                job = self.job(seconds=12)
                self.job_runs(job)
                time.sleep(2.5)
                self.podform(*destroy, code=10)
                self.assertEqual(self.job_state(job)["status"], "running")
                self.faults()
                self.job_done(job)
                wait_for(lambda: self.runners() == [])
                self.apply()
                continue
            text = self.podform(*destroy, code=10)
            self.assertIn("left in peace", text)
            self.assertEqual(len(self.pods()), 1)
            self.assertEqual(len(self.runners()), 1)
        self.faults()
        self.destroy()
        self.assertEqual(self.pods(), [])
        self.assertEqual(self.hub()["jobs_killed"], 0)

    # ------------------------------------------------------------ failures

    def test_package_is_what_github_says_or_is_refused(self):
        offered = self.ask("GET", "/github/repos/acme/model/actions/runners"
                           "/downloads", token=self.env["GITHUB_TOKEN"])
        bad = [dict(p, sha256_checksum="0" * 64) for p in offered]
        self.script("downloads", "body", body=json.dumps(bad))
        said = self.fails(spec(REPOSITORY), "runner.ci: failed:",
                          "package")
        self.assertRegex(" ".join(said.split()), "digest|SHA-256|checksum")
        # A pod that can fetch nothing is given it, from the project's cache.
        self.write(spec(REPOSITORY, POD + """
    setup:
      - run: |
          for p in curl wget python3; do
          printf '#!/bin/sh\\nexit 6\\n' >/usr/local/bin/$p
          chmod 755 /usr/local/bin/$p; done
"""))
        self.apply()
        (runner,) = self.runners()
        self.assertTrue(runner["online"])
        cache = os.path.join(self.project, ".podform", "cache")
        self.assertEqual(os.listdir(cache),
                         ["actions-runner-linux-x64-9.999.0.tar.gz"])

    def test_a_runner_that_does_not_come_up_is_undone_and_explained(self):
        self.fails(spec(REPOSITORY, pod_with(STANDIN_NO_ICU="1")),
                   "install libicu")
        self.fails(spec(EPHEMERAL, pod_with(STANDIN_EXIT="1")),
                   "does not listen for jobs")
        self.script("session", "conflict")
        for _ in range(12):
            self.script("session", "conflict")
        self.ask("POST", "/control/github/version", {"least": "10.0.0"})
        self.fails(spec(EPHEMERAL), "deprecated", "set a newer `version`",
                   "9.999.0")
        self.fails(spec(REPOSITORY), "out of date")
        self.ask("DELETE", "/control/github/script")
        self.ask("POST", "/control/github/version", {"least": ""})
        self.write(spec(REPOSITORY + "version: \"2.400.0\"\n"))
        text = self.podform("plan")
        self.assertIn("gives no digest", " ".join(text.split()))
        self.ask("POST", "/control/github/version", {"least": "3.0.0"})
        text = self.podform("plan", code=3)
        self.assertIn("no runners of version 2.400.0 any more", text)
        self.ask("POST", "/control/github/version", {"least": ""})
        self.write(spec(REPOSITORY + "version: \"2.100.0\"\n"))
        self.assertIn("GitHub takes none below", self.podform("plan",
                                                             code=3))
        self.write(spec(REPOSITORY + "version: \"10.1.0\"\n"))
        text = self.podform("plan", code=3)
        self.assertIn("does not offer version 10.1.0", text)
        self.assertIn("it offers 9.999.0", text)


if __name__ == "__main__":
    unittest.main()
