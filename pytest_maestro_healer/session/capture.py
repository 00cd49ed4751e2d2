"""From a live report to a :class:`~pytest_maestro_healer.model.Failure`: plain data only, no traceback is kept."""

from __future__ import annotations

import linecache
import os
import re
import sys
import sysconfig
import types
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from pytest_maestro_healer.evidence.files import ProjectFiles, real
from pytest_maestro_healer.model import Failure, Frame, FrameKind, Location, Phase, Value
from pytest_maestro_healer.session import compat

_LIMIT = 20_000
_STDLIB = tuple(os.path.realpath(p) for k in ("stdlib", "platstdlib") if (p := sysconfig.get_paths().get(k)))
_HERE = str(Path(__file__).parent)
_CANNOT = re.compile(r"cannot import name '([^']+)' from(?: partially initialized module)? '([^']+)'")


class Capture:
    """Builds failures for one session; knows the project's files and pytest's own folders."""

    def __init__(self, config: pytest.Config, files: ProjectFiles) -> None:
        self.config = config
        self.files = files
        self._internal = (*compat.internal_folders(), _HERE)
        self._kinds: dict[str, FrameKind] = {}
        #: Nobody will read of failures: they are not captured.
        self.idle = False
        self.worker = str(getattr(config, "workerinput", {}).get("workerid", ""))

    # -- doors ---------------------------------------------------------------------------------------------
    def of_item(self, item: pytest.Item, call: pytest.CallInfo[Any], report: pytest.TestReport) -> Failure:
        """The failure of one phase of ``item``."""
        excinfo = call.excinfo
        phase: Phase = report.when or "call"
        path = self.files.relative(item.path)
        reason = _no_heal(item)
        base: dict[str, Any] = {
            "nodeid": str(report.nodeid),
            "phase": phase,
            "path": path,
            "function": _function_name(item),
            "module": str(getattr(getattr(item, "module", None), "__name__", "")),
            "duration": float(report.duration),
            "worker": self.worker,
            "longrepr": _text(report.longrepr),
            "healable": reason is None,
            "no_heal_reason": reason or "",
        }
        params, indices = _params(item)
        base.update(params=params, param_indices=indices, param_index=next(iter(indices.values()), -1))
        base["fixtures"] = {k: Location(self.files.relative(f), n) for k, (f, n) in compat.fixture_locations(item).items() if k != "request"}
        if excinfo is None:  # strict xpass: a failed report without an exception
            return Failure(exc_type="XPassStrict", message=_text(report.longrepr), **base)
        attrs = self._attrs(excinfo.value, report.longrepr, item)
        return self._build(excinfo.value, excinfo.tb, base, excinfo, attrs, item)

    def of_collect(self, collector: pytest.Collector, exc: BaseException, longrepr: object) -> Failure:
        """A collection error; ``exc`` may still be pytest's wrapper around the cause."""
        conftest = compat.conftest_failure_path(exc) or (compat.conftest_failure_path(exc.__cause__) if exc.__cause__ else None)
        cause = compat.cause_of(exc)
        path = self.files.relative(conftest or collector.path)
        base = {
            "nodeid": str(collector.nodeid) if conftest is None else path,
            "phase": "collect",
            "path": path,
            "worker": self.worker,
            "longrepr": _text(longrepr),
        }
        return self._build(cause, cause.__traceback__, base, None, self._attrs(cause, longrepr, None), None)

    def of_import(self, nodeid: str, path: str, exc: BaseException) -> Failure:
        """An exception raised while a healed module was executed for a proof."""
        base = {"nodeid": nodeid, "phase": "collect", "path": path, "worker": self.worker}
        cause = compat.cause_of(exc)
        return self._build(cause, cause.__traceback__, base, None, self._attrs(cause, None, None), None)

    # -- parts ---------------------------------------------------------------------------------------------
    def _build(
        self,
        exc: BaseException,
        tb: types.TracebackType | None,
        base: dict[str, Any],
        excinfo: pytest.ExceptionInfo[BaseException] | None,
        attrs: dict[str, Any],
        item: pytest.Item | None,
    ) -> Failure:
        frames = self._frames(tb)
        location = next((f.location for f in reversed(frames) if f.kind == "test"), None)
        if location is None and item is not None:
            location = Location(base["path"], (item.reportinfo()[1] or 0) + 1)
        if isinstance(exc, SyntaxError) and attrs.get("filename"):
            location = Location(str(attrs["filename"]), int(attrs.get("lineno") or 1))
        comparison = None
        if excinfo is not None:
            from pytest_maestro_healer.session.operands import comparison_of

            comparison = comparison_of(excinfo, Path(item.path if item else base["path"]), self.files.relative)
        return Failure(
            exc_type=_name(type(exc)),
            message=_message(exc)[:_LIMIT],
            exc_mro=tuple(_name(c) for c in type(exc).__mro__[:-1]),
            frames=tuple(frames),
            location=location,
            statement=_line(self.files.root, location),
            comparison=comparison,
            exc_attrs=attrs,
            chain=_chain(exc),
            **base,
        )

    def _frames(self, tb: types.TracebackType | None) -> list[Frame]:
        out: list[Frame] = []
        while tb is not None:
            code = tb.tb_frame.f_code
            name = code.co_filename
            hidden = name.startswith("<") or any(name.startswith(p + os.sep) for p in self._internal)
            if not hidden or (name.startswith("<") and not name.startswith("<frozen")):
                out.append(self._frame(tb, code))
            tb = tb.tb_next
        return out if len(out) <= 60 else out[:20] + out[-40:]

    def _frame(self, tb: types.TracebackType, code: types.CodeType) -> Frame:
        where = self.files.relative(code.co_filename) if not code.co_filename.startswith("<") else code.co_filename
        line, end, col, end_col = tb.tb_lineno, -1, -1, -1
        if sys.version_info >= (3, 11) and tb.tb_lasti >= 0:
            for i, pos in enumerate(code.co_positions()):
                if i == tb.tb_lasti // 2:
                    line, end, col, end_col = pos[0] or line, pos[1] or -1, _or(pos[2]), _or(pos[3])
                    break
        function = str(getattr(code, "co_qualname", code.co_name))
        module = str(tb.tb_frame.f_globals.get("__name__", ""))
        text = linecache.getline(code.co_filename, tb.tb_lineno).strip()
        return Frame(Location(where, line, col, end, end_col), function, self.kind(code.co_filename), text[:300], module)

    def kind(self, filename: str) -> FrameKind:
        """Whose code a file is."""
        if filename not in self._kinds:
            self._kinds[filename] = self._kind(filename)
        return self._kinds[filename]

    def _kind(self, filename: str) -> FrameKind:
        if filename.startswith("<"):
            return "third_party"
        rel = self.files.relative(filename)
        if not os.path.isabs(rel) and not any(p in ("site-packages", "dist-packages") for p in rel.split("/")):
            return "test" if self.files.is_test_code(rel) else ("product" if not _in_environment(self.files.root, rel) else "third_party")
        place = real(filename) if os.path.isabs(filename) else os.path.realpath(filename)
        if "site-packages" in place or "dist-packages" in place:
            return "third_party"
        return "stdlib" if place.startswith(_STDLIB) else "third_party"

    def _attrs(self, exc: BaseException, longrepr: object, item: pytest.Item | None) -> dict[str, Any]:
        out: dict[str, Any] = {}
        if isinstance(exc, SyntaxError):
            filename = exc.filename or ""
            out.update(filename=self.files.relative(filename) if filename and not filename.startswith("<") else "", msg=str(exc.msg or ""))
            for key in ("lineno", "offset", "end_lineno", "end_offset"):
                out[key] = getattr(exc, key, None)
            out["text"] = exc.text if isinstance(exc.text, str) else ""
            out["kind"] = self.kind(filename) if filename else ""
        elif isinstance(exc, ImportError):
            m = _CANNOT.search(str(exc))
            out.update(name=exc.name or (m[2] if m else ""), path=exc.path or "", msg=str(exc))
            out["name_from"] = getattr(exc, "name_from", None) or (m[1] if m else "")
        elif isinstance(exc, AttributeError):
            out["name"] = getattr(exc, "name", None) or ""
            out.update(_object_facts(getattr(exc, "obj", None)))
        elif isinstance(exc, NameError):
            out["name"] = getattr(exc, "name", None) or ""
        elif isinstance(exc, KeyError) and exc.args:
            out["key"] = _safe_repr(exc.args[0])
        elif isinstance(exc, OSError):
            out.update(errno=exc.errno, filename=str(exc.filename or ""))
        elif type(exc).__name__ == "FixtureLookupError":
            out["argname"] = str(getattr(exc, "argname", "") or "")
            out["available"] = compat.available_fixtures(item) if item is not None else []
        notes = getattr(exc, "__notes__", None)
        if notes:
            out["notes"] = [str(n)[:500] for n in notes[:5]]
        return out


