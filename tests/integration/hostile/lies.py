"""What is said instead of a listing, and of the answer to a create."""
import gzip

from hostile.liar import (ANY_POD, MIB, After, after, answer, changed,
                          endless, endless_chunks, endless_pods, listing,
                          many_headers, raw, reset)


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
