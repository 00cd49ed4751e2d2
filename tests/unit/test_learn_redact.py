"""Secrets are masked, everything else is left readable."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_maestro_healer.evidence.redact import (
    MASK,
    for_display,
    is_secret_name,
    redact,
    redact_values,
    redacted,
    secret_names,
    without_secrets,
)
from pytest_maestro_healer.model import (
    Cause,
    Decision,
    DecisionKind,
    Diagnosis,
    Evidence,
    FailurePattern,
    FileChange,
    HealingReport,
    HealingResult,
    ProofStep,
    Verdict,
)

ENVIRON = {
    "API_TOKEN": "abcd1234",
    "DB_PASSWORD": "hunter22",
    "DEPLOY": "aB3aB3aB3aB3aB3aB3aB3aB3aB3",
    "PIN_SECRET": "12",
    "HOME": "/srv/somewhere",
    "PWD": "/srv/somewhere/else",
    "LANG": "en_US.UTF-8",
    "AUTH_ENABLED_SECRET": "true",
    "XDG_SESSION_ID": "17",
}
SECRETS = {
    "value of a variable named like a secret": ("connect failed with hunter22!", "hunter22"),
    "in a test's id": ("tests/test_a.py::test_x[abcd1234-1]", "abcd1234"),
    "value that looks random": ("it was aB3aB3aB3aB3aB3aB3aB3aB3aB3", "aB3aB3"),
    "header": ("Authorization: Bearer abc.def", "abc.def"),
    "header of one's own": ("x-api-key: 12345", "12345"),
    "header in a dict": ("{'Authorization': 'Basic Zm9vOmJhcg==', 'Accept': '*'}", "Zm9v"),
    "header of a command": ("curl -H 'X-Auth-Token: zzz' http://h", "zzz"),
    "cookie": ("Set-Cookie: sid=1a2b; Path=/", "1a2b"),
    "url with a password": ("https://user:pa55@example.org/x", "pa55"),
    "url with a token": ("https://tok3n@example.org/x", "tok3n"),
    "database url": ("postgresql+psycopg://me:pw@db:5432/x", "me:pw"),
    "query": ("GET /x?token=abc&page=2", "abc"),
    "assignment": ("PASSWORD='x y z', user=1", "x y z"),
    "subscript": ("os.environ['SECRET_KEY'] = 'abc'", "abc"),
    "json": ('{"password": "q7", "a": 1}', "q7"),
    "yaml": ("client_secret: abc", "abc"),
    "GitHub token": ("cloned with ghp_abcdefghijklmnopqrst0123456789", "ghp_"),
    "AWS key id": ("key AKIAABCDEFGHIJKLMNOP", "AKIAABC"),
    "web token": ("got eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abc-def_123", "eyJ"),
    "private key": ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY----- end", "MIIE"),
    "bearer alone": ("sent bearer abcdefgh12", "abcdefgh12"),
}
READABLE = [
    "tests/test_session.py::TestAuth::test_token[None]",
    "tests/test_token.py::test_password_is_hashed",
    "assert token == 5",
    "assert auth != 'x'",
    "def f(key: str, token=None)",
    "the basic authentication failed",
    "auth failed: no such user",
    "AttributeError: module 'lib' has no attribute 'old_name'",
    "/srv/somewhere/test_a.py:12 en_US.UTF-8 true 12 17",
    "https://example.org/path?page=2#token",
    "mail to me@example.org: done",
    "a == b, c::d, e => f, g := 1",
]


@pytest.mark.parametrize("name", SECRETS)
def test_secrets_are_masked(name: str) -> None:
    text, secret = SECRETS[name]
    out = redact(text, ENVIRON)
    assert secret not in out
    assert MASK in out
    assert redact(out, ENVIRON) == out


@pytest.mark.parametrize("text", READABLE)
def test_what_is_no_secret_stays(text: str) -> None:
    assert redact(text, ENVIRON) == text


def test_what_stands_around_a_secret_stays() -> None:
    assert redact("GET https://u:p@example.org/x?token=abc&page=2 failed", ENVIRON) == f"GET https://{MASK}@example.org/x?token={MASK}&page=2 failed"
    assert redact("{'Authorization': 'Bearer abc', 'Accept': '*'}", ENVIRON) == f"{{'Authorization': '{MASK}', 'Accept': '*'}}"


def test_data_is_redacted_by_name_and_by_form() -> None:
    data = {"headers": {"Authorization": "Token x", "n": 1}, "api_key": "q", "list": ["hunter22", ("ok", None, 1.5)], "pwd": "none"}
    assert redacted(data, ENVIRON) == {
        "headers": {"Authorization": MASK, "n": 1},
        "api_key": MASK,
        "list": [MASK, ["ok", None, 1.5]],
        "pwd": "none",
    }


@pytest.mark.parametrize(("name", "secret"), [("GITHUB_TOKEN", True), ("MY_API_KEY", True), ("KEYBOARD", False), ("PWD", False), ("AUTHOR", False)])
def test_names_of_secrets(name: str, secret: bool) -> None:
    assert is_secret_name(name) is secret


@given(st.text(max_size=200), st.dictionaries(st.sampled_from(["A_TOKEN", "PASSWORD", "X", "PATH"]), st.text(max_size=30), max_size=4))
def test_any_text_is_answered_and_a_second_time_changes_nothing(text: str, environ: dict[str, str]) -> None:
    once = redact(text, environ)
    assert isinstance(once, str)
    assert redact(once, environ) == redact(redact(once, environ), environ)


def test_a_long_text_takes_no_time() -> None:
    import time

    for text in ("a." * 50_000, "password" * 20_000, "x=" * 50_000, "://" * 30_000, "token " * 20_000, "eyJ" * 30_000, '"' * 50_000):
        began = time.process_time()
        redact(text, ENVIRON)
        assert time.process_time() - began < 5.0, text[:10]


class TestCommonValues:
    """What developers' machines and CI set is often no secret, and stands in every other path and sentence."""

    @pytest.mark.parametrize(
        ("name", "value", "text"),
        [
            ("DB_PASSWORD", "test", "tests/test_a.py::test_b"),
            ("POSTGRES_PASSWORD", "postgres", "the postgres fixture"),
            ("TOKEN", "main", "domain.maintain() in remain.py"),
            ("SECRET", "swordfish", "swordfishes are fish"),
            ("SSH_KEY", "/", "tests/test_a.py"),
        ],
    )
    def test_is_left_readable(self, name: str, value: str, text: str) -> None:
        assert redact(text, {name: value}) == text

    def test_a_word_is_masked_where_it_stands_alone(self) -> None:
        assert redact("login with swordfish failed", {"SECRET": "swordfish"}) == f"login with {MASK} failed"
        assert redact("got 'pa5w'.", {"SECRET": "pa5w"}) == f"got '{MASK}'."

    def test_names_before_a_sign_that_has_no_value_stay(self) -> None:
        assert redact("`password=` is now `passwd=`", {}) == "`password=` is now `passwd=`"


