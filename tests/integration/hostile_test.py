"""hostile_test.py - podform against a service that lies.

Between podform and podform-sim stands a raw-socket server that passes
requests on, except where a test makes it lie: cut, endless, compressed,
redirecting, contradicting.  A good HTTP library would not tell such lies.
A test says how podform must end, and what may have been made or removed
because of the lie: nothing.  Each test has its own project and its own
liar, so they run side by side; what is slow is podform's own backoff.
"""
import concurrent.futures
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time

from hostile import liar
from hostile.liar import (ANY_POD, Liar, PODFORM_SIM, answer, bounded,
                          changed, drip, listing, project, slowly, wants,
                          work)
from hostile.lies import CREATES, LISTINGS, created_with


# ------------------------------------------------- lies about a listing ----

def listing_test(name, lie):
    """A lie instead of a listing is no listing: nothing is made of it."""
    p = project('list-' + re.sub('[^a-z0-9]+', '-', name.lower())[:45])
    p.liar.lie('GET', r'/v2/pods(\?|$)', lie, stays=True)
    result = p.run('apply', '-y')
    wants('exit', result.code, 1, result)
    wants('creates', p.liar.count('POST') - graphql(p), 0, result)
    wants('deletes', p.liar.count('DELETE'), 0, result)
    wants('the reason', 'cannot list pods: ' in result.err, True, result)
    odd = [c for c in result.out + result.err if (ord(c) < 32 and c != '\n')
           or 0x7f <= ord(c) < 0xa0 or c in '\u2028\u2029\u202e\u200f']
    wants('raw bytes', odd, [], result)
    wants('the key', 'rpa_canary' in result.out + result.err, False, result)
    bounded(result, seconds=40)


def graphql(p):
    return sum(1 for method, path in p.liar.seen
               if method == 'POST' and 'graphql' in path)


def creates(p):
    return p.liar.count('POST') - graphql(p)


REDIRECTS = ('http://127.0.0.1:%d/v2/pods', 'file:///etc/passwd',
             'https://127.0.0.1:%d/v2/pods', '//127.0.0.1:%d/v2/pods')


def redirect_test(status, where, number):
    p = project('redirect-%d-%d' % (status, number))
    target = Liar()
    place = where % target.port if '%d' in where else where
    lie = answer(status, '{"pods":[]}', 'Location: ' + place)
    p.liar.lie('GET', r'/v2/pods(\?|$)', lie, stays=True)
    result = p.run('apply', '-y')
    wants('exit', result.code, 1, result)
    wants('creates', creates(p), 0, result)
    wants('requests at the target', target.seen, [], result)
    bounded(result)


def deadline_test(name, lie):
    """What ends only at the deadline; then the truth."""
    p = project('deadline-' + name)
    p.liar.lie('GET', r'/v2/pods(\?|$)', lie)
    result = p.run('apply', '-y')
    wants('exit', result.code, 0, result)
    wants('pods', len(p.pods()), 1, result)
    wants('the deadline', 25 < result.seconds < 60, True, result)


def loop_test():
    """A-10: a redirect to itself is asked no more often than other failures."""
    p = project('loop')
    p.liar.lie('GET', r'/v2/pods(\?|$)', answer(
        302, '', 'Location: /v2/pods', 'Refresh: 0; url=/v2/pods'),
        stays=True)
    result = p.run('apply', '-y')
    wants('exit', result.code, 1, result)
    wants('few requests', len(p.liar.seen) < 12, True, result)


def vanished_test():
    """F07: a listing that lacks our pod is not believed: the pod is asked."""
    p = project('vanished')
    result = p.run('apply', '-y')
    wants('exit', result.code, 0, result)
    p.liar.lie('GET', r'/v2/pods(\?|$)', listing('{"pods":[]}'), stays=True)
    result = p.run('apply', '-y')
    wants('exit', result.code, 0, result)
    wants('creates', creates(p), 1, result)
    wants('pods', len(p.pods()), 1, result)


