#!/usr/bin/python3
"""store_test.py - the record in a store that several machines share.

Each story is told with each kind of store (store/): one that keeps strictly
to the protocol of Terraform's http backend, one that speaks S3 and computes
every signature by itself, and Debian's etcd, with and without passwords.  A
machine is a directory of its own.
"""

import os
import re
import shutil
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
# pylint: disable=wrong-import-position
from common.desk import PODFORM, Desk, Result
from common.proc import wait_for
from store.etcd import Etcd
from store.objects import BUCKET, SESSION, SHORT, SHORT_SECRET, Objects
from store.terraform import Terraform

SLOW_MS = 250
ERRORED = "podform.lock.errored"


class Stored(Desk):
    """A desk whose record is in self.store, and a second one beside it."""

    store = None

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.store = cls.make_store()
        cls.addClassCleanup(cls.store.close)

    @classmethod
    def make_store(cls):
        raise unittest.SkipTest("a store is to be named")

    def setUp(self):
        super().setUp()
        self.store.clear()
        self.env = {**self.env, **self.store.env,
                    "PODFORM_LOCK": self.store.url}
        shutil.copytree(self.path("specs"), self.path("there/specs"))
        self.said = []

    def tearDown(self):
        """Whatever was done: no secret was said or kept."""
        kept = [self.store.record() or b""]
        for folder, _, names in os.walk(self.dir):
            for name in names:
                with open(os.path.join(folder, name), "rb") as file:
                    kept.append(file.read())
        text = b"\n".join(kept).decode("utf-8", "replace") + \
            "\n".join(self.said)
        for secret in (*self.store.secrets, "rpa_sim"):
            self.assertNotIn(secret, text)
        super().tearDown()

    def run_podform(self, *words, **more):
        done = super().run_podform(*words, **more)
        self.said += [done.out, done.err]
        return done

    def there(self, *words, **more):
        """The same on another machine."""
        return self.run_podform("-C", "there", *words, **more)

    def start(self, *words):
        process = subprocess.Popen(
            [PODFORM, *words], cwd=self.dir, env=self.environment({}),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.stderr.close)
        return process

    def end(self, process, *words, code=0):
        out, err = process.communicate(timeout=60)
        self.said += [out, err]
        done = Result(self, words, process.returncode, out, err)
        self.assertEqual(done.code, code, done)
        return done

    def slow(self, latency_ms=SLOW_MS):
        self.control("pace", {"latency_ms": latency_ms})

    def account(self):
        """Its pods, without the latency of the service."""
        return [pod for pod in self.control("account", method="GET")["pods"]
                if pod.get("status") != "TERMINATED"]

    def wait_for_create(self, process):
        """Until the pod is there and nobody was told so."""
        def made():
            self.assertIsNone(process.poll(), "it ended too early")
            return self.account()
        wait_for(made, every=0.01)

    def assert_one_of_each(self):
        self.assertEqual([len(self.pods()), len(self.volumes())],
                         [1, 1])


class Basics:
    """Also where it asks for a password."""

    first = 0		# requests more when a machine is new there
    login = 0		# and each time

    def test_machines_share_a_record(self):
        """I1, and what a command costs: at most two requests for each op
        and four."""
        self.apply()
        self.assertLessEqual(self.store.count(), 2 * 2 + 4 + self.first +
                             self.login)
        self.there("plan").has("No changes.")
        self.assertEqual(self.store.count(), 1 + self.login)
        self.there("state", "list").has("pod.one", "volume.data")
        self.store.count()
        self.there("apply", "-y").has("No changes.")
        self.assertLessEqual(self.store.count(), 4 + self.login)
        self.run_podform("destroy", "-y")
        self.assertLessEqual(self.store.count(), 2 * 2 + 4 + self.login)
        self.assertEqual(self.account(), [])
        self.run_podform("plan").has("Plan: 2 to add")
        self.assertFalse(self.store.held())
        for name in ("podform.lock", ".podform/journal", ERRORED):
            self.assertFalse(os.path.exists(self.path(name)), name)

    def test_wrong_credentials(self):
        if not self.store.env:
            self.skipTest("a store without passwords")
        for words in (["plan"], ["apply", "-y"], ["unlock", "0" * 12]):
            self.run_podform(*words, code=4, env=self.store.bad_env).says(
                f"the record's store '{self.store.url}' does not let us ")
        self.assertEqual([self.account(), self.store.record()], [[], None])

    def test_killed_during_a_create(self):
        """The intent is in the store before the create is sent, so another
        machine finds the pod that nobody was told of."""
        self.slow()
        process = self.start("apply", "-y")
        self.wait_for_create(process)
        process.kill()
        process.wait()
        self.slow(0)
        self.assertTrue(self.store.held())
        self.assertIn(b'"create"', self.store.record())
        held = self.there("apply", "-y", code=5)
        name = re.search(r"podform unlock (\w+)", held.err)[1]
        self.there("unlock", "0" * len(name), code=5)
        self.assertTrue(self.store.held())
        self.there("unlock", name)
        self.assertFalse(self.store.held())
        self.there("apply", "-y")
        self.assert_one_of_each()
        self.there("plan").has("No changes.")


