"""Stands in for a language model: answers one kind of question, and misbehaves for tests named after a misbehaviour."""

from __future__ import annotations

import argparse
import json
import re
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def healed(code: str) -> str:
    """The one trick: ``mail.send(a, b)`` is ``mail.Message(a, b).send()`` now."""
    return re.sub(r"mail\.send\((.*?)\)", r"mail.Message(\1).send()", code)


def cheated(code: str) -> str:
    """What a careless model does: the test passes, and says nothing any more."""
    return re.sub(r"assert .*", "assert True", code)


class Model(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        question = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        name, code = question["nodeid"].rpartition("::")[2], question["code"]
        status, body = 200, json.dumps({"code": cheated(code) if "cheat" in name else healed(code)}).encode()
        if "error" in name:
            status, body = 500, b"out of order"
        elif "junk" in name:
            body = b"Sure! Here is the healed test:"
        elif "slow" in name:
            time.sleep(3600)
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Nothing is printed per request."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8765, help="0 takes a free one")
    server = ThreadingHTTPServer(("127.0.0.1", parser.parse_args().port), Model)
    server.daemon_threads = True
    print(f"http://127.0.0.1:{server.server_port}/", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
