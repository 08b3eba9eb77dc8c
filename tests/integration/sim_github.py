#!/usr/bin/python3
"""sim_github.py - the stand-in runner package as real processes, against the
GitHub of podform-sim.

Usage: sim_github.py, with the program in the environment variable
PODFORM_SIM (build/gcc/podform-sim).
"""

import hashlib
import http.client
import json
import os
import pathlib
import signal
import subprocess
import tarfile
import tempfile
import time
import unittest
import urllib.request

SIMULATOR = os.environ.get("PODFORM_SIM", "build/gcc/podform-sim")
RUNNERS = "/github/repos/acme/model/actions/runners"


class Simulator:
    def __init__(self):
        self.process = subprocess.Popen(
            [SIMULATOR, "--parent-pid", str(os.getpid())],
            stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline().rsplit(":", 1)[1])

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(20)
        self.process.stdout.close()

    def ask(self, method, path, body=None, **headers):
        connection = http.client.HTTPConnection("127.0.0.1", self.port,
                                                timeout=20)
        try:
            connection.request(
                method, path, None if body is None else json.dumps(body),
                {"Authorization": "Bearer ghp_sim", "User-Agent": "test",
                 **headers})
            answer = connection.getresponse()
            text = answer.read()
            return answer.status, json.loads(text) if text else None
        finally:
            connection.close()

    def control(self, path, body=None, method="POST"):
        status, value = self.ask(method, "/control/github" + path, body)
        assert status == 200, (status, value)
        return value

    def jit(self, name="box"):
        status, value = self.ask("POST", RUNNERS + "/generate-jitconfig", {
            "name": name, "runner_group_id": 1, "labels": ["gpu"]})
        assert status == 201, value
        return value["runner"]["id"], value["encoded_jit_config"]

    def runners(self):
        return self.ask("GET", RUNNERS)[1]["runners"]

    def job(self, **more):
        return self.control("/job", {"labels": ["gpu"], "seconds": 0,
                                     **more})["id"]

    def state(self, job):
        jobs = self.control("", method="GET")["jobs"]
        return next(j for j in jobs if j["id"] == job)

    def package(self):
        url = next(p for p in self.ask("GET", RUNNERS + "/downloads")[1]
                   if (p["os"], p["architecture"]) == ("linux", "x64"))
        with urllib.request.urlopen(url["download_url"]) as answer:
            return url, answer.read()


