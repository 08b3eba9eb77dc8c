"""One podform-sim for the cases that need a service, and a project with one
pod, of which cases take copies."""
import atexit
import http.client
import json
import os
import re
import shutil
import subprocess
import tempfile
import threading
import time
from .world import (PODFORM_SIM, Case, Failure, Place, bounded, clean, plain,
                    wants)

SPEC = ('project: %s\nsettings: { budget: { per_hour: 5.00 } }\npods:\n'
        '  one: { image: "runpod/base:1.0", gpu: NVIDIA A40 }\n')
#: A pod that is not there yet: a podform that goes on would create it.
TWO = '  two: { image: "runpod/base:1.0", gpu: NVIDIA A40 }\n'
_mutex = threading.RLock()
_kept = {}


def _start():
    work = tempfile.mkdtemp()
    port_file = work + '/port'
    sim = subprocess.Popen(
        [PODFORM_SIM, '--port-file', port_file, '--idle-exit', '2m',
         '--parent-pid', str(os.getpid()), '--pod-start', '50',
         '--rate-limit', 'off', '--balance', '100000'],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def stop():
        sim.terminate()
        sim.wait()
        shutil.rmtree(work, ignore_errors=True)
    atexit.register(stop)
    while not os.path.exists(port_file) or not os.path.getsize(port_file):
        time.sleep(0.02)
    return int(open(port_file).read())


def port():
    with _mutex:
        if 'port' not in _kept:
            _kept['port'] = _start()
        return _kept['port']


def ask(method, path):
    link = http.client.HTTPConnection('127.0.0.1', port(), timeout=20)
    link.request(method, path, None, {'Authorization': 'Bearer rpa_sim'})
    return json.loads(link.getresponse().read())


def env(**more):
    return {'RUNPOD_API_URL': 'http://127.0.0.1:%d' % port(),
            'RUNPOD_API_KEY': 'rpa_sim', **more}


def make(place, project):
    """Apply a project of one pod, for real."""
    place.write('specs/a.yaml', SPEC % project)
    done = place.run('apply', '-y', env=env())
    if done.code != 0:
        raise Failure('the first apply: ' + done.err)


def original():
    """The directory of a project with one pod; copy it, leave it alone."""
    at = port()
    with _mutex:
        if 'original' not in _kept:
            work = tempfile.mkdtemp()
            atexit.register(shutil.rmtree, work, True)
            place = Place(work + '/original')
            make(place, 'original')
            place.close()
            _kept['original'] = place.path
    return _kept['original'] if at else None


def take_copy(place):
    shutil.rmtree(place.path)
    shutil.copytree(original(), place.path, symlinks=True)
    with open(place.at('specs/a.yaml'), 'a') as spec:
        spec.write(TWO)


def pods(path):
    """The living pods that carry the lineage of the project at this path."""
    with open(os.path.join(path, 'podform.lock'), 'rb') as lock:
        lineage = re.search(rb'"lineage": "([0-9a-f]+)"', lock.read())
    return [pod for pod in ask('GET', '/v2/pods')['pods']
            if ('-pf' + lineage.group(1).decode()[:6]) in pod['name']]


class Refused(Case):
    """A record that was damaged: refused, left as it is, nothing sent.  With
    `asks` it may be noticed only after the service was asked what there is,
    and then nothing is changed there."""

    def __init__(self, id, what, damage, run=('apply', '-y'), kind='STATE',
                 asks=False, **more):
        super().__init__(id, what, spec=None, kind=kind, run=run,
                         env=env() if asks else {}, **more)
        self.damage, self.asks = damage, asks
        if asks:
            self.writes = True

    def set_up(self, place):
        take_copy(place)
        self.damage(place)

    def judge(self, place, done, before):
        super().judge(place, done, before)
        if not self.asks:
            return
        after = place.picture()
        wants('what was written', [
            path for path in before if path != '.podform/mutex' and
            not os.path.isdir(place.at(path)) and
            before[path] != after.get(path)], [])
        wants('pods', len(pods(original())), 1)


class Story(Case):
    """A function of the place, which runs podform as often as it likes; what
    it returns is the result whose words are kept."""

    def __init__(self, id, what, function):
        super().__init__(id, what, kind='SAFE')
        self.function = function

    def play(self, place, expected):
        done = self.function(place)
        if done is None:
            return '(a story)'
        clean(done)
        bounded(done, 1000, 64)
        said = ('exit %d\n%s' % (done.code, plain(done.err, place))).rstrip()
        if expected is not None and said != expected:
            raise Failure('it said\n%s\nand not\n%s' % (said, expected))
        return said


def exits(done, code):
    if done.code != code:
        raise Failure('exit %d, wanted %d\n%s%s' % (
            done.code, code, done.out[-800:], done.err[-800:]))


__all__ = ['Refused', 'Story', 'ask', 'env', 'exits', 'make', 'original',
           'pods', 'take_copy', 'wants', 'Failure']
