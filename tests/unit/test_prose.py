"""A plain word that is said to people is no name; a name in any other text is one."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_maestro_healer.config import HealerConfig
from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.evidence.finished.names.mentions import still_said


@pytest.mark.parametrize(
    ("code", "word", "said"),
    [
        ("parser.add_argument('--rate', help='in percent')", "percent", False),
        ("parser = ArgumentParser(description='price in percent')", "percent", False),
        ("@click.option('--rate', help='in percent')\ndef f(): pass", "percent", False),
        ("parser.add_argument('--rate', metavar='in percent')", "percent", True),
        ("parser.add_argument('--rate', help='percent')", "percent", True),
        ("parser.add_argument('--rate', help='see cart.percent there')", "percent", True),
        ("parser.add_argument('--rate', help='the %(percent)s of all')", "percent", True),
        ("parser.add_argument('--rate', dest='in percent')", "percent", True),
        ("column(help='in percent')", "percent", True),
        ("logger.info('total %s', x)", "total", False),
        ("logging.getLogger('x').info('total %s', x)", "total", False),
        ("self.log.debug(f'{x} of total')", "total", False),
        ("logger.log(10, 'the total is', x)", "total", False),
        ("logger.info('total')", "total", True),
        ("logger.info('a %(total)s', {})", "total", True),
        ("logger.info('a {total} here', {})", "total", True),
        ("logger.info('the cart.total is', x)", "total", True),
        ("logger.info('call total() here')", "total", True),
        ("logger.info('x %s', 'the total')", "total", True),
        ("logger.info('select total from cart')", "total", True),
        ("logger.info('the grand_total %s', x)", "grand_total", True),
        ("queue.info('the total %s', x)", "total", True),
        ("logger.send('the total %s', x)", "total", True),
        ("raise ValueError('negative total')", "total", False),
        ("raise ValueError(f'total out of range: {x}')", "total", False),
        ("raise ValueError('total out of range: %s' % x)", "total", False),
        ("raise ValueError('total')", "total", True),
        ("raise ValueError(f'{total} is negative')", "total", True),
        ("raise ValueError(TEXTS['negative total'])", "total", True),
        ("x = ValueError('negative total')", "total", True),
        ("names = 'number total'.split()", "total", True),
    ],
)
def test_what_is_said_to_people_names_nothing(tmp_path: Path, code: str, word: str, said: bool) -> None:
    (tmp_path / "shop.py").write_text(code + "\n")
    assert bool(still_said(Context(tmp_path, HealerConfig()), word, ["other"])) is said
