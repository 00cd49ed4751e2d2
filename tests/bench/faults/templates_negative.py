"""Regressions that look like what a strategy heals: for each kind of heal a product that is at fault with the very same failure.

A healer that knows the failure only, not whose fault it is, hides every one of them. Half are committed, under a message that says nothing.
"""

# ruff: noqa: E501 (texts of whole files, one a line)
from __future__ import annotations

from .model import NEGATIVE
from .templates import Template


def _row(name: str, product: str, after: str, test: str, **more: object) -> Template:
    return Template(NEGATIVE, f"twin_{name}", f"twin_{name}", test, product=product, product_after=after, weight=2, **more)  # type: ignore[arg-type]


ENVIRONMENT = (
    _row(
        "default_lost",
        "import os\n\n\ndef currency():\n    return os.environ.get('SHOP_CURRENCY', 'eur').upper()\n",
        "import os\n\n\ndef currency():\n    return os.environ['SHOP_CURRENCY'].upper()\n",
        "from $pkg.$mod import currency\n\n\ndef test_currency():\n    assert currency() == 'EUR'\n",
    ),
    _row(
        "default_changed",
        "import os\n\n\ndef level():\n    return os.environ.get('SHOP_LEVEL', 'info')\n",
        "import os\n\n\ndef level():\n    return os.environ.get('SHOP_LEVEL', 'debug')\n",
        "from $pkg.$mod import level\n\n\ndef test_level():\n    assert level() == 'info'\n",
    ),
    _row(
        "other_variable",
        "import os\n\n\ndef region():\n    return os.environ.get('SHOP_REGION') or 'eu'\n",
        "import os\n\n\ndef region():\n    return os.environ.get('LANG') or 'eu'\n",
        "from $pkg.$mod import region\n\n\ndef test_region():\n    assert region() == 'eu'\n",
        green_env={"LANG": "C.UTF-8"},
        red_env={"LANG": "C.UTF-8"},
    ),
    _row(
        "relative_to_cwd",
        "from pathlib import Path\n\n\ndef rate():\n    return float((Path(__file__).parent / '$mod.rate').read_text())\n",
        "from pathlib import Path\n\n\ndef rate():\n    return float(Path('$mod.rate').read_text())\n",
        "from $pkg.$mod import rate\n\n\ndef test_rate():\n    assert rate() == $n.5\n",
        files={"${src}$mod.rate": "$n.5\n"},
    ),
    _row(
        "local_time",
        "import time\n\n\ndef stamp(seconds):\n    return time.strftime('%H:%M', time.gmtime(seconds))\n",
        "import time\n\n\ndef stamp(seconds):\n    return time.strftime('%H:%M', time.localtime(seconds))\n",
        "from $pkg.$mod import stamp\n\n\ndef test_stamp():\n    assert stamp(3600 * $n) == '0$n:00'\n",
        green_env={"TZ": "Asia/Tokyo"},
        red_env={"TZ": "Asia/Tokyo"},
    ),
    _row(
        "encoding_lost",
        "def title(path):\n    with open(path, encoding='utf-8') as f:\n        return f.readline().strip().upper()\n",
        "def title(path):\n    with open(path) as f:\n        return f.readline().strip().upper()\n",
        "from pathlib import Path\n\nfrom $pkg.$mod import title\n\n\ndef test_title():\n    assert title(Path(__file__).parent / 'data' / '$mod.txt') == 'ÄPFEL $m'\n",
        files={"${tests}data/$mod.txt": "äpfel $m\n"},
        green_env={"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        red_env={"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    ),
    _row(
        "terminal_width",
        "def line(width=80):\n    return '-' * (width // 10)\n",
        "import shutil\n\n\ndef line(width=80):\n    return '-' * (shutil.get_terminal_size().columns // 10)\n",
        "from $pkg.$mod import line\n\n\ndef test_line():\n    assert line() == '-' * 8\n",
        green_env={"COLUMNS": "132"},
        red_env={"COLUMNS": "132"},
    ),
    _row(
        "not_cleaned_up",
        "import os\nimport shutil\nimport tempfile\n\nFOLDER = os.path.join(tempfile.gettempdir(), '$mod-$w-$m')\n\n\ndef pack(names):\n    os.mkdir(FOLDER)\n    try:\n        for name in names:\n            open(os.path.join(FOLDER, name), 'w').close()\n        return sorted(os.listdir(FOLDER))\n    finally:\n        shutil.rmtree(FOLDER)\n",
        "import os\nimport tempfile\n\nFOLDER = os.path.join(tempfile.gettempdir(), '$mod-$w-$m')\n\n\ndef pack(names):\n    os.makedirs(FOLDER, exist_ok=True)\n    for name in names:\n        open(os.path.join(FOLDER, name), 'w').close()\n    return sorted(os.listdir(FOLDER))\n",
        "from $pkg.$mod import pack\n\n\ndef test_one():\n    assert pack(['a']) == ['a']\n\n\ndef test_two():\n    assert pack(['b', 'c']) == ['b', 'c']\n",
    ),
    _row(
        "appends",
        "def save(path, line):\n    with open(path, 'w') as f:\n        f.write(line)\n    with open(path) as f:\n        return f.read()\n",
        "def save(path, line):\n    with open(path, 'a') as f:\n        f.write(line)\n    with open(path) as f:\n        return f.read()\n",
        "import os\nimport tempfile\n\nfrom $pkg.$mod import save\n\nLOG = os.path.join(tempfile.mkdtemp(), 'log')\n\n\ndef test_one():\n    assert save(LOG, '$w') == '$w'\n\n\ndef test_two():\n    assert save(LOG, '$v') == '$v'\n",
    ),
)

_WORK = "import threading\nimport time\n\n\ndef work(n):\n{slow}    return n * 2\n\n\ndef start(n, out):\n    thread = threading.Thread(target=lambda: out.append(work(n)))\n    thread.start()\n{join}    return thread\n"
_QUICK, _SLEEPS = _WORK.format(slow="", join="    thread.join()\n"), _WORK.format(slow="    time.sleep(0.15)\n", join="    thread.join()\n")
_NO_JOIN = _WORK.format(slow="    time.sleep(0.02)\n", join="")
_JOINS = _WORK.format(slow="    time.sleep(0.02)\n", join="    thread.join()\n")
TIMING = (
    _row(
        "slower",
        _QUICK,
        _SLEEPS,
        "import time\n\nfrom $pkg.$mod import work\n\n\ndef test_work():\n    begin = time.monotonic()\n    assert work($n) == 2 * $n\n    assert time.monotonic() - begin < 0.1\n",
    ),
    _row(
        "slower_future",
        _QUICK,
        _SLEEPS,
        "from concurrent.futures import ThreadPoolExecutor\n\nfrom $pkg.$mod import work\n\n\ndef test_work():\n    with ThreadPoolExecutor() as pool:\n        assert pool.submit(work, $n).result(timeout=0.05) == 2 * $n\n",
    ),
    _row(
        "join_lost",
        _JOINS,
        _NO_JOIN,
        "from $pkg.$mod import start\n\n\ndef test_start():\n    out = []\n    start($n, out)\n    assert out == [2 * $n]\n",
    ),
    _row(
        "await_lost",
        "import asyncio\n\n\nasync def load(n):\n    await asyncio.sleep(0)\n    return n + 1\n\n\nasync def first(n):\n    return await load(n)\n",
        "import asyncio\n\n\nasync def load(n):\n    await asyncio.sleep(0)\n    return n + 1\n\n\nasync def first(n):\n    return load(n)\n",
        "import asyncio\n\nfrom $pkg.$mod import first\n\n\nasync def ask():\n    one = await first($n)\n    return one\n\n\ndef test_first():\n    assert asyncio.run(ask()) == $n + 1\n",
    ),
    _row(
        "event_late",
        "import threading\n\n\ndef run(out, done):\n    def go():\n        out.append($n)\n        done.set()\n\n    threading.Thread(target=go).start()\n",
        "import threading\nimport time\n\n\ndef run(out, done):\n    def go():\n        done.set()\n        time.sleep(0.05)\n        out.append($n)\n\n    threading.Thread(target=go).start()\n",
        "import threading\n\nfrom $pkg.$mod import run\n\n\ndef test_run():\n    out, done = [], threading.Event()\n    run(out, done)\n    assert done.wait(1)\n    assert out == [$n]\n",
    ),
)

FLAKY = (
    _row(
        "class_attribute",
        "class Basket:\n    def __init__(self):\n        self.items = []\n\n    def add(self, item):\n        self.items.append(item)\n        return len(self.items)\n",
        "class Basket:\n    items = []\n\n    def add(self, item):\n        self.items.append(item)\n        return len(self.items)\n",
        "from $pkg.$mod import Basket\n\n\ndef test_one():\n    assert Basket().add('$w') == 1\n\n\ndef test_two():\n    assert Basket().add('$v') == 1\n",
    ),
    _row(
        "mutable_default",
        "def collect(item, into=None):\n    into = [] if into is None else into\n    into.append(item)\n    return into\n",
        "def collect(item, into=[]):\n    into.append(item)\n    return into\n",
        "from $pkg.$mod import collect\n\n\ndef test_one():\n    assert collect('$w') == ['$w']\n\n\ndef test_two():\n    assert collect('$v') == ['$v']\n",
    ),
    _row(
        "global_kept",
        "SEEN = set()\n\n\ndef unique(items):\n    SEEN.clear()\n    SEEN.update(items)\n    return len(SEEN)\n",
        "SEEN = set()\n\n\ndef unique(items):\n    SEEN.update(items)\n    return len(SEEN)\n",
        "from $pkg.$mod import unique\n\n\ndef test_one():\n    assert unique(['$w', '$v', '$w']) == 2\n\n\ndef test_two():\n    assert unique(['a', 'b', 'c']) == 3\n",
    ),
    _row(
        "sort_lost",
        "def tags(text):\n    return sorted(set(text.split()))\n",
        "def tags(text):\n    return list(set(text.split()))\n",
        "from $pkg.$mod import tags\n\n\ndef test_tags():\n    assert tags('rose $w ash $v elm') == sorted(['rose', 'ash', 'elm', '$w', '$v'])\n",
        tries=4,
    ),
    _row(
        "seed_lost",
        "import random\n\n\ndef draw(items, seed=1):\n    return random.Random(seed).sample(items, 3)\n",
        "import random\n\n\ndef draw(items, seed=1):\n    return random.sample(items, 3)\n",
        "from $pkg.$mod import draw\n\n\ndef test_draw():\n    assert draw(range($m)) == draw(range($m))\n",
        tries=4,
    ),
    _row(
        "clock_read",
        "import datetime\n\n\ndef due(now=None):\n    now = now or datetime.datetime.now()\n    return (now + datetime.timedelta(days=$n)).date().isoformat()\n",
        "import datetime\n\n\ndef due(now=None):\n    now = datetime.datetime.now()\n    return (now + datetime.timedelta(days=$n)).date().isoformat()\n",
        "import datetime\n\nfrom $pkg.$mod import due\n\n\ndef test_due():\n    assert due(datetime.datetime(2024, 3, 1)) == datetime.date(2024, 3, 1 + $n).isoformat()\n",
    ),
    _row(
        "rounding_lost",
        "def total(prices):\n    return round(sum(prices), 2)\n",
        "def total(prices):\n    return sum(prices)\n",
        "from $pkg.$mod import total\n\n\ndef test_total():\n    assert total([0.1, 0.2, $n]) == $n.3\n\n\ndef test_more():\n    assert total([0.1] * 3) == 0.3\n",
    ),
    _row(
        "environment_kept",
        "import os\n\n\ndef with_mode(mode, call):\n    old = os.environ.get('SHOP_MODE')\n    os.environ['SHOP_MODE'] = mode\n    try:\n        return call()\n    finally:\n        os.environ.pop('SHOP_MODE')\n        if old is not None:\n            os.environ['SHOP_MODE'] = old\n\n\ndef mode():\n    return os.environ.get('SHOP_MODE', 'plain')\n",
        "import os\n\n\ndef with_mode(mode, call):\n    os.environ['SHOP_MODE'] = mode\n    return call()\n\n\ndef mode():\n    return os.environ.get('SHOP_MODE', 'plain')\n",
        "from $pkg.$mod import mode, with_mode\n\n\ndef test_fast():\n    assert with_mode('$w', mode) == '$w'\n\n\ndef test_plain():\n    assert mode() == 'plain'\n",
    ),
    _row(
        "folder_kept",
        "import contextlib\nimport os\n\n\n@contextlib.contextmanager\ndef inside(folder):\n    old = os.getcwd()\n    os.chdir(folder)\n    try:\n        yield\n    finally:\n        os.chdir(old)\n",
        "import contextlib\nimport os\n\n\n@contextlib.contextmanager\ndef inside(folder):\n    os.chdir(folder)\n    yield\n",
        "import os\n\nfrom $pkg.$mod import inside\n\nHERE = os.getcwd()\n\n\ndef test_inside(tmp_path):\n    with inside(tmp_path):\n        assert os.listdir('.') == []\n\n\ndef test_outside():\n    assert os.getcwd() == HERE\n",
    ),
    _row(
        "handler_kept",
        "import logging\n\nLOG = logging.getLogger('$mod')\n\n\ndef lines(call):\n    seen = []\n    handler = logging.Handler()\n    handler.emit = lambda record: seen.append(record.getMessage())\n    LOG.addHandler(handler)\n    try:\n        call(LOG)\n    finally:\n        LOG.removeHandler(handler)\n    return seen, len(LOG.handlers)\n",
        "import logging\n\nLOG = logging.getLogger('$mod')\n\n\ndef lines(call):\n    seen = []\n    handler = logging.Handler()\n    handler.emit = lambda record: seen.append(record.getMessage())\n    count = len(LOG.handlers)\n    LOG.addHandler(handler)\n    call(LOG)\n    return seen, count\n",
        "from $pkg.$mod import lines\n\n\ndef test_one():\n    assert lines(lambda log: log.error('$w')) == (['$w'], 0)\n\n\ndef test_two():\n    assert lines(lambda log: log.error('$v')) == (['$v'], 0)\n",
    ),
)

ASSERTION = (
    _row(
        "message_typo",
        "def check(age):\n    if age < 0:\n        raise ValueError(f'age must not be negative: {age}')\n    return age\n",
        "def check(age):\n    if age < 0:\n        raise ValueError(f'age must be negative: {age}')\n    return age\n",
        "import pytest\n\nfrom $pkg.$mod import check\n\n\ndef test_check():\n    assert check($n) == $n\n    with pytest.raises(ValueError, match='must not be negative: -$n'):\n        check(-$n)\n",
    ),
    _row(
        "other_exception",
        "def find(items, key):\n    try:\n        return items[key]\n    except KeyError:\n        raise LookupError(f'no {key}') from None\n",
        "def find(items, key):\n    return items[key].strip()\n",
        "import pytest\n\nfrom $pkg.$mod import find\n\n\ndef test_find():\n    assert find({'a': '$w'}, 'a') == '$w'\n    with pytest.raises(LookupError, match='no b'):\n        find({'a': '$w'}, 'b')\n",
    ),
    _row(
        "field_lost",
        "def row(name, price):\n    return {'name': name, 'price': price, 'tax': round(price * 0.19, 2)}\n",
        "def row(name, price):\n    return {'name': name, 'price': price}\n",
        "from $pkg.$mod import row\n\n\ndef test_row():\n    assert row('$w', 100) == {'name': '$w', 'price': 100, 'tax': 19.0}\n",
    ),
    _row(
        "escape_lost",
        "import html\n\n\ndef cell(text):\n    return f'<td>{html.escape(text)}</td>'\n",
        "def cell(text):\n    return f'<td>{text}</td>'\n",
        "from $pkg.$mod import cell\n\n\ndef test_cell():\n    assert cell('<$w>') == '<td>&lt;$w&gt;</td>'\n",
    ),
    _row(
        "order_lost",
        "def ranking(scores):\n    return sorted(scores, key=scores.get, reverse=True)\n",
        "def ranking(scores):\n    return list(scores)\n",
        "from $pkg.$mod import ranking\n\n\ndef test_ranking():\n    assert ranking({'$w': $n, '$v': $m}) == ['$v', '$w']\n",
    ),
    _row(
        "type_changed",
        "def amount(text):\n    return int(text.strip())\n",
        "def amount(text):\n    return text.strip()\n",
        "from $pkg.$mod import amount\n\n\ndef test_amount():\n    assert amount(' $m ') == $m\n",
    ),
    _row(
        "golden",
        "def page(items):\n    return '\\n'.join(f'{i}. {item}' for i, item in enumerate(items, 1)) + '\\n'\n",
        "def page(items):\n    return '\\n'.join(f'{i}. {item}' for i, item in enumerate(items)) + '\\n'\n",
        "from pathlib import Path\n\nfrom $pkg.$mod import page\n\n\ndef test_page():\n    assert page(['$w', '$v']) == (Path(__file__).parent / 'data' / '$mod.txt').read_text()\n",
        files={"${tests}data/$mod.txt": "1. $w\n2. $v\n"},
    ),
    _row(
        "precision_lost",
        "def share(part, whole):\n    return round(part / whole, 3)\n",
        "def share(part, whole):\n    return round(part / whole, 1)\n",
        "from $pkg.$mod import share\n\n\ndef test_share():\n    assert share($n, 16) == round($n / 16, 3)\n    assert share(1, 3) == 0.333\n",
    ),
    _row(
        "count",
        "def call(send, items):\n    for item in items:\n        send(item)\n",
        "def call(send, items):\n    for item in items[:-1]:\n        send(item)\n",
        "from unittest.mock import Mock\n\nfrom $pkg.$mod import call\n\n\ndef test_call():\n    send = Mock()\n    call(send, ['a', 'b', 'c'])\n    assert send.call_count == 3\n    send.assert_called_with('c')\n",
    ),
    _row(
        "printed",
        "def show(name):\n    print(f'Hello, {name}!')\n",
        "def show(name):\n    print(f'Hello, {name!r}!')\n",
        "from $pkg.$mod import show\n\n\ndef test_show(capsys):\n    show('$w')\n    assert capsys.readouterr().out == 'Hello, $w!\\n'\n",
    ),
    _row(
        "whitespace",
        "def join(parts):\n    return ', '.join(p.strip() for p in parts)\n",
        "def join(parts):\n    return ', '.join(parts)\n",
        "from $pkg.$mod import join\n\n\ndef test_join():\n    assert join(['$w ', ' $v']) == '$w, $v'\n",
    ),
    _row(
        "unit",
        "SECONDS = 60\n\n\ndef wait(minutes):\n    return minutes * SECONDS\n",
        "SECONDS = 1\n\n\ndef wait(minutes):\n    return minutes * SECONDS\n",
        "from $pkg.$mod import wait\n\n\ndef test_wait():\n    assert wait($n) == $n * 60\n\n\ndef test_more():\n    assert wait(2) == 120\n",
    ),
)

API = (
    _row(
        "sibling_left",
        "def remove_all(items, value):\n    return [i for i in items if i != value]\n\n\ndef remove_first(items, value):\n    items = list(items)\n    items.remove(value)\n    return items\n",
        "def remove_first(items, value):\n    items = list(items)\n    items.remove(value)\n    return items\n",
        "from $pkg.$mod import remove_all\n\n\ndef test_remove():\n    assert remove_all(['$w', '$v'], '$w') == ['$v']\n",
    ),
    _row(
        "method_lost",
        "class Stock:\n    def __init__(self, items):\n        self.items = list(items)\n\n    def get(self, name):\n        return name if name in self.items else None\n\n    def fetch(self, name):\n        if name not in self.items:\n            raise KeyError(name)\n        return name\n",
        "class Stock:\n    def __init__(self, items):\n        self.items = list(items)\n\n    def get(self, name):\n        return name if name in self.items else None\n",
        "from $pkg.$mod import Stock\n\n\ndef test_fetch():\n    assert Stock(['$w']).fetch('$w') == '$w'\n",
    ),
    _row(
        "check_parameter_lost",
        "def parse(text, strict=False):\n    if strict and not text.isdigit():\n        raise ValueError(text)\n    return text.strip('x')\n",
        "def parse(text):\n    return text.strip('x')\n",
        "from $pkg.$mod import parse\n\n\ndef test_plain():\n    assert parse('x$n') == '$n'\n\n\ndef test_strict():\n    assert parse('$m', strict=True) == '$m'\n",
    ),
    _row(
        "parameters_swapped",
        "def ratio(part, whole):\n    return part / whole\n",
        "def ratio(whole, part):\n    return part / whole\n",
        "from $pkg.$mod import ratio\n\n\ndef test_ratio():\n    assert ratio($n, 2) == $n / 2\n",
    ),
    _row(
        "listed_export_lost",
        "__all__ = ['price']\n\nfrom decimal import Decimal\n\n\ndef price(n):\n    return Decimal(n)\n",
        "__all__ = ['price']\n\nfrom decimal import Decimal\n\n\ndef _price(n):\n    return Decimal(n)\n",
        "from $pkg.$mod import price\n\n\ndef test_price():\n    assert price($n) == $n\n",
    ),
    _row(
        "result_wrapped",
        "def load(items):\n    return [i for i in items if i]\n",
        "def load(items):\n    return [[i for i in items if i]]\n",
        "from $pkg.$mod import load\n\n\ndef test_load():\n    assert load(['$w', '', '$v']) == ['$w', '$v']\n    assert len(load(['a', '', 'b'])) == 2\n",
    ),
    _row(
        "key_typo",
        "def summary(items):\n    return {'count': len(items), 'total': sum(items)}\n\n\ndef average(items):\n    found = summary(items)\n    return found['total'] / found['count']\n",
        "def summary(items):\n    return {'count': len(items), 'totla': sum(items)}\n\n\ndef average(items):\n    found = summary(items)\n    return found['total'] / found['count']\n",
        "from $pkg.$mod import average, summary\n\n\ndef test_summary():\n    assert summary([$n, $m])['total'] == $n + $m\n\n\ndef test_average():\n    assert average([$n, $n]) == $n\n",
    ),
    _row(
        "attribute_typo",
        "class Item:\n    def __init__(self, name):\n        self.name = name\n\n    def label(self):\n        return self.name.upper()\n",
        "class Item:\n    def __init__(self, name):\n        self.nmae = name\n\n    def label(self):\n        return self.name.upper()\n",
        "from $pkg.$mod import Item\n\n\ndef test_name():\n    assert Item('$w').name == '$w'\n",
    ),
    _row(
        "property_lost",
        "class Item:\n    def __init__(self, price):\n        self.price = price\n\n    @property\n    def gross(self):\n        return self.price * 2\n\n    def double(self):\n        return self.gross * 2\n",
        "class Item:\n    def __init__(self, price):\n        self.price = price\n\n    def gross(self):\n        return self.price * 2\n\n    def double(self):\n        return self.gross * 2\n",
        "from $pkg.$mod import Item\n\n\ndef test_gross():\n    assert Item($n).gross == 2 * $n\n",
    ),
    _row(
        "required_now",
        "def greet(name, greeting='Hello'):\n    return f'{greeting}, {name}'\n\n\ndef welcome(name):\n    return greet(name) + '!'\n",
        "def greet(name, greeting):\n    return f'{greeting}, {name}'\n\n\ndef welcome(name):\n    return greet(name) + '!'\n",
        "from $pkg.$mod import greet, welcome\n\n\ndef test_greet():\n    assert greet('$w') == 'Hello, $w'\n\n\ndef test_welcome():\n    assert welcome('$v') == 'Hello, $v!'\n",
    ),
)

API += (
    _row(
        "async_by_mistake",
        "def load(n):\n    return [n]\n\n\ndef first(n):\n    return load(n)[0]\n",
        "async def load(n):\n    return [n]\n\n\ndef first(n):\n    return load(n)[0]\n",
        "from $pkg.$mod import first, load\n\n\ndef test_load():\n    assert load($n) == [$n]\n\n\ndef test_first():\n    assert first($m) == $m\n",
    ),
    _row(
        "lazy_by_mistake",
        "def evens(items):\n    return [i for i in items if i % 2 == 0]\n\n\ndef share(items):\n    return len(evens(items)) / len(items)\n",
        "def evens(items):\n    return (i for i in items if i % 2 == 0)\n\n\ndef share(items):\n    return len(evens(items)) / len(items)\n",
        "from $pkg.$mod import evens, share\n\n\ndef test_evens():\n    assert evens([1, 2, $m * 2]) == [2, $m * 2]\n\n\ndef test_share():\n    assert share([1, 2]) == 0.5\n",
    ),
    _row(
        "exhausted",
        "class Report:\n    def __init__(self, rows):\n        self.rows = [r.strip() for r in rows]\n\n    def lines(self):\n        return list(self.rows)\n",
        "class Report:\n    def __init__(self, rows):\n        self.rows = (r.strip() for r in rows)\n\n    def lines(self):\n        return list(self.rows)\n",
        "from $pkg.$mod import Report\n\n\ndef test_lines():\n    report = Report([' $w', '$v '])\n    assert report.lines() == ['$w', '$v']\n    assert report.lines() == ['$w', '$v']\n",
    ),
    _row(
        "bytes_by_mistake",
        "import hashlib\n\n\ndef token(text):\n    return hashlib.sha256(text.encode()).hexdigest()[:$n]\n",
        "import hashlib\n\n\ndef token(text):\n    return hashlib.sha256(text.encode()).digest()[:$n]\n",
        "import hashlib\n\nfrom $pkg.$mod import token\n\n\ndef test_token():\n    assert token('$w') == hashlib.sha256(b'$w').hexdigest()[:$n]\n",
    ),
    _row(
        "none_returned",
        "def found(items, value):\n    for i, item in enumerate(items):\n        if item == value:\n            return i\n    return -1\n",
        "def found(items, value):\n    for i, item in enumerate(items):\n        if item == value:\n            return i\n",
        "from $pkg.$mod import found\n\n\ndef test_found():\n    assert found(['$w'], '$w') == 0\n    assert found(['$w'], '$v') == -1\n",
    ),
    _row(
        "exception_swapped",
        "class NotFound(LookupError):\n    pass\n\n\nclass Denied(PermissionError):\n    pass\n\n\ndef read(store, key, user):\n    if user != 'admin':\n        raise Denied(key)\n    if key not in store:\n        raise NotFound(key)\n    return store[key]\n",
        "class NotFound(LookupError):\n    pass\n\n\nclass Denied(PermissionError):\n    pass\n\n\ndef read(store, key, user):\n    if key not in store:\n        raise NotFound(key)\n    if user != 'admin':\n        raise Denied(key)\n    return store[key]\n",
        "import pytest\n\nfrom $pkg.$mod import Denied, read\n\n\ndef test_denied():\n    with pytest.raises(Denied):\n        read({}, '$w', 'guest')\n",
    ),
    _row(
        "check_skipped",
        "def withdraw(balance, amount):\n    if amount > balance:\n        raise ValueError('not enough')\n    return balance - amount\n",
        "def withdraw(balance, amount):\n    if amount < 0:\n        raise ValueError('not enough')\n    return balance - amount\n",
        "import pytest\n\nfrom $pkg.$mod import withdraw\n\n\ndef test_withdraw():\n    assert withdraw($m, 1) == $m - 1\n    with pytest.raises(ValueError, match='not enough'):\n        withdraw(1, $m)\n",
    ),
    _row(
        "enum_renumbered",
        "import enum\n\n\nclass State(enum.IntEnum):\n    NEW = 1\n    PAID = 2\n    SENT = 3\n",
        "import enum\n\n\nclass State(enum.IntEnum):\n    NEW = 1\n    OPEN = 2\n    PAID = 3\n    SENT = 4\n",
        "from $pkg.$mod import State\n\n\ndef test_states():\n    assert State.PAID == 2\n    assert State(3) is State.SENT\n",
    ),
)

DEPENDENCY = (
    _row(
        "needed_at_import",
        "import os\n\nCURRENCY = os.environ.get('SHOP_CURRENCY', 'eur')\n\n\ndef currency():\n    return CURRENCY.upper()\n",
        "import os\n\nCURRENCY = os.environ['SHOP_CURRENCY']\n\n\ndef currency():\n    return CURRENCY.upper()\n",
        "from $pkg.$mod import currency\n\n\ndef test_currency():\n    assert currency() == 'EUR'\n",
    ),
    _row(
        "module_emptied",
        "from decimal import Decimal\n\n\ndef price(n):\n    return Decimal(n)\n\n\ndef double(n):\n    return price(n) * 2\n",
        "from decimal import Decimal\n",
        "from $pkg.$mod import double, price\n\n\ndef test_price():\n    assert price($n) == $n\n    assert double($n) == 2 * $n\n",
    ),
    _row(
        "missing_library",
        "import json\n\n\ndef dump(data):\n    return json.dumps(data, sort_keys=True)\n",
        "import orjson_$w as json\n\n\ndef dump(data):\n    return json.dumps(data, sort_keys=True)\n",
        "from $pkg.$mod import dump\n\n\ndef test_dump():\n    assert dump({'b': 1, 'a': $n}) == '{\"a\": $n, \"b\": 1}'\n",
    ),
    _row(
        "warning_raised",
        "import datetime\n\n\ndef year(seconds):\n    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).year\n",
        "import datetime\nimport warnings\n\n\ndef year(seconds):\n    warnings.warn('year of local time is deprecated', DeprecationWarning)\n    return datetime.datetime.fromtimestamp(seconds).year\n",
        "import pytest\n\nfrom $pkg.$mod import year\n\n\n@pytest.mark.filterwarnings('error')\ndef test_year():\n    assert year(86400 * 400) == 1971\n",
    ),
    _row(
        "namesake_module",
        "def clean(text):\n    return text.strip().lower()\n",
        "from string import capwords\n\n\ndef tidy(text):\n    return capwords(text).lower()\n\n\ndef clear(text):\n    return text.strip()\n",
        "from $pkg.$mod import clean\n\n\ndef test_clean():\n    assert clean(' $w ') == '$w'\n",
    ),
)

DEPENDENCY += (
    _row(
        "export_lost",
        "from .${mod}_core import total_$w\n",
        '"""Totals."""\n',
        "from $pkg.$mod import total_$w\n\n\ndef test_total():\n    assert total_$w([1, $n]) == 1 + $n\n",
        files={"${src}${mod}_core.py": "def total_$w(items):\n    return sum(items)\n"},
    ),
    _row(
        "promised_export_lost",
        "from .${mod}_core import total_$w\n\n__all__ = ['total_$w']\n",
        "__all__ = ['total_$w']\n",
        "from $pkg.$mod import total_$w\n\n\ndef test_total():\n    assert total_$w([1, $n]) == 1 + $n\n",
        files={"${src}${mod}_core.py": "def total_$w(items):\n    return sum(items)\n"},
    ),
    _row(
        "encoded_by_mistake",
        "def clean(text):\n    return text.strip()\n\n\ndef label(text):\n    return clean(text) + '!'\n",
        "def clean(text):\n    return text.strip().encode()\n\n\ndef label(text):\n    return clean(text) + '!'\n",
        "from $pkg.$mod import clean, label\n\n\ndef test_clean():\n    assert clean(' $w ') == '$w'\n\n\ndef test_label():\n    assert label('$v') == '$v!'\n",
    ),
    _row(
        "constant_truncated",
        "FULL = 3.141592653589793\n\n\ndef area(r):\n    return FULL * r * r\n",
        "FULL = 3.1415926\n\n\ndef area(r):\n    return FULL * r * r\n",
        "from $pkg.$mod import area\n\n\ndef test_area():\n    assert area($n) == 3.141592653589793 * $n * $n\n",
    ),
    _row(
        "warning_lost",
        "import warnings\n\n\ndef old(n):\n    warnings.warn('use new', DeprecationWarning)\n    return n\n",
        "def old(n):\n    return n\n",
        "import pytest\n\nfrom $pkg.$mod import old\n\n\ndef test_old():\n    with pytest.warns(DeprecationWarning, match='use new'):\n        assert old($n) == $n\n",
    ),
)

TABLE = (*ENVIRONMENT, *TIMING, *FLAKY, *ASSERTION, *API, *DEPENDENCY)
