#!/usr/bin/python3
"""runners.py - runners from `apply` to their jobs and away again.

podform, podform-ssh and podform-sim as they are; the pods are sandboxes with
a real sshd, the runner is the stand-in package.  What goes wrong is in
runner_faults.py.
"""

import os
import re
import sys
import threading
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "runner"))
from world import POD, TOKEN, World, processes, spec, wait_for  # noqa: E402

REPOSITORY = "pod: box\nrepository: acme/model\nlabels: [gpu]\n"
EPHEMERAL = REPOSITORY + "ephemeral: true\n"


class Watch:
    """Looks at every process that podform has started, pods and all, for
    what must not be seen; other tests run on this machine, too."""

    def __init__(self, *words):
        self.words = [word.encode() for word in words]
        self.seen = []
        self.over = False
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def look(self, pid):
        for name in ("cmdline", "environ"):
            try:
                with open(f"/proc/{pid}/{name}", "rb") as file:
                    text = file.read()
                with open(f"/proc/{pid}/comm", encoding="utf-8") as file:
                    program = file.read().strip()
            except OSError:
                continue
            # That is where it comes from.
            if (program, name) in (("podform", "environ"),
                                   ("podform-sim", "cmdline")):
                continue
            for word in self.words:
                if word in text:
                    self.seen.append((program, name, word))

    def ours(self):
        """Who descends from this test: pods do, by way of podform-sim."""
        parents = {}
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/stat", encoding="latin-1") as file:
                    parents[pid] = file.read().rsplit(")", 1)[1].split()[1]
            except OSError:
                continue
        own = str(os.getpid())
        for pid in parents:
            at = pid
            while at in parents and at != own:
                at = parents[at]
            if at == own and pid != own:
                yield pid

    def run(self):
        while not self.over:
            for pid in self.ours():
                self.look(pid)
            time.sleep(0.02)

    def end(self):
        self.over = True
        self.thread.join()
        return self.seen


