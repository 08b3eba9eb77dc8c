"""Lock files, journals, saved plans and what is beside them, damaged, odd
or planted."""
import json
import os
import re
import time
from . import live
from .live import Failure, Refused, Story, exits, take_copy, wants
from .p import put_socket
from .world import clean

LOCK, JOURNAL = 'podform.lock', '.podform/journal'


def _table():
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (0xc96c5795d7870f42 if byte & 1 else 0)
        table.append(byte)
    return table


TABLE = _table()


def crc(data):
    """The checksum of podform's records: CRC-64/XZ."""
    sum = 0xffffffffffffffff
    for byte in data:
        sum = sum >> 8 ^ TABLE[(sum ^ byte) & 255]
    return b'%016x' % (sum ^ 0xffffffffffffffff)


def sign(text):
    """A lock file with its checksum made right."""
    at = text.index(b'crc64:') + 6
    return text[:at] + crc(text[:at] + text[at + 16:]) + text[at + 16:]


def lock(change, signed=False):
    """Damage that changes the bytes of the lock file."""
    def damage(place):
        text = change(place.read(LOCK))
        place.write(LOCK, sign(text) if signed else text)
    return damage


def edit(old, new, count=1):
    """A change by hand whose checksum is right all the same."""
    def change(text):
        if not re.search(old, text):
            raise Failure('the lock file lacks %r' % old)
        return re.sub(old, lambda _: new, text, count)
    return lock(change, signed=True)


def records(*lines):
    """A journal of these records, each with its checksum."""
    def damage(place):
        lineage = re.search(rb'"lineage": "([0-9a-f]+)"',
                            place.read(LOCK)).group(1)
        place.write(JOURNAL, b''.join(
            line if line.startswith(b'RAW') else
            crc(line) + b' ' + line + b'\n' for line in (
                line.replace(b'LINEAGE', lineage) for line in lines)
        ).replace(b'RAW', b''), 0o600)
    return damage


BEGIN = b'{"t":"begin","lineage":"LINEAGE","serial":1}'
INTENT = (b'{"t":"intent","op":"00112233445566778899aabbccddeeff",'
          b'"action":"create","address":"pod.two","entry":{"address":'
          b'"pod.two","kind":"pod","op":"00112233445566778899aabbccddeeff",'
          b'"pod":{"image":"runpod/base:1.0"}}}')


def both(*steps):
    def damage(place):
        for step in steps:
            step(place)
    return damage


def instead(name, make):
    """Something else at the place of a file."""
    def damage(place):
        path = place.at(name)
        if os.path.lexists(path):
            os.unlink(path)
        make(place, path)
    return damage


def link(target):
    return lambda place, path: os.symlink(target, path)


def resource(text):
    """The one resource of a lock file, as bytes."""
    start = text.index(b'    {\n      "address"')
    return text[start:text.index(b'\n  ],', start)]


def twice(text, address=b'pod.two'):
    one = resource(text)
    return text.replace(one, one + b',\n' + one.replace(b'pod.one', address))


ODD_KINDS = (
    ('a FIFO', lambda place, path: os.mkfifo(path)),
    ('a directory', lambda place, path: os.mkdir(path)),
    ('a socket', lambda place, path: put_socket(path)),
    ('a link to a file', lambda place, path: (
        place.write('other', 'mine'), os.symlink(place.at('other'), path))),
    ('a link to nothing', link('nothing')),
    ('a link to itself', lambda place, path: os.symlink(
        os.path.basename(path), path)),
    ('a link to a device', link('/dev/zero')),
)


def odd_kinds(id, name, only=None, **more):
    return [Refused(id, '%s is %s' % (name, what), instead(name, make),
                    **({'kind': 'ENV'} | more))
            for what, make in ODD_KINDS if only is None or what in only]


# ------------------------------------------------------------ cut files ----

def every_cut(name, words):
    """Cut after each byte, or in `make test` after some of them."""
    def story(place):
        take_copy(place)
        if name == JOURNAL:
            records(BEGIN, INTENT)(place)
        whole = place.read(name)
        step = 1 if os.environ.get('BAD_INPUTS') == 'all' else 37
        offset = int(time.time()) % step
        for cut in range(offset, len(whole) - 1, step):
            place.write(name, whole[:cut], 0o600)
            before = place.picture()
            done = place.run(*words)
            if name == LOCK:
                exits(done, 1)
                wants('what it names', name in done.err, True)
            elif done.code not in (0, 1):
                raise Failure('cut at %d: exit %d' % (cut, done.code))
            if place.picture() != before:
                raise Failure('cut at %d: something was written' % cut)
            wants('a connection', place.was_contacted(), False)
    return story


