#!/usr/bin/python3
"""Check the JSON Schema of specs with a validator that is not ours.

    schema_check.py [SCHEMA]

SCHEMA is a file (docs/podform.schema.json by default) or `-` for standard
input (podform schema | schema_check.py -).  The schema must be a valid one
of draft 2020-12, accept the contract's example, specs/ and every example,
and refuse each of a list of bad specs.
"""
import glob
import json
import os
import re
import sys

import jsonschema
import yaml

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")


class Loader(yaml.SafeLoader):
    """YAML as editors read it: the core schema of YAML 1.2."""


Loader.yaml_implicit_resolvers = {}
Loader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile(r"^(true|false)$"),
    list("tf"))
Loader.add_implicit_resolver(
    "tag:yaml.org,2002:int", re.compile(r"^-?(0|[1-9][0-9]*)$"),
    list("-0123456789"))
Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^-?[0-9]+\.[0-9]+$"), list("-0123456789"))
Loader.add_implicit_resolver(
    "tag:yaml.org,2002:null", re.compile(r"^(null|~|)$"),
    ["n", "~", ""])

POD = "pods:\n  p:\n    image: a:1\n    gpu: A40\n"

GOOD = [
    "project: t\n",
    POD + "    min_cuda: 12.4\n",
    POD + "    replicas: ${var.N}\n",
    POD + "    disk: ${env.DISK}\n",
    POD + "    max_price: '0.5'\n",
    POD + "    env: { A: x, B: 5, C: true, D: '${secret.K}' }\n",
    POD + "    data_centers: NO\n",
    POD + "    setup: [{ run: a }, { copy: { from: x, to: /y } }]\n",
    "volumes: { v: { size: 10GB, data_center: NO } }\n",
    "tunnels: { t: { pod: p, local: auto, remote: 'db:5432' } }\n",
    "tunnels: { t: { pod: 'p[2]', local: '0.0.0.0:80', direction: dynamic } }\n",
]

BAD = [
    "- a\n",
    "projekt: t\n",
    "project: T_\n",
    POD + "    imgae: b\n",
    POD + "    gpu_count: 0\n",
    POD + "    gpu_count: 11\n",
    POD + "    gpu_count: '1'\n",
    POD + "    disk: 50\n",
    POD + "    disk: 010GB\n",
    POD + "    replicas: -1\n",
    POD + "    protect: 'true'\n",
    POD + "    cloud: secur\n",
    POD + "    name: ''\n",
    POD + "    name: '" + "n" * 61 + "'\n",
    POD + "    name: 'a{foo}'\n",
    POD + "    env: { A=B: x }\n",
    POD + "    env: { 1X: x }\n",
    POD + "    env: { A: [x] }\n",
    POD + "    env: {" + ", ".join(f"A{i}: x" for i in range(51)) + "}\n",
    POD + "    ports: [8188]\n",
    POD + "    ports: [65536/tcp]\n",
    POD + "    ports: [22/tcp, 22/tcp]\n",
    POD + "    lease: 10 m\n",
    POD + "    lease: 1.5h\n",
    POD + "    max_price: 0\n",
    POD + "    regions: [EUROPA]\n",
    POD + "    regions: [EUROPE]\n    data_centers: [EU-RO-1]\n",
    POD + "    setup: [{ ruN: a }]\n",
    POD + "    idle: { gpu_below: 5, then: sleep }\n",
    POD + "    network_volume: { volume: v, path: w }\n",
    "pods: { A: { image: a, gpu: b } }\n",
    "volumes: { v: { size: 100, data_center: X } }\n",
    "volumes: { v: { size: 100GB } }\n",
    "runners: { r: { pod: p } }\n",
    "runners: { r: { pod: p, repository: a/b, organization: c } }\n",
    "runners: { r: { pod: p, repository: a } }\n",
    "tunnels: { t: { local: 1, remote: 2 } }\n",
    "tunnels: { t: { pod: p, local: x y, remote: 2 } }\n",
    "secrets: { K: { env: A, file: b } }\n",
    "secrets: { K: {} }\n",
    "settings: { budget: { per_hour: -1 } }\n",
    "settings: { budget: {} }\n",
    "defaults: { volume: {} }\n",
]


def main():
    path = sys.argv[1] if len(sys.argv) > 1 else os.path.join(
        TOP, "docs", "podform.schema.json")
    schema = json.load(sys.stdin if path == "-" else open(path))
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    failures = 0

    files = [os.path.join(TOP, "tests", "integration", "contract.yaml")]
    for where in ("specs", "examples/*/specs"):
        for end in ("yaml", "yml"):
            files += glob.glob(os.path.join(TOP, where, "*." + end))
    good = [(os.path.relpath(f, TOP), open(f).read()) for f in sorted(files)]
    good += [(text, text) for text in GOOD]
    for name, text in good:
        for error in validator.iter_errors(yaml.load(text, Loader)):
            print(f"refused, and is good: {name}: {error.message}")
            failures += 1
    for text in BAD:
        if validator.is_valid(yaml.load(text, Loader)):
            print(f"accepted, and is bad: {text}")
            failures += 1
    print(f"{'not ok' if failures else 'ok'} - schema: {len(good)} good, "
          f"{len(BAD)} bad, {failures} wrong")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
