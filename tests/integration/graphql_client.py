#!/usr/bin/python3
"""graphql_client.py - podform-sim as clients of RunPod's GraphQL see it.

Sends what such clients send: literals written into the query, no variables,
an operation name or none.  Expects what they rely on: status 200 for all
that reached a resolver, an `errors` member only when there are errors, whole
numbers as whole numbers, null for a pod that is not there.

Usage: graphql_client.py [PODFORM-SIM]
or the program that the environment variable PODFORM_SIM names.
"""

import json
import os
import signal
import subprocess
import sys
import time
import unittest
import urllib.error
import urllib.request

KEY = "rpa_graphql_client"
SIMULATOR = os.environ.get("PODFORM_SIM", "build/gcc/podform-sim")


class Simulator:
    """podform-sim for one test class; it ends with us, whatever happens."""

    def __init__(self, *options):
        self.process = subprocess.Popen(
            [SIMULATOR, "--listen", "127.0.0.1:0", "--key", KEY,
             "--pod-start", "100", "--pods", "none", "--rate-limit", "off",
             "--parent-pid", str(os.getpid()), *options],
            stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        self.url = next(word for word in line.split()
                        if word.startswith("http://")).rstrip("/.,")

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(20)
        self.process.stdout.close()

    def post(self, body, key=KEY, parameters=""):
        headers = {"Content-Type": "application/json",
                   "User-Agent": "podform-graphql-test/1"}
        if key is not None:
            headers["Authorization"] = "Bearer " + key
        request = urllib.request.Request(
            self.url + "/graphql" + parameters, data=body.encode(),
            headers=headers, method="POST")
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.loads(error.read())

    def ask(self, query, **more):
        return self.post(json.dumps({"query": query}), **more)

    def data(self, query):
        """The data of an answer that must be without errors."""
        status, answer = self.ask(query)
        if status != 200 or "errors" in answer:
            raise AssertionError(f"{status}: {answer}")
        return answer["data"]


class GraphqlTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.sim = Simulator()

    @classmethod
    def tearDownClass(cls):
        cls.sim.end()

    def create(self, name, more=""):
        return self.sim.data(f"""
            mutation {{
              podFindAndDeployOnDemand(
                input: {{
                  name: "{name}", imageName: "runpod/stack",
                  cloudType: ALL, startSsh: true,
                  gpuTypeId: "NVIDIA A40", supportPublicIp: true,
                  gpuCount: 1, volumeInGb: 0, minVcpuCount: 1,
                  minMemoryInGb: 1, dataCenterId: null, dockerArgs: "",
                  containerDiskInGb: 10, ports: "8888/http,22/tcp",
                  volumeMountPath: "/runpod-volume",
                  env: [{{ key: "MODE", value: "a b" }},
                        {{ key: "N", value: "1" }}] {more}
                }}
              ) {{ id imageName env machineId machine {{ podHostId }} }}
            }}""")["podFindAndDeployOnDemand"]

    def pod(self, pod_id):
        return self.sim.data(
            f'query pod {{ pod(input: {{podId: "{pod_id}"}}) '
            '{ id containerDiskInGb costPerHr desiredStatus dockerArgs '
            'dockerId env gpuCount imageName lastStatusChange machineId '
            'memoryInGb name podType port ports uptimeSeconds vcpuCount '
            'volumeInGb volumeMountPath runtime { ports { ip isIpPublic '
            'privatePort publicPort type } } machine { gpuDisplayName } '
            '} }')["pod"]

    def test_gpu_types_have_a_row_to_pass_over(self):
        gpus = self.sim.data(
            "query GpuTypes { gpuTypes { id displayName memoryInGb } }"
        )["gpuTypes"]
        rows = {gpu["id"]: gpu for gpu in gpus}
        self.assertEqual(rows["NVIDIA A40"]["displayName"], "A40")
        self.assertEqual(rows["unknown"]["memoryInGb"], 0)

    def test_one_gpu_type_has_prices_and_a_lowest_price(self):
        gpu, = self.sim.data(
            'query { gpuTypes(input: {id: "NVIDIA A40"}) { maxGpuCount id '
            'manufacturer cudaCores secureCloud communityCloud securePrice '
            'communityPrice oneMonthPrice secureSpotPrice '
            'lowestPrice(input: {gpuCount: 2}) { minimumBidPrice '
            'uninterruptablePrice } } }')["gpuTypes"]
        self.assertTrue(gpu["secureCloud"])
        lowest = gpu["lowestPrice"]["uninterruptablePrice"]
        self.assertIn(round(lowest / 2, 6),
                      (gpu["securePrice"], gpu["communityPrice"]))
        self.assertEqual(self.sim.data(
            '{ gpuTypes(input: {id: "no such"}) { id } }'), {"gpuTypes": []})

    def test_a_pod_lives(self):
        made = self.create("lives")
        self.assertEqual(made["env"][:2], ["MODE=a b", "N=1"])
        self.assertTrue(made["machine"]["podHostId"].startswith(made["id"]))
        for _ in range(200):
            pod = self.pod(made["id"])
            if pod["runtime"] and pod["runtime"]["ports"]:
                break
            time.sleep(0.05)
        self.assertEqual(pod["desiredStatus"], "RUNNING")
        for field in ("gpuCount", "memoryInGb", "vcpuCount", "volumeInGb",
                      "containerDiskInGb", "uptimeSeconds"):
            self.assertIs(type(pod[field]), int, field)
        ssh, = (port for port in pod["runtime"]["ports"]
                if port["privatePort"] == 22)
        self.assertTrue(ssh["isIpPublic"])
        self.assertGreater(ssh["publicPort"], 0)
        self.assertIn(made["id"], [row["id"] for row in self.sim.data(
            "query myPods { myself { pods { id } } }")["myself"]["pods"]])

        podid = f'podId: "{made["id"]}"'
        self.assertEqual(self.sim.data(
            f"mutation {{ podStop(input: {{ {podid} }}) "
            "{ id desiredStatus } }")["podStop"]["desiredStatus"], "EXITED")
        self.assertIsNone(self.pod(made["id"])["runtime"])
        self.assertEqual(self.sim.data(
            f"mutation {{ podResume(input: {{ {podid}, gpuCount: 1 }}) "
            "{ desiredStatus } }")["podResume"]["desiredStatus"], "RUNNING")
        self.assertEqual(self.sim.data(
            f"mutation {{ podTerminate(input: {{ {podid} }}) }}"),
            {"podTerminate": None})
        self.assertIsNone(self.pod(made["id"]))

    def test_a_volume_leads_to_its_data_center(self):
        volume = self.sim.data(
            'mutation { createNetworkVolume(input: {name: "v", size: 10, '
            'dataCenterId: "EU-RO-1"}) { id dataCenterId } }'
        )["createNetworkVolume"]
        mine = self.sim.data("query myself { myself { id pubKey "
                             "networkVolumes { id name size dataCenterId } "
                             "} }")["myself"]
        self.assertIn({"id": volume["id"], "name": "v", "size": 10,
                       "dataCenterId": "EU-RO-1"}, mine["networkVolumes"])
        self.assertIsInstance(mine["pubKey"], str)
        self.sim.data('mutation { deleteNetworkVolume(input: '
                      f'{{id: "{volume["id"]}"}}) }}')

    def test_the_balance_falls_only_while_something_runs(self):
        money = self.sim.data("{ myself { clientBalance currentSpendPerHr "
                              "spendLimit email } }")["myself"]
        self.assertGreater(money["clientBalance"], 0)
        self.assertGreaterEqual(money["currentSpendPerHr"], 0)

    def test_refusals_tell_themselves_apart(self):
        status, answer = self.sim.ask(
            '{ gpuTypes { id lowestPrice(input: {gpuCount: 1}) '
            '{ interruptablePrice } } }')
        self.assertEqual(status, 400)
        self.assertEqual(answer["errors"][0]["message"], 'Cannot query field '
                         '"interruptablePrice" on type "LowestPrice".')
        self.assertEqual(answer["errors"][0]["extensions"]["code"],
                         "GRAPHQL_VALIDATION_FAILED")
        status, answer = self.sim.ask(
            'mutation { podTerminate(input: {podId: "nope"}) }')
        self.assertEqual(status, 200)
        self.assertEqual(answer["errors"][0]["message"],
                         "pod not found to terminate")
        self.assertEqual(answer["data"], {"podTerminate": None})
        self.assertEqual(self.sim.ask("{ myself { id } }", key="x")[0], 401)
        self.assertEqual(self.sim.ask("{ myself { id } }", key=None),
                         (200, {"data": {"myself": None}}))
        self.assertEqual(self.sim.ask("{ myself { email } }", key=None,
                                      parameters="?api_key=" + KEY)[0], 200)


class NoStockTest(unittest.TestCase):
    def test_a_create_without_stock_makes_nothing(self):
        sim = Simulator("--capacity", "NVIDIA A40=0")
        try:
            status, answer = sim.ask(
                'mutation { podFindAndDeployOnDemand(input: {name: "x", '
                'imageName: "y", gpuTypeId: "NVIDIA A40"}) { id } }')
            self.assertEqual(status, 200)
            self.assertIn("no longer any instances available",
                          answer["errors"][0]["message"])
            self.assertEqual(sim.data("{ myself { pods { id } } }"),
                             {"myself": {"pods": []}})
        finally:
            sim.end()


if __name__ == "__main__":
    if len(sys.argv) > 1 and not sys.argv[1].startswith("-"):
        SIMULATOR = os.path.abspath(sys.argv.pop(1))
    unittest.main()
