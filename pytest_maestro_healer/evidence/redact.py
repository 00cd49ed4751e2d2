"""Secrets out of texts before they are recorded or reported: values of environment variables, headers, URLs, known kinds of tokens.

What is replaced becomes :data:`MASK`. A text is taken for a secret by its name (``API_TOKEN=...``, ``Authorization: ...``,
``https://user:password@host``) or by its own form; nothing here can know a password that stands alone in a sentence.

The forms of tokens are those their issuers document: GitHub (``ghp_``, ``github_pat_``), GitLab (``glpat-``), AWS access key ids (``AKIA``/``ASIA``),
Slack (``xox?-``), Stripe and OpenAI-like keys (``sk_live_``, ``sk-``), PyPI (``pypi-``), npm (``npm_``), Google API keys (``AIza``), JSON web tokens
(RFC 7519, ``eyJ...``), and PEM private keys (RFC 7468).
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from pytest_maestro_healer.model import HealingReport, HealingResult

MASK = "***"

_SECRET_NAME = (
    r"(?:pass(?:word|wd|phrase|code)?|pwd|secrets?|tokens?|credentials?|api[_-]?key|apikey|access[_-]?key|auth[_-]?key|private[_-]?key|"
    r"secret[_-]?key|signing[_-]?key|encryption[_-]?key|client[_-]?secret|authorization|auth|cookie|session[_-]?id|sessionid|csrf|dsn)"
)
_QUOTED = r"b?\"(?:[^\"\\\n]|\\.)*\"|b?'(?:[^'\\\n]|\\.)*'"
#: A name that ends in one of those words, with any prefix (``DB_PASSWORD``, ``githubToken``), before ``=``; or, in quotes, before a colon;
#: or, unquoted, before a colon and a quoted value or a line's end (so that ``test_token.py::test_auth: failed`` stays readable).
_ASSIGNED = re.compile(
    rf"(?<!\w)(?P<name>[\w.-]{{0,60}}?{_SECRET_NAME})(?:"
    rf"(?P<sep>[\"'\]]*\s*(?:=>|(?<![=!<>:])=(?!=))\s*|[\"']\]?\s*:(?![:=])\s*)(?P<value>{_QUOTED}|[^\s,;&)\]}}\"']+)|"
    rf"(?P<sep2>\s*:(?![:=])\s*)(?P<value2>{_QUOTED}|[^\s,;&)\]}}\"']+(?=\s*$)))",
    re.IGNORECASE | re.MULTILINE,
)
_HEADER = re.compile(
    r"(?P<name>\b(?:proxy-)?authorization|\b(?:set-)?cookie|\bx-[\w-]*(?:token|key|auth|secret)[\w-]*)(?P<sep>[\"']?\s*(?::(?!:)|(?<![=!<>])=(?!=))\s*)"
    r"(?P<value>\"[^\"\n]*\"|'[^'\n]*'|[^\n\"']+)",
    re.IGNORECASE,
)
_SCHEME = re.compile(
    r"\b(?P<name>bearer|(?:basic|digest|token)(?=\s+\S*(?:[\d=]|(?-i:[a-z][A-Z]))))(?P<sep>\s+)(?P<value>[A-Za-z0-9._~+/-]{8,}=*)", re.IGNORECASE
)
_URL = re.compile(r"(?P<scheme>\b[a-z][a-z0-9+.-]{1,20}://)(?P<user>[^\s/@'\"<>]+)@", re.IGNORECASE)
_TOKENS = re.compile(
    r"\bgh[pousr]_[A-Za-z0-9]{20,}|\bgithub_pat_\w{20,}|\bglpat-[\w-]{16,}|\b(?:AKIA|ASIA)[A-Z0-9]{16}\b|\bxox[abeoprs]-[A-Za-z0-9-]{10,}|"
    r"\b[sr]k[_-](?:live[_-]|test[_-]|proj-|ant-)?[A-Za-z0-9_-]{16,}|\bpypi-[A-Za-z0-9_-]{30,}|\bnpm_[A-Za-z0-9]{30,}|\bAIza[\w-]{30,}|"
    r"\beyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)?|-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)",
    re.DOTALL,
)
_NAME = re.compile(rf"(?:^|[_.-]|(?<=[a-z])){_SECRET_NAME}(?:$|[_.-]?\d*$|[_.-])|(?:^|_)key(?:$|_)", re.IGNORECASE)
#: Variables whose names look like it but whose values are no secrets: folders and sockets.
_HARMLESS = frozenset({"PWD", "OLDPWD", "SSH_AUTH_SOCK", "XAUTHORITY", "PASSWORD_STORE_DIR", "DBUS_SESSION_BUS_ADDRESS"})
_RANDOM = re.compile(r"(?=[^\d]*\d)(?=[^A-Za-z]*[A-Za-z])[A-Za-z0-9+/_=.-]{24,}")
#: What a mask would only make unreadable.
_PLAIN_VALUES = frozenset({"true", "false", "none", "null", "yes", "no", "on", "off", "", "''", '""', "(", "[", "{", "is", "was"})
_SHORTEST = 4
#: From this length on a value is masked inside longer words, too.
_LONG = 8
#: Stand-ins that test set-ups give to such variables: no secrets, and words of many sentences, paths and test ids.
_STAND_INS = """
admin basic bearer changeme ci debug default demo dev development dummy example fake foobar guest info jwt keyring local localhost mock mysql
oauth oauth2 pass passwd password placeholder plain postgres prod production pytest python redis root secret sqlite ssh staging system test
testing tests token user username value
"""
_COMMON = frozenset(_STAND_INS.split())


def redact(text: str, environ: Mapping[str, str] | None = None) -> str:
    """``text`` without the secrets in it. ``environ`` (default: this process's) is whose secret values are masked wherever they stand.

    Idempotent, and never raises.
    """
    if not text:
        return text
    text = redact_values(text, environ)
    text = _TOKENS.sub(MASK, text)
    if "://" in text and "@" in text:
        text = _URL.sub(rf"\g<scheme>{MASK}@", text)
    if ":" in text or "=" in text:
        text = _HEADER.sub(_masked, text)
        text = _ASSIGNED.sub(_masked, text)
    return _SCHEME.sub(_masked, text)


def redact_values(text: str, environ: Mapping[str, str] | None = None) -> str:
    """``text`` without the secret values of ``environ``, and nothing else changed: for code that is shown, where ``token="x"`` is no secret."""
    known = _values(tuple(sorted((os.environ if environ is None else environ).items())))
    return known.sub(MASK, text) if known is not None else text


def secret_names(text: str, environ: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """The variables of ``environ`` that are named like a secret and whose value stands in ``text``."""
    found = os.environ if environ is None else environ
    return tuple(sorted(n for n, v in found.items() if is_secret_name(n) and len(v) >= _LONG and _is_secret(n, v) and _pattern(v).search(text)))


def without_secrets(result: HealingResult, environ: Mapping[str, str] | None = None) -> HealingResult:
    """``result`` with all its sentences redacted; what is applied (edits, diff, code) and the test ids stay as they are."""

    def hide(text: str) -> str:
        return redact(text, environ)

    d, decision = result.diagnosis, result.decision
    steps = tuple(replace(s, reason=hide(s.reason)) for s in result.verdict.steps)
    return replace(
        result,
        validation_results=redacted(result.validation_results, environ),
        evidence=tuple(replace(e, sentence=hide(e.sentence), where=hide(e.where)) for e in result.evidence),
        decision=replace(decision, rule=hide(decision.rule)),
        explanation=hide(result.explanation),
        verdict=replace(result.verdict, steps=steps),
        diagnosis=replace(d, reasons=tuple(map(hide, d.reasons)), suspect=hide(d.suspect)) if d is not None else None,
        advice=hide(result.advice),
        alternatives=tuple(map(hide, result.alternatives)),
        refused=tuple(map(hide, result.refused)),
    )


def for_display(report: HealingReport, environ: Mapping[str, str] | None = None) -> HealingReport:
    """``report`` as it may be shown: its test ids redacted, and in its diffs the values of secret variables masked.

    ``changes`` stay exact: they are what is applied.
    """
    results = tuple(shown(r, environ) for r in report.results)
    return replace(report, results=results, notes=tuple(redact(n, environ) for n in report.notes))


def shown(result: HealingResult, environ: Mapping[str, str] | None = None) -> HealingResult:
    """One result as :func:`for_display` shows it."""
    return replace(
        without_secrets(result, environ),
        test_id=redact(result.test_id, environ),
        nodeids=tuple(redact(n, environ) for n in result.nodeids),
        diff=redact_values(result.diff, environ),
    )


def masked_record(result: HealingResult, environ: Mapping[str, str] | None = None) -> dict[str, Any]:
    """``result`` as JSON types for a reader: as :func:`shown`, with the values of secret variables masked in its code and changes, too.

    A change that was masked keeps the hash of the bytes it was made against, so nobody takes it for the edit itself.
    """
    changes = tuple(
        replace(c, path=redact(c.path, environ), before=_masked_bytes(c.before_bytes, environ), after=_masked_bytes(c.after_bytes, environ))
        for c in result.changes
    )
    original, healed = (redact_values(code, environ) for code in (result.original_code, result.healed_code))
    return replace(shown(result, environ), changes=changes, original_code=original, healed_code=healed).to_dict()


def _masked_bytes(data: bytes, environ: Mapping[str, str] | None) -> str:
    """Latin-1 view of source bytes without the values of secret variables, which stand in it as UTF-8."""
    return redact_values(data.decode("utf-8", "surrogateescape"), environ).encode("utf-8", "surrogateescape").decode("latin-1")


def redacted(value: Any, environ: Mapping[str, str] | None = None) -> Any:
    """The same for every text inside JSON-like data; what stands under a secret's name is masked whatever it is."""
    if isinstance(value, str):
        return redact(value, environ)
    if isinstance(value, Mapping):
        return {redact(str(k), environ): MASK if _named_secret(str(k), v) else redacted(v, environ) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [redacted(v, environ) for v in value]
    return value


def is_secret_name(name: str) -> bool:
    """Whether a variable or header of this name holds a secret."""
    return name.upper() not in _HARMLESS and bool(_NAME.search(name))


def _named_secret(name: str, value: Any) -> bool:
    return isinstance(value, str) and is_secret_name(name) and value.lower() not in _PLAIN_VALUES


def _masked(m: re.Match[str]) -> str:
    found = m.groupdict()
    value, sep = (found["value"], found["sep"]) if found["value"] is not None else (found["value2"], found["sep2"])
    bare = value.strip().strip("\"'").lower()
    if (
        not any(map(str.isalnum, bare))
        or bare in _PLAIN_VALUES
        or MASK in value
        or m["name"].upper() in _HARMLESS
        or bare in ("bearer", "basic", "digest")
    ):
        return m[0]
    quote = value[0] if value[0] in "\"'" and value[-1] == value[0] else ""
    return f"{m['name']}{sep}{quote}{MASK}{quote}"


@lru_cache(maxsize=4)
def _values(environ: tuple[tuple[str, str], ...]) -> re.Pattern[str] | None:
    """One pattern for the values that are to be masked: of variables named like a secret, and those that look like one."""
    secrets = [value for name, value in environ if _is_secret(name, value)]
    # as it is, as Python writes it, and as pytest writes it in a test id
    found = {text for v in secrets for text in (v, repr(v)[1:-1], v.encode("unicode_escape", "replace").decode("ascii"))}
    return re.compile("|".join(_pattern(v).pattern for v in sorted(found, key=len, reverse=True))) if found else None


def _is_secret(name: str, value: str) -> bool:
    if name.upper() in _HARMLESS or value.lower() in _PLAIN_VALUES | _COMMON or (value.isdigit() and len(value) < 6):
        return False
    if is_secret_name(name) and len(value) >= _SHORTEST:
        return not _is_path(value)
    return _RANDOM.fullmatch(value) is not None and "/" not in value


def _is_path(value: str) -> bool:
    """A variable that names the file with the key is no secret, and would mask every path below it."""
    try:
        return value.startswith(("/", "~", ".", "C:")) and Path(value).expanduser().exists()
    except (OSError, ValueError, RuntimeError):  # no home, a null byte, too long
        return False


@lru_cache(maxsize=64)
def _pattern(value: str) -> re.Pattern[str]:
    """``value`` anywhere; a short one, or a mere word, only where it is not part of a longer word."""
    text = re.escape(value)
    if len(value) < _LONG or value.isalpha():
        text = rf"(?<![^\W_]){text}" if value[:1].isalnum() else text
        text = rf"{text}(?![^\W_])" if value[-1:].isalnum() else text
    return re.compile(text)