def every_flip(place):
    """One bit of each byte, or of some of them."""
    take_copy(place)
    whole = place.read(LOCK)
    step = 1 if os.environ.get('BAD_INPUTS') == 'all' else 41
    for at in range(int(time.time()) % step, len(whole), step):
        flipped = bytes([whole[at] ^ 1 << at % 8])
        place.write(LOCK, whole[:at] + flipped + whole[at + 1:])
        before = place.picture()
        exits(place.run('apply', '-y'), 1)
        if place.picture() != before or place.was_contacted():
            raise Failure('flipped at %d: it went on' % at)


# ----------------------------------------------------------- live stories --

def own(place, name):
    live.make(place, name)
    with open(place.at('specs/a.yaml'), 'a') as spec:
        spec.write(live.TWO)


def torn_tail(place):
    """Dropped, and its op is looked for before anything is made anew."""
    own(place, 'torn')
    records(BEGIN, b'RAW0123456789abcdef {"t":"int')(place)
    done = place.run('apply', '-y', env=live.env())
    exits(done, 0)
    wants('pods', len(live.pods(place.path)), 2)
    exits(place.run('plan', '--detailed-exitcode', env=live.env()), 0)


def pending_create(place):
    """An intent without a result: settled first, then made, once."""
    own(place, 'pending')
    records(BEGIN, INTENT)(place)
    done = place.run('apply', '-y', env=live.env())
    exits(done, 0)
    wants('pods', len(live.pods(place.path)), 2)
    exits(place.run('plan', '--detailed-exitcode', env=live.env()), 0)


def gone(place, name):
    """One lock file and no other trace of it than .podform and the pods."""
    own(place, name)
    kept = place.read(LOCK)
    os.unlink(place.at(LOCK))
    return kept


def lost_lock(place):
    """Nothing is made a second time, and no destroy ends nothing."""
    kept = gone(place, 'lost')
    for words in (('plan',), ('apply', '-y'), ('destroy', '-y')):
        done = place.run(*words, env=live.env())
        exits(done, 8)
        wants('a lock file', os.path.exists(place.at(LOCK)), False)
    place.write(LOCK, kept, 0o600)
    exits(place.run('apply', '-y', env=live.env()), 0)
    wants('pods', len(live.pods(place.path)), 2)
    # The account has pods of other stories, too.
    done.err = re.sub(r"\d+ things? on the account (was|were)",
                      "N things on the account were",
                      re.sub(r"'[0-9a-z]+'", "'ID'", done.err))
    return done


def another_project(place):
    """Whoever says that it is another project is believed."""
    gone(place, 'another')
    exits(place.run('init', env=live.env()), 0)
    exits(place.run('apply', '-y', env=live.env()), 0)
    wants('pods', len(live.pods(place.path)), 2)


def planted_names(place):
    """Links at every name of a temporary file that one could guess."""
    own(place, 'planted')
    place.write('target', 'mine')
    pid = str(os.getpid())
    for name in ('podform.lock.tmp', 'podform.lock.new', '.podform.lock.swp',
                 'podform.lock~', 'podform.lock.tmp-0000000000000000',
                 'podform.lock.tmp-ffffffffffffffff', 'podform.lock.' + pid,
                 'podform.lock.tmp-' + pid, '.podform/journal.tmp',
                 '.podform/journal.new', '.podform/mutex.tmp',
                 'podform.lock.backup.tmp', '.podform/cache'):
        os.symlink(place.at('target'), place.at(name))
    exits(place.run('apply', '-y', env=live.env()), 0)
    wants('the target', place.read('target'), b'mine')
    wants('pods', len(live.pods(place.path)), 2)


def planted_backup(place):
    """A link where the previous version is kept goes; its target stays."""
    own(place, 'backup')
    place.write('target', 'mine')
    if os.path.exists(place.at('podform.lock.backup')):
        os.unlink(place.at('podform.lock.backup'))
    os.symlink(place.at('target'), place.at('podform.lock.backup'))
    exits(place.run('apply', '-y', env=live.env()), 0)
    wants('the target', place.read('target'), b'mine')
    wants('a link', os.path.islink(place.at('podform.lock')), False)


