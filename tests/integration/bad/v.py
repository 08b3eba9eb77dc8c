"""Values that are wrong, or right and odd."""
import json
from .world import POD, Case, wants


def after(fields):
    return POD + fields


def planned(place, done):
    plan = json.loads(done.out)
    return {change['address']: change['change']['after']
            for change in plan['resource_changes']}


def plan_has(*wanted):
    """The planned pod.p has these values: path, value."""
    def look(place, done):
        for path, value in wanted:
            got = planned(place, done)['pod.p']
            for step in path.split('.'):
                got = got[step]
            wants(path, got, value)
    return look


def safe(id, what, fields, *wanted, spec=None, **more):
    return Case(id, what, spec or after(fields), 'SAFE',
                look=plan_has(*wanted),
                run=('plan', '--refresh=false', '--json'), **more)


def each(id, field, *values):
    """A case for each spelling of a field of the pod."""
    return [Case(id, '%s: %s' % (field, value if len(value) < 40 else
                                 '%d letters' % len(value)),
                 after('    %s: %s\n' % (field, value))) for value in values]


def env(id, what, entry):
    return Case(id, what, after('    env:\n      %s\n' % entry))


def ref(what, value, **more):
    return Case('V-14', what, after("    env: { A: '%s' }\n" % value), **more)


RING = ('project: t\npods:\n'
        '  a: { image: i, gpu: A40, env: { X: "${pod.b.id}" } }\n'
        '  b: { image: i, gpu: A40, env: { X: "${pod.c.id}" } }\n'
        '  c: { image: i, gpu: A40, env: { X: "${pod.a.id}" } }\n')
SECRET = 'secrets: { KEY: { env: KEY } }\n'

