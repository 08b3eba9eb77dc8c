#!/usr/bin/python3
"""waits_odd.py - commands that wait in vain: for a service that is not there,
for pods that greet and then say nothing, for a holder that is silent or does
not start.  Each takes its ten seconds; so all of them run at once.
"""

import os
import shutil
import sys
import time
import unittest
from concurrent.futures import ThreadPoolExecutor

sys.path.insert(0, os.path.dirname(__file__))
# pylint: disable=wrong-import-position
from common.desk import SPEC, Desk
from common.pretender import Pretender
from common.proc import free_port

MORE = SPEC + """\
  shut:
    image: runpod/base:1.0
    gpu: NVIDIA A40
    ports: [8888/http]
tunnels:
  web: { pod: one, local: %d, remote: 8188 }
"""


class Waits(Desk):
    def setUp(self):
        super().setUp()
        self.spec(MORE % free_port())
        self.apply("--tunnels=false")
        # The same project, with a log that is a directory: no holder starts.
        os.makedirs(self.path("other/.podform/tunnels.log"), 0o700)
        os.chmod(self.path("other/.podform"), 0o700)
        shutil.copytree(self.path("specs"), self.path("other/specs"))
        shutil.copy(self.path("podform.lock"), self.path("other"))
        # And one whose holder says nothing.
        shutil.copytree(self.path("other/specs"), self.path("silent/specs"))
        shutil.copy(self.path("podform.lock"), self.path("silent"))
        os.mkdir(self.path("silent/.podform"), 0o700)
        os.mkdir(self.path("bin"))
        os.symlink(shutil.which("sh"), self.path("bin/sh"))

    def test_all_of_them_end_and_say_why(self):
        nowhere = {"RUNPOD_API_URL": "http://127.0.0.1:1"}
        refused = "Couldn't connect to server [PF05"
        jobs = [(words, nowhere, refused) for words in (
            ["audit"], ["gc"], ["gpus"], ["datacenters"], ["status"],
            ["output"], ["drift"], ["why", "one"], ["plan"],
            ["exec", "one", "--", "ls"])]
        jobs += [
            (["exec", "one", "--", "ls"], {}, "pod.one cannot be reached"),
            (["exec", "one", "shut", "-q", "-i", "--", "ls", "it's"], {},
             "pod.shut"),
            (["cp", "specs", "one:"], {}, "cannot copy to pod.one: it "),
            (["cp", "one:x", "."], {}, "cannot copy from pod.one: it "),
            (["logs", "one", "--source", "process"], {}, "pod.one cannot be"),
            (["logs", "one", "--source", "all"], {}, "pod.one cannot be"),
            (["ssh", "one"], {"PATH": self.path("bin")},
             "ssh-keyscan of OpenSSH is needed"),
            (["ssh", "one"], {}, "cannot read the host key of pod.one"),
            (["-C", "other", "tunnel", "up", "web"], {}, "the holder of "
             "tunnels does not start; see .podform/tunnels.log"),
            (["-C", "silent", "tunnel", "list"], {},
             "the holder of tunnels gives no answer")]
        os.chdir(self.dir)
        Pretender(self, lambda request: None, linger=1, under="silent")
        began = time.monotonic()
        documents = [["exec", "one", "shut", "--json", "--", "ls"],
                     ["ssh-config", "--json"], ["ssh-config"]]
        with ThreadPoolExecutor(len(jobs) + 3) as pool:
            told = [pool.submit(self.run_podform, *words, code=1, env=env)
                    for words, env, _ in jobs]
            shown = [pool.submit(self.run_podform, *words, code=1)
                     for words in documents]
            for job, done in zip(jobs, told):
                done.result().says(job[2])
            self.check_documents(*(done.result() for done in shown))
        self.assertLess(time.monotonic() - began, 60)

    def check_documents(self, ran, hosts, text):
        got = ran.json()["pods"]
        self.assertEqual([(p["exit_status"], p["stdout"]) for p in got],
                         [(None, "")] * 2)
        self.assertIn("cannot be reached", got[0]["error"])
        self.assertIn("pod.shut", got[1]["error"])
        self.assertEqual([h["usable"] for h in hosts.json()["hosts"]],
                         [False, False])
        self.assertTrue(all(line.startswith("#") for line in
                            text.out.split("\n") if line), text)


if __name__ == "__main__":
    unittest.main()