class Stories(Basics):
    """What every kind of store is good for."""

    def test_two_applies_at_once(self):
        self.slow()
        first = self.start("apply", "-y")
        wait_for(self.store.held, every=0.01)
        self.there("apply", "-y", code=5).says(
            "the lock is held by tester@", "doing apply", "--lock-timeout", "podform unlock ",
            f"the lock is on '{self.store.url}'")
        second = self.start("-C", "there", "apply", "-y", "--lock-timeout",
                            "30s")
        self.end(first)
        self.slow(0)
        self.end(second).has("No changes.")
        self.assert_one_of_each()
        self.assertFalse(self.store.held())

    def test_store_gone_at_the_end(self):
        """F44."""
        self.slow()
        process = self.start("apply", "-y")
        self.wait_for_create(process)
        self.store.away = True
        done = self.end(process, "apply", code=self.gone_code)
        done.says(ERRORED, "podform state push")
        self.assertEqual(os.stat(self.path(ERRORED)).st_mode & 0o777, 0o600)
        self.slow(0)
        self.run_podform("plan", code=1).says(ERRORED)
        self.there("plan", code=1).says("answers 503")
        self.store.away = False
        name = re.search(r"podform unlock (\w+)", done.err)[1]
        self.run_podform("state", "push", ERRORED, code=5).says(name)
        self.run_podform("unlock", name)
        self.run_podform("apply", "-y", code=1).says(
            ERRORED, "podform state push")
        self.run_podform("state", "push", ERRORED)
        os.unlink(self.path(ERRORED))
        self.apply()
        self.assert_one_of_each()
        self.there("plan").has("No changes.")

    gone_code = 10

    def test_moves(self):
        """From a file to the store and back, and single texts."""
        file = {"env": {"PODFORM_LOCK": None}}
        self.run_podform("state", "pull", code=1).says("no record")
        self.run_podform("apply", "-y", **file)
        self.run_podform("state", "migrate", self.store.url, **file).has(
            f"The record is in '{self.store.url}' now", "is kept as")
        self.assertFalse(os.path.exists(self.path("podform.lock")))
        self.there("plan").has("No changes.")
        pulled = self.run_podform("state", "pull")
        self.assertEqual(pulled.out.encode(), self.store.record())
        self.write("older.json", pulled.out)
        self.there("forget", "volume.data")
        self.run_podform("state", "push", "older.json", code=1).says(
            "is older than what is there", "--force")
        self.run_podform("state", "push", "--force", "older.json")
        self.there("plan").has("No changes.")
        self.run_podform("state", "migrate", "podform.lock")
        self.run_podform("plan", **file).has("No changes.")
        self.assertFalse(self.store.held())


class Terraforms(Stories, Stored):
    make_store = Terraform


class S3(Stories, Stored):
    make_store = Objects
    first = 1		# does it heed conditions?


    def test_all_is_signed(self):
        """The conditions, too: nobody on the way can take them off."""
        self.apply()
        self.assertEqual(self.store.wrong, [])
        conditions = set()
        for request, signed in self.store.signed:
            for name in ("if-match", "if-none-match"):
                if name in request.headers:
                    self.assertIn(name, signed)
                    conditions.add(request.method + " " + name)
        self.assertEqual(conditions, {
            "PUT if-match", "PUT if-none-match", "DELETE if-match"})

    def test_credentials_for_a_while(self):
        self.env.update(AWS_ACCESS_KEY_ID=SHORT,
                        AWS_SECRET_ACCESS_KEY=SHORT_SECRET,
                        AWS_SESSION_TOKEN=SESSION)
        self.apply()
        self.run_podform("plan", env={"AWS_SESSION_TOKEN": None},
                         code=4).says("InvalidToken", "AWS_SESSION_TOKEN")

    def test_store_that_ignores_conditions(self):
        """F42, R-02: nothing is sent."""
        self.store.heeds_conditions = False
        self.addCleanup(setattr, self.store, "heeds_conditions", True)
        self.apply(code=1).says("ignores conditions")
        self.assertEqual([self.account(), self.store.held()], [[], False])

    def test_no_such_bucket(self):
        url = self.store.url.replace(BUCKET, "another-bucket")
        self.run_podform("--lock", url, "plan", code=1).says("NoSuchBucket")


class Etcds(Stories, Stored):
    make_store = Etcd


class EtcdsWithPasswords(Basics, Stored):
    """Somebody who may do nothing but keep this record."""

    login = 1

    @classmethod
    def make_store(cls):
        return Etcd(auth=True)


if __name__ == "__main__":
    unittest.main(verbosity=2)
