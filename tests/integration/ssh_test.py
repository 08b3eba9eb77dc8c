#!/usr/bin/python3
"""ssh_test.py - podform ssh and ssh-config, keys and pins, on real pods.

With a stand-in for ssh that writes down what it was given, and with the real
client on a terminal; with the user's own keys, a real ssh-agent, keys with a
passphrase; with host keys that change.
"""

import json
import os
import re
import shutil
import subprocess
import socket
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "ssh"))
# pylint: disable=wrong-import-position
from inside_pods import KEY, NOBODY, Inside, wait_for

FAKE_SSH = """#!/usr/bin/python3
import json, os, sys
json.dump({"argv": sys.argv, "env": dict(os.environ)}, sys.stdout)
sys.exit(9)
"""


class Ssh(Inside):
    def known_hosts(self):
        with open(self.path(".podform/known_hosts"),
                  encoding="ascii") as file:
            return file.read()

    # --------------------------------------------------------------- ssh --

    def test_words_for_ssh(self):
        fakes = self.scratch()
        with open(fakes + "/ssh", "w", encoding="ascii") as file:
            file.write(FAKE_SSH)
        os.chmod(fakes + "/ssh", 0o755)
        self.file("specs/secrets.yaml", "secrets: { HF: { env: HF_KEY } }\n")
        self.addCleanup(os.remove, self.path("specs/secrets.yaml"))
        ours = {name: "ghp_secret-" + name for name in (
            "GITHUB_TOKEN", "GH_TOKEN", "GITHUB_TOKEN_FILE", "HF_KEY",
            "RUNPOD_API_KEY_FILE", "PODFORM_GITHUB_APP_ID",
            "PODFORM_GITHUB_APP_KEY_FILE")}
        done = self.podform(
            "ssh", "trainer", "--", "-v", "echo", "a b",
            env={"PATH": fakes + ":" + os.environ["PATH"], **ours})
        self.assertEqual(done.returncode, 9)
        said = json.loads(done.stdout)
        direct = self.live()["ssh"]["direct"]
        words = said["argv"]
        self.assertEqual(words[-4:], [direct["host"], "-v", "echo", "a b"])
        self.assertEqual(words[words.index("-p") + 1], str(direct["port"]))
        self.assertEqual(words[words.index("-l") + 1], "root")
        self.assertTrue(words[words.index("-i") + 1].endswith("/id_ed25519"))
        for setting in ("StrictHostKeyChecking=yes", "UpdateHostKeys=no",
                        'UserKnownHostsFile="' +
                        self.path(".podform/known_hosts") + '"'):
            self.assertIn(setting, words)
        self.assertNotIn(KEY, done.stdout)
        self.assertNotIn("ghp_secret", done.stdout)
        self.assertEqual([name for name in (*ours, "RUNPOD_API_KEY")
                          if name in said["env"]], [])
        self.assertEqual(said["env"]["HOME"], self.home)

    def test_real_ssh_runs_a_command(self):
        done = self.podform("ssh", "trainer", "--", "cat; exit 5",
                            input="through ssh")
        self.assertEqual(done.returncode, 5, done.stderr)
        self.assertEqual(done.stdout, "through ssh")
        self.assertEqual(done.stderr, "")

    def test_real_ssh_is_a_shell_on_a_terminal(self):
        terminal = self.terminal("ssh", "trainer")
        terminal.until(b"# ")
        terminal.type(b"echo $((6 * 7))-$(tty | cut -c1-5)\n")
        terminal.until(b"42-/dev/")
        terminal.type(b"echo go''ing; sleep 100\n")
        terminal.until(b"\rgoing")
        time.sleep(0.5)
        terminal.type(b"\x03")		# goes to the pod, not to us
        terminal.type(b"exit 7\n")
        self.assertEqual(terminal.end(), 7)

    def test_no_ssh_is_said(self):
        empty = self.scratch()
        os.symlink(shutil.which("ssh-keyscan"), empty + "/ssh-keyscan")
        os.symlink("/bin/sh", empty + "/sh")
        done = self.podform("ssh", "trainer", env={"PATH": empty})
        self.assertEqual(done.returncode, 1)
        self.assertIn("cannot run ssh", done.stderr)
        self.assertIn("podform exec needs none", done.stderr)

    def test_usage(self):
        for words, code in ((["ssh"], 3), (["ssh", "nosuch"], 1),
                            (["ssh", "trainer", "--json"], 3),
                            (["ssh-config", "nosuch"], 1)):
            done = self.podform(*words)
            self.assertEqual(done.returncode, code, done.stderr)
            if "--json" in words:
                self.assertIn("no --json", json.loads(
                    done.stdout)["diagnostics"][0]["summary"])
            else:
                self.assertEqual(done.stdout, "")

    # -------------------------------------------------------- ssh-config --

    def test_ssh_config_serves_ssh_scp_and_sftp(self):
        done = self.podform("ssh-config")
        self.assertEqual(done.returncode, 0, done.stderr)
        here = self.scratch()
        config = here + "/config"
        with open(config, "w", encoding="utf-8") as file:
            file.write(done.stdout)
        self.give(config)
        os.chmod(config, 0o600)
        host = re.search("^Host (.*)$", done.stdout, re.M)[1].split()[0]

        def run(*words):
            return subprocess.run(
                [*self.become, *words], env=self.env, cwd=here, check=True,
                capture_output=True, text=True, timeout=30,
                stdin=subprocess.DEVNULL)
        told = run("ssh", "-F", config, host, "hostname")
        self.assertEqual(told.stdout.strip(), self.record()["id"])
        self.assertEqual(told.stderr, "")
        run("scp", "-q", "-F", config, config, host + ":/tmp/by-scp")
        run("scp", "-q", "-F", config, host + ":/tmp/by-scp", "back")
        with open(here + "/back", encoding="utf-8") as file:
            self.assertEqual(file.read(), done.stdout)

    def test_ssh_config_in_json(self):
        done = self.podform("ssh-config", "trainer", "--json")
        host, = json.loads(done.stdout)["hosts"]
        direct = self.live()["ssh"]["direct"]
        self.assertEqual((host["address"], host["usable"], host["port"],
                          host["user"]),
                         ("pod.trainer", True, direct["port"], "root"))
        self.assertIn(host["host_key_alias"] + " ssh-ed25519 ",
                      self.known_hosts())

    # -------------------------------------------------------------- keys --

    def test_without_any_key_it_says_what_to_do(self):
        done = self.podform("exec", "trainer", "--", "true",
                            env={"XDG_DATA_HOME": self.work + "/nowhere"})
        self.assertEqual(done.returncode, 1)
        self.assertIn("none was there to be offered", done.stderr)
        self.assertIn("SSH_KEY_PATH", done.stderr)


