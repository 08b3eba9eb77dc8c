"""Files that a spec names: secrets, keys, what setup copies, spec files."""
import os
import shutil
import socket
import subprocess
from .world import POD, Case, Failure, wants

SECRET = POD + 'secrets:\n  K: { file: %s }\n'
COPY = POD + '    setup: [{ copy: { from: %s, to: /x } }]\n'
KEY = POD + '    ready: { checks: [id] }\n    ssh: { key: %s }\n'
AS_NOBODY = ('setpriv', '--reuid=65534', '--regid=65534', '--clear-groups')


def put_socket(path):
    # sockaddr_un is short; the directory is not.
    here = os.open(os.path.dirname(path), os.O_RDONLY)
    try:
        with socket.socket(socket.AF_UNIX) as sock:
            sock.bind('/proc/self/fd/%d/%s' % (here, os.path.basename(path)))
    finally:
        os.close(here)


def world(place):
    """One file of each kind, in and beside specs/."""
    place.write('outside.txt', 'hunter2')
    place.write('specs/good', 'hunter2', 0o600)
    os.makedirs(place.at('specs/dir/sub'))
    place.write('specs/dir/file', 'x')
    os.mkfifo(place.at('specs/fifo'))
    put_socket(place.at('specs/socket'))
    os.symlink('../outside.txt', place.at('specs/out'))
    os.symlink(place.at('outside.txt'), place.at('specs/out-absolute'))
    os.symlink('..', place.at('specs/up'))
    os.symlink('good', place.at('specs/in'))
    os.symlink('nothing', place.at('specs/gone'))
    os.symlink('loop', place.at('specs/loop'))
    os.symlink('loop-b', place.at('specs/loop-a'))
    os.symlink('loop-a', place.at('specs/loop-b'))
    os.symlink('/dev/zero', place.at('specs/zero'))
    os.symlink('/proc/version', place.at('specs/kernel'))
    place.write('specs/large', '')
    os.truncate(place.at('specs/large'), 1 << 30)


def secret(id, what, path, **more):
    return Case(id, what, SECRET % path, prepare=world,
                look=nothing_told, **more)


def copy(id, what, path, **more):
    return Case(id, 'copied: ' + what, COPY % path, prepare=world,
                look=nothing_told, **more)


def nothing_told(place, done):
    """What is in a file is nobody's to see."""
    for word in ('hunter2', 'BEGIN', 'PuTTY-User', 'b3BlbnNzaC1rZXk'):
        if word in done.err.split('hint')[0] + done.out:
            raise Failure('the content of a file is shown: ' + word)


def spec_file(id, what, prepare, **more):
    return Case(id, 'a spec: ' + what, None, prepare=prepare, **more)


def directory_of_specs(make):
    def prepare(place):
        os.makedirs(place.at('specs'))
        make(place, place.at('specs/a.yaml'))
    return prepare


# ------------------------------------------------------------------ keys ----

def keygen(*options):
    def make(path):
        subprocess.run(['ssh-keygen', '-q', '-f', path, *options],
                       check=True, stdin=subprocess.DEVNULL)
    return make


def text(content, mode=0o600):
    def make(path):
        with open(path, 'wb') as file:
            file.write(content)
        os.chmod(path, mode)
    return make


def changed(make, change, mode=0o600):
    def both(path):
        make(path)
        with open(path, 'rb') as file:
            content = file.read()
        os.unlink(path)
        text(change(content), mode)(path)
    return both


def public(path):
    keygen('-t', 'ed25519', '-N', '')(path)
    os.replace(path + '.pub', path)
    os.chmod(path, 0o600)


ED25519 = keygen('-t', 'ed25519', '-N', '')
PUTTY = (b'PuTTY-User-Key-File-3: ssh-ed25519\r\nEncryption: none\r\n'
         b'Comment: x\r\nPublic-Lines: 2\r\nAAAAC3NzaC1lZDI1\r\n')


def key(what, make, id='P-07', **more):
    def prepare(place):
        make(place.at('specs/id'))
        if os.path.exists(place.at('specs/id.pub')):
            os.unlink(place.at('specs/id.pub'))
    return Case(id, 'a key: ' + what, KEY % 'id', prepare=prepare,
                look=nothing_told, run=('validate',), **more)


# ------------------------------------------------------------- directories --

