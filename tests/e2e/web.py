"""A web server of a test's own: serve(answer) prints its port and asks answer(asked) for the status
and the body of each request."""
import http.server


class Asked:
    """A request: method, path, headers, body, and how many of that method came before it."""

    def __init__(self, handler, before):
        self.method, self.path, self.headers = handler.command, handler.path, handler.headers
        self.body = handler.rfile.read(int(handler.headers.get('Content-Length', 0)))
        self.before = before


def serve(answer):
    came = {'GET': 0, 'POST': 0}

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked = Asked(self, came[self.command])
            came[self.command] += 1
            status, body = answer(asked)
            self.send_response(status)
            self.send_header('Content-Length', str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET

        def log_message(self, *args):
            pass

    server = http.server.HTTPServer(('127.0.0.1', 0), Handler)
    print(server.server_port, flush=True)
    server.serve_forever()
