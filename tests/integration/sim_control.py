#!/usr/bin/python3
"""sim_control.py - podform-sim as a process: faults on the wire, its control
door, its account, and how it ends.

Usage: sim_control.py, with the program in the environment variable
PODFORM_SIM (build/gcc/podform-sim).
"""

import http.client
import json
import os
import pathlib
import signal
import socket
import subprocess
import tempfile
import threading
import time
import unittest

SIMULATOR = os.environ.get("PODFORM_SIM", "build/gcc/podform-sim")
POD = {"name": "trainer-pf0123456789abcdef", "image": "x", "disk": 20,
       "gpu": {"id": "NVIDIA A40", "count": 1}, "ports": ["22/tcp"],
       "env": {"MODE": "train"}}


class Simulator:
    def __init__(self, *options):
        self.process = subprocess.Popen(
            [SIMULATOR, "--pod-start", "100", "--rate-limit", "off",
             "--parent-pid", str(os.getpid()), *options],
            stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline().rsplit(":", 1)[1])

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(20)
        self.process.stdout.close()

    def ask(self, method, path, body=None, timeout=20):
        connection = http.client.HTTPConnection("127.0.0.1", self.port,
                                                timeout=timeout)
        try:
            connection.request(method, path,
                               None if body is None else json.dumps(body),
                               {"Authorization": "Bearer rpa_sim"})
            answer = connection.getresponse()
            text = answer.read()
            return answer.status, json.loads(text) if text else None
        finally:
            connection.close()

    def control(self, path, body=None, method="POST"):
        status, value = self.ask(method, "/control/" + path, body)
        assert status == 200, (status, value)
        return value

    def account(self):
        return self.control("account", method="GET")

    def create(self, **changes):
        status, pod = self.ask("POST", "/v2/pods", {**POD, **changes})
        assert status == 201, pod
        return pod

    def wait(self, pod_id, what):
        deadline = time.monotonic() + 10
        while True:
            _, pod = self.ask("GET", "/v2/pods/" + pod_id)
            if what(pod):
                return pod
            assert time.monotonic() < deadline, pod
            time.sleep(0.02)


class Case(unittest.TestCase):
    options = ()

    def setUp(self):
        self.sim = Simulator(*self.options)
        self.addCleanup(self.sim.end)


class Faults(Case):
    def test_dropped_answer_has_had_its_effect(self):
        self.sim.control("script", {"call": "create", "transport": "dropped",
                                    "fault": "error_after"})
        with self.assertRaises((http.client.RemoteDisconnected,
                                ConnectionResetError)):
            self.sim.ask("POST", "/v2/pods", POD)
        self.assertEqual(self.sim.account()["pods_alive"], 1)

    def test_drop_before_has_none(self):
        self.sim.control("faults", {"create": {"drop_before": 1}})
        with self.assertRaises((http.client.RemoteDisconnected,
                                ConnectionResetError)):
            self.sim.ask("POST", "/v2/pods", POD)
        self.assertEqual(self.sim.account()["pods_alive"], 0)
        self.sim.control("faults", method="DELETE")
        self.sim.create()

    def test_cut_body_ends_early(self):
        self.sim.create()
        self.sim.control("script", {"call": "list", "transport": "cut",
                                    "fault": "body", "cut": 9})
        with self.assertRaises(http.client.IncompleteRead) as caught:
            self.sim.ask("GET", "/v2/pods")
        self.assertEqual(caught.exception.partial, b'{"pods":[')

    def test_silence_is_silent_for_one_only(self):
        self.sim.control("script", {"call": "list", "transport": "silent",
                                    "fault": "error_after"})
        with self.assertRaises(TimeoutError):
            self.sim.ask("GET", "/v2/pods", timeout=0.3)
        self.assertEqual(self.sim.ask("GET", "/v2/pods")[0], 200)

    def test_delayed_effect_comes(self):
        self.sim.control("script", {"call": "create", "fault": "delayed",
                                    "delay_ms": 300, "status": 504})
        status, _ = self.sim.ask("GET", "/v2/pods")
        connection = http.client.HTTPConnection("127.0.0.1", self.sim.port)
        self.addCleanup(connection.close)
        connection.request("POST", "/v2/pods", json.dumps(POD),
                           {"Authorization": "Bearer rpa_sim"})
        answer = connection.getresponse()
        self.assertEqual(answer.status, 504)
        self.assertIn(b"<html>", answer.read())
        self.assertEqual(self.sim.account()["pods_alive"], 0)
        time.sleep(0.4)
        self.assertEqual(self.sim.account()["pods_alive"], 1)

    def test_unknown_words_are_refused(self):
        for path, body in (("faults", {"creation": {"slow": 1}}),
                           ("faults", {"create": {"slowly": 1}}),
                           ("faults", {"create": {"slow": 2}}),
                           ("script", {"call": "create", "fault": "x"}),
                           ("stock", {"gpu": "no such", "count": 1}),
                           ("pods/nobody/stop", {}), ("nothing", {})):
            status, value = self.sim.ask("POST", "/control/" + path, body)
            self.assertIn(status, (400, 404), path)
            self.assertIn("error", value)


