#!/usr/bin/env python3
"""An engine that answers one POST after the other with each STATUS given, the last one for ever, and
a GET with the first and words in JSON. Prints its port; writes the number of POSTs into `posts`.
With TOKEN in the environment a POST without that bearer token is answered with 401."""
import http.server, os, sys
token = os.environ.get('TOKEN')
answers = [int(status) for status in sys.argv[1:]]
class Engine(http.server.BaseHTTPRequestHandler):
    posts = 0
    def do_POST(self):
        self.rfile.read(int(self.headers['Content-Length']))
        status = answers[min(Engine.posts, len(answers) - 1)]
        if token and self.headers['Authorization'] != 'Bearer ' + token:
            status = 401
        Engine.posts += 1
        open('posts', 'w').write(str(Engine.posts))
        self.send_response(status)
        self.send_header('Content-Length', '0')
        self.end_headers()
    def do_GET(self):
        words = b'{"status":"error","errorType":"any","error":"no"}'
        self.send_response(answers[0])
        self.send_header('Content-Length', str(len(words)))
        self.end_headers()
        self.wfile.write(words)
    def log_message(self, *args):
        pass
server = http.server.HTTPServer(('127.0.0.1', 0), Engine)
print(server.server_port, flush=True)
server.serve_forever()
