#!/usr/bin/python3
"""setup_test.py - setup on real pods, and the keys that lead into them.

What an edit makes setup do again, that a directory which is copied again is
renewed in its place, which keys a spec may name, and that a key which cannot
be used is found out before anything is made.
"""

import os
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "ssh"))
# pylint: disable=wrong-import-position
from inside_pods import Inside

POD = """
project: inside
pods:
  trainer:
    image: runpod/pytorch
    gpu: [NVIDIA A40]
    disk: 10GB
    ports: [22/tcp]
"""


class Setup(Inside):
    spec = POD + """
    setup:
      - run: echo first >>/tmp/steps
      - run: echo second >>/tmp/steps
      - run: echo third >>/tmp/steps
"""

    def apply(self, spec):
        self.file("specs/a.yaml", spec)
        done = self.podform("apply", "--auto-approve")
        self.assertEqual(done.returncode, 0, done.stderr)
        plan = self.podform("plan", "--detailed-exitcode")
        self.assertEqual(plan.returncode, 0, plan.stdout)
        return done.stderr + done.stdout

    def test_an_edit_runs_that_step_and_those_after_it(self):
        self.apply(self.spec)
        self.inside("rm /tmp/steps")
        said = self.apply(self.spec.replace("echo second", "echo another"))
        self.assertIn("1 to change", said)
        self.assertIn("0 added, 1 changed", said)
        self.assertEqual(self.inside("cat /tmp/steps"), "another\nthird")

    def test_a_directory_that_changed_is_renewed_in_its_place(self):
        os.makedirs(self.path("specs/page/deep"), exist_ok=True)
        self.file("specs/page/index.html", "one")
        self.file("specs/page/deep/x", "x")
        spec = POD + ("\n    setup: [{ copy: "
                      "{ from: page, to: /tmp/www/page } }]\n")
        self.podform("exec", "trainer", "--", "mkdir -p /tmp/www")
        self.apply(spec)
        self.file("specs/page/index.html", "two")
        self.apply(spec)
        self.assertEqual(self.inside("cat /tmp/www/page/index.html"), "two")
        self.assertEqual(self.inside("find /tmp/www -type f | sort"),
                         "/tmp/www/page/deep/x\n/tmp/www/page/index.html")


class Keys(Inside):
    spec = POD

    @classmethod
    def keygen(cls, name, *options, passphrase=""):
        os.makedirs(os.path.join(cls.home, ".ssh"), mode=0o700, exist_ok=True)
        path = os.path.join(cls.home, ".ssh", name)
        subprocess.run(["ssh-keygen", "-q", "-f", path, "-N", passphrase,
                        *options], check=True)
        return path

    def applied(self, key, pod):
        """With a pod of another name beside the first, and that key."""
        self.file("specs/a.yaml", POD + POD[POD.index("  trainer"):].replace(
            "trainer", pod) + f"    ssh: {{ key: {key} }}\n")
        return self.podform("apply", "--auto-approve")

    def pods(self):
        return self.podform("state", "list").stdout.count("pod.")

    def test_a_key_of_the_home_directory_opens_new_pods(self):
        path = self.keygen("mine", "-t", "ed25519")
        done = self.applied("~/.ssh/mine", "homely")
        self.assertEqual(done.returncode, 0, done.stderr)
        with open(path + ".pub", encoding="ascii") as file:
            words = file.read().split()[1]
        self.assertIn(words, self.inside("cat ~/.ssh/authorized_keys",
                                         "homely"))

    def test_an_rsa_key_is_refused_before_anything_is_made(self):
        self.keygen("old", "-t", "rsa", "-b", "2048")
        before = self.pods()
        done = self.applied("~/.ssh/old", "aged")
        self.assertEqual(done.returncode, 3)
        self.assertIn("is an RSA key", done.stderr)
        self.assertIn("ssh-keygen -t ed25519", done.stderr)
        self.assertIn("specs/a.yaml:", done.stderr)
        self.assertEqual(self.pods(), before)

    def test_a_passphrase_that_nobody_can_be_asked_for_is_said_early(self):
        self.keygen("locked", "-t", "ed25519", passphrase="secret")
        before = self.pods()
        done = self.applied("~/.ssh/locked", "closed")
        self.assertEqual(done.returncode, 3)
        self.assertIn("ssh-add", done.stderr)
        self.assertEqual(self.pods(), before)


class Secrets(Inside):
    more_env = {"TOKEN": "tok-4711-secret"}
    spec = "secrets:\n  TOKEN: { env: TOKEN }\n" + POD + \
        "    env: { TOKEN: \"${secret.TOKEN}\" }\n"

    def test_destroy_needs_no_secret(self):
        env = {key: value for key, value in self.env.items()
               if key != "TOKEN"}
        done = subprocess.run(
            self.words(["destroy", "--auto-approve"]), env=env,
            cwd=self.project, stdin=subprocess.DEVNULL, capture_output=True,
            text=True, timeout=60, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)


if __name__ == "__main__":
    unittest.main()