class Console(Case):
    def test_pods_are_found_without_their_mark(self):
        pod = self.sim.create()
        self.sim.wait(pod["id"], lambda p: p["ssh"]["direct"])
        self.sim.control("pods/trainer/stop")
        self.sim.wait(pod["id"], lambda p: p["status"] == "EXITED")
        self.sim.control("pods/trainer/rename", {"name": "mine"})
        self.sim.control("pods/mine/env", {"name": "MODE"})
        seen = self.sim.wait(pod["id"], lambda p: p["name"] == "mine")
        self.assertEqual(seen["env"], {})
        self.sim.control(f"pods/{pod['id']}/delete")
        report = self.sim.account()
        self.assertEqual(report["pods_alive"], 0)
        self.assertEqual([entry["by"] for entry in report["operations"]],
                         ["api"] + ["console"] * 4)

    def test_banner_is_there_while_the_pod_runs(self):
        pod = self.sim.create()
        seen = self.sim.wait(pod["id"], lambda p: p["ssh"]["direct"])
        where = (seen["ssh"]["direct"]["host"], seen["ssh"]["direct"]["port"])
        with socket.create_connection(where, 5) as connection:
            self.assertTrue(connection.recv(100).startswith(b"SSH-2.0-"))
        self.sim.control("pods/trainer/stop")
        deadline = time.monotonic() + 5
        with self.assertRaises(ConnectionRefusedError):
            while time.monotonic() < deadline:
                socket.create_connection(where, 5).close()

    def test_time_and_money_can_be_turned(self):
        self.sim.control("price", {"gpu": "NVIDIA A40", "cloud": "SECURE",
                                   "price": 1.5})
        pod = self.sim.create()
        self.assertEqual(pod["cost"], 1.5)
        self.sim.control("clock", {"advance_ms": 3600000})
        self.assertAlmostEqual(self.sim.account()["spent"], 1.503, 2)
        self.sim.control("balance", {"balance": 0})
        self.assertEqual(self.sim.account()["pods_alive"], 0)
        self.assertEqual(self.sim.ask("POST", "/v2/pods", POD)[0], 402)

    def test_capacity_is_for_all_places(self):
        self.sim.control("capacity", {"gpu": "NVIDIA A40", "count": 1})
        self.sim.create()
        status, value = self.sim.ask("POST", "/v2/pods", POD)
        self.assertEqual(status, 400)
        self.assertIn("no longer any instances", value["detail"])

    def test_preload_numbers_its_pods(self):
        self.assertEqual(self.sim.control("preload", {
            "count": 1200, "name": "b-{n}", "env": {"N": "{n}"}})["pods"],
            1200)
        _, page = self.sim.ask("GET", "/v2/pods?limit=1000")
        self.assertEqual(len(page["pods"]), 1000)
        self.assertEqual(page["pods"][0]["env"], {"N": "1199"})
        _, rest = self.sim.ask("GET", "/v2/pods?limit=1000&cursor=" +
                               page["pagination"]["nextCursor"])
        self.assertEqual(len(rest["pods"]), 200)
        self.assertFalse(rest["pagination"]["hasNextPage"])


class Latency(Case):
    options = ("--latency", "200", "--pods", "none", "--capacity",
               "NVIDIA A40=1000")

    def test_latency_does_not_serialise(self):
        threads = [threading.Thread(target=self.sim.create)
                   for _ in range(40)]
        began = time.monotonic()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(self.sim.account()["pods_alive"], 40)
        # One after the other they would take 8 s.
        self.assertLess(time.monotonic() - began, 4)


class Ends(unittest.TestCase):
    def test_account_is_written_at_the_end(self):
        with tempfile.TemporaryDirectory() as directory:
            path = pathlib.Path(directory)
            sim = Simulator("--account", str(path / "account.json"),
                            "--port-file", str(path / "port"),
                            "--log", str(path / "log"))
            self.assertEqual(int((path / "port").read_text()), sim.port)
            sim.create()
            sim.end()
            report = json.loads((path / "account.json").read_text())
            self.assertEqual(report["pods_alive"], 1)
            self.assertIn("POST /v2/pods 201", (path / "log").read_text())

    def test_silence_ends_it(self):
        sim = Simulator("--idle-exit", "250ms")
        self.assertEqual(sim.process.wait(10), 0)
        sim.process.stdout.close()

    def test_it_ends_with_its_parent(self):
        with subprocess.Popen(["sleep", "60"]) as parent:
            sim = Simulator("--parent-pid", str(parent.pid))
            parent.kill()
            self.assertEqual(sim.process.wait(10), 0)
            sim.process.stdout.close()

    def test_odd_options_are_refused(self):
        for options in (["--bogus"], ["--listen"], ["--pods", "real"],
                        ["--speed", "0"], ["--latency", "-1"]):
            self.assertEqual(subprocess.run(
                [SIMULATOR, *options], capture_output=True,
                check=False).returncode, 3, options)
        for options in (["--listen", "0.0.0.0:0"], ["--listen", "here"],
                        ["--capacity", "no such=3"]):
            result = subprocess.run([SIMULATOR, *options],
                                    capture_output=True, check=False)
            self.assertEqual(result.returncode, 1, options)
            self.assertTrue(result.stderr)


if __name__ == "__main__":
    unittest.main()
