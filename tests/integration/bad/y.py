"""YAML that is broken, or that means something else than it seems to."""
import json
import os
from .world import POD, Case, wants


def planned(place, done):
    """That it is a plan of pod.p and nothing else."""
    plan = json.loads(done.out)
    wants('the plan', [(c['address'], c['change']['actions'])
                       for c in plan['resource_changes']],
          [('pod.p', ['create'])])


def safe(id, what, spec, look=planned, **more):
    return Case(id, what, spec, 'SAFE', look=look,
                run=('plan', '--refresh=false', '--json'), **more)


def anchors(times):
    """Nine lists, each nine times the one before."""
    text = 'a0: &a0 [x]\n'
    for i in range(1, times):
        text += 'a%d: &a%d [%s]\n' % (i, i, ', '.join(['*a%d' % (i - 1)] * 9))
    return text


def huge(place):
    place.write('specs/a.yaml', POD)
    os.truncate(place.at('specs/a.yaml'), (64 << 20) + 1)


#: A way in that is deep in another way than brackets are.
STEPS = ''.join('%s- \n' % (' ' * i) for i in range(40))
LETTERS = 'x' * 2000
FILLER = ''.join('    # %d\n' % i for i in range(39))

def line(id, what, text):
    """The last line of a pod that is right without it."""
    return Case(id, what, POD + '    %s\n' % text)


