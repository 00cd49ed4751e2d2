"""Examples of the tactics about ports, hosts and programs."""

from __future__ import annotations

from pytest_maestro_healer.strategies.base import Example

_TAKEN = """
    import contextlib
    import socket

    with contextlib.suppress(OSError):  # another program on this machine
        OTHER = socket.create_server(("127.0.0.1", 47321))
"""
_ECHO = """
    import socket


    def ask(port, text):
        with socket.create_connection(("127.0.0.1", port), timeout=5) as s:
            s.sendall(text.encode())
            return s.recv(100).decode()
"""

PORT_HEALS = (
    Example(
        "a server of the test's own on a fixed port",
        {
            "conftest.py": _TAKEN,
            "fetch.py": "import urllib.request\n\n\ndef fetch(url):\n    with urllib.request.urlopen(url) as r:\n        return r.status\n",
            "test_fetch.py": """
                import threading
                from http.server import BaseHTTPRequestHandler, HTTPServer

                from fetch import fetch


                class Hello(BaseHTTPRequestHandler):
                    def do_GET(self):
                        self.send_response(204)
                        self.end_headers()


                def test_fetch(monkeypatch):
                    monkeypatch.setenv("no_proxy", "127.0.0.1")
                    server = HTTPServer(("127.0.0.1", 47321), Hello)
                    thread = threading.Thread(target=server.handle_request)
                    thread.start()
                    assert fetch("http://127.0.0.1:47321/tea") == 204
                    thread.join()
                    server.server_close()
            """,
        },
        {
            "test_fetch.py": """
                import threading
                from http.server import BaseHTTPRequestHandler, HTTPServer

                from fetch import fetch


                class Hello(BaseHTTPRequestHandler):
                    def do_GET(self):
                        self.send_response(204)
                        self.end_headers()


                def test_fetch(monkeypatch):
                    monkeypatch.setenv("no_proxy", "127.0.0.1")
                    server = HTTPServer(("127.0.0.1", 0), Hello)
                    thread = threading.Thread(target=server.handle_request)
                    thread.start()
                    assert fetch(f"http://127.0.0.1:{server.server_address[1]}/tea") == 204
                    thread.join()
                    server.server_close()
            """,
        },
    ),
    Example(
        "a bound socket and a variable",
        {
            "conftest.py": _TAKEN.replace("47321", "47322"),
            "echo.py": _ECHO,
            "test_echo.py": """
                import socket
                import threading

                from echo import ask


                def answer(listener):
                    connection, _ = listener.accept()
                    with connection:
                        connection.sendall(connection.recv(100).upper())


                def test_ask():
                    port = 47322
                    with socket.socket() as listener:
                        listener.bind(("127.0.0.1", port))
                        listener.listen()
                        thread = threading.Thread(target=answer, args=(listener,))
                        thread.start()
                        assert ask(port, "tea") == "TEA"
                        thread.join()
            """,
        },
        {
            "test_echo.py": """
                import socket
                import threading

                from echo import ask


                def answer(listener):
                    connection, _ = listener.accept()
                    with connection:
                        connection.sendall(connection.recv(100).upper())


                def test_ask():
                    port = 0
                    with socket.socket() as listener:
                        listener.bind(("127.0.0.1", port))
                        port = listener.getsockname()[1]
                        listener.listen()
                        thread = threading.Thread(target=answer, args=(listener,))
                        thread.start()
                        assert ask(port, "tea") == "TEA"
                        thread.join()
            """,
        },
    ),
    Example(
        "the product listens where it is told",
        {
            "conftest.py": _TAKEN.replace("47321", "47323"),
            "daemon.py": "import socket\n\n\ndef listen(port):\n    return socket.create_server(('127.0.0.1', port))\n",
            "test_daemon.py": """
                from daemon import listen

                PORT = 47323


                def test_listen():
                    with listen(PORT) as s:
                        assert s.fileno() > 0
            """,
        },
        {
            "test_daemon.py": """
                import socket

                from daemon import listen


                def free_port():
                    \"\"\"A port that nothing listens on.\"\"\"
                    with socket.socket() as probe:
                        probe.bind(("127.0.0.1", 0))
                        return probe.getsockname()[1]


                PORT = free_port()


                def test_listen():
                    with listen(PORT) as s:
                        assert s.fileno() > 0
            """,
        },
    ),
)
PORT_DECLINES = (
    Example(
        "the product opens the port twice",
        {
            "daemon.py": "import socket\n\n\ndef listen(port):\n    first = socket.create_server(('127.0.0.1', port))\n"
            "    return first, socket.create_server(('127.0.0.1', first.getsockname()[1]))\n",
            "test_daemon.py": "from daemon import listen\n\n\ndef test_listen():\n    assert listen(0)\n",
        },
        why="no port of the test is taken: the product takes its own",
    ),
)
SERVICE_HEALS = (
    Example(
        "a database that is not running",
        {
            "store.py": "import socket\n\n\ndef ping():\n    with socket.create_connection(('127.0.0.1', 9), timeout=5):\n        return True\n",
            "test_store.py": "from store import ping\n\n\ndef test_ping():\n    assert ping()\n",
        },
        advice="127.0.0.1:9 does not answer",
    ),
)
SERVICE_DECLINES = (
    Example(
        "an answer that is wrong",
        {
            "store.py": "def ping():\n    return False\n",
            "test_store.py": "from store import ping\n\n\ndef test_ping():\n    assert ping() is True\n",
        },
        why="nothing was asked over the network",
    ),
)
PROGRAM_HEALS = (
    Example(
        "python by a name that PATH does not have",
        {
            "hello.py": "print('hello')\n",
            "test_hello.py": """
                import subprocess


                def test_hello():
                    done = subprocess.run(["python", "hello.py"], capture_output=True, text=True, check=True)
                    assert done.stdout == "hello\\n"
            """,
        },
        {
            "test_hello.py": """
                import subprocess
                import sys


                def test_hello():
                    done = subprocess.run([sys.executable, "hello.py"], capture_output=True, text=True, check=True)
                    assert done.stdout == "hello\\n"
            """,
        },
        env={"PATH": "/nonexistent"},
    ),
    Example(
        "another program",
        {
            "test_convert.py": """
                import subprocess


                def test_convert():
                    assert subprocess.run(["shop-convert", "--version"]).returncode == 0
            """,
        },
        advice="shop-convert is not on PATH",
    ),
)
PROGRAM_DECLINES = (
    Example(
        "the product runs a program by the wrong name",
        {
            "tools.py": "import subprocess\n\n\ndef version():\n    return subprocess.run(['pyhton', '--version'], capture_output=True).stdout\n",
            "test_tools.py": "from tools import version\n\n\ndef test_version():\n    assert version()\n",
        },
        advice="pyhton is not on PATH",
        why="a typo of the product",
    ),
)