def two_names(place):
    """The other name of a lock file keeps the old content."""
    own(place, 'names')
    os.link(place.at(LOCK), place.at('other'))
    old = place.read('other')
    exits(place.run('apply', '-y', env=live.env()), 0)
    wants('the other name', place.read('other'), old)
    wants('the lock', b'pod.two' in place.read(LOCK), True)


def planted_plan(place):
    """A plan is not written through a link."""
    own(place, 'plan-link')
    place.write('target', 'mine')
    os.symlink('target', place.at('p'))
    done = place.run('plan', '--out', 'p', env=live.env())
    wants('the target', place.read('target'), b'mine')
    return done


def made_plan(place, name):
    own(place, name)
    exits(place.run('plan', '--out', 'p', env=live.env()), 0)
    return place.read('p')


def plan_refused(place, text, mode=0o600):
    """Applying this file changes nothing."""
    place.write('p', text, mode)
    before = place.picture()
    done = place.run('apply', 'p', env=live.env())
    if done.code in (0, 10):
        raise Failure('exit %d: %s' % (done.code, done.err))
    lost = [path for path, what in before.items()
            if path in (LOCK, JOURNAL, 'p') and
            place.picture().get(path) != what]
    wants('what was changed', lost, [])
    wants('pods', len(live.pods(place.path)), 1)
    return done


def changed_plan(name, change):
    def story(place):
        return plan_refused(place, change(made_plan(place, name)))
    return story


def json_change(function):
    def change(text):
        value = json.loads(text)
        function(value)
        return json.dumps(value).encode()
    return change


def shown_plan(name, change):
    """A plan that shows what was not planned is neither shown nor done."""
    def story(place):
        changed = change(made_plan(place, name))
        place.write('p', changed, 0o600)
        done = place.run('show', 'p', env=live.env())
        exits(done, 1)
        wants('what is shown', len(done.out), 0)
        wants('why', 'content_digest' in done.err, True)
        return plan_refused(place, changed)
    return story


def laid_out_plan(place):
    """Laid out anew by another tool it is the same plan."""
    text = made_plan(place, 'plan-laid-out')
    place.write('p', json.dumps(json.loads(text), indent=1), 0o600)
    exits(place.run('show', 'p', env=live.env()), 0)
    exits(place.run('apply', 'p', env=live.env()), 0)
    wants('pods', len(live.pods(place.path)), 2)


def plan_cuts(place):
    text = made_plan(place, 'plan-cut')
    step = 1 if os.environ.get('BAD_INPUTS') == 'all' else len(text) // 25
    for cut in range(0, len(text) - 2, step):
        done = plan_refused(place, text[:cut])
        if done.code not in (3, 6):
            raise Failure('cut at %d: exit %d' % (cut, done.code))


def plan_twice(place):
    made_plan(place, 'plan-twice')
    exits(place.run('apply', 'p', env=live.env()), 0)
    done = place.run('apply', 'p', env=live.env())
    exits(done, 6)
    wants('pods', len(live.pods(place.path)), 2)
    done.err = re.sub(r'serial \d+', 'serial N', done.err)
    return done


def plan(id, what, change):
    return Story(id, 'a saved plan: ' + what, changed_plan(
        'plan-' + what.split()[-1].lower(), change))


def shown(id, what, change):
    return Story(id, 'a saved plan: ' + what, shown_plan(
        'plan-' + what.split()[-1], change))


def set_to(**values):
    return json_change(lambda plan: plan.update(values))


