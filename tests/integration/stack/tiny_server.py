"""A server for tests of the supervisor: answers 200 on 127.0.0.1 at the port it is given.

With a second argument it starts a child that sleeps, and writes that child's id there.
"""

import subprocess
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_arguments):
        pass


if __name__ == "__main__":
    if len(sys.argv) > 2:
        child = subprocess.Popen(["sleep", "1000"])
        Path(sys.argv[2]).write_text(str(child.pid))
    HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
