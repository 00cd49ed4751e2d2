"""Examples of the tactics about environment variables."""

from __future__ import annotations

from pytest_maestro_healer.strategies.base import Example

_CLIENT = "import os\n\n\ndef endpoint(path):\n    return os.environ['SHOP_API_URL'].rstrip('/') + path\n"
_SENDER = """
    import os


    def sender():
        address = os.getenv("MAIL_FROM")
        if not address:
            raise RuntimeError("MAIL_FROM is not set")
        return address
"""
_FETCH = """
    import urllib.request


    def body(url):
        with urllib.request.build_opener().open(url, timeout=5) as answer:
            return answer.read()
"""
_GREET = """
    import os


    def greeting(name):
        word = "hallo" if os.environ.get("GREET_LANGUAGE") == "de" else "hello"
        return word
"""

MISSING_HEALS = (
    Example(
        "a value in .env.example",
        {
            "client.py": _CLIENT,
            ".env.example": "# the staging server will do\nSHOP_API_URL=https://api.example.org/\nSHOP_TOKEN=<yours>\n",
            "test_client.py": """
                from client import endpoint


                def test_endpoint():
                    assert endpoint("/orders").endswith(".org/orders")
            """,
        },
        {
            "test_client.py": """
                from client import endpoint


                def test_endpoint(monkeypatch):
                    monkeypatch.setenv("SHOP_API_URL", "https://api.example.org/")
                    assert endpoint("/orders").endswith(".org/orders")
            """,
        },
    ),
    Example(
        "three tests of one file share a fixture",
        {
            "settings.py": "import os\n\n\ndef region():\n    return os.environ['REGION'].upper()\n",
            ".github/workflows/test.yml": "jobs:\n  test:\n    env:\n      REGION: eu-west\n    steps:\n      - run: pytest\n",
            "test_region.py": """
                import pytest

                from settings import region


                def test_upper():
                    assert region().isupper()


                def test_has_a_dash():
                    assert "-" in region()


                def test_europe():
                    assert region().startswith("EU")


                def test_kind():
                    with pytest.raises(ZeroDivisionError):
                        1 / 0
            """,
        },
        {
            "test_region.py": """
                import pytest

                from settings import region


                @pytest.fixture(autouse=True)
                def environment(monkeypatch):
                    \"\"\"What the code under test reads from its environment.\"\"\"
                    monkeypatch.setenv("REGION", "eu-west")


                def test_upper():
                    assert region().isupper()


                def test_has_a_dash():
                    assert "-" in region()


                def test_europe():
                    assert region().startswith("EU")


                def test_kind():
                    with pytest.raises(ZeroDivisionError):
                        1 / 0
            """,
        },
    ),
    Example(
        "a unittest case",
        {
            "mailer.py": _SENDER,
            "tox.ini": "[testenv]\nsetenv =\n    MAIL_FROM = shop@example.org\ncommands = pytest\n",
            "test_mailer.py": """
                import unittest

                import mailer


                class TestMailer(unittest.TestCase):
                    def test_sender(self):
                        self.assertIn("@", mailer.sender())
            """,
        },
        {
            "test_mailer.py": """
                import os
                import unittest
                from unittest import mock

                import mailer


                class TestMailer(unittest.TestCase):
                    @mock.patch.dict(os.environ, {"MAIL_FROM": "shop@example.org"})
                    def test_sender(self):
                        self.assertIn("@", mailer.sender())
            """,
        },
    ),
    Example(
        "a fixture that reads it",
        {
            "store.py": "import os\n\n\nclass Store:\n    def __init__(self):\n        self.size = int(os.environ['STORE_SIZE'])\n",
            "README.md": "# store\n\nRun it with `STORE_SIZE=12 python -m store`.\n",
            "test_store.py": """
                import pytest
                from store import Store


                @pytest.fixture
                def store():
                    return Store()


                def test_size(store):
                    assert store.size > 3
            """,
        },
        {
            "test_store.py": """
                import pytest
                from store import Store


                @pytest.fixture
                def store(monkeypatch):
                    monkeypatch.setenv("STORE_SIZE", "12")
                    return Store()


                def test_size(store):
                    assert store.size > 3
            """,
        },
    ),
    Example(
        "read in setup_method",
        {
            ".env.example": "SHOP_MODE=quiet\n",
            "test_mode.py": """
                import os

                import pytest


                class TestMode:
                    def setup_method(self):
                        self.mode = os.environ["SHOP_MODE"]

                    def test_mode(self):
                        assert self.mode.islower()
            """,
        },
        {
            "test_mode.py": """
                import os

                import pytest


                @pytest.fixture(autouse=True)
                def environment(monkeypatch):
                    \"\"\"What the code under test reads from its environment.\"\"\"
                    monkeypatch.setenv("SHOP_MODE", "quiet")


                class TestMode:
                    def setup_method(self):
                        self.mode = os.environ["SHOP_MODE"]

                    def test_mode(self):
                        assert self.mode.islower()
            """,
        },
    ),
    Example(
        "nothing documents a value: any will do, for review",
        {
            "keys.py": "import os\n\n\ndef header():\n    return 'Bearer ' + os.environ['SHOP_TOKEN']\n",
            "test_keys.py": "from keys import header\n\n\ndef test_header():\n    assert header().startswith('Bearer ')\n",
        },
        {
            "test_keys.py": """
                from keys import header


                def test_header(monkeypatch):
                    monkeypatch.setenv("SHOP_TOKEN", "test")
                    assert header().startswith('Bearer ')
            """,
        },
    ),
)
MISSING_DECLINES = (
    Example(
        "the product lost its default",
        {
            "server.py": "import os\n\n\ndef port():\n    return int(os.environ['PORT'])\n",
            ".env.example": "PORT=8000\n",
            "test_server.py": "from server import port\n\n\ndef test_default_port():\n    assert port() == 8000\n",
        },
        head={
            "server.py": "import os\n\n\ndef port():\n    return int(os.environ.get('PORT', '8000'))\n",
            ".env.example": "PORT=8000\n",
            "test_server.py": "from server import port\n\n\ndef test_default_port():\n    assert port() == 8000\n",
        },
        advice="no longer has a default for PORT",
        why="a user who never set the variable breaks: that is a regression",
    ),
    Example(
        "an arithmetic bug beside a documented variable",
        {
            "prices.py": "import os\n\n\ndef total(net):\n    rate = float(os.environ.get('TAX_RATE', '0.2'))\n    return net - net * rate\n",
            ".env.example": "TAX_RATE=0.19\n",
            "test_prices.py": "from prices import total\n\n\ndef test_total():\n    assert total(100) == 120\n",
        },
        why="no value of the variable that is documented makes the test pass: the product is wrong",
    ),
)  # fmt: skip