class AsNobody(Case):
    """The same as somebody who is not root, or within other mounts."""

    def __init__(self, id, what, make, words, code, before=AS_NOBODY, **more):
        super().__init__(id, what, kind='ENV', run=words, code=code, **more)
        self.make, self.before = make, before

    def play(self, place, expected):
        if self.before is AS_NOBODY and os.geteuid() != 0:
            self.before = ()
        self.set_up(place)
        for top, folders, files in os.walk(place.path):
            for name in folders + files + ['']:
                if os.geteuid() == 0 and self.before is AS_NOBODY:
                    os.chown(os.path.join(top, name), 65534, 65534)
        self.make(place)
        before = place.picture()
        try:
            done = place.run(*self.words, before=[
                word.replace('HERE', place.path) for word in self.before])
            wants('what was written', place.picture(), before)
        finally:
            for top, folders, _ in os.walk(place.path):
                for name in folders + ['']:
                    os.chmod(os.path.join(top, name), 0o755)
        from .world import plain
        said = ('exit %d\n%s' % (done.code, plain(done.err, place))).rstrip()
        if expected is not None and said != expected:
            raise Failure('it said\n%s\nand not\n%s' % (said, expected))
        wants('exit', done.code, self.code)
        wants('a connection', place.was_contacted(), False)
        return said


def mode(name, bits):
    return lambda place: os.chmod(place.at(name), bits)


PLAN = ('plan', '--refresh=false')
APPLY = ('apply', '-y')
READ_ONLY = ('bwrap', '--dev-bind', '/', '/', '--ro-bind', 'HERE', 'HERE',
             '--')
HERE_ONLY = [
    AsNobody('P-08', 'a directory of specs that cannot be listed',
             mode('specs', 0o300), APPLY, 3),
    AsNobody('P-08', 'a directory of specs that cannot be entered',
             mode('specs', 0o600), APPLY, 3),
    AsNobody('P-08', 'a spec that cannot be read',
             mode('specs/a.yaml', 0o200), APPLY, 3),
    AsNobody('P-08', 'a directory that cannot be written: plan',
             mode('.', 0o555), PLAN, 0),
    AsNobody('P-08', 'a directory that cannot be written: apply',
             mode('.', 0o555), APPLY, 1),
    AsNobody('P-08', 'a .podform that cannot be written', lambda place: (
        os.chmod(place.at('.podform'), 0o500)), APPLY, 1,
        prepare=lambda place: os.mkdir(place.at('.podform'), 0o700)),
    AsNobody('P-08', 'a lock file that cannot be read', lambda place: (
        os.chmod(place.at('podform.lock'), 0o200)), APPLY, 1,
        files={'podform.lock': '{}'}),
]
if shutil.which('bwrap') and subprocess.run(
        ['bwrap', '--dev-bind', '/', '/', 'true'], check=False,
        stderr=subprocess.DEVNULL).returncode == 0:
    HERE_ONLY += [
        AsNobody('P-08', 'a read-only mount: plan', lambda place: None, PLAN,
                 0, before=READ_ONLY),
        AsNobody('P-08', 'a read-only mount: apply', lambda place: None,
                 APPLY, 1, before=READ_ONLY),
    ]
else:
    print('skip - P-08 a read-only mount: no namespaces for bwrap here')

