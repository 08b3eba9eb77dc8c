#!/usr/bin/python3
"""real_pods.py - podform-sim --pods sandbox, from POST /v2/pods to ssh.

Creates pods over HTTP, waits until they are ready as a client would, logs
in, stops, starts and deletes them, and proves that no process is left after
a delete and after SIGKILL of podform-sim.  Runs as the current user and, if
that is root, once more as nobody.

Usage: real_pods.py [PODFORM-SIM]
or the program that the environment variable PODFORM_SIM names.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest
import urllib.error
import urllib.request

from common.proc import alive, children, wait_for

KEY = "rpa_real_pods"
SIMULATOR = os.environ.get("PODFORM_SIM", "build/gcc/podform-sim")
NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]


class RealPods(unittest.TestCase):
    become = []

    @classmethod
    def setUpClass(cls):
        cls.work = tempfile.mkdtemp()
        os.chmod(cls.work, 0o755)
        cls.binary = shutil.copy(SIMULATOR, cls.work)
        os.chmod(cls.binary, 0o755)
        cls.temporary = os.path.join(cls.work, "temporary")
        os.mkdir(cls.temporary)
        os.chmod(cls.temporary, 0o777)
        cls.key = os.path.join(cls.work, "key")
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f",
                        cls.key], check=True)
        with open(cls.key + ".pub", encoding="ascii") as file:
            cls.public = file.read().strip()

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.work)

    def setUp(self):
        self.sim = subprocess.Popen(
            [*self.become, self.binary, "--pods", "sandbox", "--key", KEY,
             "--pod-start", "200", "--rate-limit", "off",
             "--parent-pid", str(os.getpid())],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            cwd="/", env={"PATH": os.environ["PATH"],
                          "TMPDIR": self.temporary})
        line = self.sim.stdout.readline()
        if not line:
            why = self.sim.stderr.read()
            self.end()
            print("skip:", why.strip(), flush=True)
            self.skipTest(why.strip())
        self.url = line.split()[-1]

    def tearDown(self):
        self.end()

    def end(self):
        self.sim.terminate()
        self.sim.wait(20)
        self.sim.stdout.close()
        self.sim.stderr.close()

    def call(self, method, path, body=None):
        request = urllib.request.Request(
            self.url + "/v2" + path, method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": "Bearer " + KEY,
                     "User-Agent": "podform-test/1",
                     "Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.loads(answer.read() or "null")

    def create(self, name, **more):
        body = {"name": name, "image": "runpod/pytorch", "disk": 10,
                "gpu": {"id": "NVIDIA A40", "count": 2},
                "ports": ["22/tcp", "8188/tcp"],
                "env": {"PUBLIC_KEY": self.public, "MODE": "a \"b\" $c"}}
        body.update(more)
        return self.call("POST", "/pods", body)["id"]

    def ready(self, pod_id):
        def ready_pod():
            pod = self.call("GET", "/pods/" + pod_id)
            ready = (pod["status"] == "RUNNING" and pod["runtime"]
                     and pod["ssh"]["direct"])
            return pod if ready else None
        return wait_for(ready_pod)

    def ssh(self, pod, command, check=True):
        direct = pod["ssh"]["direct"]
        return subprocess.run(
            ["ssh", "-n", "-F", "none", "-i", self.key, "-o",
             "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
             "-o", "LogLevel=ERROR", "-o", "BatchMode=yes", "-p",
             str(direct["port"]), f"{direct['username']}@{direct['host']}",
             command], check=check, capture_output=True, text=True,
            timeout=20).stdout.strip()

    def host_key(self, pod):
        return subprocess.run(
            ["ssh-keyscan", "-t", "ed25519", "-p",
             str(pod["ssh"]["direct"]["port"]), "127.0.0.1"], check=True,
            capture_output=True, text=True, timeout=20).stdout.split()[-1]

    def test_a_pod_can_be_logged_in_to(self):
        pod = self.ready(self.create("one", args="echo up >/tmp/started"))
        self.assertEqual(self.ssh(pod, "id -un; hostname"),
                         "root\n" + pod["id"])
        self.assertEqual(self.ssh(
            pod, ". /etc/rp_environment; echo $MODE/$RUNPOD_POD_ID"),
            'a "b" $c/' + pod["id"])
        self.assertEqual(self.ssh(
            pod, "nvidia-smi --query-gpu=name --format=csv,noheader"),
            "NVIDIA A40\nNVIDIA A40")
        self.assertEqual(self.ssh(pod, "cat /tmp/started"), "up")
        self.assertTrue(pod["ssh"]["direct"]["host"].startswith("127."))

    def test_a_start_gives_new_files_and_a_new_host_key(self):
        pod = self.ready(self.create("two", mounts={
            "persistent": {"size": 20, "path": "/keep"}}))
        before = self.host_key(pod)
        self.ssh(pod, "touch /workspace/mark; echo here >/keep/mark")
        self.call("POST", f"/pods/{pod['id']}/action", {"action": "stop"})
        inside = children(self.sim.pid)

        def nothing_runs():
            return not any(alive(pid) for pid in inside)
        wait_for(nothing_runs)
        self.call("POST", f"/pods/{pod['id']}/action", {"action": "start"})
        pod = self.ready(pod["id"])
        self.assertNotEqual(self.host_key(pod), before)
        self.assertEqual(self.ssh(pod, "ls /workspace"), "")
        self.assertEqual(self.ssh(pod, "cat /keep/mark"), "here")

    def log_lines(self, pod):
        """What the stream has at once; it stays open."""
        request = urllib.request.Request(
            f"{self.url}/v2/pods/{pod['id']}/logs?source=container",
            headers={"Authorization": "Bearer " + KEY})
        with urllib.request.urlopen(request, timeout=20) as answer:
            return [json.loads(line[5:])["line"]
                    for line in answer.read1().decode().splitlines()
                    if line.startswith("data:")]

    def test_the_log_tells_the_host_key(self):
        pod = self.ready(self.create("log", args="echo hello from the pod"))

        def printed():
            return "hello from the pod" in self.log_lines(pod)
        wait_for(printed)
        lines = self.log_lines(pod)
        told = lines[lines.index("ED25519 key fingerprint:") + 1].split()[1]
        listed = subprocess.run(
            ["ssh-keygen", "-lf", "-"], check=True, capture_output=True,
            text=True, input="ssh-ed25519 " + self.host_key(pod))
        self.assertEqual(told, listed.stdout.split()[1])

    def github(self, method, path, body=None):
        request = urllib.request.Request(
            self.url + path, method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": "Bearer ghp_sim"})
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.loads(answer.read() or "null")

    def test_a_runner_works_in_a_pod_and_dies_with_it(self):
        pod = self.ready(self.create("runner"))
        jit = self.github(
            "POST", "/github/repos/acme/model/actions/runners"
            "/generate-jitconfig", {"name": "inside", "labels": ["gpu"],
                                    "runner_group_id": 1})
        self.ssh(pod, "mkdir /opt/r && cd /opt/r && curl -sSfL " + self.url +
                 "/github/actions/runner/releases/download/v9.999.0/"
                 "actions-runner-linux-x64-9.999.0.tar.gz | tar xz || exit; "
                 "RUNNER_ALLOW_RUNASROOT=1 setsid ./run.sh --jitconfig " +
                 jit["encoded_jit_config"] + " </dev/null >log 2>&1 &")
        self.github("POST", "/control/github/job",
                    {"labels": ["gpu"], "seconds": 600})

        def job():
            return self.github("GET", "/control/github")["jobs"][0]

        def running():
            return job()["status"] == "running"
        wait_for(running)
        self.assertEqual(job()["pod"], pod["id"])
        self.assertFalse(job()["killed"])
        self.call("DELETE", "/pods/" + pod["id"])
        self.assertTrue(wait_for(lambda: job()["killed"]))

    def test_a_container_that_ends_makes_the_pod_exit(self):
        pod = self.ready(self.create("three"))
        self.ssh(pod, "kill -TERM 1", check=False)

        def exited():
            status = self.call("GET", "/pods/" + pod["id"])["status"]
            return status == "EXITED"
        wait_for(exited)

    def test_a_delete_leaves_no_process(self):
        pods = [self.ready(self.create(f"p{i}")) for i in range(2)]
        inside = children(self.sim.pid)
        self.assertGreater(len(inside), 4)
        for pod in pods:
            self.call("DELETE", "/pods/" + pod["id"])

        def nothing_runs():
            return not any(alive(pid) for pid in inside)
        wait_for(nothing_runs)

    def test_killing_the_simulator_leaves_no_process(self):
        pod = self.ready(self.create("five"))
        inside = children(self.sim.pid)
        self.assertTrue(pod and inside)
        self.sim.send_signal(signal.SIGKILL)
        self.sim.wait(20)

        def nothing_runs():
            return not any(alive(pid) for pid in inside)
        wait_for(nothing_runs)


class RealPodsAsNobody(RealPods):
    become = NOBODY

    @classmethod
    def setUpClass(cls):
        if os.getuid() != 0:
            raise unittest.SkipTest("only root can become nobody")
        super().setUpClass()


if __name__ == "__main__":
    if len(sys.argv) > 1 and not sys.argv[1].startswith("-"):
        SIMULATOR = os.path.abspath(sys.argv.pop(1))
    unittest.main()