class SshAsNobody(Ssh):
    become = NOBODY


class Keys(Inside):
    """The user's own keys: each gets in alone, since the project's key is
    out of sight."""

    @classmethod
    def start_sim(cls):
        super().start_sim()
        cls.keys = cls.directory(os.path.join(cls.work, "keys"))
        dot_ssh = cls.directory(cls.home + "/.ssh")
        for name, kind, phrase in (
                ("ed", "ed25519", ""), ("ec", "ecdsa", ""),
                ("locked", "ed25519", "open sesame"), ("rsa", "rsa", ""),
                ("agents", "ed25519", ""), ("stranger", "ed25519", "")):
            path = os.path.join(cls.keys, name)
            subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", phrase,
                            "-f", path], check=True)
            cls.give(path)
            if name != "stranger":
                shutil.copy(path + ".pub", f"{dot_ssh}/id_{name}.pub")
                cls.give(f"{dot_ssh}/id_{name}.pub")
        cls.socket = cls.start_agent()

    @classmethod
    def start_agent(cls):
        path = os.path.join(cls.home, "agent")
        agent = subprocess.Popen([*cls.become, "ssh-agent", "-D", "-a", path],
                                 stdout=subprocess.DEVNULL,
                                 stderr=subprocess.DEVNULL)
        cls.addClassCleanup(agent.wait)
        cls.addClassCleanup(agent.terminate)
        wait_for(lambda: os.path.exists(path))
        return path

    def alone(self, **more):
        return {"XDG_DATA_HOME": self.work + "/nowhere", **more}

    def key(self, name):
        return os.path.join(self.keys, name)

    def run_with(self, seconds=60, **env):
        return self.podform("exec", "trainer", "--", "echo in",
                            env=self.alone(**env), seconds=seconds)

    def add(self, *words):
        subprocess.run([*self.become, "ssh-add", "-q", *words], check=True,
                       env={**self.env, "SSH_AUTH_SOCK": self.socket},
                       capture_output=True, timeout=20)

    def test_own_keys_by_path(self):
        for name in ("ed", "ec"):
            done = self.run_with(SSH_KEY_PATH=self.key(name))
            self.assertEqual(done.stdout, "in\n", done.stderr)
        done = self.run_with(SSH_KEY_PATH=self.key("stranger"))
        self.assertEqual(done.returncode, 1)
        self.assertIn("no key is accepted", done.stderr)
        self.assertIn("stranger", done.stderr)

    def test_agent(self):
        self.add("-D")
        self.add(self.key("agents"))
        done = self.run_with(SSH_AUTH_SOCK=self.socket)
        self.assertEqual(done.stdout, "in\n", done.stderr)
        self.add("-D")
        done = self.run_with(SSH_AUTH_SOCK=self.socket)
        self.assertEqual(done.returncode, 1)
        self.assertIn("the SSH agent has no key", done.stderr)
        self.add(self.key("rsa"))
        done = self.run_with(SSH_AUTH_SOCK=self.socket)
        self.assertEqual(done.returncode, 1)
        self.assertIn("RSA", done.stderr)

    def test_dead_agent_is_said(self):
        done = self.run_with(SSH_AUTH_SOCK=self.work + "/no-agent")
        self.assertEqual(done.returncode, 1)
        self.assertIn("the SSH agent:", done.stderr)

    def test_rsa_is_refused_before_anything_is_sent(self):
        done = self.podform("exec", "-v", "trainer", "--", "true",
                            env=self.alone(SSH_KEY_PATH=self.key("rsa")))
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("RSA", done.stderr)
        self.assertIn("ssh-keygen -t ed25519", done.stderr)
        self.assertNotIn("ssh: connecting", done.stderr)

    def test_key_open_to_others_is_refused(self):
        path = self.key("ec") + "-open"
        shutil.copy(self.key("ec"), path)
        self.give(path)
        os.chmod(path, 0o644)
        done = self.run_with(SSH_KEY_PATH=path)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("chmod 600 " + path, done.stderr)

    def test_key_with_a_passphrase(self):
        done = self.run_with(SSH_KEY_PATH=self.key("locked"))
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("has a passphrase", done.stderr)
        self.assertIn("ssh-add", done.stderr)
        terminal = self.terminal("exec", "trainer", "--", "echo in",
                                 env=self.alone(
                                     SSH_KEY_PATH=self.key("locked")))
        terminal.until(b"assphrase")
        terminal.type(b"open sesame\n")
        terminal.until(b"in\r\n")
        self.assertEqual(terminal.end(), 0)
        self.assertNotIn(b"sesame", terminal.text)

    def test_key_with_a_passphrase_is_used_by_its_agent(self):
        self.add("-D")
        path = self.key("locked") + "-copy"
        shutil.copy(self.key("locked"), path)
        self.give(path)
        os.chmod(path, 0o600)
        subprocess.run(["ssh-keygen", "-q", "-p", "-P", "open sesame", "-N",
                        "", "-f", path], check=True, capture_output=True)
        self.give(path)
        self.add(path)
        done = self.run_with(SSH_KEY_PATH=self.key("locked"),
                             SSH_AUTH_SOCK=self.socket)
        self.assertEqual(done.stdout, "in\n", done.stderr)
        self.add("-D")