def _no_heal(item: pytest.Item) -> str | None:
    mark = item.get_closest_marker("no_heal")
    if mark is None:
        return None
    reason = mark.kwargs.get("reason", mark.args[0] if mark.args else "")
    return str(reason) or "marked no_heal"


def _function_name(item: pytest.Item) -> str:
    names = [n.name for n in compat.walk_parents(item) if isinstance(n, pytest.Class)]
    return ".".join([*reversed(names), str(getattr(item, "originalname", None) or item.name)])


def _params(item: pytest.Item) -> tuple[dict[str, Value], dict[str, int]]:
    spec = getattr(item, "callspec", None)
    if spec is None:
        return {}, {}
    from pytest_maestro_healer.capture.values import snapshot

    return {str(k): snapshot(v) for k, v in spec.params.items()}, {str(k): _row(item, k, spec.params, int(v)) for k, v in spec.indices.items()}


def _row(item: pytest.Item, name: str, params: Mapping[str, Any], index: int) -> int:
    """The row of ``name`` in its own mark: where marks are stacked, pytest's ``index`` counts all their combinations."""
    marks = list(item.iter_markers("parametrize"))
    if len(marks) < 2:
        return index
    for mark in marks:
        if len(mark.args) < 2 or not isinstance(mark.args[1], (list, tuple)):
            continue
        names = [n.strip() for n in mark.args[0].split(",") if n.strip()] if isinstance(mark.args[0], str) else list(mark.args[0])
        if name not in names:
            continue
        for i, row in enumerate(mark.args[1]):
            values = getattr(row, "values", None)  # pytest.param(...)
            values = values if isinstance(values, tuple) else (row,) if len(names) == 1 else row
            if len(values) == len(names) and all(v is params.get(n) for n, v in zip(names, values, strict=True)):
                return i
    return index


