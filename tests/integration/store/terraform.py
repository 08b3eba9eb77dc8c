"""terraform.py - a store that keeps strictly to the protocol of Terraform's
http backend: what it does not know it refuses.

Facts: developer.hashicorp.com/terraform/language/backend/http.
"""

import base64
import json

from store.served import Served

NAME, PASSWORD = "robot", "pa:ss word/of-the-store"
MEMBERS = {"ID", "Operation", "Info", "Who", "Version", "Created", "Path"}


class Terraform(Served):
    can_say_who = False
    secrets = (PASSWORD, base64.b64encode(
        f"{NAME}:{PASSWORD}".encode()).decode())

    def __init__(self):
        super().__init__()
        self.state, self.lock, self.wrong = None, None, []
        self.url = f"http://127.0.0.1:{self.port}/state/gpu"
        self.env = {"TF_HTTP_USERNAME": NAME, "TF_HTTP_PASSWORD": PASSWORD}
        self.bad_env = {"TF_HTTP_USERNAME": NAME,
                        "TF_HTTP_PASSWORD": "another"}

    def record(self):
        return self.state

    def held(self):
        return self.lock is not None

    def clear(self):
        self.state, self.lock, self.asked, self.away = None, None, [], False

    def refuse(self, why):
        self.wrong.append(why)
        return 400, {}, why.encode()

    def answer(self, request):
        login = base64.b64encode(f"{NAME}:{PASSWORD}".encode()).decode()
        if request.headers.get("Authorization") != "Basic " + login:
            return 401, {"WWW-Authenticate": "Basic realm=state"}, b""
        if request.path != "/state/gpu":
            return 404, {}, b""
        known = {"GET": self.get, "POST": self.post, "LOCK": self.take,
                 "UNLOCK": self.end}
        if request.method not in known:
            return self.refuse("what is " + request.method)
        return known[request.method](request)

    def get(self, request):
        if request.query or request.body:
            return self.refuse("GET is by address alone")
        if self.state is None:
            return 404, {}, b""
        return 200, {"Content-Type": "application/json"}, self.state

    def post(self, request):
        if self.lock is None or request.query != "ID=" + self.lock["ID"]:
            return 423, {}, json.dumps(self.lock or {}).encode()
        if request.headers.get("Content-Type") != "application/json":
            return self.refuse("a state is JSON")
        json.loads(request.body)
        self.state = request.body
        return 200, {}, b""

    def take(self, request):
        info = json.loads(request.body)
        if set(info) != MEMBERS or not info["ID"] or request.query:
            return self.refuse("what a lock tells is not " + str(info))
        if self.lock is not None:
            return 423, {}, json.dumps(self.lock).encode()
        self.lock = info
        return 200, {}, b""

    def end(self, request):
        info = json.loads(request.body)
        if self.lock is not None and info["ID"] != self.lock["ID"]:
            return 409, {}, json.dumps(self.lock).encode()
        self.lock = None
        return 200, {}, b""
