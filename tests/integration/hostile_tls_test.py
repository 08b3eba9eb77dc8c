#!/usr/bin/python3
"""hostile_tls_test.py - A-17 by TLS: a connection that ends without goodbye.

Who ends a TLS connection says so (close-notify); where only TCP ends, what
came may be a part, and anybody on the way can have cut it.  So an answer
whose end is nothing but the end of its connection is no answer, whatever it
looks like, and one that told its length counts when all of it is there.  The
server is Python's, with a certificate made here; the rest is hostile_test.
"""
import re
import ssl
import subprocess
import sys

import hostile_test
from hostile.liar import (After, Liar, answer, bounded, listing, project,
                          wants, work)
from hostile_test import creates

CERTIFICATE = work + '/cert.pem'
KEY = work + '/key.pem'


class TlsLiar(Liar):
    """Ends without a goodbye, but for lies that say it themselves."""

    scheme = 'https'

    def one(self, conn):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(CERTIFICATE, KEY)
        try:
            conn.settimeout(20)
            super().one(context.wrap_socket(conn, server_side=True))
        except OSError:
            conn.close()


def whole(data):
    """These bytes, a goodbye, and then the end."""
    def lie(conn):
        conn.sendall(data)
        conn.unwrap().close()
    return lie


def make_certificate():
    subprocess.run(
        ['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt',
         'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj',
         '/CN=liar', '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', KEY,
         '-out', CERTIFICATE], check=True, capture_output=True)


def tls_project(name):
    return project('tls-' + re.sub('[^a-z0-9]+', '-', name.lower()), TlsLiar)


def run(p, *words):
    return p.run(*words, SSL_CERT_FILE=CERTIFICATE)


# -------------------------------------------------------------- listings ----

# Its end is nowhere but in the end of the connection.
BARE = b'HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{"pods":[]}'
CHUNKS = (b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'
          b'b\r\n{"pods":[]}\r\n')

CUT = {
    'nothing': b'',
    'one byte': b'H',
    'half a status line': b'HTTP/1.1 2',
    'half a header': b'HTTP/1.1 200 OK\r\nContent-Le',
    'headers only': b'HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n',
    'headers without a length': b'HTTP/1.1 200 OK\r\n\r\n',
    'a body without a length': BARE,
    'a body without a length, HTTP/1.0': BARE.replace(b'1.1', b'1.0'),
    'a body a byte short': listing('{"pods":[]}')[:-1],
    # libcurl does not tell whether there was one.
    'a body without a length, and a goodbye': whole(BARE),
    'chunks without the last': CHUNKS,
    'chunks with half of the last': CHUNKS + b'0\r\n',
}

WHOLE = {
    'a length, and no goodbye': listing('{"pods":[]}'),
    'chunks to the last, and no goodbye': CHUNKS + b'0\r\n\r\n',
    'a length, and a goodbye': whole(listing('{"pods":[]}')),
}


def cut_listing_test(name, lie):
    """No listing: nothing is made of it."""
    p = tls_project('list ' + name)
    p.liar.lie('GET', r'/v2/pods(\?|$)', lie, stays=True)
    result = run(p, 'apply', '-y')
    wants('exit', result.code, 1, result)
    wants('creates', creates(p), 0, result)
    wants('deletes', p.liar.count('DELETE'), 0, result)
    wants('the reason', 'cannot list pods: ' in result.err, True, result)
    bounded(result, seconds=40)


def whole_listing_test(name, lie):
    """It is one, or the tests above would prove nothing."""
    p = tls_project('whole ' + name)
    p.liar.lie('GET', r'/v2/pods(\?|$)', lie)
    result = run(p, 'apply', '-y')
    wants('exit', result.code, 0, result)
    wants('asked once', len([path for method, path in p.liar.seen[:2]
                             if re.search(r'/v2/pods(\?|$)', path)]) < 2,
          True, result)
    wants('creates', creates(p), 1, result)
    wants('pods', len(p.pods()), 1, result)


# --------------------------------------------------------------- creates ----

def bare(status, body):
    return b'HTTP/1.1 %d X\r\nConnection: close\r\n\r\n' % status + body


CREATES = {
    'nothing': lambda status, body: b'',
    'one byte': lambda status, body: b'H',
    'headers only': lambda status, body:
        b'HTTP/1.1 201 X\r\nContent-Length: 90\r\n\r\n',
    'half a body': lambda status, body: answer(status, body)[:-20],
    'a body without a length': bare,
    'a refusal without a length': lambda status, body:
        bare(400, b'{"status":400,"title":"no","detail":"no"}'),
}


def cut_create_test(name, lie):
    """It was made and nobody said so: the mark finds it, once."""
    p = tls_project('create ' + name)
    p.liar.lie('POST', r'/v2/pods$', After(lie))
    result = run(p, 'apply', '-y')
    wants('exit', result.code, 0, result)
    wants('creates', creates(p), 1, result)
    wants('pods', len(p.pods()), 1, result)
    result = run(p, 'plan', '--detailed-exitcode')
    wants('exit of a second plan', result.code, 0, result)
    bounded(result)


def stranger_test():
    """A certificate that nobody vouches for: nothing is even asked."""
    p = tls_project('stranger')
    result = p.run('apply', '-y', SSL_CERT_FILE='/etc/ssl/certs/'
                   'ca-certificates.crt')
    wants('exit', result.code, 1, result)
    wants('requests', p.liar.seen, [], result)
    wants('the reason', 'certificate' in result.err, True, result)


def tests():
    make_certificate()
    for name, lie in CUT.items():
        yield ('A-17 by TLS: %s, for a listing' % name,
               cut_listing_test, (name, lie))
    for name, lie in WHOLE.items():
        yield ('A-17 by TLS: %s, which is a listing' % name, whole_listing_test,
               (name, lie))
    for name, lie in CREATES.items():
        yield ('A-17 by TLS: %s, for a create' % name,
               cut_create_test, (name, lie))
    yield 'a certificate of a stranger', stranger_test, ()


if __name__ == '__main__':
    sys.exit(hostile_test.main(tests))
