#!/usr/bin/python3
"""tunnels.py - the holder of tunnels against real pods of podform-sim.

Speaks the holder's protocol, as a client does, and looks at what is there in
the end: listeners, processes, descriptors, files.
"""

import os
import resource
import shutil
import signal
import socket
import struct
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "tunnel"))

from tunnel_world import (TunnelCase, alive, children, free_port,
                          wait_for)


class Tunnels(TunnelCase):
    def test_request_goes_through_and_close_leaves_nothing(self):
        pod, port = self.pod(), free_port()
        self.start_holder()
        tunnel = self.open_up(pod, port, check=f"http://127.0.0.1:{port}/")
        self.assertEqual(tunnel["state"], "up")
        self.assertEqual(self.get(port), b"hello")
        pid = self.holder_pid()
        workers = children(pid)
        self.assertTrue(workers)
        shown = self.podform("tunnel", "list")
        self.assertIn("tunnel.web", shown.stdout)
        self.assertIn(" up ", shown.stdout)
        closed = self.podform("tunnel", "down", "web")
        self.assertEqual(closed.returncode, 0, closed.stderr)
        self.assert_refused(port)
        self.assert_nothing_left(pid, workers)

    def test_it_follows_a_pod_through_stop_and_start(self):
        pod, port = self.pod(), free_port()
        self.start_holder()
        self.open_up(pod, port)
        before = self.state()["fingerprint"]
        self.console(pod, "stop")
        wait_for(lambda: self.state()["state"] == "waiting-for-pod")
        self.console(pod, "start")
        wait_for(lambda: self.state()["state"] == "up", 60)
        self.assertNotEqual(self.state()["fingerprint"], before)
        self.assertEqual(self.get(port), b"hello")

    def test_it_closes_when_the_pod_is_deleted(self):
        pod, port = self.pod(), free_port()
        self.start_holder()
        self.open_up(pod, port)
        pid = self.holder_pid()
        workers = children(pid)
        self.call("DELETE", f"/pods/{pod['id']}")
        wait_for(lambda: not alive(pid), 60)
        self.assert_refused(port)
        self.assert_nothing_left(pid, workers)
        self.assertIn("tunnel.web: closed: the pod", self.log())

    def test_killed_holder_takes_its_workers_and_ports_along(self):
        pod, port = self.pod(), free_port()
        self.start_holder()
        self.open_up(pod, port)
        pid = self.holder_pid()
        workers = children(pid)
        os.kill(pid, signal.SIGKILL)
        wait_for(lambda: not any(alive(worker) for worker in workers))
        self.assert_refused(port)
        # The socket is a leftover: it stops nobody.
        self.assertIn("no tunnel is held",
                      self.podform("tunnel", "list").stdout)
        self.start_holder()
        self.assertNotEqual(self.holder_pid(), pid)
        self.open_up(pod, port)
        self.assertEqual(self.get(port), b"hello")

    def rests_when_full(self, pid, knock):
        """Nobody can be let in: who waits must not keep the holder awake."""
        def used():
            with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
                return sum(map(int, file.read().rsplit(")", 1)[1]
                               .split()[11:13]))
        soft, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (3, hard))
        client = knock()
        time.sleep(0.2)
        before = used()
        time.sleep(1.5)
        spent = (used() - before) / os.sysconf("SC_CLK_TCK")
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (soft, hard))
        self.assertLess(spent, 0.1)
        return client

    def test_a_holder_without_descriptors_rests_and_comes_back(self):
        pod, port = self.pod(), free_port()
        self.start_holder()
        self.open_up(pod, port)
        pid = self.holder_pid()

        def door():
            client = socket.socket(socket.AF_UNIX)
            client.settimeout(5)
            client.connect(self.path("holder.sock"))
            client.sendall(b'{"protocol":1,"version":"t","verb":"list"}\n')
            return client
        with self.rests_when_full(pid, door) as client:
            self.assertIn(b'"ok":true', client.recv(65536))
        # The same at a tunnel that is down for long and cuts who comes.
        self.console(pod, "stop")
        wait_for(lambda: self.state()["state"] == "waiting-for-pod")

        def cut(client):
            try:
                return client.recv(1) == b""
            except ConnectionResetError:
                return True

        def is_cut():
            with socket.create_connection(("127.0.0.1", port), 5) as client:
                client.settimeout(1)
                try:
                    return cut(client)
                except TimeoutError:
                    return False
        wait_for(is_cut, 60)
        with self.rests_when_full(pid, lambda: socket.create_connection(
                ("127.0.0.1", port), 5)) as client:
            self.assertTrue(cut(client))

    def test_taken_port_is_a_conflict_that_names_its_owner(self):
        pod = self.pod()
        self.start_holder()
        with socket.socket() as other:
            other.bind(("127.0.0.1", 0))
            other.listen()
            answer = self.open(pod, other.getsockname()[1])
            self.assertFalse(answer["ok"])
            self.assertTrue(answer["conflict"])
            self.assertIn(f"(pid {os.getpid()})", answer["reason"])

    def test_twenty_tunnels_to_one_pod_have_one_session(self):
        pod = self.pod()
        self.start_holder()
        ports = [free_port() for _ in range(20)]
        for i, port in enumerate(ports):
            self.open_up(pod, port, f"tunnel.t{i}")
        for port in ports:
            self.assertEqual(self.get(port), b"hello")
        self.assertLessEqual(len(children(self.holder_pid())), 2)

    def test_unix_socket_is_private_and_removed(self):
        pod = self.pod()
        path = os.path.join(self.work, "web.sock")
        self.start_holder()
        self.open_up(pod, 0, local_address=path)
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(10)
            client.connect(path)
            client.sendall(b"GET / HTTP/1.0\r\n\r\n")
            self.assertTrue(client.recv(100).startswith(b"HTTP/1.0 200"))
        self.say(verb="close", address="tunnel.web")
        self.assertFalse(os.path.exists(path))

    def open_files(self, pids):
        return [len(os.listdir(f"/proc/{pid}/fd")) for pid in pids]

    def test_connections_that_die_half_way_leave_no_descriptor(self):
        pod, port = self.pod(), free_port()
        self.start_holder()
        self.open_up(pod, port)
        pids = [self.holder_pid()] + children(self.holder_pid())
        before = self.open_files(pids)
        cut = struct.pack("ii", 1, 0)
        for i in range(200):
            with socket.create_connection(("127.0.0.1", port), 20) as one:
                if i % 2:
                    one.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n")
                if i % 3:
                    one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, cut)
        self.assertEqual(self.get(port), b"hello")
        wait_for(lambda: self.state()["connections"] == 0)
        wait_for(lambda: all(now <= then for now, then in
                             zip(self.open_files(pids), before)))

    def test_holder_of_a_removed_project_ends(self):
        pod, port = self.pod(), free_port()
        self.start_holder()
        self.open_up(pod, port)
        pid = self.holder_pid()
        workers = children(pid)
        shutil.rmtree(self.path(""))
        self.assert_nothing_left(pid, workers)
        self.assert_refused(port)

    def test_two_holders_are_one(self):
        for _ in range(3):
            self.start_holder()
        pid = self.holder_pid()
        time.sleep(0.5)
        self.assertTrue(alive(pid))
        self.assertEqual(self.holder_pid(), pid)
        os.kill(pid, signal.SIGTERM)
        self.assert_nothing_left(pid, [])

    def test_another_protocol_is_told_and_can_end_it(self):
        self.start_holder()
        pid = self.holder_pid()
        answer = self.say(protocol=9, verb="dance")
        self.assertFalse(answer["ok"])
        self.assertIn("another protocol", answer["reason"])
        self.assertTrue(self.say(protocol=9, verb="end")["ok"])
        self.assert_nothing_left(pid, [])

    def test_pod_that_vanishes_while_it_is_waited_for(self):
        pod, port = self.pod(), free_port()
        self.start_holder()
        self.open_up(pod, port)
        pid = self.holder_pid()
        workers = children(pid)
        self.console(pod, "stop")
        wait_for(lambda: self.state()["state"] == "waiting-for-pod")
        self.call("DELETE", f"/pods/{pod['id']}")
        wait_for(lambda: not alive(pid), 120)
        self.assertIn("tunnel.web: closed: the pod", self.log())
        self.assert_refused(port)
        self.assert_nothing_left(pid, workers)

    def test_holder_without_work_ends_by_itself(self):
        self.start_holder()
        pid = self.holder_pid()
        wait_for(lambda: not alive(pid), 30)
        self.assertIn("no tunnel is left", self.log())
        self.assert_nothing_left(pid, [])


if __name__ == "__main__":
    unittest.main()
