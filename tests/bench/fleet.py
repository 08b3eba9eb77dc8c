"""fleet.py - specs of N pods, and fleets that match them.

A fleet is a directory in which `podform plan` finds nothing to do: the spec,
the podform.lock of a real apply against podform-sim, and the listing of the
simulator, filled up with what the service injects until a pod has the 1,400
bytes that it has in life.
"""
import contextlib
import json
import os
import subprocess
import time
import urllib.request

KEY = "rpa_bench"

# 26 lines, 589 bytes.
POD = """\
  worker-{i:05d}:
    name: worker-{i:05d}
    image: registry.example.com/team/trainer:2026.11.21-rc10-amd64
    args: "--config /etc/trainer.yaml --shard {i:05d}"
    gpu:
      - NVIDIA A40
      - NVIDIA RTX A6000
    gpu_count: 1
    cloud: secure
    data_centers:
      - EU-RO-1
      - EU-SE-1
    disk: 50GB
    ports:
      - {port}
      - 8080/http
    env:
      MODE: train
      SHARD: "{i:05d}"
      DATASET: /workspace/datasets/images
      LOG_LEVEL: info
      CHECKPOINTS: /workspace/checkpoints
    ready:
      timeout: 10m
    on_failure: terminate
    protect: false
"""


def write_spec(folder, n, port="8888/http"):
    os.makedirs(os.path.join(folder, "specs"), exist_ok=True)
    path = os.path.join(folder, "specs", "podform.yaml")
    with open(path, "w") as out:
        out.write("project: bench\npods:\n")
        for i in range(n):
            out.write(POD.format(i=i, port=port))
    return path


class Simulator:
    """podform-sim with limits that a bench does not meet."""

    def __init__(self, build, folder, *options):
        self.log = os.path.join(folder, "requests.log")
        port_file = os.path.join(folder, "port")
        for path in (self.log, port_file):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)
        self.process = subprocess.Popen(
            [f"{build}/podform-sim", "--port-file", port_file,
             "--key", KEY, "--rate-limit", "off", "--log", self.log,
             "--balance", "1000000", "--spend-limit", "1000000",
             "--capacity", "NVIDIA A40=100000", "--idle-exit", "10m",
             "--parent-pid", str(os.getpid()), *options],
            stdout=subprocess.DEVNULL)
        until = time.monotonic() + 10
        while not os.path.exists(port_file) or not os.path.getsize(port_file):
            if time.monotonic() > until or self.process.poll() is not None:
                raise SystemExit("bench: podform-sim does not start")
            time.sleep(0.01)
        with open(port_file) as file:
            self.base = f"http://127.0.0.1:{file.read().strip()}"

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.process.terminate()
        self.process.wait()

    def environment(self):
        return environment(self.base + "/v2")

    def listing(self):
        request = urllib.request.Request(
            self.base + "/v2/pods",
            headers={"Authorization": f"Bearer {KEY}"})
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)

    def requests(self):
        """The lines of the log so far."""
        with open(self.log) as file:
            return file.read().splitlines()


def environment(api_url):
    keep = {"PATH": os.environ["PATH"], "HOME": "/nonexistent",
            "LANG": "C.UTF-8"}
    return dict(keep, RUNPOD_API_KEY=KEY, RUNPOD_API_URL=api_url)


def fill_up(pod):
    """What the service puts into the environment of each pod."""
    pod["env"].update({
        "PUBLIC_KEY": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI"
                      "Gk3vQ0m5xq8R2t7Yb1n4wZ6uJ9cV3hL8sD5fK2pXoE7a me",
        "RUNPOD_POD_ID": pod["id"],
        "RUNPOD_DC_ID": pod["dataCenterId"],
    })


def write_fleet(build, folder, n):
    """Make the fleet; returns what the apply took, in seconds."""
    write_spec(folder, n)
    with Simulator(build, folder, "--pods", "none",
                   "--pod-start", "0") as simulator:
        began = time.monotonic()
        apply(build, folder, simulator, 100)
        took = time.monotonic() - began
        listing = simulator.listing()
    for pod in listing["pods"]:
        fill_up(pod)
    with open(os.path.join(folder, "listing.json"), "w") as out:
        json.dump(listing, out, separators=(",", ":"))
    return took


def apply(build, folder, simulator, parallelism):
    done = subprocess.run(
        [f"{build}/podform", "apply", "-y", "-q", "--concise",
         "--parallelism", str(parallelism)],
        cwd=folder, env=simulator.environment(), text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=600)
    if done.returncode != 0:
        raise SystemExit(f"bench: apply failed:\n{done.stdout[-2000:]}")
