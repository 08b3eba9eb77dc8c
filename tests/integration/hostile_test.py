"""hostile_test.py - podform against a service that lies.

Between podform and podform-sim stands a raw-socket server that passes
requests on, except where a test makes it lie: cut, endless, compressed,
redirecting, contradicting.  A good HTTP library would not tell such lies.
A test says how podform must end, and what may have been made or removed
because of the lie: nothing.  Each test has its own project and its own
liar, so they run side by side; what is slow is podform's own backoff.
"""
import concurrent.futures
import gzip
import http.client
import json
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

PODFORM = os.environ.get('PODFORM', os.path.abspath('build/gcc/podform'))
PODFORM_SIM = os.environ.get('PODFORM_SIM',
                             os.path.abspath('build/gcc/podform-sim'))
METER = os.path.join(os.path.dirname(PODFORM), 'bench', 'meter')
MIB = 1 << 20
UNDER_SANITIZERS = b'__asan_init' in open(PODFORM, 'rb').read()
ANY_POD = ('{"id":"odd%06d","name":"x","status":"RUNNING","image":"i",'
           '"args":null,"disk":5,"mounts":null,"ports":[],"env":{},'
           '"cloud":"SECURE","cost":0.1}')

SPEC = '''\
project: %s
settings: { budget: { per_hour: 3.00 } }
pods:
  one:
    image: runpod/base:1.0
    gpu: NVIDIA A40
'''

work = tempfile.mkdtemp()
sim_port = 0


# ------------------------------------------------------------- the liar ----

def answer(status, body, *headers):
    """A well-formed HTTP answer."""
    if isinstance(body, str):
        body = body.encode()
    head = ['HTTP/1.1 %d X' % status, 'Content-Type: application/json',
            'Connection: close', 'Content-Length: %d' % len(body), *headers]
    return '\r\n'.join(head).encode() + b'\r\n\r\n' + body


def listing(body):
    return answer(200, body)


def endless_chunks(conn):
    conn.sendall(b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n')
    chunk = b'10000\r\n' + b' ' * 0x10000 + b'\r\n'
    while True:
        conn.sendall(chunk)


def endless_pods(conn):
    conn.sendall(b'HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{"pods":[')
    n = 0
    while True:
        conn.sendall(','.join(ANY_POD % i for i in range(n, n + 100))
                     .encode() + b',')
        n += 100


def endless(head, part):
    """These bytes, and then those for ever."""
    def lie(conn):
        conn.sendall(head)
        while True:
            conn.sendall(part)
    return lie


def drip(conn):
    """An honest listing, one byte every 200 ms."""
    for byte in listing('{"pods":[]}' + ' ' * 600):
        conn.sendall(bytes([byte]))
        time.sleep(0.2)


def slowly(head, part):
    """These bytes, and then those for ever, 100 times a second."""
    def lie(conn):
        conn.sendall(head)
        while True:
            conn.sendall(part)
            time.sleep(0.01)
    return lie


def reset(after):
    """These bytes, and then a reset instead of an end."""
    def lie(conn):
        conn.sendall(after)
        time.sleep(0.1)
        conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                        struct.pack('ii', 1, 0))
    return lie


def raw(head, body=b'{"pods":[]}'):
    """An answer whose head is written out, with its lines joined."""
    return '\r\n'.join(head.split('\n')).encode('latin-1') + b'\r\n\r\n' + body


def many_headers(conn):
    conn.sendall(b'HTTP/1.1 200 OK\r\n')
    for _ in range(1000):
        conn.sendall(b'X-Odd: 1\r\n' * 100)
    conn.sendall(b'\r\n{"pods":[]}')


