"""A raw-socket server that lies, and the projects that are lied to."""
import http.client
import json
import os
import re
import socket
import struct
import subprocess
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