class Package(unittest.TestCase):
    def setUp(self):
        self.sim = Simulator()
        self.addCleanup(self.sim.end)
        self.directory = tempfile.TemporaryDirectory()
        self.addCleanup(self.directory.cleanup)
        self.root = pathlib.Path(self.directory.name)
        told, data = self.sim.package()
        self.assertEqual(hashlib.sha256(data).hexdigest(),
                         told["sha256_checksum"])
        path = self.root / told["filename"]
        path.write_bytes(data)
        with tarfile.open(path) as archive:
            archive.extractall(self.root)

    def start(self, *command, **environment):
        process = subprocess.Popen(
            command, cwd=self.root, text=True, start_new_session=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env={"PATH": os.environ["PATH"], "RUNNER_ALLOW_RUNASROOT": "1",
                 "STANDIN_FAST": "1", **environment})
        self.addCleanup(self.end, process)
        return process

    def end(self, process):
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        process.stdout.close()

    def run_it(self, *command, **environment):
        process = self.start(*command, **environment)
        text = process.communicate(timeout=30)[0]
        return process.returncode, text

    def until(self, what):
        deadline = time.monotonic() + 15
        while not what():
            self.assertLess(time.monotonic(), deadline, "it never came")
            time.sleep(0.05)

    def online(self):
        self.until(lambda: any(r["status"] == "online"
                               for r in self.sim.runners()))

    def test_jit_runner_runs_one_job_and_is_gone(self):
        _, jit = self.sim.jit()
        self.assertEqual(self.sim.runners()[0]["os"], "unknown")
        process = self.start("./run.sh", "--jitconfig", jit)
        self.online()
        job = self.sim.job(run="echo made by $RUNNER_NAME")
        text = process.communicate(timeout=30)[0]
        self.assertEqual(process.returncode, 0)
        for line in ("√ Connected to GitHub",
                     "Current runner version: '9.999.0'",
                     "Z: Listening for Jobs", "Z: Running job: build",
                     "Z: Job build completed with result: Succeeded",
                     "√ Removed .runner",
                     "Runner listener exit with 0 return code",
                     "Exiting runner..."):
            self.assertIn(line, text)
        self.assertFalse((self.root / ".runner").exists())
        self.assertEqual(self.sim.runners(), [])
        done = self.sim.state(job)
        self.assertEqual(done["conclusion"], "success")
        self.assertEqual(done["log"], "made by box\n")
        self.assertFalse(done["killed"])

    def test_busy_runner_is_not_removed_and_shows_its_worker(self):
        number, jit = self.sim.jit()
        self.start("./run.sh", "--jitconfig", jit)
        self.online()
        job = self.sim.job(seconds=3)
        self.until(lambda: self.sim.state(job)["status"] == "running")
        status, value = self.sim.ask("DELETE", f"{RUNNERS}/{number}")
        self.assertEqual(status, 422)
        self.assertIn("is still running a job", value["message"])
        self.until(lambda: self.workers() == 1)
        self.until(lambda: self.sim.state(job)["status"] == "done")
        self.assertEqual(self.sim.state(job)["conclusion"], "success")
        self.assertEqual(self.sim.ask("DELETE", f"{RUNNERS}/{number}")[0],
                         404)

    def workers(self):
        count = 0
        for entry in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                inside = os.readlink(entry / "cwd") == str(self.root)
                name = (entry / "comm").read_text().strip()
            except OSError:
                continue
            count += inside and name == "Runner.Worker"
        return count

    def test_signal_cancels_the_job(self):
        _, jit = self.sim.jit()
        process = self.start("bin/Runner.Listener", "run", "--jitconfig",
                             jit)
        self.online()
        job = self.sim.job(seconds=60)
        self.until(lambda: self.workers() == 1)
        process.send_signal(signal.SIGTERM)
        text = process.communicate(timeout=30)[0]
        self.assertIn("with result: Canceled", text)
        self.assertEqual(self.sim.state(job)["conclusion"], "cancelled")

    def test_registration_deleted_under_the_listener(self):
        number, jit = self.sim.jit()
        process = self.start("bin/Runner.Listener", "run", "--jitconfig",
                             jit)
        self.online()
        self.assertEqual(self.sim.ask("DELETE", f"{RUNNERS}/{number}")[0],
                         204)
        text = process.communicate(timeout=30)[0]
        self.assertIn("no longer exists on the server", text)
        self.assertEqual(process.returncode, 0)
        self.assertFalse((self.root / ".runner").exists())

    def configure(self, *more, **environment):
        token = self.sim.ask("POST", RUNNERS + "/registration-token")[1]
        return self.run_it(
            "./config.sh", "--url",
            f"http://127.0.0.1:{self.sim.port}/acme/model", "--name", "old",
            "--labels", "gpu", *more, "--unattended",
            ACTIONS_RUNNER_INPUT_TOKEN=token["token"], **environment)

    def test_config_sh_registers_and_removes(self):
        status, text = self.configure()
        self.assertEqual(status, 0, text)
        for line in ("# Authentication", "√ Connected to GitHub",
                     "√ Runner successfully added", "√ Settings Saved."):
            self.assertIn(line, text)
        self.assertTrue((self.root / ".runner").read_bytes()
                        .startswith(b"\xef\xbb\xbf"))
        mode = (self.root / ".credentials_rsaparams").stat().st_mode
        self.assertEqual(mode & 0o777, 0o600)
        labels = {(l["name"], l["type"])
                  for l in self.sim.runners()[0]["labels"]}
        self.assertEqual(labels, {
            ("self-hosted", "read-only"), ("Linux", "read-only"),
            ("X64", "read-only"), ("gpu", "custom")})
        status, text = self.configure()
        self.assertEqual(status, 1)
        self.assertIn("already configured", text)
        token = self.sim.ask("POST", RUNNERS + "/remove-token")[1]["token"]
        status, text = self.run_it("./config.sh", "remove", "--token", token)
        self.assertEqual((status, self.sim.runners()), (0, []), text)

    def test_name_that_is_taken_needs_replace(self):
        self.sim.jit("old")
        status, text = self.configure()
        self.assertEqual(status, 1)
        self.assertIn("A runner exists with the same name old.", text)
        status, text = self.configure("--replace")
        self.assertEqual(status, 0)
        self.assertIn("√ Successfully replaced the runner", text)

    def test_root_is_refused(self):
        if os.getuid() != 0:
            self.skipTest("only root is refused")
        status, text = self.run_it("./config.sh", RUNNER_ALLOW_RUNASROOT="")
        self.assertEqual((status, text), (1, "Must not run with sudo\n"))
        status, text = self.run_it("./run.sh", RUNNER_ALLOW_RUNASROOT="")
        self.assertEqual(status, 0)
        self.assertIn("Must not run interactively with sudo", text)

    def test_exit_codes_and_what_the_scripts_make_of_them(self):
        status, text = self.run_it("./run.sh")
        self.assertEqual(status, 0)
        self.assertIn("Runner is not configured.", text)
        self.assertIn("exit with terminated error", text)
        status, text = self.run_it("bin/Runner.Listener", "run",
                                   "--jitconfig", "***")
        self.assertEqual(status, 1)
        _, jit = self.sim.jit()
        status, text = self.run_it("./run.sh", "--jitconfig", jit,
                                   STANDIN_EXIT="2 2 7")
        self.assertEqual(status, 7)
        self.assertEqual(text.count("Restarting runner..."), 2)

    def test_old_version_is_refused(self):
        _, jit = self.sim.jit()
        self.sim.control("/version", {"least": "10.0.0"})
        name = "ACTIONS_RUNNER_RETURN_VERSION_DEPRECATED_EXIT_CODE"
        status, text = self.run_it("./run.sh", "--jitconfig", jit,
                                   **{name: "1"})
        self.assertEqual(status, 7)
        self.assertIn("Runner version v9.999.0 is deprecated and cannot "
                      "receive messages.", text)

    def test_second_process_meets_a_session_conflict(self):
        _, jit = self.sim.jit()
        self.start("bin/Runner.Listener", "run", "--jitconfig", jit)
        self.online()
        status, text = self.run_it("bin/Runner.Listener", "run",
                                   "--jitconfig", jit)
        self.assertEqual(status, 5)
        self.assertIn("A session for this runner already exists.", text)

    def test_version_is_printed(self):
        self.assertEqual(self.run_it("bin/Runner.Listener", "--version"),
                         (0, "9.999.0\n"))

    def test_package_host_takes_no_credential(self):
        status = http.client.HTTPConnection("127.0.0.1", self.sim.port)
        status.request("GET", "/github/_cdn/actions-runner-linux-x64-9.999.0"
                       ".tar.gz", headers={"Authorization": "Bearer x"})
        self.assertEqual(status.getresponse().status, 400)
        status.close()

    def test_enterprise_paths_and_their_links(self):
        for i in range(3):
            self.sim.jit(f"r{i}")
        connection = http.client.HTTPConnection("127.0.0.1", self.sim.port)
        connection.request(
            "GET", "/github/api/v3/repos/acme/model/actions/runners"
            "?per_page=1", headers={"Authorization": "Bearer ghp_sim",
                                    "User-Agent": "test"})
        answer = connection.getresponse()
        self.assertIn(f"<http://127.0.0.1:{self.sim.port}/github/api/v3/"
                      "repos/acme/model/actions/runners?per_page=1&page=2>; "
                      'rel="next"', answer.headers["Link"])
        connection.close()


if __name__ == "__main__":
    unittest.main()
