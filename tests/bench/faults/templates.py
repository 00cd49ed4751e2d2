"""Faults that need a place which real tests seldom have: a small feature is planted in the host first, product and tests, and then broken.

One template is one row of the ``TABLE`` of a ``templates_*`` module. Its texts are :class:`string.Template` s: ``$pkg`` is the host's package,
``$mod`` the planted module, ``$n``, ``$m`` numbers and ``$w``, ``$v`` words that differ from case to case.
"""

from __future__ import annotations

import random
import string
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field

from .edits import with_changelog
from .model import MESSAGES, NEGATIVE, Fault, Host
from .registry import ROWS, Row

MODULES = ("ledger", "stock", "basket", "ticket", "invoice", "parcel")
WORDS = ("maple", "cedar", "birch", "aspen", "rowan", "hazel", "alder", "linden")


@dataclass(frozen=True)
class Template:
    """One planted feature and what breaks it.

    ``product`` and ``test`` are the green state; ``product_after`` and ``broken`` what they become (same when empty); ``expected`` the
    healed test (``test`` when empty; several are allowed, the first is the oracle's), ``expected_files`` healed data files instead. With
    ``changelog`` or ``message`` the change is committed and says so. ``files`` and ``files_after`` are further files by path; ``$tests``
    and ``$src`` begin paths in the test folder and the package. The rest is as in :class:`~faults.model.Fault`.
    """

    strategy: str
    tactic: str
    name: str
    test: str
    product: str = ""
    product_after: str = ""
    broken: str = ""
    expected: tuple[str, ...] = ()
    message: str = ""
    changelog: str = ""
    advice: str = ""
    still_red: tuple[str, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    files_after: Mapping[str, str] = field(default_factory=dict)
    green_env: Mapping[str, str] = field(default_factory=dict)
    red_env: Mapping[str, str] = field(default_factory=dict)
    cwd: str = "."
    tries: int = 1
    weight: int = 1
    expected_files: Mapping[str, str] = field(default_factory=dict)


def fault_of(template: Template, host: Host, rng: random.Random) -> Fault:
    """The template in a host."""
    word, other = rng.sample(WORDS, 2)
    names = {
        "pkg": host.package,
        "mod": rng.choice(MODULES),
        "n": str(rng.randrange(3, 9)),
        "m": str(rng.randrange(11, 99)),
        "w": word,
        "v": other,
        "tests": host.test_folder,
        "src": host.source + "/",
    }

    def fill(text: str) -> bytes:
        return string.Template(textwrap.dedent(text.lstrip("\n"))).substitute(names).encode()

    def path(text: str) -> str:
        return string.Template(text).substitute(names)

    test, product = f"{host.test_folder}test_{names['mod']}.py", f"{host.source}/{names['mod']}.py"
    base: dict[str, bytes | None] = {test: fill(template.test), **{path(p): fill(t) for p, t in template.files.items()}}
    if template.product:
        base[product] = fill(template.product)
    changes: dict[str, bytes | None] = {path(p): fill(t) for p, t in template.files_after.items()}
    if template.product_after:
        changes[product] = fill(template.product_after)
    if template.broken:
        changes[test] = fill(template.broken)
    if template.changelog:
        changes = with_changelog(host, changes, path(template.changelog))
    expected = tuple(fill(e) for e in template.expected) or (fill(template.test),)
    return Fault(
        changes=changes,
        tests=(test,),
        expected={}
        if template.advice or template.strategy == NEGATIVE
        else {path(p): (fill(t),) for p, t in template.expected_files.items()} or {test: expected},
        base=base,
        message=path(template.message) or _said(template, rng),
        advice=path(template.advice),
        still_red=template.still_red,
        green_env=template.green_env,
        red_env=template.red_env,
        cwd=path(template.cwd).rstrip("/") or ".",
        tries=template.tries,
    )


def _said(template: Template, rng: random.Random) -> str:
    """Half of the regressions are committed, under a message that says nothing of them."""
    return rng.choice(MESSAGES).format(name="it") if template.strategy == NEGATIVE and rng.random() < 0.5 else ""


def _row(template: Template) -> Row:
    return Row(template.strategy, template.tactic, template.name, lambda host, rng: fault_of(template, host, rng), template.weight)


def _enter() -> None:
    from . import templates_api, templates_assertion, templates_dependency, templates_negative, templates_syntax, templates_unstable

    for module in (templates_syntax, templates_dependency, templates_api, templates_assertion, templates_unstable, templates_negative):
        ROWS.extend(_row(t) for t in module.TABLE)


_enter()