CASES = [
    Case('Y-01', 'image twice, 40 lines apart',
         'project: t\npods:\n  p:\n    image: a:1\n' + FILLER +
         '    image: b:2\n    gpu: A40\n'),
    Case('Y-01', 'the same pod twice', POD + '  p:\n    image: b:1\n'
         '    gpu: A40\n'),
    Case('Y-01', 'a section twice', POD + 'pods:\n  q:\n    image: b:1\n'
         '    gpu: A40\n'),
    line('Y-01', 'the same key in other quotes', '"gpu": A40'),
    line('Y-01', 'the same key written with escapes', '"\\x67pu": A40'),
    Case('Y-01', 'the same key in braces',
         'project: t\npods: { p: { image: a, gpu: A40, \'image\': b } }\n'),
    line('Y-01', 'the same variable as a plain and a quoted key',
         'env: { A: x, "A": y }'),
    Case('Y-01', 'three times', POD + '    disk: 5GB\n    disk: 6GB\n'
         '    disk: 7GB\n'),
    Case('Y-01', 'a key given twice and both times unknown',
         POD + '    xyzzy: 1\n    xyzzy: 2\n'),
    Case('Y-01', 'the same project in two files', POD,
         files={'specs/b.yaml': 'project: u\n'}),
    Case('Y-01', 'the same pod in two files', POD,
         files={'specs/b.yaml': 'pods:\n  p: { image: b, gpu: A40 }\n'}),
    Case('Y-02', 'a merge key', 'project: t\npods:\n  p:\n    <<: *base\n'
         '    image: a\n    gpu: A40\n'),
    line('Y-02', 'a merge key with a mapping of its own', '<<: { disk: 5GB }'),
    line('Y-02', 'a merge key in quotes', '"<<": { disk: 5GB }'),
    Case('Y-02', 'a merge key at the top', '<<: *all\n' + POD),
    line('Y-02', 'a merge key of several', '<<: [*a, *b]'),
    Case('Y-03', 'nine anchors that multiply', anchors(9) + POD, cpu_ms=50,
         mib=16),
    Case('Y-03', 'a thousand anchors', ''.join(
        'a%d: &a%d x\n' % (i, i) for i in range(1000)) + POD, cpu_ms=50,
         mib=16),
    Case('Y-03', 'an anchor that nobody uses',
         POD.replace('image: ', 'image: &here ')),
    Case('Y-03', 'an anchor at a key',
         POD.replace('    image:', '    &here image:')),
    line('Y-03', 'an alias as a key', '*here : 5GB'),
    line('Y-03', 'an alias to nothing', 'disk: *nothing'),
    line('Y-03', 'an anchor named by escapes in Unicode',
         'disk: &\u00e9\u202e 5GB'),
    Case('Y-04', 'a list that holds itself', 'project: t\npods: &a [*a]\n'),
    Case('Y-04', 'a mapping that holds itself',
         'project: t\npods: &a\n  p: *a\n'),
    Case('Y-04', 'two that hold one another',
         'project: t\npods: &a [&b [*a, *b]]\n'),
    Case('Y-05', '40,000 brackets', '[' * 40000, cpu_ms=50),
    Case('Y-05', '40,000 braces', '{' * 40000, cpu_ms=50),
    Case('Y-05', '40,000 braces with keys', '{a: ' * 40000, cpu_ms=50),
    Case('Y-05', '40,000 items on one line', '- ' * 40000, cpu_ms=50),
    Case('Y-05', 'items ever deeper', 'pods:\n' + STEPS, cpu_ms=50),
    Case('Y-05', 'mappings ever deeper', ''.join(
        '%sa:\n' % (' ' * i) for i in range(700)), cpu_ms=50),
    Case('Y-05', 'keys that are lists that are keys', '? ' * 40000,
         cpu_ms=50),
    Case('Y-05', '40,000 brackets that are closed',
         POD + '    args: ' + '[' * 20000 + ']' * 20000, cpu_ms=50),
    Case('Y-05', 'deep below a field that is unknown',
         POD + '    xyzzy: ' + '[' * 40 + ']' * 40 + '\n', cpu_ms=50),
    Case('Y-05', 'closing brackets only', ']' * 40000, cpu_ms=50),
    Case('Y-06', 'a tab on line 7', POD + '    disk: 5GB\n\tports: []\n'),
    Case('Y-06', 'a tab after spaces', POD + '  \tdisk: 5GB\n'),
    Case('Y-06', 'a tab below a list', POD + '    ports:\n\t- 22/tcp\n'),
    Case('Y-06', 'a tab in a block text',
         POD + '    env:\n      A: |\n\tx\n'),
    safe('Y-06', 'a tab that separates', POD + '    disk:\t5GB\t# x\n'),
    Case('Y-07', 'UTF-16LE with its mark', POD.encode('utf-16')),
    Case('Y-07', 'UTF-16BE with its mark',
         b'\xfe\xff' + POD.encode('utf-16-be')),
    Case('Y-07', 'UTF-16LE without a mark', POD.encode('utf-16-le')),
    Case('Y-07', 'UTF-16BE without a mark', POD.encode('utf-16-be')),
    Case('Y-07', 'UTF-32LE with its mark', POD.encode('utf-32')),
    Case('Y-07', 'UTF-32BE without a mark', POD.encode('utf-32-be')),
    Case('Y-07', 'Latin-1', (POD + '    # caf\u00e9\n').encode('latin-1')),
    Case('Y-07', 'the bytes of a surrogate', POD.encode() +
         b'    # \xed\xa0\x80\n'),
    Case('Y-07', 'a slash of two bytes', POD.encode() + b'    # \xc0\xaf\n'),
    Case('Y-07', 'a code above the last', POD.encode() +
         b'    # \xf4\x90\x80\x80\n'),
    Case('Y-07', 'a letter that is cut by the end', POD.encode() +
         b'    # \xe2\x82'),
    Case('Y-07', 'a continuation byte alone', POD.encode() + b'    # \x80\n'),
    Case('Y-07', 'UTF-7 is no key', '+AHA-roject: t\n'),
    Case('Y-07', 'an archive instead of a spec',
         b'\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03' + bytes(30)),
    safe('Y-07', 'UTF-8 with its mark', b'\xef\xbb\xbf' + POD.encode()),
    Case('Y-07', 'the mark twice', b'\xef\xbb\xbf' * 2 + POD.encode()),
    Case('Y-07', 'a mark in the middle',
         POD.encode() + b'    args: a\xef\xbb\xbfb\n'),
    Case('Y-07', 'a mistake below the mark of UTF-8', b'\xef\xbb\xbf' +
         (POD + '    disk: x\n').encode()),
    Case('Y-08', 'a NUL byte in line 30', POD + '    # x\n' * 24 +
         '    args: a\0b\n'),
    Case('Y-08', 'a NUL byte at the start', '\0' + POD),
    Case('Y-08', 'a NUL byte at the end', POD + '\0'),
    line('Y-08', 'a NUL byte in a comment', '# x\0y'),
    line('Y-08', 'a form feed', '# x\fy'),
    line('Y-08', 'an escape character', 'args: "a\x1b[2Jb"'),
    line('Y-08', 'DEL', 'args: "a\x7fb"'),
    line('Y-08', 'a control character of eight bits', 'args: "a\u009b2Jb"'),
    Case('Y-08', 'a bell in the name of a pod',
         'project: t\npods:\n  "p\\a": { image: a, gpu: A40 }\n'),
    Case('Y-08', 'a kilobyte of zeros', bytes(1024)),
    line('Y-09', 'a line separator', 'args: fine\u2028replicas: 9'),
    line('Y-09', 'a paragraph separator', 'args: fine\u2029replicas: 9'),
    line('Y-09', 'a next line', 'args: fine\u0085replicas: 9'),
    line('Y-09', 'a line separator by its escape',
         'args: "fine\\Lreplicas: 9"'),
    line('Y-09', 'a next line by its escape', 'args: "fine\\Nreplicas: 9"'),
    line('Y-09', 'text that runs the other way', 'args: "\u202e01 :sacilper"'),
    line('Y-09', 'text that runs the other way, by its escape',
         'args: "\\u202e01"'),
    line('Y-09', 'an isolate in a comment', '# \u2066 x \u2069'),
    line('Y-09', 'a letter mark', 'args: "a\u061cb"'),
    line('Y-09', 'a code that is no character', '# \uffff'),
    safe('Y-10', '%YAML 1.2', '%YAML 1.2\n---\n' + POD),
    safe('Y-10', '%YAML 1.1', '%YAML 1.1\n---\n' + POD),
    Case('Y-10', '%YAML 1.3', '%YAML 1.3\n---\n' + POD),
    Case('Y-10', '%YAML 2.0', '%YAML 2.0\n---\n' + POD),
    Case('Y-10', '%YAML twice', '%YAML 1.2\n%YAML 1.2\n---\n' + POD),
    Case('Y-10', '%YAML of a hundred digits',
         '%%YAML %s.1\n---\n%s' % ('1' * 100, POD)),
    Case('Y-10', '%YAML without a document', '%YAML 1.2\n'),
    Case('Y-10', '%YAML without its ---', '%YAML 1.2\n' + POD),
    Case('Y-10', '%TAG', '%TAG ! tag:x,2000:\n---\n' + POD),
    Case('Y-10', 'an unknown directive', '%INCLUDE /etc/passwd\n---\n' + POD),
    Case('Y-10', 'a directive in the middle', POD + '%YAML 1.2\n---\n'),
    line('Y-10', 'the tag of an integer', 'gpu_count: !!int "1"'),
    line('Y-10', 'the tag of a text', 'disk: !!str 5GB'),
    line('Y-10', 'the tag of a program',
         'args: !!python/object/apply:os.system [id]'),
    line('Y-10', 'a tag without a name', 'args: ! x'),
    line('Y-10', 'a tag at a mapping', 'env: !!map { A: x }'),
    line('Y-10', 'a tag at a key', '!!str disk: 5GB'),
    line('Y-10', 'binary', 'args: !!binary aGk='),
    Case('Y-11', 'two documents', POD + '---\nproject: u\n'),
    Case('Y-11', 'an empty second document', POD + '---\n'),
    Case('Y-11', 'a second document after an end', POD + '...\n---\nx\n'),
    Case('Y-11', 'an empty first document', '---\n---\n' + POD),
    Case('Y-11', 'a second one that is broken', POD + '--- {\n'),
    Case('Y-11', 'text after the end', POD + '...\nmore\n'),
    safe('Y-11', 'the end and nothing after it', POD + '...\n'),
    safe('Y-11', 'one that begins with ---', '---\n' + POD),
    Case('Y-12', 'an empty file', ''),
    Case('Y-12', 'only comments', '# only\n# comments\n'),
    Case('Y-12', 'only ---', '---\n'),
    Case('Y-12', 'only --- and ...', '---\n...\n'),
    Case('Y-12', 'only spaces and lines', '   \n\n  \n'),
    Case('Y-12', 'only the mark of UTF-8', b'\xef\xbb\xbf'),
    Case('Y-12', 'null', 'null\n'),
    Case('Y-12', 'a tilde', '~\n'),
    Case('Y-12', 'an empty text', '""\n'),
    Case('Y-12', 'an empty mapping', '{}\n'),
    Case('Y-12', 'an empty list', '[]\n'),
    Case('Y-12', 'two empty files', '', files={'specs/b.yaml': '# x\n'}),
    Case('Y-12', 'no file', None, prepare=lambda p: p.write('specs/x', '')),
    Case('Y-12', 'no directory', None),
    Case('Y-12', 'only what editors leave', None, files={
        'specs/.a.yaml.swp': POD, 'specs/a.yaml~': POD,
        'specs/#a.yaml#': POD, 'specs/4913': POD, 'specs/.#a.yaml': POD}),
    Case('Y-12', 'a section without pods',
         'project: t\npods:\n'),
    Case('Y-13', 'bare CR', POD.replace('\n', '\r')),
    Case('Y-13', 'CR, LF and CRLF mixed', 'project: t\r\npods:\n  p:\r'
         '    image: a:1\n'),
    Case('Y-13', 'CRLF and a mistake on line 6',
         (POD + '    disk: x\n').replace('\n', '\r\n')),
    Case('Y-13', 'CR CR LF', POD.replace('\n', '\r\r\n')),
    Case('Y-13', 'CR at the very end', POD + '    disk: 5GB\r'),
    line('Y-13', 'CR in quotes', 'args: "a\rb"'),
    line('Y-13', 'CR by its escape', 'args: "a\\rb"'),
    safe('Y-13', 'CRLF', POD.replace('\n', '\r\n')),
    safe('Y-13', 'LF and CRLF mixed',
         POD.replace('pods:\n', 'pods:\r\n')),
    safe('Y-13', 'no line end at the end', POD.rstrip('\n')),
    Case('Y-14', 'a plain key of 2,000 letters', POD + '    %s: 1\n' % LETTERS),
    Case('Y-14', 'a quoted key of 2,000 letters',
         POD + '    "%s": 1\n' % LETTERS),
    Case('Y-14', 'a key of 1,000 letters',
         POD + '    %s: 1\n' % LETTERS[:1000]),
    Case('Y-14', 'a long key in braces',
         POD + '    env: { %s: 1 }\n' % LETTERS),
    Case('Y-14', 'a key of 2,000 letters with a question mark',
         POD + '    ? %s\n    : 1\n' % LETTERS),
    Case('Y-14', 'a key of 1,025 letters of two bytes',
         POD + '    %s: 1\n' % ('\u00e9' * 1025)),
    Case('Y-14', 'a long text without a colon', POD + '    %s\n' % LETTERS),
    Case('Y-14', 'a key over two lines', POD + '    a\n    b: 1\n'),
    Case('Y-14', 'a key of three quoted lines', POD + '    "a\n\n    b": 1\n'),
    Case('Y-14', 'a key that is a list', POD + '    ? [a, b]\n    : x\n'),
    Case('Y-14', 'a key that is a mapping', POD + '    ? {a: b}\n    : x\n'),
    Case('Y-14', 'a key that is a block text',
         POD + '    ? |\n      disk\n    : 5GB\n'),
    line('Y-14', 'no key at all', ': 5GB'),
    line('Y-14', 'an empty key', '"": 5GB'),
    Case('Y-14', 'a value of a megabyte', POD + '    args: %s\n' %
         ('x' * 1000000)),
    Case('Y-14', 'a file above its limit', None, prepare=huge),
    Case('Y-15', 'the indicator |9',
         POD + '    env:\n      A: |9\n               text\n'),
    Case('Y-15', 'the indicator |0', POD + '    env:\n      A: |0\n       x\n'),
    Case('Y-15', 'the indicator |12',
         POD + '    env:\n      A: |12\n       x\n'),
    Case('Y-15', 'the indicator |-+',
         POD + '    env:\n      A: |-+\n       x\n'),
    Case('Y-15', 'the indicator >2',
         POD + '    env:\n      A: >2\n          x\n'),
    Case('Y-15', 'text after the indicator',
         POD + '    env:\n      A: | text\n        x\n'),
    Case('Y-15', 'text less indented than its first line',
         POD + '    env:\n      A: |\n          text\n        less\n'),
    Case('Y-15', 'text as far left as its key',
         POD + '    env:\n      A: |\n      text\n'),
    Case('Y-15', 'first an empty line with more spaces',
         POD + '    env:\n      A: |\n               \n        text\n'),
    Case('Y-15', 'a quote that is not closed', POD + '    args: "abc\n'
         '    disk: 5GB\n'),
    Case('Y-15', 'a single quote that is not closed',
         POD + "    args: 'abc\n    disk: 5GB\n"),
    Case('Y-15', 'a bracket that is not closed',
         POD + '    ports: [22/tcp\n    disk: 5GB\n'),
    line('Y-15', 'a brace that is not closed', 'env: { A: x'),
    line('Y-15', 'the wrong bracket', 'ports: [22/tcp}'),
    line('Y-15', 'text after a quote', 'args: "a" b'),
    line('Y-15', 'an unknown escape', 'args: "a\\qb"'),
    line('Y-15', 'an escape that is cut', 'args: "a\\x4"'),
    line('Y-15', 'half of a pair by its escape', 'args: "\\ud800"'),
    line('Y-15', 'a code above the last by its escape', 'args: "\\U00110000"'),
    line('Y-15', 'a colon too many', 'args: a: b'),
    line('Y-15', 'a list where keys are', '- disk: 5GB'),
    Case('Y-15', 'a key too far left', POD + '   disk: 5GB\n'),
    line('Y-15', 'a key too far right', ' disk: 5GB'),
    line('Y-15', 'a value that begins with @', 'args: @x'),
    line('Y-15', 'a value that begins with a backtick', 'args: `x`'),
    line('Y-15', 'a value that begins with %', 'args: %x'),
    line('Y-15', 'two items in one bracket place', 'ports: [,]'),
    Case('Y-15', 'JSON with a comma too many',
         '{"project": "t", "pods": {"p": {"image": "a", "gpu": "A40",,}}}'),
    safe('Y-15', 'JSON',
         '{"project": "t", "pods": {"p": {"image": "a", "gpu": "A40"}}}'),
    safe('Y-15', 'a block text with |+',
         POD + '    env:\n      A: |+\n        text\n\n'),
]
