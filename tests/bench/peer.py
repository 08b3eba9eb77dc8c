"""peer.py - the same number of resources for OpenTofu or Terraform.

Resources without a provider (terraform_data): nothing is asked of anybody,
so what is measured is the core alone, which flatters it.
"""
import json
import os
import shutil
import subprocess


def environment():
    return {"PATH": os.environ["PATH"], "HOME": "/nonexistent",
            "CHECKPOINT_DISABLE": "1", "TF_CLI_CONFIG_FILE": "/dev/null",
            "TF_IN_AUTOMATION": "1"}


def call(program, folder, *words):
    return subprocess.run([program, f"-chdir={folder}", *words],
                          env=environment(), text=True, timeout=300,
                          stdin=subprocess.DEVNULL, capture_output=True)


def find():
    for name in ("tofu", "terraform"):
        program = shutil.which(name)
        if program is None:
            continue
        done = subprocess.run([program, "version"], env=environment(),
                              capture_output=True)
        if done.returncode == 0:
            return program
    return None


def write_config(folder, n):
    with open(os.path.join(folder, "main.tf"), "w") as out:
        for i in range(n):
            out.write(f'resource "terraform_data" "worker_{i:05d}" {{\n'
                      "  input = {\n"
                      '    image = "registry.example.com/trainer:2026.11"\n'
                      '    gpu   = ["NVIDIA A40", "NVIDIA RTX A6000"]\n'
                      f'    shard = "{i:05d}"\n'
                      '    ports = ["22/tcp", "8080/http"]\n'
                      "  }\n}\n")


def multiply(path, n):
    """The state of one resource becomes that of n: an apply of so many
    takes time with the square of them."""
    with open(path) as file:
        state = json.load(file)
    one = json.dumps(state["resources"][0])
    state["resources"] = [json.loads(one.replace("00000", f"{i:05d}"))
                          for i in range(n)]
    with open(path, "w") as file:
        json.dump(state, file)


def prepare(program, folder, n):
    """A directory in which a plan is empty; or why there is none."""
    os.makedirs(folder)
    write_config(folder, 1)
    for words in (("init", "-input=false"),
                  ("apply", "-auto-approve", "-input=false")):
        done = call(program, folder, *words)
        if done.returncode != 0:
            return f"{words[0]} failed: {done.stderr.strip()[-200:]}"
    write_config(folder, n)
    multiply(os.path.join(folder, "terraform.tfstate"), n)
    done = call(program, folder, "plan", "-detailed-exitcode",
                "-input=false")
    return None if done.returncode == 0 else "its plan is not empty"
