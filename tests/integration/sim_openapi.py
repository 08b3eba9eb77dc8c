#!/usr/bin/python3
"""sim_openapi.py - is podform-sim what RunPod's description says?

Every request of a scripted session, and every answer to it, is checked
against tests/data/runpod-v2.schema.json: status, media type, body.  Then
bodies are spoilt one member at a time, and podform-sim must refuse (422)
exactly those that the description refuses.

Usage: sim_openapi.py [PODFORM-SIM]
or the program that the environment variable PODFORM_SIM names.
"""

import copy
import http.client
import json
import os
import pathlib
import re
import subprocess
import sys
import time
import urllib.parse

import jsonschema

ROOT = pathlib.Path(__file__).resolve().parents[2]
FACTS = json.loads((ROOT / "tests/data/runpod-v2.schema.json").read_text())
WINDOW = r'"(minute|hour|day)";[rq]=\d+;[tw]=\d+'

formats = jsonschema.FormatChecker(formats=())
TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$")


@formats.checks("date-time")
def is_time(value):
    return not isinstance(value, str) or TIME.match(value) is not None


def mistakes(name, value):
    schema = {"$defs": FACTS["$defs"], "$ref": "#/$defs/" + name}
    checker = jsonschema.Draft202012Validator(schema, format_checker=formats)
    return [error.message for error in checker.iter_errors(value)]


def operation(method, path):
    for op in FACTS["operations"]:
        pattern = re.sub(r"\{[^}]+\}", "[^/]+", op["path"])
        if op["method"] == method and re.fullmatch(pattern, path):
            return op
    raise AssertionError(f"no operation {method} {path}")


