"""Planted environments, timings and flaky tests. Their heals have many right forms, so only what they do is judged."""

# ruff: noqa: E501 (texts of whole files, one a line)
from __future__ import annotations

from .templates import Template

ENV = "environment_healing"
TIME = "timing_adjustment"
FLAKY = "flaky_test_stabilization"


def _row(strategy: str, tactic: str, name: str, product: str, test: str, **more: object) -> Template:
    return Template(strategy, tactic, name, test, product=product, **more)  # type: ignore[arg-type]


SLOW = "import threading\nimport time\n\nDELAY = {delay}\n\n\ndef work(n):\n    time.sleep(DELAY)\n    return n * 2\n\n\ndef start(n, out):\n    thread = threading.Thread(target=lambda: out.append(work(n)))\n    thread.start()\n    return thread\n"
FAST, SLOWER = SLOW.format(delay="0.001"), SLOW.format(delay="0.15")
LOAD = "import asyncio\n\n\nasync def load(n):\n    await asyncio.sleep({delay})\n    return n + 1\n"
CACHE = "CACHE = {}\n\n\ndef put(key, value):\n    CACHE[key] = value\n\n\ndef get(key, default=None):\n    return CACHE.get(key, default)\n\n\ndef size():\n    return len(CACHE)\n"
TABLE = (
    _row(
        ENV,
        "environment_variable",
        "missing_variable",
        "import os\n\n\ndef currency():\n    return os.environ['SHOP_CURRENCY'].upper()\n",
        "from $pkg.$mod import currency\n\n\ndef test_currency():\n    assert currency() == 'EUR'\n",
        files={".env.example": "SHOP_CURRENCY=eur\n"},
        green_env={"SHOP_CURRENCY": "eur"},
        expected=(
            "from $pkg.$mod import currency\n\n\ndef test_currency(monkeypatch):\n    monkeypatch.setenv('SHOP_CURRENCY', 'eur')\n    assert currency() == 'EUR'\n",
        ),
        weight=2,
    ),
    _row(
        ENV,
        "environment_variable",
        "leaking_variable",
        "import os\n\n\ndef level():\n    return os.environ.get('SHOP_LEVEL', 'info')\n",
        "from $pkg.$mod import level\n\n\ndef test_level():\n    assert level() == 'info'\n",
        red_env={"SHOP_LEVEL": "debug"},
        expected=(
            "from $pkg.$mod import level\n\n\ndef test_level(monkeypatch):\n    monkeypatch.delenv('SHOP_LEVEL', raising=False)\n    assert level() == 'info'\n",
        ),
        weight=2,
    ),
    _row(
        ENV,
        "working_directory",
        "relative_path",
        "def read(path):\n    with open(path) as f:\n        return f.read().strip()\n",
        "from $pkg.$mod import read\n\n\ndef test_read():\n    assert read('${tests}data/$mod.txt') == '$w'\n",
        files={"${tests}data/$mod.txt": "$w\n"},
        cwd="$src",
        expected=(
            "from pathlib import Path\n\nfrom $pkg.$mod import read\n\n\ndef test_read():\n    assert read(Path(__file__).parent / 'data' / '$mod.txt') == '$w'\n",
        ),
        weight=2,
    ),
    _row(
        ENV,
        "leftover",
        "leftover_folder",
        "import os\n\n\ndef save(folder, text):\n    os.mkdir(folder)\n    with open(os.path.join(folder, 'a.txt'), 'w') as f:\n        f.write(text)\n    return os.listdir(folder)\n",
        "import shutil\n\nfrom $pkg.$mod import save\n\n\ndef test_save():\n    assert save('$mod-out', '$w') == ['a.txt']\n    shutil.rmtree('$mod-out')\n",
        files_after={"$mod-out/old.txt": "left behind\n"},
        expected=("from $pkg.$mod import save\n\n\ndef test_save(tmp_path):\n    assert save(tmp_path / '$mod-out', '$w') == ['a.txt']\n",),
    ),
    _row(
        ENV,
        "time_zone",
        "time_zone",
        "import time\n\n\ndef stamp(seconds):\n    return time.strftime('%H:%M', time.localtime(seconds))\n",
        "from $pkg.$mod import stamp\n\n\ndef test_stamp():\n    assert stamp(3600 * $n) == '0$n:00'\n",
        green_env={"TZ": "UTC"},
        red_env={"TZ": "Asia/Tokyo"},
        expected=(
            "import time\n\nfrom $pkg.$mod import stamp\n\n\ndef test_stamp(monkeypatch):\n    monkeypatch.setenv('TZ', 'UTC')\n    time.tzset()\n    assert stamp(3600 * $n) == '0$n:00'\n",
        ),
    ),
    _row(
        ENV,
        "encoding",
        "open_encoding",
        "def title(text):\n    return text.splitlines()[0].upper()\n",
        "from pathlib import Path\n\nfrom $pkg.$mod import title\n\n\ndef test_title():\n    with open(Path(__file__).parent / 'data' / '$mod.txt') as f:\n        assert title(f.read()) == 'ÄPFEL $m'\n",
        files={"${tests}data/$mod.txt": "äpfel $m\n"},
        green_env={"PYTHONUTF8": "1"},
        red_env={"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        expected=(
            "from pathlib import Path\n\nfrom $pkg.$mod import title\n\n\ndef test_title():\n    with open(Path(__file__).parent / 'data' / '$mod.txt', encoding='utf-8') as f:\n        assert title(f.read()) == 'ÄPFEL $m'\n",
        ),
    ),
    _row(
        ENV,
        "terminal",
        "terminal_width",
        "import shutil\n\n\ndef line():\n    return '-' * (shutil.get_terminal_size().columns // 10)\n",
        "from $pkg.$mod import line\n\n\ndef test_line():\n    assert line() == '-' * 8\n",
        green_env={"COLUMNS": "80"},
        red_env={"COLUMNS": "132"},
        expected=(
            "from $pkg.$mod import line\n\n\ndef test_line(monkeypatch):\n    monkeypatch.setenv('COLUMNS', '80')\n    assert line() == '-' * 8\n",
        ),
    ),
    _row(
        ENV,
        "home",
        "home_folder",
        "import os\n\n\ndef config():\n    path = os.path.expanduser('~/.shoprc')\n    with open(path) as f:\n        return f.read().strip()\n",
        "import os\n\nfrom $pkg.$mod import config\n\n\ndef test_config():\n    with open(os.path.expanduser('~/.shoprc'), 'w') as f:\n        f.write('$w')\n    assert config() == '$w'\n    os.remove(os.path.expanduser('~/.shoprc'))\n",
        green_env={"HOME": "/tmp"},
        red_env={"HOME": "/nonexistent"},
        expected=(
            "import os\n\nfrom $pkg.$mod import config\n\n\ndef test_config(tmp_path, monkeypatch):\n    monkeypatch.setenv('HOME', str(tmp_path))\n    with open(os.path.expanduser('~/.shoprc'), 'w') as f:\n        f.write('$w')\n    assert config() == '$w'\n    os.remove(os.path.expanduser('~/.shoprc'))\n",
        ),
    ),
    _row(
        TIME,
        "timeout",
        "future_timeout",
        FAST,
        "from concurrent.futures import ThreadPoolExecutor\n\nfrom $pkg.$mod import work\n\n\ndef test_work():\n    with ThreadPoolExecutor() as pool:\n        assert pool.submit(work, $n).result(timeout=0.05) == 2 * $n\n",
        product_after=SLOWER,
        message="work: flush to disk before answering",
        expected=(
            "from concurrent.futures import ThreadPoolExecutor\n\nfrom $pkg.$mod import work\n\n\ndef test_work():\n    with ThreadPoolExecutor() as pool:\n        assert pool.submit(work, $n).result(timeout=5) == 2 * $n\n",
        ),
        weight=2,
    ),
    _row(
        TIME,
        "timeout",
        "wait_for",
        LOAD.format(delay="0"),
        "import asyncio\n\nfrom $pkg.$mod import load\n\n\ndef test_load():\n    assert asyncio.run(asyncio.wait_for(load($n), timeout=0.05)) == $n + 1\n",
        product_after=LOAD.format(delay="0.15"),
        message="load: one more round trip",
        expected=(
            "import asyncio\n\nfrom $pkg.$mod import load\n\n\ndef test_load():\n    assert asyncio.run(asyncio.wait_for(load($n), timeout=5)) == $n + 1\n",
        ),
    ),
    _row(
        TIME,
        "timeout",
        "join_timeout",
        FAST,
        "from $pkg.$mod import start\n\n\ndef test_start():\n    out = []\n    start($n, out).join(0.05)\n    assert out == [2 * $n]\n",
        product_after=SLOWER,
        message="work: flush to disk before answering",
        expected=("from $pkg.$mod import start\n\n\ndef test_start():\n    out = []\n    start($n, out).join(5)\n    assert out == [2 * $n]\n",),
    ),
    _row(
        TIME,
        "fixed_sleep",
        "fixed_sleep",
        FAST,
        "import time\n\nfrom $pkg.$mod import start\n\n\ndef test_start():\n    out = []\n    start($n, out)\n    time.sleep(0.05)\n    assert out == [2 * $n]\n",
        product_after=SLOWER,
        message="work: flush to disk before answering",
        expected=(
            "import time\n\nfrom $pkg.$mod import start\n\n\ndef test_start():\n    out = []\n    start($n, out)\n    time.sleep(1)\n    assert out == [2 * $n]\n",
        ),
        weight=2,
    ),
    _row(
        TIME,
        "elapsed_bound",
        "elapsed_bound",
        FAST,
        "import time\n\nfrom $pkg.$mod import work\n\n\ndef test_work():\n    begin = time.monotonic()\n    assert work($n) == 2 * $n\n    assert time.monotonic() - begin < 0.1\n",
        product_after=SLOWER,
        message="work: flush to disk before answering",
        expected=(
            "import time\n\nfrom $pkg.$mod import work\n\n\ndef test_work():\n    begin = time.monotonic()\n    assert work($n) == 2 * $n\n    assert time.monotonic() - begin < 1\n",
        ),
    ),
    _row(
        TIME,
        "missing_await",
        "missing_await",
        LOAD.format(delay="0"),
        "import asyncio\n\nfrom $pkg.$mod import load\n\n\nasync def both():\n    one = await load($n)\n    return one\n\n\ndef test_load():\n    assert asyncio.run(both()) == $n + 1\n",
        broken="import asyncio\n\nfrom $pkg.$mod import load\n\n\nasync def both():\n    one = load($n)\n    return one\n\n\ndef test_load():\n    assert asyncio.run(both()) == $n + 1\n",
        weight=2,
    ),
    _row(
        TIME,
        "missing_join",
        "missing_join",
        SLOW.format(delay="0.05"),
        "from $pkg.$mod import start\n\n\ndef test_start():\n    out = []\n    thread = start($n, out)\n    thread.join()\n    assert out == [2 * $n]\n",
        broken="from $pkg.$mod import start\n\n\ndef test_start():\n    out = []\n    thread = start($n, out)\n    assert out == [2 * $n]\n",
    ),
    _row(
        FLAKY,
        "order_dependent",
        "polluter",
        CACHE,
        "import pytest\n\nfrom $pkg import $mod\n\n\n@pytest.fixture\ndef clean(monkeypatch):\n    monkeypatch.setattr($mod, 'CACHE', {})\n\n\ndef test_put(clean):\n    $mod.put('$w', $n)\n    assert $mod.get('$w') == $n\n\n\ndef test_empty():\n    assert $mod.size() == 0\n",
        broken="from $pkg import $mod\n\n\ndef test_put():\n    $mod.put('$w', $n)\n    assert $mod.get('$w') == $n\n\n\ndef test_empty():\n    assert $mod.size() == 0\n",
        weight=2,
    ),
    _row(
        FLAKY,
        "order_dependent",
        "environment_polluter",
        "import os\n\n\ndef mode():\n    return os.environ.get('SHOP_MODE', 'plain')\n",
        "import os\n\nfrom $pkg.$mod import mode\n\n\ndef test_fast(monkeypatch):\n    monkeypatch.setenv('SHOP_MODE', '$w')\n    assert mode() == '$w'\n\n\ndef test_plain():\n    assert mode() == 'plain'\n",
        broken="import os\n\nfrom $pkg.$mod import mode\n\n\ndef test_fast():\n    os.environ['SHOP_MODE'] = '$w'\n    assert mode() == '$w'\n\n\ndef test_plain():\n    assert mode() == 'plain'\n",
        weight=2,
    ),
    _row(
        FLAKY,
        "random_seed",
        "unseeded",
        "import random\n\n\ndef pick(items):\n    return random.choice(items)\n",
        "import random\n\nfrom $pkg.$mod import pick\n\n\ndef test_pick():\n    random.seed(1)\n    want = random.choice(range($m))\n    random.seed(1)\n    assert pick(range($m)) == want\n\n\ndef test_spread():\n    random.seed(2)\n    assert len({pick(range($m)) for _ in range(4)}) == 4\n",
        broken="from $pkg.$mod import pick\n\n\ndef test_pick():\n    assert pick(range($m)) in range($m)\n\n\ndef test_spread():\n    assert len({pick(range(6)) for _ in range(4)}) == 4\n",
        tries=4,
        weight=2,
    ),
    _row(
        FLAKY,
        "hash_order",
        "set_to_list",
        "def tags(text):\n    return set(text.split())\n",
        "from $pkg.$mod import tags\n\n\ndef test_tags():\n    assert sorted(tags('$w $v ash')) == sorted(['$w', '$v', 'ash'])\n",
        broken="from $pkg.$mod import tags\n\n\ndef test_tags():\n    assert list(tags('$w $v ash')) == ['$w', '$v', 'ash']\n",
        tries=4,
        weight=2,
    ),
    _row(
        FLAKY,
        "shared_file",
        "shared_file",
        "import os\n\n\ndef append(path, line):\n    with open(path, 'a') as f:\n        f.write(line)\n    return os.path.getsize(path)\n",
        "from $pkg.$mod import append\n\n\ndef test_one(tmp_path):\n    assert append(tmp_path / 'log', '$w') == len('$w')\n\n\ndef test_two(tmp_path):\n    assert append(tmp_path / 'log', '$v') == len('$v')\n",
        broken="import os\nimport tempfile\n\nfrom $pkg.$mod import append\n\nLOG = os.path.join(tempfile.mkdtemp(), 'log')\n\n\ndef test_one():\n    assert append(LOG, '$w') == len('$w')\n\n\ndef test_two():\n    assert append(LOG, '$v') == len('$v')\n",
    ),
)
