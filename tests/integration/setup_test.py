#!/usr/bin/python3
"""setup_test.py - setup on real pods, and the keys that lead into them.

What an edit makes setup do again, that a directory which is copied again is
renewed in its place, what becomes of failures, that a process comes back, which
keys a spec may name, and that a key which cannot be used is found out before
anything is made.
"""

import os
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "ssh"))
# pylint: disable=wrong-import-position
from inside_pods import Inside, wait_for

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


    def bad_keys(self):
        """Name, how it is made, and what is said of it."""
        ssh = os.path.join(self.home, ".ssh")
        self.keygen("good", "-t", "ed25519")
        with open(ssh + "/good", encoding="ascii") as file:
            good = file.read()
        with open(ssh + "/good.pub", encoding="ascii") as file:
            public = file.read()
        self.keygen("rsa", "-t", "rsa", "-b", "2048")
        self.keygen("phrase", "-t", "ed25519", passphrase="secret")
        for name, text in (
                ("public", public), ("empty", ""),
                ("putty", "PuTTY-User-Key-File-3: ssh-ed25519\n" + good),
                ("windows", good.replace("\n", "\r\n")),
                ("cut", good[:120]), ("wide", good),
                ("long", good + "x" * (1 << 20))):
            path = os.path.join(ssh, name)
            with open(path, "w", encoding="ascii", newline="") as file:
                file.write(text)
            os.chmod(path, 0o640 if name == "wide" else 0o600)
        return good, {
            "public": "is a public key", "empty": "is empty",
            "putty": "PuTTY", "windows": "CRLF", "cut": "is damaged",
            "wide": "chmod 600", "rsa": "ssh-keygen -t ed25519",
            "long": "larger than", "absent": "No such file",
            "phrase": "ssh-add"}

    def test_a_key_that_cannot_be_used_is_found_by_plan_at_its_place(self):
        good, bad = self.bad_keys()
        before = self.pods()
        secret = good.split("\n")[2][:30]
        for name, words in bad.items():
            self.file("specs/a.yaml", POD + POD[POD.index(
                "  trainer"):].replace("trainer", "other") +
                f"    ssh: {{ key: ~/.ssh/{name} }}\n")
            # What only this machine lacks is none of validate's business.
            here = name in ("absent", "phrase")
            for words_given, code in ((["plan"], 3),
                                      (["plan", "--json"], 3),
                                      (["apply", "--auto-approve"], 3),
                                      (["validate"], 0 if here else 3)):
                done = self.podform(*words_given)
                said = done.stdout + done.stderr
                what = f"{name} {words_given}: {said}"
                self.assertEqual(done.returncode, code, what)
                self.assertNotIn(secret, said)
                if code == 3:
                    self.assertIn(words, said, what)
                if code == 3 and "--json" not in words_given:
                    self.assertRegex(said, r"specs/a\.yaml:14:17", what)
                if code == 0 and name == "absent":
                    self.assertIn("warning: there is no key", said)
        self.assertEqual(self.pods(), before)
        self.file("specs/a.yaml", POD)
        self.assertEqual(self.podform("plan").returncode, 0)


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