class Sim:
    def __init__(self, program, *options):
        self.process = subprocess.Popen(
            [program, "--parent-pid", str(os.getpid()), *options],
            stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        self.port = int(line.rsplit(":", 1)[1])
        self.checked = 0
        self.failures = []

    def close(self):
        self.process.terminate()
        self.process.wait(10)

    def fail(self, text):
        self.failures.append(text)
        print("not ok:", text)

    def send(self, method, target, body=None, key="rpa_sim", text=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port,
                                                timeout=10)
        headers = {"Content-Type": "application/json"}
        if key:
            headers["Authorization"] = "Bearer " + key
        if body is not None:
            text = json.dumps(body)
        connection.request(method, target, text, headers)
        answer = connection.getresponse()
        if answer.headers.get_content_type() == "text/event-stream":
            text = answer.read1()  # it stays open
            connection.close()
            return answer.status, answer.headers, text
        return answer.status, answer.headers, answer.read()

    def control(self, path, body):
        status, _, text = self.send("POST", "/control/" + path, body)
        if status != 200:
            self.fail(f"control {path}: {text}")

    def check(self, method, target, body, want, key="rpa_sim"):
        """One request, held against the description; returns the answer."""
        path = urllib.parse.unquote(target.split("?")[0])
        op = operation(method, target.split("?")[0])
        what = f"{method} {target}"
        status, headers, text = self.send(method, target, body, key)
        self.checked += 1
        if status != want:
            self.fail(f"{what}: {status} instead of {want}: {text[:300]}")
        if op["request"] and body is not None and want < 300:
            for line in mistakes(op["request"], body):
                self.fail(f"{what}: the request itself is wrong: {line}")
        return self.check_answer(what, op, status, headers, text)

    def check_answer(self, what, op, status, headers, text):
        rule = op["answers"].get(str(status), op["answers"]["default"])
        if not headers.get("x-request-id"):
            self.fail(f"{what}: no x-request-id")
        if status not in (401,):
            for name in ("RateLimit", "RateLimit-Policy"):
                if not re.fullmatch(rf"{WINDOW}(, {WINDOW}){{2}}",
                                    headers.get(name, "")):
                    self.fail(f"{what}: bad {name}: {headers.get(name)}")
        if not rule:
            if text:
                self.fail(f"{what}: {status} with a body")
            return None
        if headers.get_content_type() != rule["type"]:
            # Live, a full host is told without the problem's form.
            if b"not enough free GPUs" not in text:
                self.fail(f"{what}: {status} as {headers['Content-Type']}")
            return json.loads(text)
        if rule["schema"] is None or rule["type"] == "text/event-stream":
            return text.decode()
        value = json.loads(text)
        for line in mistakes(rule["schema"], value):
            self.fail(f"{what}: {status}: {line}")
        return value


POD = {
    "name": "trainer", "image": "runpod/base:1.0.2-ubuntu2204", "disk": 20,
    "args": "bash -c 'sleep 1'", "cloud": "SECURE",
    "gpu": {"id": "NVIDIA A40", "count": 2, "minCudaVersion": "12.1"},
    "ports": ["22/tcp", "8888/http"], "env": {"A": "1", "Ü": "\u2028\"\\"},
    "dataCenterIds": ["EU-RO-1", "EU-SE-1"], "globalNetworking": True,
    "mounts": {"persistent": {"size": 20, "path": "/workspace"}},
    "startSsh": True, "startJupyter": True,
}
CPU_POD = {
    "name": "small", "image": "debian:12", "disk": 10,
    "cpu": {"id": "cpu3c", "vcpuCount": 4},
}
TEMPLATE = {
    "name": "base", "image": "debian:12", "disk": 15, "ports": ["22/tcp"],
    "env": {"B": "2"}, "category": "NVIDIA",
    "mounts": {"persistent": {"size": 10, "path": "/data"}},
    "allowedCudaVersions": ["12.4", "12.6", "12.8", "13.0"],
}
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIL me@example.com"


def pods(sim):
    sim.check("GET", "/v2/pods", None, 401, key=None)
    sim.check("GET", "/v2/pods", None, 401, key="rpa_wrong")
    sim.check("GET", "/v2/pods", None, 200)
    pod = sim.check("POST", "/v2/pods", POD, 201)
    cpu = sim.check("POST", "/v2/pods", CPU_POD, 201)
    path = "/v2/pods/" + pod["id"]
    sim.check("POST", path + "/action", {"action": "start"}, 409)
    deadline = time.monotonic() + 10
    while True:
        seen = sim.check("GET", path, None, 200)
        if seen["ssh"]["direct"]:
            break
        assert time.monotonic() < deadline, "the pod never came up"
        time.sleep(0.05)
    if seen["env"].get("PUBLIC_KEY") != KEY:
        sim.fail("startSsh did not inject PUBLIC_KEY")
    sim.check("GET", "/v2/pods?limit=1", None, 200)
    for action, status in (("restart", 200), ("stop", 200), ("stop", 409),
                           ("start", 200), ("dance", 422)):
        sim.check("POST", path + "/action", {"action": action}, status)
    sim.check("PATCH", path, {"name": "b", "locked": True}, 200)
    sim.check("PATCH", path, {"disk": 30}, 409)
    sim.check("PATCH", path, {
        "locked": False, "disk": 30, "ports": [], "env": {}, "args": "",
        "registry": None, "image": "debian:12", "globalNetworking": False,
        "mounts": {"persistent": {"size": 25, "path": "/w"}}}, 200)
    sim.check("PATCH", path, {
        "mounts": {"persistent": {"size": 10, "path": "/w"}}}, 400)
    sim.check("GET", path + "/logs?tail=10", None, 200)
    sim.check("POST", path + "/action", {"action": "terminate"}, 204)
    sim.check("GET", path, None, 200)
    sim.check("DELETE", path, None, 404)
    sim.check("DELETE", "/v2/pods/" + cpu["id"], None, 204)
    sim.check("GET", "/v2/pods", None, 200)
    sim.check("GET", "/v2/pods/nothere", None, 404)


def refusals(sim):
    def bad(status, **changes):
        body = {**copy.deepcopy(POD), **changes}
        sim.check("POST", "/v2/pods",
                  {k: v for k, v in body.items() if v is not ...}, status)

    bad(400, gpu={"id": "NVIDIA A40"})
    bad(400, disk=...)
    bad(400, gpu={"id": "NVIDIA A40", "count": 99})
    bad(400, gpu={"id": "no such", "count": 1})
    bad(400, cpu={"id": "cpu3c", "vcpuCount": 2})
    bad(400, dataCenterIds=["MOON-1"])
    bad(400, ports=["22/udp"])
    bad(400, registry="nothere")
    bad(404, templateId="nothere")
    sim.control("stock", {"gpu": "NVIDIA A40", "count": 0})
    bad(400)
    sim.control("stock", {"gpu": "NVIDIA A40", "count": 8})
    sim.control("balance", {"balance": 0.01})
    bad(402)
    sim.control("balance", {"balance": 500})
    sim.control("script", {"call": "create", "fault": "rate_limited",
                           "retry_after": "7"})
    bad(429)


def volumes(sim):
    want = {"name": "data", "size": 50, "dataCenter": "EU-RO-1"}
    volume = sim.check("POST", "/v2/network-volumes", want, 201)
    path = "/v2/network-volumes/" + volume["id"]
    sim.check("POST", "/v2/network-volumes",
              {**want, "type": "HIGH_PERFORMANCE"}, 201)
    sim.check("POST", "/v2/network-volumes",
              {**want, "dataCenter": "AP-JP-1"}, 400)
    sim.check("GET", "/v2/network-volumes", None, 200)
    sim.check("GET", path, None, 200)
    sim.check("PATCH", path, {"size": 60, "name": "more"}, 200)
    sim.check("PATCH", path, {"size": 20}, 400)
    mount = {"network": [{"volumeId": volume["id"], "path": "/workspace"}]}
    pod = sim.check("POST", "/v2/pods", {
        **POD, "mounts": mount, "dataCenterIds": []}, 201)
    if pod["dataCenterId"] != "EU-RO-1":
        sim.fail("the pod is not where its volume is")
    sim.check("POST", "/v2/pods", {
        **POD, "mounts": mount, "dataCenterIds": ["EU-SE-1"]}, 400)
    sim.check("DELETE", "/v2/pods/" + pod["id"], None, 204)
    sim.check("DELETE", path, None, 204)
    sim.check("GET", path, None, 404)


def account(sim):
    sim.check("GET", "/v2/account/ssh-keys", None, 200)
    sim.check("PUT", "/v2/account/ssh-keys", {"keys": [KEY]}, 200)
    registry = sim.check("POST", "/v2/registries", {
        "name": "hub", "username": "u", "password": "p"}, 201)
    path = "/v2/registries/" + registry["id"]
    sim.check("GET", "/v2/registries", None, 200)
    sim.check("GET", path, None, 200)
    pod = sim.check("POST", "/v2/pods",
                    {**CPU_POD, "registry": registry["id"]}, 201)
    sim.check("DELETE", path, None, 400)
    sim.check("DELETE", "/v2/pods/" + pod["id"], None, 204)
    sim.check("DELETE", path, None, 204)
    template = sim.check("POST", "/v2/templates", TEMPLATE, 201)
    path = "/v2/templates/" + template["id"]
    sim.check("POST", "/v2/templates", TEMPLATE, 400)
    sim.check("GET", "/v2/templates", None, 200)
    sim.check("GET", path, None, 200)
    sim.check("PATCH", path, {"disk": 25, "registry": None}, 200)
    made = sim.check("POST", "/v2/pods", {
        "name": "from-template", "templateId": template["id"],
        "gpu": {"id": "NVIDIA RTX A6000", "count": 1},
        "env": {"C": "3"}}, 201)
    if made["env"].get("B") != "2" or made["disk"] != 25:
        sim.fail(f"the template was not applied: {made}")
    sim.check("DELETE", "/v2/pods/" + made["id"], None, 204)
    sim.check("DELETE", path, None, 204)
    sim.check("GET", path, None, 404)


def catalog(sim):
    base = "/v2/catalog/"
    for target, status in (
            ("gpus", 200), ("gpus?include=AVAILABILITY", 400),
            ("gpus?include=AVAILABILITY&product=POD", 200),
            ("gpus?include=AVAILABILITY&product=POD,SERVERLESS&count=2"
             "&cloud=COMMUNITY&countryCodes=RO,SE&minCudaVersion=12", 200),
            ("gpus?product=POD", 400), ("gpus?include=AVAILABILITY"
             "&product=POD&cudaVersions=12", 422),
            ("gpus/NVIDIA%20A40", 200), ("gpus/NVIDIA%20A41", 404),
            ("gpus/NVIDIA%20A40?include=AVAILABILITY&product=POD", 200),
            ("cpus", 200), ("cpus?include=AVAILABILITY&product=POD", 200),
            ("cpus/cpu5g", 200), ("cpus/cpu9", 404),
            ("datacenters", 200), ("datacenters/EU-RO-1", 200),
            ("datacenters/eu-ro-1", 404),
            ("datacenters?include=GPU_AVAILABILITY,CPU_AVAILABILITY"
             "&regions=EUROPE", 200),
            ("datacenters?networkVolumeTypes=STANDARD&globalNetwork=true",
             200),
            ("templates", 200), ("templates?source=community", 200)):
        sim.check("GET", base + target, None, status)
    for target, status in (
            ("", 200), ("/pods", 200), ("/network-volumes", 200),
            ("/pods?lastN=3&bucketSize=hour", 200),
            ("?bucketSize=month&startTime=2026-01-01T00:00:00Z", 200),
            ("?bucketSize=week", 200), ("?bucketSize=year", 200),
            ("/pods?podId=nothere", 200), ("?bucketSize=eon", 422),
            ("?lastN=3&startTime=2026-01-01T00:00:00Z", 400)):
        sim.check("GET", "/v2/billing" + target, None, status)


def spoilt(value):
    """Value with one member dropped, added or turned to another type."""
    if isinstance(value, dict):
        yield {**value, "unknownMember": 1}
        for key in value:
            yield {k: v for k, v in value.items() if k != key}
            for other in spoilt(value[key]):
                yield {**value, key: other}
    if isinstance(value, list):
        for i, item in enumerate(value):
            for other in spoilt(item):
                yield value[:i] + [other] + value[i + 1:]
    for other in (None, True, 7, -1, 2.5, "", "text", [], [1], ["x"], {},
                  {"k": 1}):
        if type(other) is not type(value) or other != value:
            yield other


def agreement(sim, method, path, schema, body):
    """Refused by us exactly when refused by the description."""
    for other in spoilt(body):
        status, _, text = sim.send(method, path, text=json.dumps(other))
        wrong = mistakes(schema, other)
        sim.checked += 1
        if (status == 422) != bool(wrong):
            sim.fail(f"{method} {path} {json.dumps(other)[:300]}: {status} "
                     f"but the description says {wrong or 'fine'}")


def main():
    program = sys.argv[1] if len(sys.argv) > 1 else os.environ.get(
        "PODFORM_SIM", str(ROOT / "build/gcc/podform-sim"))
    sim = Sim(program, "--pod-start", "200")
    try:
        account(sim)
        sim.check("PUT", "/v2/account/ssh-keys", {"keys": [KEY]}, 200)
        pods(sim)
        volumes(sim)
        refusals(sim)
        catalog(sim)
    finally:
        sim.close()
    failures = sim.failures
    fuzz = Sim(program, "--rate-limit", "off", "--balance", "0",
               "--pods", "none")
    try:
        agreement(fuzz, "POST", "/v2/pods", "CreatePodRequest", POD)
        agreement(fuzz, "POST", "/v2/pods", "CreatePodRequest", CPU_POD)
        agreement(fuzz, "POST", "/v2/network-volumes",
                  "CreateNetworkVolumeRequest",
                  {"name": "v", "size": 10, "dataCenter": "MOON-1"})
        agreement(fuzz, "POST", "/v2/templates", "CreateTemplateRequest",
                  TEMPLATE)
        agreement(fuzz, "PUT", "/v2/account/ssh-keys",
                  "UpdateSshKeysRequest", {"keys": [KEY]})
    finally:
        fuzz.close()
    failures += fuzz.failures
    checked = sim.checked + fuzz.checked
    if not failures:
        print(f"ok: {checked} exchanges are as described")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