def pages_test():
    """A listing in pages, also while an apply waits for its pod."""
    p = project('pages')

    def page(value):
        value['pagination'] = {'hasNextPage': True, 'nextCursor': 'next'}
    last = listing('{"pods":[%s],"pagination":{"hasNextPage":false}}' %
                   (ANY_POD % 7))
    p.liar.lie('GET', r'/v2/pods\?cursor=next', last, stays=True)
    p.liar.lie('GET', r'/v2/pods$', changed(page), stays=True)
    result = p.run('apply', '-y')
    wants('exit', result.code, 0, result)
    wants('pods', len(p.pods()), 1, result)
    result = p.run('plan', '--detailed-exitcode', '--json')
    wants('exit', result.code, 0, result)
    wants('the second page', 'odd000007' in result.out, True, result)


def many_pods_test():
    """A-16: a hundred thousand strangers are read in linear time."""
    p = project('many')
    many = listing('{"pods":[%s]}' %
                   ','.join(ANY_POD % i for i in range(100000)))
    p.liar.lie('GET', r'/v2/pods(\?|$)', many, stays=True)
    result = p.run('plan')
    wants('exit', result.code, 0, result)
    bounded(result, seconds=15, mib=1024)


def retry_after_test(header, waits):
    """A-11: whatever is told, the wait is between 0 and 300 s."""
    p = project('retry-' + re.sub('[^a-z0-9]+', '-', header.lower()))
    p.liar.lie('GET', r'/v2/pods(\?|$)', answer(
        429, '{"status":429,"title":"slow"}', 'Retry-After: ' + header))
    process = p.start('plan')
    if waits:
        time.sleep(3)
        if process.poll() is not None or len(p.liar.seen) != 1:
            raise AssertionError('it did not wait')
        process.send_signal(signal.SIGINT)
    result = p.finish(process)
    # A plan has nothing to tidy up, so the signal itself may end it.
    wants('exit', result.code in (130, -signal.SIGINT) if waits else
          result.code == 0, True, result)
    bounded(result, seconds=20, mib=1024)


ESCAPES = ['a\x1b]52;c;aGk=\x07b', 'c\rd', 'e\u202ef', 'g\u2028h', '\x9b2J',
           'a\n::error::b', '\u2066x\u2069', 'm\u061cn', '\x7f']
WIDTHS = ['\u5bbd\u5bbd\u5bbd', 'i\u0301\u200bj', '\U0001f468\u200d\U0001f4bb',
          'o' + '\u0301' * 200, 'soft\u00adhyphen', 'tag\U000e0041', '\u3164',
          'x' * 5000]


def escapes_test(name, names, *shown):
    """Names of others are shown, and never obeyed."""
    p = project(name)

    def add(value):
        for i, name in enumerate(names):
            pod = json.loads(ANY_POD % i)
            pod['name'] = name
            value['pods'].append(pod)
    p.liar.lie('GET', r'/v2/pods(\?|$)', changed(add), stays=True)
    for command in (['plan'], ['plan', '--json'], ['audit'],
                    ['apply', '-y']):
        result = p.run(*command)
        said = result.out + result.err
        odd = [c for c in said if (ord(c) < 32 and c not in '\n') or
               0x7f <= ord(c) < 0xa0 or c in '\u2028\u2029\u202e\u200f']
        wants('raw bytes of ' + command[0], odd, [], result)
    result = p.run('audit')
    for text in shown:
        wants('shown: ' + text, text in result.out, True, result)


# --------------------------------------------------- lies about a create ----

def create_test(name, lie):
    """It was made, and the answer lies: the mark finds it, once."""
    p = project('create-' + re.sub('[^a-z0-9]+', '-', name.lower()))
    p.liar.lie('POST', r'/v2/pods$', lie)
    result = p.run('apply', '-y')
    wants('exit', result.code, 0, result)
    wants('creates', creates(p), 1, result)
    wants('pods', len(p.pods()), 1, result)
    result = p.run('plan', '--detailed-exitcode')
    wants('exit of a second plan', result.code, 0, result)
    bounded(result)


def nothing_made_test():
    """It was not made and nobody says so: settled, then made anew."""
    p = project('nothing-made')
    p.liar.lie('POST', r'/v2/pods$', answer(500, ''))
    result = p.run('apply', '-y')
    wants('exit', result.code, 0, result)
    wants('creates', creates(p), 2, result)
    wants('pods', len(p.pods()), 1, result)


