"""What the tables of bad inputs share: a case, how it is run, and what must
hold of every case of its class.

A case has a project directory of its own and an address of RunPod at which
nobody ever answers, so that a connection to it is seen.  What podform writes
on standard error is compared as a whole with the text that is kept beside
the table (`y.expected` beside `y.py`), in the words that a user sees;
UPDATE=1 renews those files, and the difference is read in review.
"""
import hashlib
import json
import os
import re
import signal
import socket
import stat
import subprocess
import threading

BUILD = os.environ.get('BUILD', os.path.abspath('build/gcc'))
PODFORM = os.environ.get('PODFORM', os.path.join(BUILD, 'podform'))
PODFORM_SIM = os.environ.get('PODFORM_SIM',
                             os.path.join(BUILD, 'podform-sim'))
METER = os.path.join(BUILD, 'bench', 'meter')
UNDER_SANITIZERS = b'__asan_init' in open(PODFORM, 'rb').read()
HERE = os.path.dirname(os.path.abspath(__file__))
CANARY = 'rpa_canary_5e1f90'
#: What may stand on a terminal only escaped, but for the line feed.
RAW = re.compile('[\0-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e'
                 '\u2066-\u2069]')

#: A spec without mistakes; what is added to it begins on line 6.
POD = 'project: t\npods:\n  p:\n    image: a:1\n    gpu: A40\n'

#: exit codes of each class, and whether anything may be sent.
CLASSES = {'SPEC': {3}, 'STATE': {1, 3, 6}, 'ENV': {1, 3, 4}, 'SAFE': {0}}


#: What differs from run to run.
VOLATILE = ((r'127\.0\.0\.1:\d{4,5}', '127.0.0.1:PORT'),
            (r'\b(?=0|[0-9a-f]*[a-f])[0-9a-f]{32}\b', 'LINEAGE'),
            (r"(id ')[0-9a-z]{14}'", r"\1ID'"),
            (r"is [0-9a-f]{8}\b", 'is LINEAGE'),
            (r'\d{4}-\d\d-\d\dT[0-9:]{8}Z', 'TIME'),
            (r'by [^ @]+@[^ ]+', 'by USER'), (r'at byte \d{4,}', 'at byte N'),
            (r'pid \d+', 'pid N'), (r'\(\d+\.\d s\)', '(N s)'))


class Failure(Exception):
    pass


def wants(what, got, wanted):
    if got != wanted:
        raise Failure('%s: got %r, wanted %r' % (what, got, wanted))


class Result:
    """How a podform ended."""
    code = cpu_ms = kib = 0
    out = err = ''


class Place:
    """A directory to run podform in."""

    def __init__(self, path):
        self.path = path
        self.nobody = socket.create_server(('127.0.0.1', 0), backlog=16)
        self.nobody.setblocking(False)
        self.url = 'http://127.0.0.1:%d' % self.nobody.getsockname()[1]
        os.makedirs(path, exist_ok=True)

    def at(self, name):
        return os.path.join(self.path, name)

    def write(self, name, text, mode=None):
        os.makedirs(os.path.dirname(self.at(name)), exist_ok=True)
        with open(self.at(name), 'wb') as file:
            file.write(text if isinstance(text, bytes) else text.encode())
        if mode is not None:
            os.chmod(self.at(name), mode)

    def read(self, name):
        with open(self.at(name), 'rb') as file:
            return file.read()

    def env(self, **more):
        env = {'PATH': os.environ['PATH'], 'HOME': self.path, 'USER': 't',
               'RUNPOD_API_URL': self.url, 'RUNPOD_API_KEY': CANARY,
               'PODFORM_SETTLE': '300ms'}
        env.update({k: os.environ[k] for k in ('ASAN_OPTIONS', 'UBSAN_OPTIONS')
                    if k in os.environ})
        env.update(more)
        return {key: value for key, value in env.items() if value is not None}

    def run(self, *words, env=None, seconds=30, program=PODFORM, before=()):
        """`before` is a command that is given podform's as arguments."""
        done = Result()
        out = self.path + '.out'
        process = subprocess.Popen(
            [METER, '-o', out, *before, program, *words], cwd=self.path,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, env=self.env(**(env or {})),
            start_new_session=True)
        try:
            figures, err = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            raise Failure('podform %s does not end' %
                          ' '.join(words)[:200]) from None
        code, _, cpu, kib = figures.split()
        done.code, done.cpu_ms, done.kib = int(code), int(cpu) / 1000, int(kib)
        done.err = err.decode('utf-8', 'backslashreplace')
        with open(out, 'rb') as file:
            done.out = file.read().decode('utf-8', 'backslashreplace')
        os.unlink(out)
        return done

    def was_contacted(self):
        try:
            self.nobody.accept()[0].close()
            return True
        except BlockingIOError:
            return False

    def picture(self):
        """Every path below it, with its kind, mode, owner and content."""
        seen = {}
        for top, folders, files in os.walk(self.path):
            for name in folders + files:
                path = os.path.join(top, name)
                info = os.lstat(path)
                what = [stat.filemode(info.st_mode), info.st_uid,
                        info.st_nlink if name in files else 0]
                if stat.S_ISLNK(info.st_mode):
                    what.append(os.readlink(path))
                elif stat.S_ISREG(info.st_mode) and info.st_size < 1 << 24:
                    with open(path, 'rb') as file:
                        what.append(hashlib.sha256(file.read()).hexdigest())
                seen[os.path.relpath(path, self.path)] = what
        return seen

    def close(self):
        self.nobody.close()


