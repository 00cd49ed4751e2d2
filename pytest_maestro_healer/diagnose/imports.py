"""The verdict on a test module or conftest that could not be loaded: is it the product that does not parse, or raises when it is imported?"""

from __future__ import annotations

from dataclasses import replace

from pytest_maestro_healer.model import Cause, Diagnosis, Failure


def judge_import(failure: Failure, first: Diagnosis) -> Diagnosis:
    """``first``, or a suspected regression where loading the product itself failed, for whatever imports it.

    A module or name that is missing from elsewhere is a question of what is installed, an environment that lacks something one of the machine.
    """
    if first.cause is Cause.ENVIRONMENT:
        return first
    place = _unparsable(failure) or _raising(failure)
    if not place:
        return first
    lines = failure.message.strip().splitlines() or [""]
    what = failure.exc_attrs.get("msg") if failure.is_a("SyntaxError") else lines[0]
    told = f"{failure.exc_type.rpartition('.')[2]}: {what}" if what else failure.exc_type
    return replace(first, cause=Cause.REGRESSION_SUSPECTED, reasons=(f"the product cannot be imported: {told}",), suspect=f"{place} ({told[:120]})")


def _unparsable(failure: Failure) -> str:
    attrs = failure.exc_attrs
    if not failure.is_a("SyntaxError") or attrs.get("kind") != "product" or not attrs.get("filename"):
        return ""
    return f"{attrs['filename']}:{attrs.get('lineno') or 1}"


def _raising(failure: Failure) -> str:
    own = [f for f in failure.frames if f.kind in ("test", "product")]
    if failure.is_a("SyntaxError") or not own or own[-1].kind != "product":
        return ""
    if failure.is_a("ImportError"):
        packages = {f.module.partition(".")[0] for f in own if f.kind == "product"}
        missing = str(failure.exc_attrs.get("name") or "").partition(".")[0]
        if missing not in packages:
            return ""
    return str(own[-1].location)