def _object_facts(obj: object) -> dict[str, Any]:
    if obj is None:
        return {"obj_type": "NoneType", "obj_kind": "instance", "obj_name": "", "candidates": []}
    kind = "module" if isinstance(obj, types.ModuleType) else "class" if isinstance(obj, type) else "instance"
    if kind == "module":
        name = str(getattr(obj, "__name__", ""))
    elif kind == "class":
        name = _name(obj)  # type: ignore[arg-type]
    else:
        name = _name(type(obj))
    try:
        names = [n for n in dir(obj) if isinstance(n, str)][:600]
    except Exception:
        names = []
    return {"obj_type": _name(type(obj)), "obj_kind": kind, "obj_name": name, "candidates": names}


def _name(cls: type) -> str:
    module = getattr(cls, "__module__", "builtins")
    qualname = getattr(cls, "__qualname__", str(cls))
    return qualname if module == "builtins" else f"{module}.{qualname}"


def _message(exc: BaseException) -> str:
    try:
        return str(exc)
    except Exception as err:
        return f"<unprintable {type(exc).__name__}: {type(err).__name__}>"


def _safe_repr(obj: object) -> str:
    try:
        return repr(obj)[:300]
    except Exception:
        return f"<{type(obj).__name__}>"


def _text(longrepr: object) -> str:
    try:
        return str(longrepr or "")[:_LIMIT]
    except Exception:
        return ""


def _chain(exc: BaseException) -> tuple[tuple[str, str], ...]:
    out: list[tuple[str, str]] = []
    cur: BaseException | None = exc
    while cur is not None and len(out) < 6:
        cur = cur.__cause__ or (None if cur.__suppress_context__ else cur.__context__)
        if cur is not None:
            out.append((_name(type(cur)), _message(cur)[:500]))
    return tuple(out)


def _line(root: Path, location: Location | None) -> str:
    if location is None or location.line < 1:
        return ""
    return linecache.getline(str(root / location.path), location.line).strip()[:500]


def _or(value: int | None) -> int:
    return -1 if value is None else value


def _in_environment(root: Path, rel: str) -> bool:
    folder = root
    for part in rel.split("/")[:-1]:
        folder = folder / part
        if (folder / "pyvenv.cfg").exists():
            return True
    return False