class Runners(World):
    def test_persistent_runner_serves_jobs_and_is_drained(self):
        # By the address of an Enterprise Server: config.sh registers there.
        self.env["GITHUB_API_URL"] = self.url + "/github/api/v3"
        self.write(spec(REPOSITORY, POD + "    env: { MODE: train, "
                        "WANDB_API_KEY: w1, GITHUB_TOKEN: g1 }\n"))
        watch = Watch(TOKEN)
        text = self.apply()
        seen = watch.end()
        self.assertEqual(seen, [])
        self.assertIn("+ labels     = [\"gpu\"]", text)
        self.assertIn("runner.ci: is online", text)
        (runner,) = self.runners()
        self.assertTrue(runner["online"])
        self.assertFalse(runner["jit"])
        self.assertEqual(runner["labels"],
                         ["self-hosted", "Linux", "X64", "gpu"])
        self.assertEqual(self.plan(), {})
        self.assertEqual(self.status()["state"], "online")
        self.assertIn("may look at the runners of acme/model (1)",
                      self.podform("doctor"))
        self.assertIn("Bad credentials", self.podform(
            "doctor", code=4, GITHUB_TOKEN="ghp_" + "x" * 36))

        job = self.job(run="id -un; env | sort; echo home $HOME")
        log = self.job_done(job)["log"]
        if os.geteuid() == 0:
            self.assertTrue(log.startswith("podform-runner\n"), log)
            self.assertIn("home /opt/podform-runner\n", log)
        self.assertIn("\nMODE=train\n", log)
        self.assertIn("\nWANDB_API_KEY=w1\n", log)
        for name in ("GITHUB_TOKEN", "RUNPOD_API_KEY", "PUBLIC_KEY",
                     "SSH_CONNECTION", "PODFORM_MARK", "ACTIONS_RUNNER_INPUT"
                     "_TOKEN"):
            self.assertNotIn(f"\n{name}=", log)

        # It stays while it has a job, and its pod with it.
        job = self.job(seconds=9)
        self.job_runs(job)
        wait_for(lambda: self.status()["state"] == "busy")
        text = self.destroy("--drain-timeout", "2s", code=10)
        self.assertIn("it has a job", text)
        self.assertIn("left in peace", text)
        self.assertEqual(len(self.pods()), 1)
        self.assertTrue(self.runners()[0]["online"])
        self.assertEqual(self.job_state(job)["status"], "running")
        # So it does for an apply that would replace it.
        self.write(spec(REPOSITORY.replace("gpu", "gpu, big")))
        self.assertEqual(self.plan()["runner.ci"][0], ["delete", "create"])
        text = self.apply("--drain-timeout", "1s", code=1)
        self.assertIn("it has a job", text)
        self.assertEqual(self.job_state(job)["status"], "running")
        # Again, and again with more patience.
        text = self.destroy()
        self.assertRegex(text, "runner.ci: waiting: .*has a job")
        self.job_done(job)
        hub = self.hub()
        self.assertEqual(hub["jobs_killed"], 0)
        (removal,) = self.operations("delete")
        self.assertEqual(removal["by"], "api")
        self.assertGreater(removal["at_ms"],
                           self.operations("job_end")[-1]["at_ms"])
        self.assertEqual(self.runners(), [])
        self.assertEqual(self.pods(), [])
        text = self.project_text()
        self.assertNotIn(TOKEN, text)
        # A registration token is 29 letters and digits.
        self.assertIsNone(re.search(r"\b[A-Z0-9]{29}\b", text))

    def test_pods_can_be_ended_without_github(self):
        self.write(spec(REPOSITORY, POD))
        self.apply()
        text = self.podform("destroy", "-y", code=4, GITHUB_TOKEN="")
        self.assertIn("podform forget runner.ci", text)
        self.podform("forget", "runner.ci", GITHUB_TOKEN="")
        text = self.podform("destroy", "-y", GITHUB_TOKEN="")
        self.assertIn("leftovers of ours there are not looked for", text)
        self.assertIn("1 destroyed", text)

    def test_ephemeral_runner_takes_one_job_and_is_made_again(self):
        self.write(spec(EPHEMERAL))
        watch = Watch(TOKEN, "--jitconfig", "--token")
        self.apply("-v")
        self.assertEqual(watch.end(), [])
        (first,) = self.runners()
        self.assertTrue(first["jit"])
        self.assertEqual(first["labels"],
                         ["self-hosted", "linux", "x64", "gpu"])
        blob = re.compile("[A-Za-z0-9+/]{400}")
        self.assertIsNone(blob.search(self.project_text()))
        self.job_done(self.job(run="echo one"))
        wait_for(lambda: self.runners() == [])
        self.assertEqual(self.status()["state"], "gone")
        actions, reason = self.plan()["runner.ci"]
        self.assertEqual(actions, ["delete", "create"])
        self.assertEqual(reason, "replace_because_lost")
        waiting = self.job(run="echo two")
        # The job may be over before anybody has seen its runner.
        self.assertRegex(self.apply(),
                         "runner.ci: (is online|has taken its job)")
        done = self.job_done(waiting)
        self.assertEqual(done["log"], "two\n")
        self.assertNotEqual(done["runner"], first["name"])
        # Nothing of the first one is left on the pod, but the package.
        text = self.inside("ls -d /opt/podform-runner/runners/* "
                           "~/.podform/runners/* 2>/dev/null; "
                           "ls ~/.podform/packages; true")
        self.assertNotIn(first["name"], text)
        self.assertIn("actions-runner-linux-x64-9.999.0.tar.gz", text)
        self.destroy()
        self.assertEqual(self.runners(), [])
        self.assertEqual(self.pods(), [])

    def test_replicas_of_an_organization_have_group_and_labels(self):
        pod = POD + "    replicas: 2\n"
        text = ("pod: box\norganization: acme\nlabels: [gpu, A40]\n"
                "ephemeral: true\nversion: \"9.998.0\"\n")
        self.write(spec(text + "group: no-such-group\n", pod))
        said = self.podform("plan", code=3)
        self.assertIn("has no runner group 'no-such-group'", said)
        self.assertIn("there is 'Default'", said)
        self.write(spec(text + "group: gpu\n", pod))
        self.apply()
        runners = self.runners()
        self.assertEqual(len(runners), 2)
        self.assertEqual(len({r["pod"] for r in runners}), 2)
        for runner in runners:
            self.assertEqual(runner["scope"], "acme")
            self.assertEqual(runner["version"], "9.998.0")
            self.assertNotEqual(runner["group_id"], 1)
            self.assertIn("A40", runner["labels"])
        jobs = [self.job(seconds=1, labels=["a40"]) for _ in range(2)]
        for job in jobs:
            self.job_done(job)
        # One of two is not wanted any more.
        self.write(spec(text + "group: gpu\n", POD))
        self.apply()
        self.assertEqual(len(self.runners()), 1)
        self.assertEqual(len(self.pods()), 1)
        self.assertEqual(self.plan(), {})

    def test_two_runners_of_one_pod_and_what_replaces_them(self):
        both = (spec(REPOSITORY) + "  second:\n    pod: box\n"
                "    repository: acme/app\n    labels: [gpu]\n"
                "    ephemeral: true\n")
        self.write(both)
        self.apply()
        first, second = sorted(self.runners(), key=lambda r: r["scope"],
                               reverse=True)
        job = self.job(seconds=20)
        self.job_runs(job)
        # The other one is replaced while this one works.
        self.write(both.replace("labels: [gpu]\n    ephemeral",
                                "labels: [gpu, x]\n    ephemeral"))
        self.assertEqual(list(self.plan()), ["runner.second"])
        self.apply()
        self.assertEqual(self.job_state(job)["status"], "running")
        self.assertEqual({r["id"] for r in self.runners()} &
                         {first["id"], second["id"]}, {first["id"]})
        # A pod that is to be replaced waits for its runner's job.
        self.write(both.replace("disk: 20GB", "disk: 20GB\n"
                                "    replace: destroy_first")
                   .replace("pytorch:2.4.0", "pytorch:2.5.0"))
        plan = self.plan()
        self.assertIn("pod.box", plan)
        self.assertIn("runner.ci", plan)
        self.apply()
        self.job_done(job)
        self.assertEqual(self.hub()["jobs_killed"], 0)
        self.assertTrue(all(r["online"] for r in self.runners()))
        self.assertEqual(len(self.runners()), 2)
        self.assertEqual(self.plan(), {})

    def test_force_ends_a_busy_runner_and_cleans_up_later(self):
        self.write(spec(EPHEMERAL))
        self.apply()
        job = self.job(seconds=60)
        wait_for(lambda: self.status()["state"] == "busy")
        text = self.destroy("--force-runners", code=0)
        self.assertIn("since it has a job", text)
        self.assertEqual(self.pods(), [])
        # It is on record until GitHub has no runner of it any more.
        self.assertEqual([e["kind"] for e in self.lock()["resources"]],
                         ["runner"])
        self.ask("POST", "/control/clock", {"advance_ms": 20 * 60 * 1000})
        wait_for(lambda: self.job_state(job)["status"] == "done")
        self.destroy()
        self.assertEqual(self.runners(), [])
        self.assertEqual(self.lock().get("resources", []), [])

    def test_no_runner_process_outlives_what_it_is_on(self):
        self.write(spec(EPHEMERAL))
        self.apply()
        (runner,) = self.runners()
        self.assertTrue(self.of_runner(runner["name"], "Runner.Listener"))
        self.destroy()
        wait_for(lambda: not any(runner["name"] in line
                                 for line in processes().values()))


if __name__ == "__main__":
    unittest.main()
