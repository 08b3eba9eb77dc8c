#!/usr/bin/python3
"""tunnels_apply.py - apply, plan, status and destroy of a spec with tunnels,
on pods of podform-sim that serve HTTP.
"""

import json
import os
import socket
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "tunnel"))

from tunnel_world import (PODFORM, SpecCase, alive, children, free_port,
                          wait_for)


class Apply(SpecCase):
    """Each test has its own project and its own podform-sim."""

    def test_apply_ends_with_an_answering_address(self):
        self.spec(self.web)
        done = self.apply()
        last = done.stdout.strip().splitlines()[-1]
        self.assertRegex(last, r"tunnel\.web +up +http://localhost:"
                         f"{self.port}$")
        self.assertIn(b"sshd_config", self.get(self.port))
        pid = self.holder_pid()
        workers = children(pid)
        self.assertIn("No changes.", self.run_ok(
            "plan", "--detailed-exitcode").stdout)
        # Nothing to do, and yet it says where.
        self.assertIn(f"http://localhost:{self.port}", self.apply().stdout)
        status = json.loads(self.run_ok("status", "--json").stdout)
        self.assertEqual(status["tunnels"][0]["state"], "up")
        self.assertEqual(status["tunnels"][0]["url"],
                         f"http://localhost:{self.port}")
        self.assertEqual(self.run_ok(
            "output", "tunnel.web.local.port", "--raw").stdout,
            str(self.port))
        self.run_ok("destroy", "--auto-approve")
        self.assert_refused(self.port)
        self.assert_tidy(pid, workers)

    def test_events_say_where_the_tunnel_is(self):
        self.spec(self.web)
        done = self.apply("--json")
        events = [json.loads(line) for line in done.stdout.splitlines()]
        tunnel, last = events[-2:]
        self.assertEqual(last["type"], "run_summary")
        self.assertEqual(tunnel["type"], "tunnel")
        self.assertEqual(tunnel["tunnel"], {
            "address": "tunnel.web", "state": "up", "pod": "pod.web",
            "port": self.port, "url": f"http://localhost:{self.port}"})

    def test_tunnel_that_is_not_in_the_spec_any_more_is_closed(self):
        self.spec(self.web)
        self.apply()
        pid = self.holder_pid()
        workers = children(pid)
        self.spec("")
        self.assertIn("tunnel.web will be destroyed",
                      self.run_ok("plan").stdout)
        self.apply()
        self.assert_refused(self.port)
        self.assert_tidy(pid, workers)
        self.assertEqual(len(self.pods()), 1)

    def test_destroy_closes_what_the_spec_does_not_name(self):
        self.spec(self.web)
        self.apply()
        pid = self.holder_pid()
        workers = children(pid)
        self.spec("")
        done = self.run_ok("destroy", "--auto-approve")
        self.assertIn("2 destroyed", done.stdout)
        self.assert_refused(self.port)
        self.assert_tidy(pid, workers)
        self.assertEqual(self.pods(), [])

    def test_closed_tunnel_is_opened_by_the_next_apply(self):
        self.spec(self.web)
        self.apply()
        pid = self.holder_pid()
        self.run_ok("tunnel", "close", "tunnel.web")
        self.assert_refused(self.port)
        self.run_ok("plan", "--detailed-exitcode", code=2)
        self.apply()
        self.get(self.port)
        # By hand, and with the holder killed before that.
        os.kill(self.holder_pid(), 9)
        wait_for(lambda: not alive(pid))
        self.run_ok("tunnel", "open", "web")
        self.get(self.port)
        self.run_ok("plan", "--detailed-exitcode")

    def test_stopped_pod_is_started_and_its_tunnel_opened(self):
        self.spec(self.web)
        self.apply()
        pod = self.pods()[0]
        self.console(pod, "stop")
        wait_for(lambda: self.listed()["tunnel.web"]["state"]
                 == "waiting-for-pod")
        done = self.apply()
        self.assertRegex(done.stdout, r"tunnel\.web +up ")
        self.assertIn(b"sshd_config", self.get(self.port))

    def test_deleted_pod_is_made_anew_and_its_tunnel_too(self):
        self.spec(self.web)
        self.apply()
        pod = self.pods()[0]
        self.call("DELETE", f"/pods/{pod['id']}")
        done = self.apply()
        self.assertRegex(done.stdout, r"tunnel\.web +up ")
        self.assertIn(b"sshd_config", self.get(self.port))
        self.assertNotEqual(self.pods()[0]["id"], pod["id"])

    def test_taken_port_is_refused_before_a_pod_is_paid(self):
        self.spec(self.web)
        with socket.socket() as other:
            other.bind(("127.0.0.1", self.port))
            other.listen()
            for command in (("plan",), ("apply", "--auto-approve")):
                done = self.podform(*command)
                self.assertIn(f"127.0.0.1:{self.port}", done.stdout)
                self.assertIn(f"(pid {os.getpid()}) has it",
                              " ".join(done.stdout.split()))
        self.assertNotEqual(done.returncode, 0)
        self.assertEqual(self.pods(), [])

    def test_in_ci_no_tunnel_is_opened_and_that_is_said(self):
        self.spec(self.web)
        self.env["CI"] = "true"
        done = self.apply()
        self.assertIn("this is CI, so no tunnel is opened", done.stderr)
        self.assertNotIn("tunnel.web", done.stdout)
        self.assert_refused(self.port)
        self.assertFalse(os.path.exists(self.path("holder.sock")))
        done = self.apply("--tunnels=true")
        self.assertNotIn("this is CI", done.stderr)
        self.assertIn(b"sshd_config", self.get(self.port))

    def test_pod_is_told_where_a_tunnel_to_another_is(self):
        nobody = free_port()
        self.spec(self.web
                  + f"  auto: {{ pod: web, local: auto, remote: {nobody} }}\n",
                  more="  second: { gpu: NVIDIA A40, image: x, disk: 10GB, "
                  "env: { WEB: '${tunnel.web.local.port}', "
                  "AUTO: '${tunnel.auto.local.port}' } }\n")
        self.apply()
        env = next(pod["env"] for pod in self.pods()
                   if pod["name"].startswith("second"))
        self.assertEqual(env["WEB"], str(self.port))
        self.assertEqual(int(env["AUTO"]),
                         self.listed()["tunnel.auto"]["port"])
        self.run_ok("plan", "--detailed-exitcode")

    def test_more_tunnels_than_files_are_undone_with_the_reason(self):
        """Nothing is left of those that did come up."""
        self.spec("".join(
            f"  t{i}: {{ pod: web, local: auto, remote: {self.inner} }}\n"
            for i in range(60)))
        done = subprocess.run(
            ["sh", "-c", 'ulimit -n 40; exec "$0" "$@"', PODFORM, "apply",
             "--auto-approve"], env=self.env, cwd=self.project, text=True,
            capture_output=True, timeout=120, check=False)
        self.assertEqual(done.returncode, 9, done.stdout + done.stderr)
        self.assertIn("may not have more than 40 open files (ulimit -n)",
                      " ".join(done.stdout.split()))
        self.assertEqual(self.pods(), [])
        wait_for(lambda: not os.path.exists(self.path("holder.sock")))

    def test_automatic_port_is_told_and_kept(self):
        # First the pod: the tunnel must find the port of its server taken,
        # since both are on this machine.
        self.spec("")
        self.apply()
        wait_for(lambda: self.listens(self.inner))
        self.spec(f"  web: {{ pod: web, local: auto, remote: {self.inner},"
                  f" check: 'http://127.0.0.1:{self.inner}/' }}\n")
        self.apply()
        port = int(self.run_ok("output", "tunnel.web.local.port",
                               "--raw").stdout)
        self.assertIn(b"sshd_config", self.get(port))
        # The next free one, from the port that it leads to.
        self.assertGreater(port, self.inner)
        self.run_ok("plan", "--detailed-exitcode")
        self.console(self.pods()[0], "stop")
        wait_for(lambda: self.listed()["tunnel.web"]["state"]
                 == "waiting-for-pod")
        self.console(self.pods()[0], "start")
        wait_for(lambda: self.listed()["tunnel.web"]["state"] != "up")
        self.assertEqual(self.listed()["tunnel.web"]["port"], port)


if __name__ == "__main__":
    unittest.main()
