"""Asks a model behind a local HTTP endpoint for the healed text of a test file."""

from __future__ import annotations

import json
import os
import urllib.request

import pytest

from pytest_maestro_healer.edit.source import edits_between
from pytest_maestro_healer.model import Applicability, Evidence, Proposal

LONGEST = 1 << 20


def ask(question: dict[str, str]) -> str:
    """The model's text for the whole file. Raises OSError when there is no answer, ValueError when it is none."""
    url = os.environ.get("HEAL_MODEL_URL", "http://127.0.0.1:8765/")
    timeout = float(os.environ.get("HEAL_MODEL_TIMEOUT", "10"))
    request = urllib.request.Request(url, json.dumps(question).encode(), {"Content-Type": "application/json"})
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # a local endpoint: no proxy in between
    with opener.open(request, timeout=timeout) as response:
        data = response.read(LONGEST + 1)
    if len(data) > LONGEST:
        raise ValueError("the model's answer is too long")
    answer = json.loads(data)
    if not isinstance(answer, dict) or not isinstance(answer.get("code"), str):
        raise ValueError("the model's answer has no code")
    return answer["code"]


@pytest.hookimpl(optionalhook=True)
def pytest_heal_propose(failure, context):
    source = context.source(failure.path)
    if source is None or not source.decodable:
        return None
    code = ask({"nodeid": failure.nodeid, "error": f"{failure.exc_type}: {failure.message}", "statement": failure.statement, "code": source.text})
    edits = edits_between(failure.path, source.data, source.bom + code.encode(source.encoding))
    if not edits:
        return None
    evidence = Evidence("model", "the model's answer", os.environ.get("HEAL_MODEL_URL", ""), 0.3)
    return [Proposal("model", "ask_model", edits, (evidence,), Applicability.REVIEW, "as the model proposes", nodeids=(failure.nodeid,))]