class Case:
    """A row of a table.

    id, what    as in `ids.py`, and in words
    kind        SPEC, STATE, ENV or SAFE
    spec        the spec file: text or bytes
    files       other files: name to text or bytes
    prepare     function of the place: whatever else must be there
    run         the command
    env         environment; None takes a variable away
    look        function of the place and the result, for what is special
    cpu_ms,mib  what it may take
    writes      whether files may differ afterwards
    """

    def __init__(self, id, what, spec=POD, kind='SPEC', run=('apply', '-y'),
                 **more):
        self.id, self.what, self.kind = id, what, kind
        self.spec, self.words = spec, run
        self.files = more.pop('files', {})
        self.prepare = more.pop('prepare', None)
        self.look = more.pop('look', None)
        self.env = more.pop('env', {})
        self.code = more.pop('code', None)
        self.cpu_ms = more.pop('cpu_ms', 200)
        self.mib = more.pop('mib', 64)
        self.writes = more.pop('writes', False)
        self.seconds = more.pop('seconds', 15)
        assert not more, more
        self.name = '%s %s' % (id, what)

    def set_up(self, place):
        if self.spec is not None:
            place.write('specs/a.yaml', self.spec)
        for name, text in self.files.items():
            place.write(name, text)
        if self.prepare is not None:
            self.prepare(place)

    def play(self, place, expected):
        """Run it; what podform said.  Raises Failure."""
        self.set_up(place)
        before = place.picture()
        done = place.run(*self.words, env=self.env, seconds=self.seconds)
        said = ('exit %d\n%s' % (done.code, plain(done.err, place))).rstrip()
        try:
            self.judge(place, done, before)
            if expected is not None and said != expected:
                raise Failure('it said\n%s\nand not\n%s' % (said, expected))
        except Failure as failure:
            raise Failure('%s\n%s%s' % (failure, said[:2000],
                                        done.out[:500])) from None
        return said

    def judge(self, place, done, before):
        codes = CLASSES[self.kind] if self.code is None else {self.code}
        if done.code not in codes:
            raise Failure('exit %d, wanted one of %s' % (done.code, codes))
        wants('a connection', place.was_contacted(), False)
        if not self.writes:
            after = place.picture()
            wants('what was written', sorted(
                path for path in before.keys() | after.keys()
                if before.get(path) != after.get(path)), [])
        bounded(done, self.cpu_ms, self.mib)
        clean(done)
        if self.kind == 'SPEC':
            wants('standard output', done.out, '')
            self.judge_json(place)
        if self.look is not None:
            self.look(place, done)

    def judge_json(self, place):
        """The same mistakes as one JSON document, and no key needed."""
        if self.words != ('apply', '-y'):
            return
        done = place.run('validate', '--json',
                         env={**self.env, 'RUNPOD_API_KEY': None})
        wants('exit of validate --json', done.code, 3)
        wants('standard error of validate --json', done.err, '')
        told = json.loads(done.out)
        wants('valid, errors', (told['valid'], told['error_count'] > 0),
              (False, True))
        clean(done)


def bounded(done, cpu_ms, mib):
    if UNDER_SANITIZERS:
        return
    if done.cpu_ms > cpu_ms:
        raise Failure('it took %d ms of the processor' % done.cpu_ms)
    if done.kib > mib * 1024:
        raise Failure('it grew to %d KiB' % done.kib)


def clean(done):
    """Nothing raw for a terminal, and no secret."""
    for text in (done.out, done.err):
        raw = RAW.search(text)
        if raw:
            raise Failure('raw %r in the output' % raw.group())
        if CANARY in text:
            raise Failure('the API key is in the output')


def plain(text, place):
    """Without what differs from run to run, and cut where it is long."""
    text = text.replace(place.path, 'HERE')
    for pattern, word in VOLATILE:
        text = re.sub(pattern, word, text)
    lines = [line if len(line) <= 400 else
             '%s[%d more]' % (line[:400], len(line) - 400)
             for line in text.splitlines()]
    if len(lines) > 40:
        lines[40:] = ['[%d lines more]' % (len(lines) - 40)]
    return '\n'.join(line.rstrip() for line in lines)


# ------------------------------------------------------ what was expected --

class Expected:
    """The texts that are kept in a file, by the names of the cases."""

    def __init__(self, name):
        self.path = os.path.join(HERE, name + '.expected')
        self.texts, self.said = {}, {}
        self.mutex = threading.Lock()
        self.renew = os.environ.get('UPDATE') == '1'
        try:
            with open(self.path) as file:
                parts = file.read().split('\n== ')[1:]
        except FileNotFoundError:
            parts = []
        for part in parts:
            name, _, text = part.partition('\n')
            self.texts[name] = text.rstrip('\n')

    def get(self, name):
        if self.renew:
            return None
        return self.texts.get(name, '(nothing is kept in %s)' %
                              os.path.basename(self.path))

    def take(self, name, said):
        with self.mutex:
            self.said[name] = said.rstrip('\n')

    def save(self, names):
        """Write what was said; what was not run stays."""
        kept = {**self.texts, **self.said}
        with open(self.path, 'w') as file:
            file.write('# What podform says of each case; see world.py.\n')
            for name in names:
                if name in kept:
                    file.write('\n== %s\n%s\n' % (name, kept[name]))
