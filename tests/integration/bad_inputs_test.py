#!/usr/bin/python3
"""Bad inputs, each by its id: what podform says of it, to the letter, and
that nothing came of it.

The tables are bad/y.py (YAML), bad/v.py (values), bad/p.py (files that a spec
names), bad/s.py (lock file, journal, saved plans) and bad/c.py (odd callers);
the texts are beside them.  Lies of RunPod (A) are in hostile_test.py and
hostile/lies.py, those of SSH servers (H) in ssh_hostile_test.py and
ssh_hostile_stories.py.  The last result is that no id of bad/ids.py is
without a test.

	bad_inputs_test.py [WORD]...	those whose name has a WORD
	UPDATE=1 bad_inputs_test.py	renew the texts
"""
import concurrent.futures
import importlib
import os
import re
import shutil
import sys
import tempfile
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
from bad import ids, world  # noqa: E402

TABLES = [name for name in 'yvpsc'
          if os.path.exists(os.path.join(HERE, 'bad', name + '.py'))]
ELSEWHERE = ('hostile_test.py', 'hostile/lies.py', 'ssh_hostile_test.py',
             'ssh_hostile_stories.py')


def attempt(case, work, number, expected):
    place = world.Place(os.path.join(work, 'case%d' % number))
    try:
        expected.take(case.name, case.play(place, expected.get(case.name)))
        return None
    except world.Failure as failure:
        return str(failure)
    except Exception:  # whatever it was, it is a failure
        return traceback.format_exc()
    finally:
        place.close()


def names_of_tests(tables):
    """The ids of all tests of bad inputs, wherever they are."""
    names = [case.id for table in tables.values() for case in table.CASES]
    for file in ELSEWHERE:
        with open(os.path.join(HERE, file)) as source:
            text = source.read()
        names += re.findall(r"""['"][^'"\n]*\b([AH]-\d\d)\b""", text)
        names += ['%s-%s' % (letter.upper(), number) for letter, number in
                  re.findall(r'def test_([ah])_(\d\d)_', text)]
    return names


def none_is_missing(tables):
    known = set(names_of_tests(tables))
    lost = sorted(id for id in set(ids.IDS) - known
                  if id[0].lower() in 'ah' + ''.join(tables))
    odd = sorted(known - set(ids.IDS))
    return ('without a test: %s; not in the list: %s' % (lost, odd)
            if lost or odd else None)


def main():
    wanted = sys.argv[1:]
    tables = {name: importlib.import_module('bad.' + name)
              for name in TABLES}
    texts = {name: world.Expected(name) for name in TABLES}
    jobs = [(case, texts[name]) for name in TABLES
            for case in tables[name].CASES
            if not wanted or any(word in case.name for word in wanted)]
    work = tempfile.mkdtemp()
    os.chmod(work, 0o755)
    began, bad = time.monotonic(), 0

    def one(numbered):
        number, (case, expected) = numbered
        return case, attempt(case, work, number, expected)
    try:
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            for case, why in pool.map(one, enumerate(jobs)):
                print('%sok - %s' % ('not ' if why else '', case.name),
                      flush=True)
                bad += why is not None
                if why:
                    print('  ' + why.replace('\n', '\n  '), file=sys.stderr)
    finally:
        for table in tables.values():
            getattr(table, 'close', lambda: None)()
        shutil.rmtree(work, ignore_errors=True)
    if os.environ.get('UPDATE') == '1':
        for name in TABLES:
            texts[name].save([case.name for case in tables[name].CASES])
    lost = none_is_missing(tables)
    print('%sok - every id of the list has a test' % ('not ' if lost else ''))
    if lost:
        print('  ' + lost, file=sys.stderr)
    print('# %.1f s' % (time.monotonic() - began))
    print('1..%d' % (len(jobs) + 1))
    return 1 if bad or lost else 0


if __name__ == '__main__':
    sys.exit(main())