CASES = [
    *each('V-01', 'protect', 'yes', 'NO', '"true"', 'True', 'on', '1', '~',
          '', '[true]', 'truee', "'false'", 'y'),
    safe('V-01', 'data_center: NO is a text', '    data_centers: NO\n',
         ('data_centers', 'NO')),
    safe('V-01', 'texts that other tools take for something else',
         '    env: { A: no, B: 12:30, C: 0644, D: 1e3, E: null, F: 4225e04,'
         ' G: 2001-01-01, H: .inf, I: 0x1F, J: 1_000 }\n',
         ('env.A', 'no'), ('env.B', '12:30'), ('env.C', '0644'),
         ('env.D', '1e3'), ('env.F', '4225e04'), ('env.H', '.inf'),
         ('env.I', '0x1F'), ('env.J', '1_000')),
    safe('V-02', 'min_cuda: 12.10 as it is written', '    min_cuda: 12.10\n',
         ('min_cuda', '12.10')),
    *each('V-02', 'min_cuda', '12', '12.', '.4', '12.4.1', 'v12.4', '12,4',
          '1e1', '-12.4', '99999999999.9', '"12.4\\n"'),
    *each('V-03', 'gpu_count', '010', '0x1F', '1_000', '1e2', '12:30', '+5',
          '5.0', '0b11', '0o7', ' "5"', '5GB', '0', '11', '\u0665',
          '\uff15', '1 2', '5,0', '.5', '1e400', 'nan', '[5]', '{}',
          '18446744073709551617', '1' * 200),
    *each('V-03', 'disk', '010GB', '1e2GB', '50', '50gb', '50GiB', '50 GB',
          '0GB', '50.5GB', '+50GB', 'GB', '50G', '50TB', '0x32GB',
          '-50GB', '50GBGB', '5_0GB'),
    *each('V-03', 'max_price', '0', '-0.5', '0.1234567', '1e-1', '.5', '1.',
          '$1', '1,50', '0x1', '1001', '00.5', 'inf', '1 000',
          '9999999999999999999999', '0.' + '0' * 300 + '1'),
    *each('V-03', 'ports', '[8188]', '[22/udp]', '[0/tcp]', '[65536/tcp]',
          '[022/tcp]', '[22/tcp, 22/tcp]', '[+22/tcp]', '[22/TCP]',
          '[22/tcp/x]', '[ssh/tcp]', '[-1/tcp]', '[""]', '22/tcp',
          '[22:22/tcp]', '[4294967318/tcp]'),
    *each('V-04', 'disk', '99999999999999999999GB', '20001GB',
          '9223372036854775808GB', '1' * 300 + 'GB'),
    *each('V-04', 'replicas', '1001', '9223372036854775807',
          '9223372036854775808', '18446744073709551616'),
    *each('V-05', 'replicas', '-1', '-0', '--1', '-'),
    Case('V-05', 'a volume of less than nothing', after('') +
         'volumes: { v: { size: -10GB, data_center: EU-RO-1 } }\n'),
    Case('V-05', 'parallelism: -1', after('') +
         'settings: { parallelism: -1 }\n'),
    Case('V-05', 'a budget of nothing', after('') +
         'settings: { budget: { per_hour: 0 } }\n'),
    *each('V-06', 'name', '"x\\e[2Jy"', '"x\\ay"', '"x\\x9by"', '"x\\ry"',
          '"x\\ny"', '"x\\ty"', '"x\\x7fy"', '"x\\u202ey"', '"\\u2066"',
          '"x\\0y"'),
    Case('V-06', 'escape sequences in an image',
         'project: t\npods:\n  p: { image: "a\\e]52;c;aGk=\\a", gpu: A40 }\n'),
    Case('V-06', 'escape sequences in the name of a field',
         after('    "x\\e[2Jy": 1\n')),
    Case('V-06', 'escape sequences in the name of a pod',
         'project: t\npods:\n  "x\\e[2Jy": { image: a, gpu: A40 }\n'),
    Case('V-06', 'a workflow command in the name of a field',
         after('    "\\n::error::x": 1\n')),
    *each('V-07', 'name', 'x' * 5000, "''", 'x' * 61, 'a{foo}', 'a b', 'a/b',
          '{date', '\u0430bc', 'a\u200bb', 'a\u0301b', '\u212a', '"{n}}"'),
    Case('V-07', 'a pod whose name has 5,000 letters',
         'project: t\npods:\n  ? %s\n  : { image: a, gpu: A40 }\n' %
         ('x' * 5000)),
    Case('V-07', 'a pod without a name',
         "project: t\npods:\n  '': { image: a, gpu: A40 }\n"),
    Case('V-07', 'pods with names that look alike',
         'project: t\npods:\n  "p\u0430": { image: a, gpu: A40 }\n'
         '  "p\u00ad": { image: a, gpu: A40 }\n  "\u212a": { image: a }\n'),
    Case('V-07', 'a pod whose name is a path',
         'project: t\npods:\n  ../x: { image: a, gpu: A40 }\n'),
    Case('V-07', 'a pod whose name begins with a dash',
         'project: t\npods:\n  -x: { image: a, gpu: A40 }\n'),
    Case('V-07', 'a pod in capitals',
         'project: t\npods:\n  P: { image: a, gpu: A40 }\n'),
    Case('V-07', 'a project of 61 letters', POD.replace(
        'project: t', 'project: ' + 't' * 61)),
    Case('V-07', 'a project without a name', POD.replace(
        'project: t', "project: ''")),
    Case('V-07', 'a project with a space', POD.replace(
        'project: t', 'project: my project')),
    *each('V-07', 'args', 'x' * 4097),
    env('V-08', 'A=B', 'A=B: x'),
    env('V-08', 'an empty name', "'': x"),
    env('V-08', '1X', '1X: x'),
    env('V-08', 'a space', '"A B": x'),
    env('V-08', 'a line feed', '"A\\nB": x'),
    env('V-08', 'a NUL', '"A\\0B": x'),
    env('V-08', 'a dash', 'A-B: x'),
    env('V-08', 'a dot', 'A.B: x'),
    env('V-08', 'a letter of another script', '\u0410: x'),
    env('V-08', 'a zero-width space', '"A\\u200bB": x'),
    env('V-08', 'a dollar', '"$A": x'),
    env('V-08', 'a reference', '"${env.HOME}": x'),
    env('V-08', '5,000 letters', '? %s\n      : x' % ('-' * 5000)),
    env('V-08', "podform's own", 'PODFORM_MARK: x'),
    env('V-08', 'a list as its value', 'A: [x]'),
    env('V-08', 'a mapping as its value', 'A: { b: c }'),
    env('V-08', 'no value', 'A:'),
    Case('V-08', '51 variables', after('    env:\n' + ''.join(
        '      A%d: x\n' % i for i in range(51)))),
    Case('V-08', 'a list instead of variables',
         after('    env: [A=x]\n')),
    Case('V-08', 'a secret with the name of no variable', after('') +
         'secrets: { "A B": { env: X } }\n'),
    Case('V-08', 'a secret from what no variable is called', after('') +
         'secrets: { A: { env: "X=Y" } }\n'),
    env('V-09', 'a NUL in a value', 'A: "x\\0y"'),
    env('V-09', 'an escape in a value', 'A: "x\\ey"'),
    env('V-09', 'a control character of eight bits in a value',
        'A: "x\\x9by"'),
    env('V-09', 'a value of 65,537 letters', 'A: ' + 'x' * 65537),
    Case('V-09', 'a NUL by a reference to the environment',
         after("    env: { A: '${env.ODD}' }\n"), env={'ODD': 'x\x1b[2J'}),
    Case('V-09', 'an environment that is no UTF-8',
         after("    env: { A: '${env.ODD}' }\n"), env={'ODD': b'x\xff'}),
    safe('V-09', 'lines and tabs in a value',
         '    env: { A: "x\\ny\\tz" }\n', ('env.A', 'x\ny\tz')),
    Case('V-10', 'imgae', after('').replace('image', 'imgae')),
    Case('V-10', 'a field of something else', after('    timeout: 10m\n')),
    Case('V-10', 'a section in a pod', after('    tunnels: {}\n')),
    Case('V-10', 'a field in capitals', after('    DISK: 5GB\n')),
    Case('V-10', 'a field with a letter of another script',
         after('    d\u0456sk: 5GB\n')),
    Case('V-10', 'a field with a space after it', after('    "disk ": 5GB\n')),
    Case('V-10', 'a field with dots', after('    ssh.user: root\n')),
    Case('V-10', 'an unknown section', after('') + 'pod: {}\n'),
    Case('V-10', 'a hundred and fifty unknown fields', after('') + ''.join(
        '    zz%d: 1\n' % i for i in range(150))),
    Case('V-10', 'a choice with a typing mistake', after('    cloud: secur\n')),
    Case('V-10', 'a choice in capitals', after('    cloud: SECURE\n')),
    Case('V-10', 'a choice of a list', after('    cloud: [secure]\n')),
    Case('V-10', 'a GPU twice', after('').replace('A40', '[A40, A40]')),
    Case('V-10', 'no GPU', after('').replace('A40', '[]')),
    Case('V-10', 'an image with a space', after('').replace('a:1', 'a b')),
    Case('V-10', 'an image that begins with a dash',
         after('').replace('a:1', '-a')),
    Case('V-11', 'a needs b, b needs c, c needs a', RING),
    Case('V-11', 'a pod that needs itself',
         after("    env: { X: '${pod.p.id}' }\n")),
    Case('V-11', 'two rings', RING + ''.join(
        '  %s: { image: i, gpu: A40, env: { X: "${pod.%s.id}" } }\n' % pair
        for pair in (('d', 'e'), ('e', 'd')))),
    Case('V-11', 'a ring of a thousand', 'project: t\npods:\n' + ''.join(
        '  p%d: { image: i, gpu: A40, env: { X: "${pod.p%d.id}" } }\n' %
        (i, (i + 1) % 1000) for i in range(1000))),
    Case('V-11', 'a ring of ten thousand', 'project: t\npods:\n' + ''.join(
        '  p%d: { image: i, gpu: A40, env: { X: "${pod.p%d.id}" } }\n' %
        (i, (i + 1) % 10000) for i in range(10000))),
    Case('V-12', 'a section secrets in a pod', after('    env: { A: x }\n'
         '    secrets: { A: y }\n')),
    Case('V-12', 'the same variable twice', after(
        '    env: { A: x, A: "${secret.KEY}" }\n') + SECRET),
    Case('V-12', 'a secret from two sources', after('') +
         'secrets: { A: { env: X, file: y } }\n'),
    Case('V-12', 'a secret from nowhere', after('') + 'secrets: { A: {} }\n'),
    Case('V-12', 'a secret that is its value', after('') +
         'secrets: { A: hunter2 }\n'),
    Case('V-12', 'data centers and regions', after(
        '    data_centers: EU-RO-1\n    regions: EUROPE\n')),
    Case('V-13', 'two tunnels with one local port', after('') + 'tunnels:\n'
         '  a: { pod: p, local: 8188, remote: 1 }\n'
         '  b: { pod: p, local: 127.0.0.1:8188, remote: 2 }\n'),
    Case('V-13', 'two tunnels with one socket', after('') + 'tunnels:\n'
         '  a: { pod: p, local: /tmp/x, remote: 1 }\n'
         '  b: { pod: p, local: /tmp/x, remote: 2 }\n'),
    Case('V-13', 'two tunnels with one port, one by name',
         after('') + 'tunnels:\n'
         '  a: { pod: p, local: 8188, remote: 1 }\n'
         '  b: { pod: p, local: localhost:8188, remote: 2 }\n'),
    Case('V-13', 'two tunnels with one port, one on every address',
         after('') + 'tunnels:\n'
         '  a: { pod: p, local: 8188, remote: 1 }\n'
         '  b: { pod: p, local: 0.0.0.0:8188, remote: 2 }\n'),
    Case('V-13', 'two tunnels on every address', after('') + 'tunnels:\n'
         '  a: { pod: p, local: "0.0.0.0:8188", remote: 1 }\n'
         '  b: { pod: p, local: "10.0.0.1:8188", remote: 2 }\n'
         '  c: { pod: p, local: "[::]:8188", remote: 2 }\n'
         '  d: { pod: p, local: "[::1]:8188", remote: 2 }\n'),
    *(Case('V-13', 'local: ' + value, after('') + 'tunnels:\n'
           '  a: { pod: p, local: %s, remote: 1 }\n' % value)
      for value in ('65536', '-1', '080', '"80 "', 'a b:1', '":1"',
                    '"127.0.0.1:"', '"[::1:1"', '"[::1]1"', '"1:2:3"',
                    '4294967297', '"/tmp/a\\0b"', '8188/tcp', '"x\\e:1"',
                    '"/%s"' % ('x' * 200))),
    *(Case('V-13', 'remote: ' + value, after('') + 'tunnels:\n'
           '  a: { pod: p, local: auto, remote: %s }\n' % value)
      for value in ('0', '65536', 'a b:1', '":1"', '"x:"', '+1',
                    '"%s:1"' % ('x' * 300))),
    Case('V-13', 'a tunnel to no pod', after('') +
         'tunnels: { a: { pod: q, local: 1, remote: 1 } }\n'),
    Case('V-13', 'a tunnel to a replica that is none', after('') +
         'tunnels: { a: { pod: "p[1]", local: 1, remote: 1 } }\n'),
    Case('V-13', 'a tunnel without a remote end', after('') +
         'tunnels: { a: { pod: p, local: 1 } }\n'),
    ref('nothing in it', '${}'),
    ref('not closed', 'x ${unclosed'),
    safe('V-14', 'two dollars', "    env: { A: '$$' }\n", ('env.A', '$$')),
    safe('V-14', 'a dollar and letters', "    env: { A: 'a$b' }\n",
         ('env.A', 'a$b')),
    safe('V-14', 'a reference that is none by two dollars',
         "    env: { A: '$${HOME}' }\n", ('env.A', '${HOME}')),
    ref('a space', '${a b}'),
    ref('one within another', '${A:-${B}}'),
    ref('a variable of the shell', '${HOME}'),
    ref('no such secret', '${secret.NOPE}'),
    ref('no such pod', '${pod.q.id}'),
    ref('no such output', '${pod.p.ssh.hots}'),
    ref('no such variable', '${env.NOPE_NOPE} and ${var.NOPE}'),
    ref('no name', '${env.}'),
    ref('only dots', '${...}'),
    ref('a reference of 5,000 letters', '${' + 'x' * 5000 + '}'),
    ref('a key in brackets', '${pod.p[0].id}'),
    ref('a key below zero', '${pod.p[-1].id}'),
    ref('a key that overflows', '${pod.p[18446744073709551616].id}'),
    ref('escapes in a reference', '${\u200b}'),
    ref('capitals', '${ENV.HOME}'),
    Case('V-14', 'a secret where none can be', after(
        "    args: '${secret.KEY}'\n") + SECRET),
    Case('V-14', 'a reference in a name', POD.replace(
        'project: t', "project: '${env.HOME}'")),
    Case('V-14', 'in a block text', after('    setup:\n      - run: |\n'
         '          echo $HOME\n          echo ${HOME}\n')),
    Case('V-14', 'in a double-quoted text over two lines', after(
        '    args: "one\n      two ${nope}"\n')),
    Case('V-14', '500 references', after('    args: "%s"\n' %
                                         ('${env.A}' * 500))),
    safe('V-14', '5,000 references to a secret', '', spec=after(
        '    setup: [{ run: "%s" }]\n' % ('${secret.KEY}' * 4600)) +
         SECRET),
    Case('V-14', '5,000 references with a mistake in the last', after(
        '    setup: [{ run: "%s" }]\n' % ('${secret.KEY}' * 4600 + '${x}')) +
         SECRET),
    *each('V-15', 'ready', *('{ timeout: %s }' % value for value in (
        '10', '10 m', '1h30', '-5m', '999999999999h', '1.5h', '5s', '25h',
        '1m1h', '1h1h', 'm', '1M', '01m', '+1m', '1e1m', '10min', '0x1m',
        '"10m "', '10m 5s', '\u0661m', '1w', '""', '9223372036854775807s',
        '1' * 200 + 's'))),
    safe('V-15', 'a duration of several units',
         '    ready: { timeout: 1h30m }\n'),
]