CASES = [
    secret('P-01', '../../outside.txt', '../../outside.txt'),
    secret('P-01', '../outside.txt', '../outside.txt'),
    secret('P-01', 'down and further up', 'dir/../../outside.txt'),
    secret('P-01', 'down in what is not there', 'no/../../outside.txt'),
    secret('P-01', 'only ..', '..'),
    secret('P-01', 'with slashes and dots', './/.././outside.txt'),
    secret('P-01', 'through a link to a directory above', 'up/outside.txt'),
    copy('P-01', '../outside.txt', '../outside.txt'),
    copy('P-01', 'an absolute path', '/etc/passwd'),
    copy('P-01', 'of the home directory', '"~/.ssh/id_ed25519"'),
    copy('P-01', 'down and further up', 'dir/../../outside.txt'),
    copy('P-01', '.. at its end', 'dir/..'),
    copy('P-01', 'through a link to a directory above', 'up/outside.txt'),
    secret('P-02', 'a FIFO', 'fifo'),
    secret('P-02', 'a device', '/dev/zero'),
    secret('P-02', 'a terminal', '/dev/tty'),
    secret('P-02', 'a link to a device', 'zero'),
    secret('P-02', 'a socket', 'socket'),
    copy('P-02', 'a FIFO', 'fifo'),
    copy('P-02', 'a socket', 'socket'),
    copy('P-02', 'a link to a device', 'zero'),
    Case('P-02', 'a directory with a FIFO in it', COPY % '.', prepare=world),
    Case('P-02', 'a key: a FIFO', KEY % 'fifo', prepare=world),
    Case('P-02', 'a key: a device', KEY % '/dev/zero', prepare=world),
    spec_file('P-02', 'a FIFO', directory_of_specs(
        lambda place, path: os.mkfifo(path))),
    spec_file('P-02', 'a socket', directory_of_specs(
        lambda place, path: put_socket(path))),
    spec_file('P-02', 'a device', directory_of_specs(
        lambda place, path: os.symlink('/dev/zero', path))),
    Case('P-02', 'a spec: a device by its name', None,
         run=('apply', '-y', '-f', '/dev/zero')),
    secret('P-03', 'a link that leads out', 'out'),
    secret('P-03', 'an absolute link that leads out', 'out-absolute'),
    secret('P-03', 'a link into /proc', 'kernel'),
    copy('P-03', 'a link that leads out', 'out'),
    copy('P-03', 'a directory with a link that leads out', '.'),
    spec_file('P-03', 'a link that leads out', directory_of_specs(
        lambda place, path: (place.write('a.yaml', POD),
                             os.symlink('../a.yaml', path)))),
    spec_file('P-03', 'a link to /etc/passwd', directory_of_specs(
        lambda place, path: os.symlink('/etc/passwd', path))),
    secret('P-04', 'a gigabyte of nothing', 'large'),
    copy('P-04', 'a gigabyte of nothing', 'large'),
    Case('P-04', 'a key: a gigabyte of nothing', KEY % 'large',
         prepare=lambda place: (world(place),
                                os.chmod(place.at('specs/large'), 0o600))),
    spec_file('P-04', 'a gigabyte of nothing', directory_of_specs(
        lambda place, path: (open(path, 'w').close(),
                             os.truncate(path, 1 << 30)))),
    Case('P-04', 'eleven thousand files', COPY % 'many', prepare=lambda place:
         [place.write('specs/many/%d' % i, '') for i in range(10001)],
         cpu_ms=1000),
    *(key('mode %04o' % bits, changed(ED25519, lambda k: k, bits), 'P-05')
      for bits in (0o640, 0o604, 0o620, 0o602, 0o644)),
    secret('P-06', 'a directory', 'dir'),
    secret('P-06', 'a link to nothing', 'gone'),
    secret('P-06', 'a link to itself', 'loop'),
    secret('P-06', 'two links in a ring', 'loop-a'),
    secret('P-06', 'a file as a directory', 'good/x'),
    secret('P-06', 'a name of 300 letters', 'x' * 300),
    secret('P-06', 'a path of 4,097 letters', 'x/' * 2049),
    secret('P-06', 'an empty path', "''"),
    secret('P-06', 'a path with a NUL', '"a\\0b"'),
    copy('P-06', 'a link to nothing', 'gone'),
    copy('P-06', 'a link to itself', 'loop'),
    copy('P-06', 'what is not there', 'nowhere',
         run=('plan', '--refresh=false')),
    spec_file('P-06', 'a directory', directory_of_specs(
        lambda place, path: os.mkdir(path))),
    spec_file('P-06', 'a link to nothing', directory_of_specs(
        lambda place, path: os.symlink('nothing', path))),
    spec_file('P-06', 'links in a ring', directory_of_specs(
        lambda place, path: os.symlink('a.yaml', path))),
    spec_file('P-06', 'specs is a file', lambda place:
              place.write('specs', POD), kind='SAFE',
              run=('plan', '--refresh=false')),
    spec_file('P-06', 'specs is a link to nothing', lambda place:
              os.symlink('nothing', place.at('specs'))),
    spec_file('P-06', 'specs is a link in a ring', lambda place:
              os.symlink('specs', place.at('specs'))),
    spec_file('P-06', 'specs is a FIFO', lambda place:
              os.mkfifo(place.at('specs'))),
    Case('P-06', 'a key: a directory', KEY % 'dir', prepare=world),
    Case('P-06', 'a key: a link in a ring', KEY % 'loop', prepare=world),
    Case('P-06', 'a key: a link to nothing', KEY % 'gone', prepare=world),
    key('a public key', public),
    key('of PuTTY', text(PUTTY)),
    key('RSA of 2048 bits', keygen('-t', 'rsa', '-b', '2048', '-N', '')),
    key('RSA in PEM', keygen('-t', 'rsa', '-b', '2048', '-N', '', '-m',
                             'PEM')),
    key('with the line ends of Windows', changed(
        ED25519, lambda k: k.replace(b'\n', b'\r\n'))),
    key('empty', text(b'')),
    key('a megabyte', text(b'x' * (1 << 20))),
    key('above a megabyte', text(b'x' * ((1 << 20) + 1))),
    key('random bytes', text(bytes(range(256)) * 4)),
    key('cut in the middle', changed(ED25519, lambda k: k[:len(k) // 2])),
    key('without its last line', changed(ED25519, lambda k: b'\n'.join(
        k.split(b'\n')[:-2]))),
    key('with a changed letter', changed(ED25519, lambda k: k.replace(
        b'b3Blb', b'b3Bla'))),
    key('a certificate request', text(
        b'-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n'
        b'-----END CERTIFICATE REQUEST-----\n')),
    key('an API key', text(b'rpa_0123456789\n')),
    *HERE_ONLY,
]
