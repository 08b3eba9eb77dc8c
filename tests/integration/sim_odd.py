#!/usr/bin/python3
"""sim_odd.py - podform-sim with odd values: its options, its control door,
its preloaded pods, and machines on which pods cannot be made.

A test tool that takes a typing error for consent makes tests that test
nothing; so whatever it does not understand, it refuses.
"""

import http.client
import json
import os
import resource
import shutil
import subprocess
import tempfile
import time
import unittest
from concurrent.futures import ThreadPoolExecutor

SIMULATOR = os.path.abspath(os.environ.get("PODFORM_SIM",
                                           "build/gcc/podform-sim"))
POD = {"name": "one", "image": "x", "disk": 20, "ports": ["22/tcp"],
       "gpu": {"id": "NVIDIA A40", "count": 1}, "env": {"PUBLIC_KEY": "k"}}


class Simulator:
    def __init__(self, *options, before=(), **more):
        self.process = subprocess.Popen(
            [*before, SIMULATOR, "--pod-start", "0", "--rate-limit", "off",
             *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, **more)
        line = self.process.stdout.readline()
        self.port = int(line.rsplit(":", 1)[1]) if line else None

    def end(self):
        self.process.terminate()
        try:
            self.err = self.process.communicate(timeout=20)[1]
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        return self.process.returncode

    def ask(self, method, path, body=None, raw=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port,
                                                timeout=20)
        try:
            connection.request(
                method, path, raw if raw is not None else None if body is None
                else json.dumps(body), {"Authorization": "Bearer rpa_sim",
                                        "User-Agent": "t"})
            answer = connection.getresponse()
            text = answer.read()
            return answer.status, json.loads(text) if text else None
        finally:
            connection.close()


class Options(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.dir)

    def refused(self, options, code, said):
        done = subprocess.run([SIMULATOR, *options], capture_output=True,
                              text=True, check=False, timeout=20)
        self.assertEqual(done.returncode, code, (options, done))
        self.assertIn(said, done.stderr, options)
        self.assertEqual(done.stdout, "", options)

    def file(self, name, text):
        path = os.path.join(self.dir, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def test_help_lists_every_option(self):
        done = subprocess.run([SIMULATOR, "--latency=3", "--help"],
                              capture_output=True, text=True, check=True)
        for name in ("listen", "port-file", "key", "github-token", "latency",
                     "pod-start", "pods", "capacity", "rate-limit", "speed",
                     "seed", "balance", "spend-limit", "preload", "account",
                     "log", "parent-pid", "idle-exit"):
            self.assertIn("  --%s " % name, done.stdout)
        self.assertLess(max(map(len, done.stdout.splitlines())), 81)

    def test_odd_values_are_refused(self):
        for option, values in (
                ("--key", [""]), ("--github-token", [""]),
                ("--latency", ["x", "-1", "3600001", ""]),
                ("--pod-start", ["x", "86400001"]),
                ("--pods", ["", "podman"]), ("--capacity", ["A40", ""]),
                ("--rate-limit", ["maybe", ""]),
                ("--speed", ["0", "1000001", "fast"]),
                ("--seed", ["-1", "x"]), ("--balance", ["x", "1,5"]),
                ("--spend-limit", ["much"]),
                ("--parent-pid", ["0", "-1", "x"]),
                ("--idle-exit", ["5", "soon"])):
            for value in values:
                self.refused([option, value], 3, option + " needs ")
                self.refused([option + "=" + value], 3, option + " needs ")
            self.refused([option], 3, option + " needs ")
        self.refused(["--lat", "3"], 3, "unknown option '--lat'")
        self.refused(["latency"], 3, "unknown option 'latency'")
        self.refused(["--capacity", "NVIDIA A40=1"] * 17, 3, "needs GPU=N")

    def test_what_cannot_be_done_is_said(self):
        none = os.path.join(self.dir, "no", "such")
        bad = self.file("bad", "{")
        gpu = self.file("gpu", '{"pods": [{"gpu": "none"}]}')
        many = self.file("many", '{"count": 1000001}')
        odd = self.file("odd", '{"pods": 3}')
        for options, said in (
                (["--listen", "127.0.0.1"], "cannot listen"),
                (["--listen", "127.0.0.1:65536"], "cannot listen"),
                (["--listen", ":0"], "cannot listen"),
                (["--listen", "[::1]:0"], "cannot listen"),
                (["--listen", "10.0.0.1:0"], "a loopback address"),
                (["--listen", "1" * 40 + ":0"], "cannot listen"),
                (["--capacity", "none=1"], "unknown GPU or count"),
                (["--capacity", "NVIDIA A40=x"], "unknown GPU or count"),
                (["--capacity", "NVIDIA A40=1000001"], "unknown GPU"),
                (["--port-file", none], "cannot write '%s'" % none),
                (["--log", none], "cannot open '%s'" % none),
                (["--preload", none], "cannot preload '%s': No such" % none),
                (["--preload", bad], "it is not JSON"),
                (["--preload", gpu], "unknown GPU 'none'"),
                (["--preload", many], "count is out of range"),
                (["--preload", odd], "pods is not a list"),
                (["--parent-pid", "4194303"], "no process 4194303")):
            self.refused(options, 1, said)
        sim = Simulator("--account", none)
        self.assertEqual(sim.ask("POST", "/control/account")[0], 500)
        self.assertEqual(sim.end(), 1)
        self.assertIn("cannot write '%s'" % none, sim.err)
        taken = Simulator()
        self.refused(["--listen", "127.0.0.1:%d" % taken.port], 1,
                     "cannot listen")
        self.assertEqual(taken.end(), 0)

    def test_money_seed_and_preload_come_from_options(self):
        path = self.file("pods", json.dumps({
            "gpu": "NVIDIA A40", "image": "i", "cloud": "COMMUNITY",
            "pods": [{"name": "a", "env": {"X": None}, "ports": [None]},
                     {"name": "b-{n}-{n}", "gpu_count": 2, "disk": 30}]}))
        sim = Simulator("--seed", "7", "--balance", "12.5", "--spend-limit=0",
                        "--preload", path, "--key=k", "--pods", "none")
        self.addCleanup(sim.end)
        self.assertEqual(sim.ask("GET", "/v2/pods")[0], 401)
        report = sim.ask("GET", "/control/account")[1]
        self.assertEqual(report["pods_alive"], 2)
        self.assertEqual(sim.ask("POST", "/control/pods/b-1-1/stop")[0], 200)


class Door(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.sim = Simulator("--parent-pid", str(os.getpid()))
        cls.addClassCleanup(cls.sim.end)

    def control(self, path, body=None, method="POST", status=200):
        got = self.sim.ask(method, "/control/" + path, body)
        self.assertEqual(got[0], status, (path, body, got))
        if status != 200:
            self.assertIn("error", got[1], (path, body))
        return got[1]

    def test_what_is_not_understood_is_refused(self):
        for path, body in (
                ("faults", []), ("faults", {"create": 1}),
                ("faults", {"at_most": 3}), ("faults", {"at_most": {"x": 1}}),
                ("faults", {"creation": {}}), ("faults", {"*": {"x": 1}}),
                ("faults", {"create": {"slow": None}}),
                ("faults", {"create": {"slow": -1}}),
                ("faults", {"create": {"slow": "much"}}),
                ("script", {"call": "x"}), ("script", {}), ("script", 3),
                ("script", [{"call": "list"}, {"call": "x"}]),
                ("script", {"call": "list", "nth": 0}),
                ("script", {"call": "list", "transport": "pigeon"}),
                ("stock", {"gpu": "x"}), ("stock", {"gpu": "NVIDIA A40",
                                                    "data_center": "x"}),
                ("capacity", {"gpu": "x", "count": 1}), ("capacity", []),
                ("price", {"gpu": "NVIDIA A40"}),
                ("price", {"gpu": "x", "price": 1}),
                ("price", {"gpu": "NVIDIA A40", "price": "x"}),
                ("clock", {"speed": -1}), ("clock", {"advance_ms": -1}),
                ("clock", {"speed": 1000001}),
                ("clock", {"advance_ms": 2 ** 62}),
                ("balance", {}), ("balance", {"balance": "x"}),
                ("preload", {"count": -1}), ("preload", {"pods": {}}),
                ("preload", {"count": 1, "data_center": "x"}),
                ("github/faults", []), ("github/faults", {"jit": 3}),
                ("github/faults", {"x": {}}),
                ("github/faults", {"*": {"x": 1}}),
                ("github/faults", {"*": {"slow": 2}}),
                ("github/faults", {"at_most": {"x": 1}}),
                ("github/script", {"call": "x"}),
                ("github/script", {"call": "list", "fault": "x"}),
                ("github/script", {"call": "list", "transport": "x"}),
                ("github/script", {"call": "list", "nth": 0}),
                ("github/repository", {"name": "acme"}),
                ("github/repository", {})):
            self.control(path, body, status=400)
        for path in ("nothing", "pods/nobody/stop", "volumes/x/delete",
                     "volumes/x/burn", "github/nothing", "githubx",
                     "github/runners/x", "github/runners/x/delete",
                     "pods/"):
            self.control(path, {}, status=404)
        self.control("github/job", {"repository": "no/such"}, status=404)
        for raw in (b"{", b"[1", b"nonsense", b"null"):
            status, value = self.sim.ask("POST", "/control/faults", raw=raw)
            self.assertEqual((status, value["error"]),
                             (400, "the body is not JSON"))
        # Nothing of all that has left a fault behind.
        self.assertEqual(self.sim.ask("GET", "/v2/pods")[0], 200)

    def test_the_console_does_what_a_console_can(self):
        pod = self.sim.ask("POST", "/v2/pods", POD)[1]
        path = "pods/%s/" % pod["id"]
        self.control(path + "explode", {}, status=409)
        for verb, body in (("lock", {}), ("lock", {"locked": False}),
                           ("rename", {"name": "uno"}),
                           ("env", {"name": "A", "value": "b"}),
                           ("edit", {"image": "other"}),
                           ("lookalike", {}),
                           ("lookalike", {"with_env": True}),
                           ("stop", None), ("start", None)):
            self.control(path + verb, body)
        status, seen = self.sim.ask("GET", "/v2/pods/" + pod["id"])
        self.assertEqual((seen["name"], seen["image"], seen["env"]["A"]),
                         ("uno", "other", "b"))
        alike = [p for p in self.sim.ask("GET", "/v2/pods")[1]["pods"]
                 if p["name"] == "uno" and p["id"] != pod["id"]]
        self.assertEqual(len(alike), 2)
        self.control(path + "delete")
        self.control(path + "start", {}, status=404)
        status, volume = self.sim.ask("POST", "/v2/network-volumes", {
            "name": "v", "size": 10, "dataCenter": "EU-RO-1"})
        self.assertEqual(status, 201, volume)
        self.control("volumes/%s/delete" % volume["id"])

    def test_knobs_turn(self):
        self.control("faults", {
            "at_most": {"slow": 3}, "delay_max_ms": 5, "stale_max_ms": 5,
            "slow_max_ms": 5, "lookalikes": False,
            "restart": {"before_effect": 0, "after_effect": 0.5},
            "*": {"slow": 0}})
        self.control("faults")
        self.control("faults", method="DELETE")
        self.control("script", {"call": "get", "status": 503, "nth": 1,
                                "fault": "body", "body": "x"})
        self.control("script", method="DELETE")
        self.assertEqual(self.sim.ask("GET", "/v2/pods")[0], 200)
        for cloud in ("SECURE", "COMMUNITY", None):
            self.control("stock", {"gpu": "NVIDIA A40", "cloud": cloud,
                                   "data_center": "EU-RO-1", "count": 3})
        self.control("price", {"gpu": "NVIDIA A40", "cloud": "COMMUNITY",
                               "price": 0.4})
        self.control("clock", {"speed": 2})
        self.control("clock", {"speed": 1, "advance_ms": 1000})
        self.control("pace", {"provision_ms": 1, "start_ms": 1,
                              "ports_ms": 1})
        self.control("pace", {})
        self.control("key", {})
        self.assertEqual(self.sim.ask("GET", "/v2/pods")[0], 401)
        self.control("key", {"revoked": False})
        self.control("capacity", {"gpu": "NVIDIA L4"})

    def test_github_s_door(self):
        runners = "/github/repos/%s/actions/runners"
        self.control("github/repository", {"name": "acme/new",
                                           "private": False})
        self.control("github/repository", {"name": "acme/gone",
                                           "forbidden": True})
        self.control("github/repository", {"name": "acme/old",
                                           "rename": "acme/newer"})
        self.control("github/faults", {"*": {"slow": 0}, "at_most": {
            "slow": 1}})
        self.control("github/faults")
        self.control("github/script", {"call": "list", "status": 500})
        self.control("github/script", method="DELETE")
        self.control("github/version", {"least": "1.0.0"})
        job = self.control("github/job", {"labels": ["x"], "fails": True})
        self.assertIn("run_id", job)
        self.assertIn("jobs", self.control("github", method="GET"))
        self.assertIn("jobs", self.control("github/", method="GET"))
        self.assertEqual(self.sim.ask("GET", runners % "acme/new")[0], 401)
        for by in ("name", "id"):
            connection = http.client.HTTPConnection("127.0.0.1",
                                                    self.sim.port, timeout=20)
            connection.request(
                "POST", runners % "acme/model" + "/generate-jitconfig",
                json.dumps({"name": "box-" + by, "runner_group_id": 1,
                            "labels": ["x"]}),
                {"Authorization": "Bearer ghp_sim", "User-Agent": "t"})
            answer = connection.getresponse()
            self.assertEqual(answer.status, 201)
            runner = json.loads(answer.read())["runner"]
            connection.close()
            path = "github/runners/%s/" % runner[by]
            self.control(path + "hide", {}, status=404)
            self.control(path + "delete")
            self.control(path + "delete", {}, status=404)
        # The file network takes no credential, and has no other files.
        self.assertEqual(self.fetch("/github/_cdn/none", {}), 404)
        name = "actions-runner-linux-x64-9.999.0.tar.gz"
        self.assertEqual(self.fetch("/github/_cdn/" + name, {}), 200)
        self.assertEqual(self.fetch("/github/_cdn/" + name,
                                    {"Authorization": "Bearer x"}), 400)
        self.assertEqual(self.fetch(
            "/github/actions/runner/releases/download/v9/" + name, {}), 302)

    def fetch(self, path, headers):
        connection = http.client.HTTPConnection("127.0.0.1", self.sim.port,
                                                timeout=20)
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        answer.read()
        connection.close()
        return answer.status

    def test_a_body_without_end_is_not_kept(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.sim.port,
                                                timeout=20)
        with self.assertRaises((http.client.RemoteDisconnected,
                                ConnectionError)):
            connection.request("POST", "/v2/pods", b"x" * ((8 << 20) + 1),
                               {"Authorization": "Bearer rpa_sim"})
            connection.getresponse()
        connection.close()
        self.assertEqual(self.sim.ask("GET", "/v2/pods")[0], 200)

    def test_quit_ends_it(self):
        sim = Simulator()
        try:
            self.assertEqual(sim.ask("POST", "/control/quit")[0], 200)
        except ConnectionError:
            pass        # it was gone before its answer was
        self.assertEqual(sim.process.wait(20), 0)
        sim.end()


class Machines(unittest.TestCase):
    """Where pods cannot be made, or not as this user."""

    def test_few_descriptors_make_no_pod_and_do_no_harm(self):
        def one(number):
            def limit():
                resource.setrlimit(resource.RLIMIT_NOFILE, (number, number))
            sim = Simulator("--pods", "sandbox", preexec_fn=limit)
            if sim.port is None:
                sim.end()
                return sim.process.returncode, sim.err
            try:
                status = sim.ask("POST", "/v2/pods", POD)[0]
                deadline = time.monotonic() + 10
                while time.monotonic() < deadline:
                    pods = sim.ask("GET", "/v2/pods")[1]["pods"]
                    if not pods or pods[0]["status"] != "PROVISIONING":
                        break
                    time.sleep(0.02)
            except (ConnectionError, http.client.HTTPException, OSError):
                status = 0
            return sim.end(), sim.err, status

        with ThreadPoolExecutor(8) as pool:
            for number, got in zip(range(8, 48), pool.map(one,
                                                          range(8, 48))):
                # It says why, or serves; it is never killed by a signal.
                self.assertIn(got[0], (0, 1), (number, got))
                if got[0] == 1:
                    self.assertTrue(got[1], number)

    @unittest.skipIf(shutil.which("strace") is None, "there is no strace")
    def test_calls_that_fail_make_no_pod_and_do_no_harm(self):
        """Each of these, at each of these places, in the try at the start or
        for the first pod."""
        calls = [("memfd_create", "EMFILE", n) for n in
                 (1, 2, 3, 9, 10, 11, 12, 14, 20)]
        calls += [("socket", "EMFILE", n) for n in (1, 2, 3)]
        calls += [(name, "ENOBUFS", n) for name in (
            "bind", "getsockname", "setsockopt")
                  for n in (1, 2, 3)]
        calls += [("ftruncate", "ENOSPC", 1), ("fcntl", "EINVAL", "1+"),
                  ("pipe2", "EMFILE", 1), ("clone", "EAGAIN", 1),
                  ("clone", "EAGAIN", 2), ("mkdir", "ENOSPC", "1+"),
                  ("mkdir", "EACCES", 2), ("execve", "ENOENT", "2+"),
                  ("pidfd_open", "EPERM", "1+"), ("lseek", "EIO", "1+"),
                  ("connect", "ENETUNREACH", "1+"), ("dup2", "EBADF", "1+")]
        # The server's own come first.
        calls += [(name, "EMFILE", n, "tcp") for name in (
            "socket", "bind", "listen", "getsockname") for n in (2, 3)]

        def one(call):
            name, error, when = call[:3]
            sim = Simulator("--pods", (call + ("sandbox",))[3], before=[
                "strace", "-D", "-f", "-qqq", "-o", "/dev/null", "-e",
                "trace=" + name, "-e", "inject=%s:error=%s:when=%s" % (
                    name, error, when)])
            try:
                if sim.port is None:
                    return sim.end(), sim.err
                sim.ask("POST", "/v2/pods", {**POD, "mounts": {
                    "persistent": {"size": 10, "path": "/keep"}}})
                sim.ask("POST", "/v2/pods", POD)
                deadline = time.monotonic() + 1.5
                while time.monotonic() < deadline:
                    pods = sim.ask("GET", "/v2/pods")[1]["pods"]
                    if all(pod["status"] not in ("PROVISIONING", "STARTING")
                           for pod in pods):
                        break
                    time.sleep(0.05)
            except (ConnectionError, http.client.HTTPException, OSError):
                pass
            # Its standard error ends with the last of its processes, since
            # strace has it for as long as it looks at one of them.
            return sim.end(), sim.err

        with ThreadPoolExecutor(12) as pool:
            for call, (code, err) in zip(calls, pool.map(one, calls)):
                self.assertIn(code, (0, 1), (call, err))
                if code == 1:
                    self.assertIn("podform-sim: ", err, call)

    def in_place_of_bwrap(self, program):
        """podform-sim where bwrap is this file; None if this machine lets
        nobody pretend so."""
        if os.getuid() != 0 or shutil.which("unshare") is None:
            self.skipTest("only root can put another bwrap in its place")
        before = ["unshare", "-m", "sh", "-c",
                  "mount --bind \"$0\" /usr/bin/bwrap && exec \"$@\"",
                  program]
        if subprocess.run([*before, "true"], check=False,
                          capture_output=True).returncode != 0:
            self.skipTest("no mount namespace can be made here")
        sim = Simulator("--pods", "sandbox", before=before)
        code = sim.end()
        return sim.port, code, sim.err

    def script(self, text):
        path = os.path.join(self.dir, "bwrap%d" % len(os.listdir(self.dir)))
        with open(path, "w", encoding="utf-8") as file:
            file.write("#!/bin/sh\n" + text + "\n")
        os.chmod(path, 0o755)
        return path

    def setUp(self):
        self.dir = tempfile.mkdtemp()
        os.chmod(self.dir, 0o755)
        self.addCleanup(shutil.rmtree, self.dir)

    def test_without_sandboxes_it_says_why(self):
        cases = (
                ("/dev/null", "/usr/bin/bwrap is missing"),
                (self.script("exit 1"),
                 "/usr/bin/bwrap failed without a word"),
                (self.script("echo no room; echo more; exit 1"), "no room;"),
                (self.script("kill -9 $$"),
                 "/usr/bin/bwrap failed without a word"))
        with ThreadPoolExecutor(len(cases)) as pool:
            for (_, said), (port, code, err) in zip(cases, pool.map(
                    lambda case: self.in_place_of_bwrap(case[0]), cases)):
                self.assertEqual((port, code), (None, 1), err)
                self.assertIn("cannot make sandboxes here: " + said, err)
                self.assertIn("--pods tcp works everywhere", err)

    def test_a_temporary_directory_is_named_in_full_or_not_used(self):
        env = {**os.environ, "TMPDIR": "here"}
        sim = Simulator("--pods", "sandbox", env=env, cwd=self.dir)
        code = sim.end()
        self.assertEqual(os.listdir(self.dir), [])
        self.assertIn(code, (0, 1))

    def test_root_that_may_not_becomes_nobody(self):
        real = os.path.join(self.dir, "real")
        shutil.copy("/usr/bin/bwrap", real)
        port, code, err = self.in_place_of_bwrap(self.script(
            "[ $(id -u) = 0 ] && { echo not as root; exit 1; }\n"
            "exec %s \"$@\"" % real))
        if port is None:
            # Nor may nobody: root's reason is told.
            self.assertIn("cannot make sandboxes here: not as root", err)
        else:
            self.assertEqual(code, 0, err)


if __name__ == "__main__":
    unittest.main()
