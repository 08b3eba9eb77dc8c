"""Odd callers: arguments, environments, streams, limits."""
import json
import os
import subprocess
from . import live
from .live import Failure, Story, exits, wants
from .s import own
from .world import CANARY, METER, PODFORM, Case, Result, clean


def arguments(id, what, *words, code=3, kind='ENV', **more):
    return Case(id, what, kind=kind, run=words, code=code, **more)


def environment(what, code, run=('plan',), **env):
    return Case('C-05', what, kind='ENV', run=run, code=code, env=env)


def settled(place):
    """Both pods are there, once, and podform knows it."""
    wants('pods', len(live.pods(place.path)), 2)
    json.loads(place.read('podform.lock'))
    exits(place.run('plan', '--detailed-exitcode', env=live.env()), 0)


def shell(place, script, *words, code=0):
    """podform as `"$0" "$@"` of a script; how the script ended."""
    done = Result()
    try:
        ran = subprocess.run(['bash', '-c', script, PODFORM, *words],
                             cwd=place.path, env=place.env(**live.env()),
                             stdin=subprocess.DEVNULL, capture_output=True,
                             timeout=30, check=False)
    except subprocess.TimeoutExpired as late:
        raise Failure('it does not end: %r' % late.stderr) from None
    done.code = ran.returncode
    done.out = ran.stdout.decode('utf-8', 'backslashreplace')
    done.err = ran.stderr.decode('utf-8', 'backslashreplace')
    if code is not None:
        exits(done, code)
    clean(done)
    return done


def story(id, what, name, script, *words, code=0):
    """An apply in odd circumstances, which is done all the same."""
    def play(place):
        own(place, name)
        shell(place, script, *(words or ('apply', '-y')), code=code)
        settled(place)
    return Story(id, what, play)


def refused_or_done(id, what, name, script):
    """An apply that may not be possible so, and then says so; the next one
    sets right what is left."""
    def play(place):
        own(place, name)
        done = shell(place, script, 'apply', '-y', code=None)
        if done.code > 12 or done.code < 0:
            raise Failure('exit %d: %s' % (done.code, done.err[-600:]))
        if done.code != 0 and 'error: ' not in done.err:
            raise Failure('exit %d without a word' % done.code)
        exits(place.run('apply', '-y', env=live.env()), 0)
        settled(place)
    return Story(id, what, play)


def no_descriptor_below_three(place):
    """Nothing that podform opens takes the place of a standard stream."""
    own(place, 'streams')
    shell(place, 'exec <&- >&- 2>&-; exec strace -f -o trace -e trace=openat,'
          'open,creat,socket,pipe2,dup,accept4 "$0" "$@"', 'apply', '-y')
    seen = 0
    for line in place.read('trace').decode().splitlines():
        path, _, result = line.partition(' = ')
        if 'podform.lock' not in path and '.podform/' not in path:
            continue
        number = result.split()[0]
        if number.isdigit():
            seen += 1
            wants('a descriptor above 2', int(number) > 2, True)
    wants('files that were opened', seen > 3, True)
    settled(place)


def modes(mask):
    def play(place):
        own(place, 'umask-%o' % mask)
        shell(place, 'umask %04o; exec "$0" "$@"' % mask, 'apply', '-y')
        for name in ('podform.lock', '.podform/journal', '.podform/mutex'):
            wants('mode of ' + name, os.stat(place.at(name)).st_mode & 0o777,
                  0o600)
        settled(place)
    return Story('C-05', 'a umask of %04o' % mask, play)


def no_argv0(place):
    place.write('specs/a.yaml', live.SPEC % 't')
    for first in ('', '\x1b[2J', 'x' * 4000):
        done = Result()
        ran = subprocess.run([first, 'validate'], executable=PODFORM,
                             cwd=place.path, env=place.env(),
                             capture_output=True, timeout=20, check=False)
        done.code, done.out, done.err = (ran.returncode, ran.stdout.decode(),
                                         ran.stderr.decode())
        exits(done, 0)
        clean(done)


def lost_directory(place):
    """The directory that it works in is gone."""
    os.mkdir(place.at('gone'))
    done = shell(place, 'cd gone; rmdir ../gone; exec "$0" "$@"', 'apply',
                 '-y', code=None)
    if done.code not in (1, 3) or 'error: ' not in done.err:
        raise Failure('exit %d: %s' % (done.code, done.err))


