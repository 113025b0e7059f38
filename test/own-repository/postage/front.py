"""A web front over plain HTTP: a page, and the prices that the cache has."""

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import cache


class Front(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.path == "/":
            self.answer(200, "<h1>Acme</h1>\n")
        elif self.path.startswith("/prices/"):
            try:
                cents = cache.read(self.path.removeprefix("/prices/"))
                self.answer(*((404, "no price\n") if cents is None else (200, f"{cents} cents\n")))
            except OSError as error:
                self.answer(503, f"cache: {error}\n")
        else:
            self.answer(404, "no page\n")

    def answer(self, status, text):
        body = text.encode()
        self.send_response(status)
        self.send_header("content-type", "text/html; charset=utf-8")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


ThreadingHTTPServer(("0.0.0.0", 8080), Front).serve_forever()