JSON_LIES = (
    ('trailing bytes', lambda t: t + b'X\n'),
    ('itself twice', lambda t: t + t),
    ('CRLF', lambda t: t.replace(b'\n', b'\r\n')),
    ('the mark of UTF-8', lambda t: b'\xef\xbb\xbf' + t),
    ('a NUL at its end', lambda t: t + b'\0'),
    ('UTF-16', lambda t: t.decode().encode('utf-16')),
    ('zeros in its place', lambda t: bytes(len(t))),
    ('zeros in its second half', lambda t: t[:len(t) // 2] +
     bytes(len(t) - len(t) // 2)),
    ('an empty object', lambda t: b'{}\n'),
    ('null', lambda t: b'null\n'),
    ('a list', lambda t: b'[]\n'),
    ('HTML', lambda t: b'<html></html>\n'),
    ('40,000 brackets', lambda t: b'[' * 40000),
    ('a pointer of Git LFS', lambda t: b'version https://git-lfs.github.com/'
     b'spec/v1\noid sha256:00\nsize 1000\n'),
    ('conflict markers', lambda t: t.replace(
        b'{\n', b'{\n<<<<<<< HEAD\n', 1)),
)

SIGNED_LIES = (
    ('a comma too many', rb'"serial": 1\n', b'"serial": 1,\n'),
    ('a key given twice', rb'"serial": 1', b'"serial": 1,\n  "serial": 2'),
    ('a key given twice, deep', rb'"disk_gb": 20',
     b'"disk_gb": 20,\n        "disk_gb": 30'),
    ('a key with a NUL', rb'"serial": 1', b'"serial": 1, "serial\\u0000": 2'),
    ('half of a pair', rb'"gpu_name": "A40"', b'"gpu_name": "\\ud800"'),
    ('bytes that are no UTF-8', rb'"gpu_name": "A40"',
     b'"gpu_name": "\xff\xfe"'),
    ('a serial of 1e3', rb'"serial": 1', b'"serial": 1e3'),
    ('a serial of -1', rb'"serial": 1', b'"serial": -1'),
    ('a serial of 1.5', rb'"serial": 1', b'"serial": 1.5'),
    ('a serial of 2^63', rb'"serial": 1', b'"serial": 9223372036854775808'),
    ('a serial of 2^64+1', rb'"serial": 1', b'"serial": 18446744073709551617'),
    ('a serial that is a text', rb'"serial": 1', b'"serial": "1"'),
    ('a serial of null', rb'"serial": 1', b'"serial": null'),
    ('a member that nobody knows', rb'"serial": 1', b'"serial": 1, "x": 1'),
    ('no lineage', rb'  "lineage": "[0-9a-f]+",\n', b''),
    ('a serial of 0', rb'"serial": 1', b'"serial": 0'),
    ('a serial of 2^63-1', rb'"serial": 1', b'"serial": 9223372036854775807'),
    ('an id of another line', rb'"id": "[a-z0-9]+"', b'"id": "a\\r\\nX: y"'),
    ('a lineage that is short', rb'"lineage": "[0-9a-f]+"',
     b'"lineage": "abc"'),
    ('a lineage that is a path', rb'"lineage": "[0-9a-f]+"',
     b'"lineage": "../../../../etc/passwd"'),
    ('an id that is a path', rb'"id": "[a-z0-9]+"', b'"id": "../../x"'),
    ('an id with a query', rb'"id": "[a-z0-9]+"', b'"id": "x?y=1"'),
    ('an id of 300 letters', rb'"id": "[a-z0-9]+"',
     b'"id": "%s"' % (b'x' * 300)),
    ('an empty id', rb'"id": "[a-z0-9]+"', b'"id": ""'),
    ('an address that is none', rb'"address": "pod.one"',
     b'"address": "pod.../x"'),
    ('an address of another kind', rb'"address": "pod.one"',
     b'"address": "volume.one"'),
    ('a price of NaN', rb'0\.44', b'NaN'),
    ('a price below zero', rb'0\.44', b'-0.44'),
    ('a price of 1e400', rb'0\.44', b'1e400'),
    ('a depth of 40', rb'"serial": 1',
     b'"serial": 1, "x": ' + b'[' * 40 + b']' * 40),
    ('a kind that nobody knows', rb'"kind": "pod"', b'"kind": "moon"'),
)

def escapes(place):
    """Texts of the record are shown escaped."""
    own(place, 'escapes')
    edit(rb'"gpu_name": "A40"', b'"gpu_name": "\\u001b[2J\\u202e"')(place)
    for words in (['state', 'list'], ['state', 'show', 'pod.one'], ['show'],
                  ['plan'], ['history'], ['plan', '--json'], ['status']):
        done = place.run(*words, env=live.env())
        exits(done, 0)
        clean(done)


CASES = [
    Story('S-08', 'a right checksum and an escape', escapes),
    Refused('S-01', 'cut in the middle', lock(lambda t: t[:len(t) // 2])),
    Refused('S-01', 'the first byte only', lock(lambda t: t[:1])),
    Refused('S-01', 'without its last brace', lock(lambda t: t[:-2])),
    Refused('S-01', 'without its first byte', lock(lambda t: t[1:])),
    Refused('S-01', 'cut, and a journal that goes on', both(
        records(BEGIN), lock(lambda t: t[:500]))),
    Story('S-01', 'cut after each byte', every_cut(LOCK, ('apply', '-y'))),
    Story('S-01', 'each bit flipped', every_flip),
    *(Refused('S-01', what, lock(change)) for what, change in JSON_LIES),
    Refused('S-01', 'above 48 MiB', both(
        lambda place: os.truncate(place.at(LOCK), (48 << 20) + 1))),
    Refused('S-02', 'nothing, beside a journal with a pod', both(
        records(BEGIN, INTENT), lock(lambda t: b''))),
    Refused('S-02', 'nothing, and no journal', lock(lambda t: b'')),
    Refused('S-02', 'a line feed only', lock(lambda t: b'\n')),
    Refused('S-02', 'gone, beside a journal with a pod', both(
        records(BEGIN, INTENT), lambda place: os.unlink(place.at(LOCK)))),
    Refused('S-02', 'gone, beside its backup', both(
        lambda place: place.write('podform.lock.backup', place.read(LOCK),
                                  0o600),
        lambda place: os.unlink(place.at(LOCK)))),
    Story('S-02', 'gone, and what it recorded is there', lost_lock),
    Story('S-02', 'gone, and it is another project', another_project),
    *odd_kinds('S-03', LOCK, [what for what, _ in ODD_KINDS
                              if 'link' in what]),
    *odd_kinds('S-03', JOURNAL, [what for what, _ in ODD_KINDS
                                 if 'link' in what]),
    Story('S-04', 'links at the names of temporary files', planted_names),
    Story('S-04', 'a link at the name of the backup', planted_backup),
    Story('S-04', 'a link where a plan is to be written', planted_plan),
    Refused('S-05', 'a serial below the journal\'s', records(
        BEGIN.replace(b'1}', b'99}'))),
    Refused('S-05', 'a serial below the journal\'s by one', records(
        BEGIN.replace(b'1}', b'2}'))),
    Refused('S-05', 'a serial of the journal out of range', records(
        BEGIN.replace(b'1}', b'9223372036854775808}'))),
    Refused('S-06', 'a journal of another lineage', records(
        BEGIN.replace(b'LINEAGE', b'00112233445566778899aabbccddeeff'))),
    Refused('S-06', 'a lock file of another lineage', both(
        records(BEGIN), edit(rb'"lineage": "[0-9a-f]+"',
                             b'"lineage": "%s"' % (b'0' * 32)))),
    Refused('S-06', 'a journal of no lineage', records(
        BEGIN.replace(b'LINEAGE', b''))),
    *(Refused('S-07', 'the format ' + words.decode(), edit(
        rb'"format_version": 1', b'"format_version": ' + words))
      for words in (b'999', b'2', b'9223372036854775808', b'"1"', b'1.0',
                    b'-1', b'null', b'true')),
    Refused('S-07', 'no format', edit(rb'  "format_version": 1,\n', b'')),
    Refused('S-08', 'one id under two resources', lock(twice, signed=True)),
    Refused('S-08', 'one address twice', lock(
        lambda t: twice(t, b'pod.one'), signed=True)),
    Refused('S-08', 'edited by hand', lock(
        lambda t: t.replace(b'"serial": 1', b'"serial": 2'))),
    *(Refused('S-08', 'a right checksum and ' + what, edit(old, new),
              asks=True)
      for what, old, new in SIGNED_LIES),
    Story('S-09', 'a torn tail', torn_tail),
    Story('S-09', 'an intent without a result', pending_create),
    Story('S-09', 'cut after each byte',
          every_cut(JOURNAL, ('plan', '--refresh=false'))),
    Refused('S-09', 'a damaged record in the middle', records(
        BEGIN, b'RAWdamaged\n', BEGIN)),
    Refused('S-09', 'a record with a wrong checksum in the middle', records(
        BEGIN, b'RAW0123456789abcdef ' + INTENT + b'\n', INTENT)),
    Refused('S-09', 'an empty line in the middle', records(
        BEGIN, b'RAW\n', INTENT)),
    Refused('S-09', 'a NUL in the middle', records(
        BEGIN, b'RAW\0\n', INTENT)),
    Refused('S-09', 'a record of a type that nobody knows', records(
        BEGIN, b'{"t":"moon"}')),
    Refused('S-09', 'a lock file instead of a journal', lambda place:
            place.write(JOURNAL, place.read(LOCK), 0o600)),
    Refused('S-09', 'a record of a megabyte in the middle', records(
        BEGIN, b'RAW' + b'x' * (1 << 20) + b'\n', INTENT), cpu_ms=400),
    Refused('S-09', 'above 256 MiB', both(records(BEGIN), lambda place:
            os.truncate(place.at(JOURNAL), (256 << 20) + 1))),
    *(Refused('S-10', '%s of mode %04o' % (name, bits),
              both(records(BEGIN), lambda place, name=name, bits=bits:
                   os.chmod(place.at(name), bits)), kind='ENV', asks=True)
      for name, bits in ((LOCK, 0o666), (LOCK, 0o606), (JOURNAL, 0o666),
                         (JOURNAL, 0o620), ('.podform', 0o777),
                         ('.podform', 0o770), ('.podform/mutex', 0o666))),
    Story('S-11', 'two names', two_names),
    Refused('S-12', 'the format of a release before the first', edit(
        rb'"format_version": 1', b'"format_version": 0')),
    *odd_kinds('S-13', LOCK, ['a FIFO', 'a directory', 'a socket']),
    *odd_kinds('S-13', JOURNAL, ['a FIFO', 'a directory', 'a socket']),
    *odd_kinds('S-13', '.podform/mutex', asks=True),
    *(Refused('S-13', '.podform is ' + what, both(
        lambda place: os.rename(place.at('.podform'), place.at('moved')),
        instead('.podform', make)), kind='ENV', asks=True)
      for what, make in ODD_KINDS if what != 'a directory'),
    Refused('S-13', '.podform is a plain file', both(
        lambda place: os.rename(place.at('.podform'), place.at('moved')),
        lambda place: place.write('.podform', '')), kind='ENV', asks=True),
    *(Refused('S-13', 'a saved plan is ' + what, instead('p', make),
              run=('apply', 'p'), kind='STATE')
      for what, make in ODD_KINDS),
    Refused('S-13', 'a saved plan that is not there', lambda place: None,
            run=('apply', 'p')),
    *(Refused('S-13', 'a saved plan is ' + what, lambda place, text=text:
              place.write('p', text), run=('apply', 'p'))
      for what, text in (
          ('empty', b''), ('null', b'null'), ('a list', b'[]'),
          ('an empty object', b'{}'), ('40,000 brackets', b'[' * 40000),
          ('of format 9.0', b'{"format_version":"9.0"}'),
          ('of format 1', b'{"format_version":1}'),
          ('of format 1.', b'{"format_version":"1."}'),
          ('of format -1.0', b'{"format_version":"-1.0"}'),
          ('of an escape', b'{"format_version":"\\u001b[2J"}'),
          ('of another program', b'{"format_version":"1.2",'
           b'"terraform_version":"1.9.0","planned_values":{}}'),
          ('binary', bytes(range(256))),
          ('a zip file', b'PK\x03\x04' + bytes(50)))),
    Story('S-13', 'a saved plan cut after each byte', plan_cuts),
    Story('S-13', 'a saved plan applied twice', plan_twice),
    plan('S-13', 'of another lineage', set_to(lineage='0' * 32)),
    plan('S-13', 'of another serial', set_to(serial=7)),
    plan('S-13', 'expired', set_to(expires='2020-01-01T00:00:00Z')),
    shown('S-13', 'with nothing to do', set_to(resource_changes=[])),
    shown('S-13', 'with another price', lambda t: t.replace(b'0.44', b'0.01')),
    shown('S-13', 'with another action',
         lambda t: t.replace(b'["create"]', b'["delete"]')),
    shown('S-13', 'with another image',
         lambda t: t.replace(b'runpod/base:1.0', b'evil/miner:1.0')),
    shown('S-13', 'with another target',
         lambda t: t.replace(b'pod.two', b'pod.one')),
    shown('S-13', 'without its digest', lambda t: re.sub(
        rb',\s*"content_digest": "[^"]*"', b'', t)),
    Story('S-13', 'a saved plan laid out anew', laid_out_plan),
    plan('S-13', 'with a key given twice',
         lambda t: t.replace(b'{', b'{"serial": 1,', 1)),
    plan('S-13', 'with trailing bytes', lambda t: t + b'x'),
    plan('S-13', 'in UTF-16', lambda t: t.decode().encode('utf-16')),
]