def known_id_test():
    """A-14: the id of a pod that we have is not a second pod."""
    p = project('known')
    result = p.run('apply', '-y')
    wants('exit', result.code, 0, result)
    first = p.pods()[0]['id']
    with open(p.dir + '/specs/pods.yaml', 'a') as spec:
        spec.write('  two: { image: "runpod/base:second", '
                   'gpu: NVIDIA A40 }\n')
    p.liar.lie('POST', r'/v2/pods$', created_with(first))
    result = p.run('apply', '-y')
    wants('exit', result.code, 0, result)
    wants('creates', creates(p), 2, result)
    result = p.run('state', 'list')
    wants('the id, once', open(p.dir + '/podform.lock').read().count(
        '"%s"' % first), 1, result)
    result = p.run('plan', '--detailed-exitcode')
    wants('exit of a second plan', result.code, 0, result)


# ------------------------------------------------------------------ main ----

def tests():
    # These wait for a deadline, and so they begin first.
    yield 'A-09 a byte every 200 ms', deadline_test, ('drip', drip)
    yield 'A-08 an extension without end', deadline_test, ('slow', slowly(
        b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;x=',
        b'x' * 1024),)
    for name, lie in LISTINGS.items():
        yield name + ', for a listing', listing_test, (name, lie)
    for status in (301, 302, 307, 308):
        for number, where in enumerate(REDIRECTS):
            yield ('A-10 %d to %s' % (status, where), redirect_test,
                   (status, where, number))
    for header, waits in (('9223372036854775807', True), ('-5', False),
                          ('soon', False),
                          ('Wed, 21 Oct 2015 07:28:00 GMT', False),
                          ('Wed, 21 Oct 2099 07:28:00 GMT', True),
                          ('99999999999999999999999', True),
                          ('', False), ('0', False), ('0x7f', False),
                          ('1e9', False), ('-9223372036854775808', False),
                          ('Wed, 99 Foo 2099 99:99:99 GMT', False)):
        yield 'A-11 ' + header, retry_after_test, (header, waits)
    for name, lie in CREATES.items():
        yield name + ', for a create', create_test, (name, lie)
    yield 'A-10 a redirect to itself', loop_test, ()
    yield 'F07 vanished', vanished_test, ()
    yield 'pages', pages_test, ()
    yield ('A-13 names with escapes', escapes_test,
           ('escapes', ESCAPES, 'a\\x1b]52;c;aGk=\\x07b'))
    yield ('A-18 names of odd widths', escapes_test,
           ('widths', WIDTHS, '\u5bbd\u5bbd\u5bbd', 'soft\\u{00ad}hyphen'))
    yield 'A-14 known id', known_id_test, ()
    yield 'A-16 many pods', many_pods_test, ()
    yield 'create without effect', nothing_made_test, ()


def run_one(test):
    name, function, args = test
    try:
        function(*args)
        return 'ok - ' + name, ''
    except Exception as error:      # a test that dies has failed
        return 'not ok - ' + name, str(error) or repr(error)


def main(tests):
    port_file = work + '/port'
    sim = subprocess.Popen(
        [PODFORM_SIM, '--port-file', port_file, '--idle-exit', '1m',
         '--parent-pid', str(os.getpid()), '--pod-start', '100',
         '--rate-limit', 'off', '--balance', '100000'],
        stdout=subprocess.DEVNULL, stderr=open(work + '/sim.log', 'w'))
    failures = 0
    try:
        while not os.path.exists(port_file) or not os.path.getsize(port_file):
            time.sleep(0.02)
        liar.sim_port = int(open(port_file).read())
        wanted = [t for t in tests()
                  if not sys.argv[1:] or sys.argv[1] in t[0]]
        with concurrent.futures.ThreadPoolExecutor(48) as pool:
            for line, why in pool.map(run_one, wanted):
                print(line)
                if why:
                    failures += 1
                    print('  ' + why.replace('\n', '\n  '), file=sys.stderr)
    finally:
        sim.terminate()
        sim.wait()
        shutil.rmtree(work)
    return 1 if failures else 0


if __name__ == '__main__':
    sys.exit(main(tests))