class KeysAsNobody(Keys):
    become = NOBODY


PINNED = """
project: inside
pods:
  told:
    image: runpod/pytorch
    gpu: [NVIDIA A40]
    disk: 10GB
    ports: [22/tcp]
  silent:
    image: runpod/pytorch
    gpu: [NVIDIA A40]
    disk: 10GB
    ports: [22/tcp]
    args: "yes . | head -n 6000"
  recorded:
    image: runpod/pytorch
    gpu: [NVIDIA A40]
    disk: 10GB
    ports: [22/tcp]
    setup: [ { run: "true" } ]
"""

CHANGE = ("rm /etc/ssh/ssh_host_*; for t in ed25519 ecdsa; do ssh-keygen -q "
          "-t $t -N '' -f /etc/ssh/ssh_host_${t}_key; done; "
          "kill -HUP $(pgrep -o -x sshd)")


class Pins(Inside):
    spec = PINNED

    def lock(self):
        with open(self.path("podform.lock"), "rb") as file:
            return file.read()

    def refused(self, pod):
        done = self.podform("exec", pod, "--", "touch /tmp/was-there")
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn(f"pod.{pod} was sent nothing: the host key is SHA256:",
                      done.stderr)
        self.assertIn("which is not the pinned one", done.stderr)
        self.assertIn("restart the pod", done.stderr)
        copied = self.podform("cp", self.path("specs/a.yaml"), pod + ":/tmp")
        self.assertEqual(copied.returncode, 1)
        self.assertIn("which is not the pinned one", copied.stderr)

    def change(self, pod):
        done = self.podform("exec", pod, "--", CHANGE)
        self.assertEqual(done.returncode, 0, done.stderr)
        direct = self.live("pod." + pod)["ssh"]["direct"]

        def answers():
            try:
                with socket.create_connection((direct["host"],
                                               direct["port"]), 5) as tried:
                    return tried.recv(4) == b"SSH-"
            except OSError:
                return False
        wait_for(answers)

    def restart(self, pod):
        number = self.record("pod." + pod)["id"]
        for action in ("stop", "start"):
            self.call("POST", f"/pods/{number}/action", {"action": action})
        self.podform("apply", "--auto-approve")

    def test_log_vouches_and_nothing_is_said_or_written(self):
        before = self.lock()
        done = self.podform("exec", "told", "--", "true")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(self.lock(), before)
        self.change("told")
        self.refused("told")
        # The user's own ssh is not led there either.
        done = self.podform("ssh", "told", "--", "true")
        self.assertEqual(done.returncode, 255)
        self.assertIn("REMOTE HOST IDENTIFICATION HAS CHANGED", done.stderr)
        self.restart("told")
        done = self.podform("exec", "told", "--", "true")
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_recorded_pin_is_of_one_start(self):
        inside = self.record("pod.recorded")["inside"]
        self.assertEqual(inside["host_key_by"], "log")
        self.assertEqual(self.inside("echo in", "recorded"), "in")
        self.change("recorded")
        self.refused("recorded")
        os.unlink(self.path(".podform/known_hosts"))
        done = self.podform("ssh", "recorded", "--", "true")
        self.assertEqual(done.returncode, 1)
        self.assertIn("is not the right one: nothing was sent", done.stderr)
        self.assertIn(inside["host_key"], done.stderr)
        self.restart("recorded")
        self.assertEqual(self.inside("echo in", "recorded"), "in")
        after = self.record("pod.recorded")["inside"]
        self.assertNotEqual(after["host_key"], inside["host_key"])

    def is_full(self):
        """What the start script said of its keys has gone from the log."""
        done = self.podform("logs", "silent", "--source", "container",
                            "--tail", "5000")
        return (done.stdout.count(".\n") == 5000 and
                "SHA256" not in done.stdout)

    def test_first_use_is_said_and_apply_keeps_to_it(self):
        wait_for(self.is_full)
        done = self.podform("exec", "silent", "--", "true")
        self.assertEqual(done.returncode, 0, done.stderr)
        said = re.search(r"nothing vouched for the host key of pod\.silent; "
                         r"from now on it is (SHA256:[A-Za-z0-9+/]{43})",
                         done.stderr)
        self.assertTrue(said, done.stderr)
        done = self.podform("exec", "silent", "--", "true")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        spec = PINNED.replace("  recorded:", "    setup: [ { run: \"true\" } ]"
                              "\n  recorded:")
        self.change("silent")
        self.refused("silent")
        self.file("specs/a.yaml", spec)
        done = self.podform("apply", "--auto-approve", "--on-failure", "keep",
                            seconds=120)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("not the pinned one", done.stderr)
        # As it was: what exec had seen is what the lock gets.
        self.restart("silent")
        done = self.podform("apply", "--auto-approve", seconds=120)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.record("pod.silent")["inside"]["host_key_by"],
                         "first use")
        self.file("specs/a.yaml", PINNED)


class PinsAsNobody(Pins):
    become = NOBODY


if __name__ == "__main__":
    unittest.main()