def test_values_alone_leave_code_as_it_is() -> None:
    code = 'connect(password="x", token=load("hunter22"))'
    assert redact_values(code, ENVIRON) == code.replace("hunter22", MASK)
    assert redact_values(code, {}) == code


def test_which_variables_stand_in_a_text() -> None:
    assert secret_names("assert x == 'hunter22' + 'abcd1234'", ENVIRON) == ("API_TOKEN", "DB_PASSWORD")
    assert secret_names("assert x == 'test'", {"DB_PASSWORD": "test"}) == ()


SENTENCE = "POST https://u:pa55@h/ with Authorization: Bearer hunter22 and API_TOKEN=abcd1234"


def result_with(sentence: str) -> HealingResult:
    step = ProofStep("rerun", False, sentence)
    diff = "-a = 'hunter22'\n+a = 1\n"
    rungs = {"rerun": {"passed": False, "reason": sentence}}
    return HealingResult(
        "h-1", "t.py::t[hunter22]", "s", True, "a = 'hunter22'", "a = 1", validation_results=rungs, diff=diff,
        evidence=(Evidence("value", sentence, sentence, 0.5),), decision=Decision(DecisionKind.PENDING, sentence), tactic="t", explanation=sentence,
        nodeids=("t.py::t[hunter22]",), changes=(FileChange.of("t.py", b"a = 'hunter22'", b"a = 1"),), verdict=Verdict((step,)),
        diagnosis=Diagnosis(FailurePattern.UNKNOWN, 0.5, Cause.UNKNOWN, (sentence,), sentence), advice=sentence, alternatives=(sentence,),
        refused=(sentence,),
    )  # fmt: skip


def test_a_record_keeps_what_is_applied_and_nothing_else_has_a_secret() -> None:
    record = result_with(SENTENCE)
    safe = without_secrets(record, ENVIRON)
    for name in ("changes", "diff", "original_code", "healed_code", "test_id", "nodeids", "healing_id"):
        assert getattr(safe, name) == getattr(record, name)
    rest = replace(safe, changes=(), diff="", original_code="", test_id="", nodeids=())
    text = str(rest.to_dict())
    assert not [s for s in ("hunter22", "abcd1234", "pa55") if s in text]
    assert text.count(MASK) > 20
    assert safe.evidence[0].weight == 0.5
    assert without_secrets(safe, ENVIRON) == safe


def test_what_is_shown_has_masked_ids_and_diffs_and_the_bytes_to_apply() -> None:
    report = HealingReport((result_with(SENTENCE),), notes=(SENTENCE,))
    shown = for_display(report, ENVIRON)
    assert shown.results[0].changes == report.results[0].changes
    assert shown.results[0].nodeids == (f"t.py::t[{MASK}]",)
    assert shown.results[0].diff == f"-a = '{MASK}'\n+a = 1\n"
    assert "hunter22" not in str(replace(shown, results=(replace(shown.results[0], changes=(), original_code=""),)).to_dict())
