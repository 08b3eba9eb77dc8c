#!/usr/bin/python3
"""podform's GitHub client against podform-sim: credentials, pages, renames.

What a plan asks of GitHub goes through everything that an apply uses: the
search for a credential, an App's tokens, the whole of the HTTP edge.
"""
import json
import os
import re
import shutil
import subprocess
import tempfile
import time
import unittest
import urllib.request

PODFORM = os.environ["PODFORM"]
SIM = os.environ["PODFORM_SIM"]

PODS = """\
project: github-test
pods:
  box:
    image: runpod/pytorch:2.4.0-py3.11-cuda12.4.1-devel-ubuntu22.04
    gpu: NVIDIA RTX A4000
    disk: 20GB
    ports: [22/tcp]
"""
RUNNERS = PODS + """\
runners:
  ci:
    pod: box
    repository: acme/model
    labels: [gpu]
    ephemeral: true
"""


class GitHub(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.mkdtemp()
        port = os.path.join(self.dir, "port")
        self.sim = subprocess.Popen(
            [SIM, "--port-file", port, "--parent-pid", str(os.getpid()),
             "--idle-exit", "120s", "--rate-limit", "off"],
            stdout=subprocess.DEVNULL)
        for _ in range(500):
            if os.path.exists(port) and os.path.getsize(port):
                break
            time.sleep(0.01)
        with open(port, encoding="ascii") as file:
            self.base = "http://127.0.0.1:" + file.read().strip()
        os.mkdir(os.path.join(self.dir, "specs"))
        self.spec(RUNNERS)

    def tearDown(self):
        self.sim.terminate()
        self.sim.wait()
        shutil.rmtree(self.dir)

    def spec(self, text):
        path = os.path.join(self.dir, "specs", "a.yaml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)

    def write(self, name, text, mode=0o600):
        path = os.path.join(self.dir, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, mode)
        return path

    def post(self, path, body, token=None):
        headers = {"Content-Type": "application/json", "User-Agent": "test"}
        if token:
            headers["Authorization"] = "Bearer " + token
        request = urllib.request.Request(
            self.base + path, json.dumps(body).encode(), headers)
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.read()

    def podform(self, *words, **variables):
        """Exit status, and both streams together."""
        env = {"PATH": os.environ["PATH"], "HOME": self.dir,
               "RUNPOD_API_URL": self.base, "RUNPOD_API_KEY": "rpa_sim",
               "GITHUB_API_URL": self.base + "/github"}
        env.update(variables)
        done = subprocess.run(
            [PODFORM, *words], cwd=self.dir, env=env, timeout=60,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, check=False)
        return done.returncode, done.stdout.decode()

    def plan_fails(self, words, **variables):
        code, said = self.podform("plan", **variables)
        self.assertEqual(code, 4, said)
        self.assertRegex(said, words)

    def plan_works(self, *words, **variables):
        code, said = self.podform("plan", *words, **variables)
        self.assertEqual(code, 0, said)
        self.assertRegex(said, r"(?m)^Plan: 2 to add")
        return said

    def test_a_token_is_found_in_each_of_its_places(self):
        path = self.write("token", "ghp_sim\n")
        for variables in ({"GITHUB_TOKEN": "ghp_sim"},
                          {"GH_TOKEN": "ghp_sim"},
                          {"GITHUB_TOKEN": "ghp_sim", "GH_TOKEN": "bad"},
                          {"GITHUB_TOKEN_FILE": path}):
            said = self.plan_works("-v", **variables)
            self.assertNotIn("ghp_sim", said)

    def test_without_runners_nothing_is_read(self):
        self.spec(PODS)
        code, said = self.podform(
            "plan", GITHUB_TOKEN_FILE="/does/not/exist",
            GITHUB_API_URL="nonsense")
        self.assertEqual(code, 0, said)

    def test_what_is_wrong_with_a_credential_is_said(self):
        self.plan_fails("no credential for GitHub")
        self.plan_fails("Bad credentials", GITHUB_TOKEN="ghp_nobody")
        self.plan_fails(r"specs/\S+:\d+:\d+: error: .*: Not Found(?s:.*)it is "
                        "called otherwise", GITHUB_TOKEN="ghp_sim_none")
        self.plan_fails("would accept: administration=read",
                        GITHUB_TOKEN="ghp_sim_nopermission")
        path = self.write("token", "ghp_sim", 0o644)
        self.plan_fails("open to other users: chmod 600",
                        GITHUB_TOKEN_FILE=path)
        self.plan_fails("needs both", PODFORM_GITHUB_APP_ID="4242")
        path = self.write("key.pem", "no key")
        self.plan_fails("cannot list runners", PODFORM_GITHUB_APP_ID="4242",
                        PODFORM_GITHUB_APP_KEY_FILE=path)

    def test_a_token_that_cannot_register_is_warned_of(self):
        said = " ".join(self.plan_works(GITHUB_TOKEN="ghp_sim_classic")
                        .split())
        self.assertIn("warning runner.permission: GitHub will not let this "
                      "token register runners of acme/model: it has the "
                      "scopes public_repo, read:org, and repo is needed "
                      "(specs/a.yaml:9)", said)
        self.assertNotIn("runner.permission", self.plan_works(
            GITHUB_TOKEN="ghp_sim"))

    def test_an_app_gets_a_token_once(self):
        path = os.path.join(self.dir, "app.pem")
        subprocess.run(["openssl", "genrsa", "-traditional", "-out", path,
                        "2048"], check=True, stderr=subprocess.DEVNULL)
        os.chmod(path, 0o600)
        said = self.plan_works("-v", PODFORM_GITHUB_APP_ID="4242",
                               PODFORM_GITHUB_APP_KEY_FILE=path)
        self.assertEqual(len(re.findall(
            r"(?m)^podform: > POST \S+/access_tokens", said)), 1)
        self.assertNotRegex(said, r"eyJ[\w-]{20}|ghs_\w{10}")
        self.plan_fails("GitHub", PODFORM_GITHUB_APP_ID="1",
                        PODFORM_GITHUB_APP_KEY_FILE=path)

    def test_a_listing_of_many_pages_is_read_to_its_end(self):
        for i in range(201):
            self.post("/github/repos/acme/model/actions/runners/"
                      "generate-jitconfig",
                      {"name": f"other-{i}", "runner_group_id": 1,
                       "labels": ["x"]}, "ghp_sim")
        said = self.plan_works("-v", GITHUB_TOKEN="ghp_sim")
        self.assertRegex(said, r"> GET \S+[?&]page=2")
        self.assertRegex(said, r"> GET \S+[?&]page=3")
        self.assertNotRegex(said, r"> GET \S+[?&]page=4")

    def test_a_renamed_repository_is_followed(self):
        self.post("/control/github/repository",
                  {"name": "acme/model", "rename": "acme/newer"})
        said = self.plan_works("-v", GITHUB_TOKEN="ghp_sim")
        self.assertIn("< 301 GET", said)

    def test_an_enterprise_server_is_the_same(self):
        self.plan_works(GITHUB_TOKEN="ghp_sim",
                        GITHUB_API_URL=self.base + "/github/api/v3")

    def test_doctor_says_where_it_is_from(self):
        code, said = self.podform("doctor", GH_TOKEN="ghp_sim")
        self.assertEqual(code, 0, said)
        self.assertRegex(said, r"github +a token found.*GH_TOKEN")
        self.assertNotIn("ghp_sim", said)


if __name__ == "__main__":
    unittest.main()
