"""etcd.py - Debian's etcd, started and stopped here, behind a relay that
counts what is asked of it and can take it away."""

import base64
import http.client
import json
import shutil
import subprocess
import tempfile

from common.proc import free_port
from store.served import Handler, Request, Served

KEY, NAME, PASSWORD = "team/gpu", "robot", "the p@ss: of etcd"
ROOT_PASSWORD = "of root alone"


def encode(text):
    return base64.b64encode(text.encode()).decode()


class Relay(Handler):
    def serve(self):
        store, request = self.server.store, Request(self)
        with store.guard:
            store.asked.append(request)
        if store.away:
            self.send_response(503)
            self.send_header("Retry-After", "3600")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        peer = http.client.HTTPConnection("127.0.0.1", store.behind,
                                          timeout=60)
        peer.request(request.method, self.path, request.body, {
            name: request.headers[name] for name in request.headers
            if name.lower() in ("authorization", "content-type")})
        try:
            self.pass_on(peer.getresponse(), request.path == "/v3/watch")
        except OSError:		# who watched has gone
            pass
        finally:
            peer.close()

    def pass_on(self, answer, streams):
        self.send_response(answer.status)
        if streams:
            self.send_header("Connection", "close")
            self.close_connection = True
            self.end_headers()
            while True:
                part = answer.read1(65536)
                if not part:
                    return
                self.wfile.write(part)
        body = answer.read()
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET = do_PUT = serve


class Etcd(Served):
    def __init__(self, auth=False):
        super().__init__()
        self.server.RequestHandlerClass = Relay
        self.dir = tempfile.mkdtemp()
        # Its gateway asks itself by the port that it was told.
        self.behind = free_port()
        here = f"http://127.0.0.1:{self.behind}"
        self.process = subprocess.Popen(
            ["etcd", "--data-dir", self.dir, "--listen-client-urls", here,
             "--advertise-client-urls", here, "--listen-peer-urls",
             "http://127.0.0.1:0",
             "--log-outputs", "stderr", "--unsafe-no-fsync"],
            stderr=subprocess.PIPE, text=True)
        for line in self.process.stderr:
            if "client requests on 127.0.0.1:" in line:
                break
        else:
            raise AssertionError("etcd does not start")
        self.token = None
        self.url = f"etcd://127.0.0.1:{self.port}/{KEY}"
        if auth:
            self.guard_it()

    def guard_it(self):
        """For root, and for somebody who may do with the record what he
        likes and nothing else."""
        self.secrets = (PASSWORD, ROOT_PASSWORD)
        self.env = {"PODFORM_STORE_USERNAME": NAME,
                    "PODFORM_STORE_PASSWORD": PASSWORD}
        self.bad_env = {**self.env, "PODFORM_STORE_PASSWORD": "another"}
        for name, password in (("root", ROOT_PASSWORD), (NAME, PASSWORD)):
            self.ask("auth/user/add", name=name, password=password)
            self.ask("auth/role/add", name=name)
            self.ask("auth/user/grant", user=name, role=name)
        self.ask("auth/role/grant", name=NAME, perm={
            "permType": "READWRITE", "key": encode(KEY),
            "range_end": encode(KEY + "~")})
        self.ask("auth/enable")
        self.token = self.ask("auth/authenticate", name="root",
                              password=ROOT_PASSWORD)["token"]

    def ask(self, path, **body):
        peer = http.client.HTTPConnection("127.0.0.1", self.behind,
                                          timeout=20)
        peer.request("POST", "/v3/" + path, json.dumps(body),
                     {"Authorization": self.token} if self.token else {})
        answer = peer.getresponse()
        text = answer.read()
        peer.close()
        if answer.status != 200:
            raise AssertionError(f"etcd: {path}: {text}")
        return json.loads(text)

    def get(self, key):
        found = self.ask("kv/range", key=encode(key)).get("kvs")
        return base64.b64decode(found[0]["value"]) if found else None

    def record(self):
        return self.get(KEY)

    def keys(self):
        return [base64.b64decode(kv["key"]).decode() for kv in self.ask(
            "kv/range", key=encode(KEY), range_end=encode(KEY + "~"))
                .get("kvs", [])]

    def held(self):
        return any(key != KEY for key in self.keys())

    def leases(self):
        return self.ask("lease/leases").get("leases", [])

    def clear(self):
        self.ask("kv/deleterange", key=encode(KEY),
                 range_end=encode(KEY + "~"))
        for lease in self.leases():
            self.ask("lease/revoke", ID=lease["ID"])
        self.asked, self.away = [], False

    def close(self):
        super().close()
        self.process.terminate()
        self.process.wait(20)
        self.process.stderr.close()
        shutil.rmtree(self.dir)
