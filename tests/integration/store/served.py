"""served.py - what the stores of the tests have in common: an HTTP server in
this process, what was asked of it, and a switch that takes it away."""

import http.server
import threading


class Request:
    """One of them, as it came."""

    def __init__(self, handler):
        self.method = handler.command
        self.path, _, self.query = handler.path.partition("?")
        self.headers = handler.headers
        self.body = handler.rfile.read(
            int(handler.headers.get("Content-Length") or 0))

    def __str__(self):
        return self.method + " " + self.path


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def serve(self):
        store = self.server.store
        request = Request(self)
        with store.guard:
            store.asked.append(request)
            # Retry-After: or podform would try for 15 s, as it should.
            status, headers, body = (503, {"Retry-After": "3600"}, b"") \
                if store.away else store.answer(request)
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PUT = do_DELETE = serve
    do_LOCK = do_UNLOCK = do_HEAD = do_PATCH = serve

    def log_message(self, *_):
        pass


class Served:
    """A store: `answer(request)` gives status, headers and body; `url` is
    for --lock, `env` has the credentials, `secrets` what nobody may see."""

    url, env, secrets = "", {}, ()
    can_say_who = True

    def __init__(self):
        self.guard = threading.Lock()
        self.asked, self.away = [], False
        self.server = http.server.ThreadingHTTPServer(
            ("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.store = self
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever,
                         kwargs={"poll_interval": 0.05},
                         daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def answer(self, request):
        raise NotImplementedError

    def record(self):
        """Its bytes, or None."""
        raise NotImplementedError

    def held(self):
        raise NotImplementedError

    def clear(self):
        """As if nobody had ever been here."""
        raise NotImplementedError

    def count(self):
        """How many requests came since it was asked last."""
        with self.guard:
            n, self.asked = len(self.asked), []
        return n