LEAKED_HEALS = (
    Example(
        "the developer's own setting leaks into the product",
        {
            "greet.py": "import os\n\n\ndef greeting():\n    return 'hallo' if os.environ.get('GREET_LANGUAGE') == 'de' else 'hello'\n",
            "test_greet.py": "from greet import greeting\n\n\ndef test_greeting():\n    assert greeting() == 'hello'\n",
        },
        {
            "test_greet.py": """
                from greet import greeting


                def test_greeting(monkeypatch):
                    monkeypatch.delenv("GREET_LANGUAGE", raising=False)
                    assert greeting() == 'hello'
            """,
        },
        env={"GREET_LANGUAGE": "de"},
    ),
    Example(
        "a setting that is read through a variable",
        {
            "greet.py": "import os\n\n\ndef greeting(given=None):\n    found = os.environ if given is None else given\n"
            "    return found.get('GREET_WORD', 'hello')\n",
            "test_greet.py": "from greet import greeting\n\n\ndef test_greeting():\n    assert greeting() == 'hello'\n",
        },
        {
            "test_greet.py": """
                from greet import greeting


                def test_greeting(monkeypatch):
                    monkeypatch.delenv("GREET_WORD", raising=False)
                    assert greeting() == 'hello'
            """,
        },
        env={"GREET_WORD": "moin"},
    ),
    Example(
        "a proxy between the test and its own server",
        {
            "fetch.py": _FETCH,
            "test_fetch.py": """
                import http.server
                import threading

                from fetch import body


                class Hello(http.server.BaseHTTPRequestHandler):
                    def do_GET(self):
                        self.send_response(200)
                        self.end_headers()
                        self.wfile.write(b"hello")

                    def log_message(self, *args):
                        pass


                def test_body():
                    server = http.server.HTTPServer(("127.0.0.1", 0), Hello)
                    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
                    thread.start()
                    try:
                        assert body(f"http://127.0.0.1:{server.server_port}/") == b"hello"
                    finally:
                        server.shutdown()
                        server.server_close()
            """,
        },
        {
            "test_fetch.py": """
                import http.server
                import threading

                from fetch import body


                class Hello(http.server.BaseHTTPRequestHandler):
                    def do_GET(self):
                        self.send_response(200)
                        self.end_headers()
                        self.wfile.write(b"hello")

                    def log_message(self, *args):
                        pass


                def test_body(monkeypatch):
                    monkeypatch.delenv("http_proxy", raising=False)
                    server = http.server.HTTPServer(("127.0.0.1", 0), Hello)
                    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
                    thread.start()
                    try:
                        assert body(f"http://127.0.0.1:{server.server_port}/") == b"hello"
                    finally:
                        server.shutdown()
                        server.server_close()
            """,
        },
        env={"http_proxy": "http://127.0.0.1:9/"},
    ),
    Example(
        "pytest's own variable leaks into the product",
        {
            "mode.py": "import os\n\n\ndef banner():\n    return '' if 'PYTEST_CURRENT_TEST' in os.environ else 'shop 1.0'\n",
            "test_mode.py": "from mode import banner\n\n\ndef test_banner():\n    assert banner() == 'shop 1.0'\n",
        },
        {
            "test_mode.py": """
                from mode import banner


                def test_banner(monkeypatch):
                    monkeypatch.delenv("PYTEST_CURRENT_TEST", raising=False)
                    assert banner() == 'shop 1.0'
            """,
        },
    ),
)
LEAKED_DECLINES = (
    Example(
        "a lost word, whatever the environment says",
        {
            "greet.py": _GREET,
            "test_greet.py": "from greet import greeting\n\n\ndef test_greeting():\n    assert greeting('ann') == 'hello ann'\n",
        },
        why="removing the variable does not help: the product forgets the name",
        env={"GREET_LANGUAGE": "de"},
    ),
    Example(
        "the product has just begun to obey a variable that was set all along",
        {
            "fees.py": "import os\n\n\ndef fee(amount):\n    return 0 if os.environ.get('LOGLEVEL') == 'debug' else amount // 100\n",
            "test_fees.py": "from fees import fee\n\n\ndef test_fee():\n    assert fee(500) == 5\n",
        },
        head={
            "fees.py": "def fee(amount):\n    return amount // 100\n",
            "test_fees.py": "from fees import fee\n\n\ndef test_fee():\n    assert fee(500) == 5\n",
        },
        advice="began to read LOGLEVEL",
        why="the new read is the cause: that is a change of the product to look at",
        env={"LOGLEVEL": "debug"},
    ),
)  # fmt: skip
