"""pretender.py - somebody who listens where the holder of tunnels would."""

import json
import os
import socket
import threading

SOCKET = ".podform/holder.sock"


def tunnel(**changes):
    return {"address": "tunnel.web", "direction": "local",
            "local_address": "127.0.0.1", "local_port": 8188,
            "remote_host": "127.0.0.1", "remote_port": 80,
            "pod": "pod.one", "pod_id": "p1", **changes}


def status(**changes):
    return {**tunnel(), "state": "up", "port": 8188, "since_ms": 1,
            "retry_at_ms": 0, "bytes_in": 1, "bytes_out": 2,
            "connections": 0, "rtt_us": -1, "reconnects": 0,
            "first_use": False, **changes}


def answer(**changes):
    return json.dumps({"protocol": 1, "version": "0", "ok": True,
                       "conflict": False, "tunnels": [],
                       **changes}).encode() + b"\n"


class Pretender:
    """Listens where the holder would, and answers by `reply(request)`:
    bytes, or None to hang up without a word."""

    def __init__(self, test, reply, linger=0, under="."):
        os.makedirs(test.path(under + "/.podform"), 0o700, exist_ok=True)
        self.reply, self.linger = reply, linger
        self.asked, self.kept = [], []
        self.socket = socket.socket(socket.AF_UNIX)
        self.path = test.path(under + "/" + SOCKET)
        self.socket.bind(self.path)
        self.socket.listen(64)
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()
        test.addCleanup(self.close)

    def serve(self):
        while True:
            try:
                peer = self.socket.accept()[0]
            except OSError:
                return
            data = b""
            while not data.endswith(b"\n"):
                more = peer.recv(65536)
                if not more:
                    break
                data += more
            self.asked.append(json.loads(data))
            said = self.reply(self.asked[-1])
            if said is not None:
                try:
                    peer.sendall(said)
                except OSError:
                    pass
            if self.linger:
                self.kept.append(peer)
            else:
                peer.close()

    def close(self):
        self.socket.close()
        for peer in self.kept:
            peer.close()
        if os.path.exists(self.path):
            os.unlink(self.path)