class Liar:
    """Passes requests on, except those of `lies`: (method, path pattern) to
    a list of lies, used one after the other; the last one stays if `stays`.
    A lie is bytes, a function of the connection, or a function marked
    `after` of the honest answer."""

    scheme = 'http'

    def __init__(self):
        self.lies = []
        self.seen = []
        self.listener = socket.create_server(('127.0.0.1', 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def lie(self, method, path, *what, stays=False):
        self.lies.append([method, re.compile(path), list(what), stays])

    def count(self, method):
        return sum(1 for m, _ in self.seen if m == method)

    def serve(self):
        while True:
            try:
                conn, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.one, args=(conn,),
                             daemon=True).start()

    def one(self, conn):
        try:
            with conn:
                conn.settimeout(20)
                self.exchange(conn)
        except (OSError, http.client.HTTPException):
            pass

    def exchange(self, conn):
        data = b''
        while b'\r\n\r\n' not in data:
            more = conn.recv(65536)
            if not more:
                return
            data += more
        head, body = data.split(b'\r\n\r\n', 1)
        lines = head.decode().split('\r\n')
        method, path, _ = lines[0].split(' ')
        headers = dict(line.split(': ', 1) for line in lines[1:])
        while len(body) < int(headers.get('Content-Length', 0)):
            body += conn.recv(65536)
        self.seen.append((method, path))
        lie = self.find(method, path)
        if lie is None or hasattr(lie, 'after'):
            honest = self.ask(method, path, body)
            if lie is None:
                conn.sendall(answer(*honest))
                return
            lie = lie.after(*honest)
        if callable(lie):
            lie(conn)
        else:
            conn.sendall(lie)

    def find(self, method, path):
        for entry in self.lies:
            if entry[0] == method and entry[1].search(path) and entry[2]:
                if entry[3] and len(entry[2]) == 1:
                    return entry[2][0]
                return entry[2].pop(0)
        return None

    @staticmethod
    def ask(method, path, body):
        conn = http.client.HTTPConnection('127.0.0.1', sim_port, timeout=20)
        conn.request(method, path, body or None,
                     {'Authorization': 'Bearer rpa_sim',
                      'Content-Type': 'application/json'})
        reply = conn.getresponse()
        return reply.status, reply.read()


class After:
    """A lie about an answer: the service did what it was asked."""

    def __init__(self, function):
        self.after = function


def after(lie):
    return After(lambda status, body: lie)


def changed(function):
    """The honest answer, its JSON changed by function."""
    def change(status, body):
        value = json.loads(body)
        function(value)
        return answer(status, json.dumps(value))
    return After(change)


# ------------------------------------------------------------- the rest ----

class Result:
    pass


class Project:
    def __init__(self, name, liar):
        self.name = name
        self.dir = tempfile.mkdtemp(dir=work, prefix=name)
        os.mkdir(self.dir + '/specs')
        with open(self.dir + '/specs/pods.yaml', 'w') as spec:
            spec.write(SPEC % name)
        self.liar = liar()

    def start(self, *args, before=(), **env):
        self.out = open(self.dir + '/out', 'w+b')
        self.err = open(self.dir + '/err', 'w+b')
        self.began = time.monotonic()
        return subprocess.Popen(
            [*before, PODFORM, *args], cwd=self.dir, stdin=subprocess.DEVNULL,
            stdout=self.out, stderr=self.err,
            env={'PATH': os.environ['PATH'], 'HOME': self.dir, 'USER': 't',
                 'RUNPOD_API_URL': '%s://127.0.0.1:%d' % (
                     self.liar.scheme, self.liar.port),
                 'RUNPOD_API_KEY': 'rpa_canary_7f3a',
                 'PODFORM_SETTLE': '300ms', **env})

    def finish(self, process):
        result = Result()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = result.code = os.waitstatus_to_exitcode(status)
        result.seconds = time.monotonic() - self.began
        result.mib = usage.ru_maxrss / 1024
        for name, file in (('out', self.out), ('err', self.err)):
            file.seek(0)
            setattr(result, name, file.read().decode())
            file.close()
        return result

    def run(self, *args, **env):
        """By a small program that tells its memory: the peak of a child
        begins with ours."""
        output = self.dir + '/meter'
        result = self.finish(self.start(
            *args, before=(METER, '-o', output), **env))
        code, _, _, kib = result.out.split()
        result.code, result.mib = int(code), int(kib) / 1024
        with open(output, 'rb') as file:
            result.out = file.read().decode()
        return result

    def pods(self):
        """What the service really has of this project."""
        _, body = Liar.ask('GET', '/v2/pods', b'')
        return [pod for pod in json.loads(body)['pods']
                if 'pod.one' in pod['env'].get('PODFORM_MARK', '')
                and pod['image'].endswith(self.name)]


def wants(what, got, wanted, result):
    if got != wanted:
        raise AssertionError('%s: got %r, wanted %r\n%s%s' % (
            what, got, wanted, result.out[-1500:], result.err[-1500:]))


def bounded(result, seconds=25, mib=64):
    if result.seconds > seconds:
        raise AssertionError('took %.1f s' % result.seconds)
    if result.mib > mib and not UNDER_SANITIZERS:
        raise AssertionError('used %.0f MiB' % result.mib)


def project(name, liar=Liar):
    """With an image of its own, by which its pods are told apart."""
    made = Project(name, liar)
    with open(made.dir + '/specs/pods.yaml', 'w') as spec:
        spec.write((SPEC % name).replace('base:1.0', 'base:' + name))
    return made


# ------------------------------------------------- lies about a listing ----

TWICE = '{"pods":[%s,%s]}' % (ANY_POD % 1, ANY_POD % 1)


def one_pod(old, new):
    return listing('{"pods":[%s]}' % (ANY_POD % 1).replace(old, new))


LISTINGS = {
    'A-01 cut': b'HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{"pods":[',
    'A-02 null': listing('null'),
    'A-02 object': listing('{}'),
    'A-02 array': listing('[]'),
    'A-02 pods null': listing('{"pods":null}'),
    'A-02 pods object': listing('{"pods":{}}'),
    'A-02 nothing': listing(''),
    'A-03 id twice': one_pod('{"id"', '{"id":"other","id"'),
    'A-03 pod twice': listing(TWICE),
    'A-04 NUL key': one_pod('{"id"', '{"id\\u0000x":"other","id"'),
    'A-05 NaN': one_pod('0.1', 'NaN'),
    'A-05 1e400': one_pod('0.1', '1e400'),
    'A-05 negative': one_pod('0.1', '-1'),
    'A-05 text': one_pod('0.1', '"0.44"'),
    'A-06 depth 33': one_pod('"env"', '"x":' + '[' * 33 + ']' * 33 +
                             ',"env"'),
    'A-06 depth 200000': listing('[' * 200000),
    'A-07 gzip': answer(200, gzip.compress(bytes(200 * MIB), 9),
                        'Content-Encoding: gzip'),
    'A-08 endless chunks': endless_chunks,
    'A-15 header lines': many_headers,
    'A-15 long header': answer(200, '{"pods":[]}', 'X-Odd: ' + 'x' * MIB),
    'A-15 NUL in a header': answer(200, '{"pods":[]}', 'X-Odd: a\0b'),
    'A-16 endless pods': endless_pods,
    'A-17 one byte': b'H',
    'A-17 headers only': (b'HTTP/1.1 200 OK\r\nContent-Length: 50'
                          b'\r\n\r\n'),
    'A-17 nothing': b'',
    **{'A-01 cut after %d bytes' % n: (
        b'HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n' +
        ('{"pods":[%s,%s]}' % (ANY_POD % 1, ANY_POD % 2)).encode()[:n])
       for n in (0, 1, 2, 8, 9, 10, 60, 150, 200, 250)},
    'A-01 a comma too many': listing('{"pods":[],}'),
    'A-01 two documents': listing('{"pods":[]}{"pods":[]}'),
    'A-01 a document and zeros': listing('{"pods":[]}\0\0'),
    'A-01 a comment': listing('{"pods":[]} // none'),
    'A-01 single quotes': listing("{'pods':[]}"),
    'A-01 the mark of UTF-8': listing('\ufeff{"pods":[]}'),
    'A-01 UTF-16': listing('{"pods":[]}'.encode('utf-16')),
    'A-02 a text': listing('"pods"'),
    'A-02 true': listing('true'),
    'A-02 another key': listing('{"Pods":[]}'),
    'A-02 within data': listing('{"data":{"pods":[]}}'),
    'A-02 pods a text': listing('{"pods":"[]"}'),
    'A-02 pods of null': listing('{"pods":[null]}'),
    'A-02 pods of lists': listing('{"pods":[[]]}'),
    'A-02 pods of nothing': listing('{"pods":[{}]}'),
    'A-02 pods of texts': listing('{"pods":["odd000001"]}'),
    'A-02 an error with 200': listing('{"status":500,"title":"oops"}'),
    'A-02 HTML with 200': listing('<html><body>Bad Gateway</body></html>'),
    'A-02 pages that are none': listing('{"pods":[],"pagination":7}'),
    'A-02 more pages without a cursor': listing(
        '{"pods":[],"pagination":{"hasNextPage":true}}'),
    'A-03 pods twice': listing('{"pods":[],"pods":[]}'),
    'A-03 status twice': one_pod('"status"', '"status":"EXITED","status"'),
    'A-03 a variable twice': one_pod('"env":{}', '"env":{"A":"1","A":"2"}'),
    'A-03 a key twice by an escape': one_pod('{"id"', '{"\\u0069d":"o","id"'),
    'A-04 half of a pair': one_pod('"name":"x"', '"name":"\\ud800"'),
    'A-04 halves of a pair, turned': one_pod(
        '"name":"x"', '"name":"\\udc00\\ud800"'),
    'A-04 a NUL in a name': one_pod('"name":"x"', '"name":"x\\u0000y"'),
    'A-04 a raw line feed': one_pod('"name":"x"', '"name":"x\ny"'),
    'A-04 a raw NUL': one_pod('"name":"x"', '"name":"x\0y"'),
    'A-04 Latin-1': listing(('{"pods":[%s]}' % (ANY_POD % 1)).replace(
        '"x"', '"\xe9"').encode('latin-1')),
    'A-04 a slash of two bytes': listing(('{"pods":[%s]}' % (
        ANY_POD % 1)).encode().replace(b'"x"', b'"\xc0\xaf"')),
    'A-04 an escape that is none': one_pod('"name":"x"', '"name":"\\x41"'),
    **{'A-05 ' + price: one_pod('0.1', price) for price in (
        'Infinity', '-Infinity', '+1', '01', '.5', '5.', '0x1', '1e', 'true',
        '[]', '{}', '"free"', '99999999999', '-0.01', '1e309')},
    'A-05 no id': one_pod('"id":"odd000001",', ''),
    'A-05 an id that is a number': one_pod('"odd000001"', '1'),
    'A-05 an id that is a path': one_pod('odd000001', '../../x'),
    'A-05 an id of 300 letters': one_pod('odd000001', 'x' * 300),
    'A-05 an empty id': one_pod('odd000001', ''),
    'A-06 depth 200000 of objects': listing('{"a":' * 200000),
    'A-06 depth 200000, closed': listing('{"pods":%s%s}' % (
        '[' * 200000, ']' * 200000)),
    'A-07 gzip of the truth': answer(200, gzip.compress(b'{"pods":[]}'),
                                     'Content-Encoding: gzip'),
    'A-08 a chunk of 2^64-1 bytes': raw(
        'HTTP/1.1 200 OK\nTransfer-Encoding: chunked',
        b'ffffffffffffffff\r\n{"pods":[]}'),
    'A-08 a chunk of -1 bytes': raw(
        'HTTP/1.1 200 OK\nTransfer-Encoding: chunked',
        b'-1\r\n{"pods":[]}'),
    'A-08 chunks that are none': raw(
        'HTTP/1.1 200 OK\nTransfer-Encoding: chunked', b'{"pods":[]}'),
    'A-08 no last chunk': raw(
        'HTTP/1.1 200 OK\nTransfer-Encoding: chunked',
        b'b\r\n{"pods":[]}\r\n'),
    'A-08 trailers without end': endless(
        b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n',
        b'X-Odd: 1\r\n' * 5000),
    'A-08 spaces without end': endless(
        b'HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{"pods":[]}',
        b' ' * 65536),
    'A-08 a text without end': endless(
        b'HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{"pods":[{"id":"',
        b'x' * 65536),
    'A-08 a number without end': endless(
        b'HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{"pods":[1',
        b'0' * 65536),
    'A-15 a status line without end': endless(b'HTTP/1.1 200 ', b'x' * 65536),
    'A-15 interim answers without end': endless(
        b'', b'HTTP/1.1 100 Continue\r\n\r\n' * 1000),
    'A-15 early hints without end': endless(
        b'', b'HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n' * 1000),
    'A-15 a name without end': endless(b'HTTP/1.1 200 OK\r\n', b'x' * 65536),
    'A-15 one header folded without end': endless(
        b'HTTP/1.1 200 OK\r\nX-Odd: a\r\n', b' b\r\n' * 10000),
    'A-15 no HTTP at all': b'SSH-2.0-OpenSSH_9.2\r\n',
    'A-15 HTTP/9.9': raw('HTTP/9.9 200 OK\nConnection: close'),
    'A-15 HTTP/0.9': b'{"pods":[]}',
    'A-15 a status of four digits': raw('HTTP/1.1 2000 OK'),
    'A-15 a status of none': raw('HTTP/1.1 -1 OK'),
    'A-15 another protocol': raw('HTTP/1.1 101 X\nUpgrade: h2c'),
    'A-17 a length that is too long': raw('HTTP/1.1 200 OK\n'
                                          'Content-Length: 12'),
    'A-17 a length that is too short': raw('HTTP/1.1 200 OK\n'
                                           'Content-Length: 10'),
    'A-17 a length of nothing': raw('HTTP/1.1 200 OK\nContent-Length: 0'),
    'A-17 a length of 2^63': raw('HTTP/1.1 200 OK\n'
                                 'Content-Length: 9223372036854775808'),
    'A-17 a length of letters': raw('HTTP/1.1 200 OK\nContent-Length: x'),
    'A-17 a length of -1': raw('HTTP/1.1 200 OK\nContent-Length: -1'),
    'A-17 two lengths': raw('HTTP/1.1 200 OK\nContent-Length: 5\n'
                            'Content-Length: 11'),
    'A-17 a reset': reset(b''),
    'A-17 a reset in the headers': reset(b'HTTP/1.1 200 OK\r\nX'),
    'A-17 a reset in the body': reset(
        b'HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n{"pods"'),
    **{'A-17 status %d' % status: answer(status, '{"pods":[]}')
       for status in (201, 202, 203, 205, 206, 226, 300, 304, 305, 400, 402,
                      405, 410, 418, 451, 500, 502, 503, 504, 511, 599, 999)},
    'A-17 status 204 with a body': answer(204, '{"pods":[]}'),
    'A-17 a problem with escapes': answer(
        500, '{"status":500,"title":"\\u001b]52;c;aGk=\\u0007",'
        '"detail":"\\u202e\\u0000"}'),
    'pages in a circle': listing('{"pods":[],"pagination":{"hasNextPage":'
                                 'true,"nextCursor":"again"}}'),
    'not found': answer(404, '<html>no such host</html>'),
}


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

def created_with(pod_id):
    def change(pod):
        pod['id'] = pod_id
    return changed(change)


CREATES = {
    'A-12 path': created_with('../../x'),
    'A-12 long': created_with('x' * 300),
    'A-12 quote': created_with('a"b'),
    'A-12 empty': created_with(''),
    'A-12 no id': after(answer(201, '{}')),
    'A-12 null': created_with(None),
    'A-12 a number': created_with(7),
    'A-12 a list': created_with(['x']),
    'A-12 a line feed': created_with('a\r\nX: y'),
    'A-12 a query': created_with('a?b=c'),
    'A-12 dots': created_with('..'),
    'A-12 a NUL': created_with('a\0b'),
    'A-12 an escape': created_with('\x1b[2J'),
    'A-12 another script': created_with('\u0430\u0430'),
    'A-12 a list around it': changed(lambda pod: None) and after(
        answer(201, '[]')),
    'A-12 two documents': after(answer(201, '{"id":"a"}{"id":"b"}')),
    'A-12 an id twice': after(answer(201, '{"id":"aaa","id":"bbb"}')),
    'A-12 HTML': after(answer(201, '<html></html>')),
    'A-12 nothing': after(answer(201, '')),
    'A-12 depth': after(answer(201, '[' * 100000)),
    'A-12 compressed': after(answer(201, gzip.compress(bytes(50 * MIB), 9),
                                    'Content-Encoding: gzip')),
    'A-17 a reset': After(lambda status, body: reset(b'')),
    'A-17 a reset in the body': After(lambda status, body: reset(
        b'HTTP/1.1 201 X\r\nContent-Length: 90\r\n\r\n{"id":"a')),
    'A-15 interim answers without end': after(endless(
        b'', b'HTTP/1.1 100 Continue\r\n\r\n' * 1000)),
    **{'A-17 status %d' % status: after(answer(status, '{}'))
       for status in (202, 203, 204, 206, 301, 304, 409, 502, 503, 504, 599,
                      999)},
    'A-17 one byte': after(b'H'),
    'A-17 headers only': after(b'HTTP/1.1 201 X\r\nContent-Length: 90'
                               b'\r\n\r\n'),
    'A-17 nothing': after(b''),
    'cut': after(answer(201, '{"id":"abc')),
    'another mark': changed(lambda pod: pod['env'].clear()),
    '500': after(answer(500, '{"status":500,"title":"oops"}')),
    '408': after(answer(408, '')),
    '200': after(answer(200, '{}')),
    '302': after(answer(302, '', 'Location: http://127.0.0.1:1/')),
    '307': after(answer(307, '', 'Location: /v2/pods')),
    '400 of a proxy': after(answer(400, '<html>bad request</html>')),
    'endless': after(endless_chunks),
    'A-15 header lines': after(many_headers),
}


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
    global sim_port
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
        sim_port = int(open(port_file).read())
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