HEAD = '"$0" "$@" 2>&1 | head -1; exit ${PIPESTATUS[0]}'
OUT_ONLY = '"$0" "$@" 2>/dev/null | head -c 1; exit ${PIPESTATUS[0]}'
SECRET = CANARY
CASES = [
    *(arguments('C-01', 'plan ' + option, 'plan', *words)
      for option, words in (
          ('--api-key KEY', ('--api-key', SECRET)),
          ('--api-key=KEY', ('--api-key=' + SECRET,)),
          ('--apikey KEY', ('--apikey', SECRET)),
          ('-k KEY', ('-k', SECRET)),
          ('--token KEY', ('--token', SECRET)),
          ('--github-token=KEY', ('--github-token=' + SECRET,)),
          ('--password KEY', ('--password', SECRET)),
          ('KEY', (SECRET,)),
          ('--target KEY', ('--target', SECRET)),
          ('--lock-timeout KEY', ('--lock-timeout', SECRET)))),
    arguments('C-01', 'the key as a command', SECRET),
    arguments('C-01', 'the key as a host and user', 'plan', env={
        'RUNPOD_API_URL': 'https://%s@api.runpod.io' % SECRET}),
    story('C-02', 'apply | head -1', 'head', HEAD),
    story('C-02', 'apply | head -c 1', 'head-c', OUT_ONLY),
    story('C-02', 'apply --json | head -1', 'head-json', HEAD, 'apply',
          '-y', '--json'),
    story('C-02', 'a reader that was never there', 'true',
          '"$0" "$@" 2>&1 | true; exit ${PIPESTATUS[0]}'),
    refused_or_done('C-02', 'standard output is full', 'full',
                    'exec "$0" "$@" >/dev/full'),
    refused_or_done('C-02', 'standard error is full', 'full-err',
                    'exec "$0" "$@" 2>/dev/full || echo "error: " >&2'),
    *(story('C-03', 'closed: ' + what, 'closed-' + what.replace(' ', ''),
            'exec %s; exec "$0" "$@"' % how)
      for what, how in (('0', '<&-'), ('1', '>&-'), ('2', '2>&-'),
                        ('0 1', '<&- >&-'), ('0 2', '<&- 2>&-'),
                        ('1 2', '>&- 2>&-'), ('0 1 2', '<&- >&- 2>&-'))),
    Story('C-03', 'no file gets descriptor 0 to 2',
          no_descriptor_below_three),
    *(refused_or_done('C-04', '%d descriptors' % n, 'files-%d' % n,
                      'ulimit -n %d; exec "$0" "$@"' % n)
      for n in (16, 12, 8, 6)),
    story('C-05', 'SIGCHLD and SIGPIPE ignored', 'ignored',
          'trap "" CHLD PIPE; exec "$0" "$@"'),
    story('C-05', 'every signal ignored that can be', 'all-ignored',
          'trap "" $(seq 1 31); exec "$0" "$@"'),
    story('C-05', 'no HOME, no USER, no PATH', 'no-home',
          'unset HOME USER PATH; exec "$0" "$@"'),
    story('C-05', 'COLUMNS=999999999', 'columns',
          'COLUMNS=999999999 exec "$0" "$@"'),
    story('C-05', 'COLUMNS=-1 and a time zone that is none', 'zone',
          'COLUMNS=-1 TZ=../../etc/passwd LC_ALL=xx exec "$0" "$@"'),
    story('C-05', 'a megabyte of environment', 'big-env',
          'for i in $(seq 10); do export X$i=$(head -c 100000 /dev/zero | '
          'tr "\\0" x); done; exec "$0" "$@"'),
    story('C-05', 'a stack of 128 KiB', 'stack',
          'ulimit -s 128; exec "$0" "$@"'),
    *(refused_or_done('C-05', 'files of at most %d KiB' % n, 'fsize-%d' % n,
                      'ulimit -f %d; exec "$0" "$@"' % n) for n in (0, 1)),
    modes(0), modes(0o777), modes(0o077),
    Story('C-05', 'no argv[0], and odd ones', no_argv0),
    Story('C-05', 'a directory that is gone', lost_directory),
    arguments('C-05', 'an argument of 100,000 letters', 'validate',
              'x' * 100000),
    arguments('C-05', 'an address of 100,000 letters', 'plan', '--target',
              'pod.' + 'x' * 100000, '--refresh=false'),
    arguments('C-05', 'escapes in a command', '\x1b]52;c;aGk=\x07'),
    arguments('C-05', 'escapes in an option', 'plan', '--\x1b[2J\u202e'),
    arguments('C-05', 'escapes in a path', 'validate', '\x1b[2J'),
    arguments('C-05', 'bytes that are no UTF-8', 'validate', b'\xff\xfe'),
    arguments('C-05', 'an empty argument', 'validate', ''),
    arguments('C-05', 'an empty command', ''),
    environment('RUNPOD_API_URL=file:', 3, RUNPOD_API_URL='file:///etc/passwd'),
    environment('RUNPOD_API_URL over plain http', 3,
                RUNPOD_API_URL='http://example.com'),
    environment('RUNPOD_API_URL of letters', 3, RUNPOD_API_URL='example'),
    environment('RUNPOD_API_URL with a line feed', 3,
                RUNPOD_API_URL='http://127.0.0.1:1\r\nX: y'),
    environment('RUNPOD_API_URL that looks like loopback', 3,
                RUNPOD_API_URL='http://127.0.0.1.example.com'),
    environment('RUNPOD_API_URL with loopback as its user', 3,
                RUNPOD_API_URL='http://127.0.0.1@example.com'),
    environment('RUNPOD_API_KEY with a line feed', 4,
                RUNPOD_API_KEY=CANARY + '\r\nX: y'),
    environment('RUNPOD_API_KEY with an escape', 4,
                RUNPOD_API_KEY=CANARY + '\x1b'),
    environment('RUNPOD_API_KEY of nothing', 4, RUNPOD_API_KEY=''),
    environment('RUNPOD_API_KEY of a megabyte', 4,
                RUNPOD_API_KEY='x' * 100000),
    environment('PODFORM_SETTLE=-1s', 3, run=('apply', '-y'),
                PODFORM_SETTLE='-1s'),
    environment('PODFORM_SETTLE=1e9s', 3, run=('apply', '-y'),
                PODFORM_SETTLE='1e9s'),
    environment('PODFORM_PARALLELISM=99999999999', 3, run=('apply', '-y'),
                PODFORM_PARALLELISM='99999999999'),
    environment('PODFORM_ARGS with a quote that is not closed', 3,
                PODFORM_ARGS='--json "'),
]
assert METER