class Failures(Inside):
    """Each test has a pod of its own beside the one of the class."""
    more_env = {"TOKEN": "tok-4711-secret"}
    spec = "secrets:\n  TOKEN: { env: TOKEN }\n" + POD

    def add(self, lines):
        self.file("specs/a.yaml", self.spec + """
  other:
    image: runpod/pytorch
    gpu: [NVIDIA A40]
    disk: 10GB
    ports: [22/tcp]
    env: { TOKEN: "${secret.TOKEN}" }
""" + lines)
        done = self.podform("apply", "--auto-approve", "--concise")
        self.addCleanup(self.podform, "destroy", "--auto-approve", "--target",
                        "pod.other")
        return done

    def billed(self):
        """Names of the pods that are there."""
        return self.podform("status").stdout.count("\npod.")

    def test_failing_step_is_shown_kept_and_undone(self):
        done = self.add("""
    on_failure: terminate
    setup:
      - run: echo fine
      - run: |
          for i in 1 2 3; do echo "line $i of $TOKEN"; done
          exit 3
""")
        self.assertEqual(done.returncode, 9, done.stderr + done.stdout)
        said = done.stdout + done.stderr
        self.assertIn("setup step 2 of 2 exited with 3", said)
        self.assertIn("(specs/a.yaml:22)", said)
        self.assertIn("    | line 1 of (secret)\n", said)
        self.assertIn("All that it said is in .podform/logs/pod.other/"
                      "setup.log", said)
        self.assertNotIn("4711", said)
        with open(self.path(".podform/logs/pod.other/setup.log"),
                  encoding="utf-8") as file:
            kept = file.read()
        self.assertRegex(kept, r"== 20\S+Z setup 1 ==\nfine\n== 20\S+Z "
                         r"setup 2 ==\nline 1 of \(secret\)\n")
        self.assertNotIn("4711", kept)
        self.assertEqual(self.billed(), 1)

    def test_a_secret_in_a_line_without_end_is_found_wherever_it_is_cut(self):
        # Lines are kept in pieces of 16 KiB, and of output the last 64 KiB
        # are there to be shown.
        done = self.add("""
    on_failure: terminate
    setup:
      - run: |
          yes "$TOKEN.." | head -n 6000 | tr -d '\\n'
          printf 'the end'
          exit 3
""")
        said = done.stdout + done.stderr
        self.assertEqual(done.returncode, 9, said[-2000:])
        self.assertIn("(secret)..(secret)..", said)
        with open(self.path(".podform/logs/pod.other/setup.log"),
                  encoding="utf-8") as file:
            kept = file.read()
        self.assertIn("(secret).." * 6000, kept)
        for text in (said, kept):
            self.assertNotIn("4711", text)
            self.assertNotIn("tok-", text)
            self.assertNotIn("-secret", text)

    def test_output_without_end_does_not_fill_the_disk(self):
        done = self.add("""
    setup:
      - run: head -c 40000000 /dev/zero | tr '\\\\0' x | fold -w 99
""")
        self.assertEqual(done.returncode, 0, done.stderr)
        path = self.path(".podform/logs/pod.other/setup.log")
        self.assertLess(os.path.getsize(path), 17 << 20)
        with open(path, "rb") as file:
            self.assertTrue(file.read().endswith(b"is not kept ==\n"))

    def test_backup_check_decides_whether_a_failed_pod_may_go(self):
        for word, code, pods in (("false", 10, 2), ("true", 9, 1)):
            done = self.add(f"""
    backup: {{ check: {word} }}
    setup: [{{ run: exit 1 }}]
""")
            said = done.stdout + done.stderr
            self.assertEqual(done.returncode, code, said)
            self.assertEqual(self.billed(), pods, said)
            self.podform("destroy", "--auto-approve", "--target", "pod.other")

    def test_check_that_never_succeeds_is_a_failure_in_time(self):
        done = self.add("""
    on_failure: terminate
    ready: { timeout: 10s, checks: [echo not yet; false] }
""")
        said = done.stdout + done.stderr
        self.assertEqual(done.returncode, 9, said)
        self.assertIn("not ready in time", said)
        self.assertIn("not yet", said)
        self.assertEqual(self.billed(), 1)

    def test_process_comes_back_when_it_ends(self):
        done = self.add("""
    process: { run: echo born >>/tmp/lives; exec sleep 1000 }
""")
        self.assertEqual(done.returncode, 0, done.stderr)

        def lives():
            return self.podform("exec", "other", "--",
                                "wc -l </tmp/lives").stdout.strip()
        wait_for(lambda: lives() == "1")
        self.podform("exec", "other", "--", "pkill -f 'sleep 1000'")
        wait_for(lambda: lives() == "2")


if __name__ == "__main__":
    unittest.main()
