"""Expectations written in another time zone."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.model import Applicability, Evidence, Failure, FailurePattern, Proposal
from pytest_maestro_healer.strategies.base import Tactic
from pytest_maestro_healer.strategies.environment_healing import examples_surroundings as examples
from pytest_maestro_healer.strategies.environment_healing.hints import shown
from pytest_maestro_healer.strategies.environment_healing.isolate import Trial, isolated, propose
from pytest_maestro_healer.strategies.environment_healing.promised import promised

#: Tried after UTC and what the project names, one for each offset that many people live in.
_COMMON = (
    "Europe/Berlin", "Europe/London", "America/New_York", "America/Los_Angeles", "America/Chicago", "Asia/Kolkata", "Asia/Tokyo", "Asia/Shanghai",
    "Europe/Moscow", "America/Sao_Paulo", "Australia/Sydney", "Europe/Helsinki", "America/Denver", "Asia/Singapore", "Pacific/Auckland",
)  # fmt: skip
_ZONE = re.compile(r"\b(?:Africa|America|Antarctica|Asia|Atlantic|Australia|Europe|Indian|Pacific|Etc)/[A-Za-z_]+(?:/[A-Za-z_]+)?\b")
_CLOCK = re.compile(r"\b\d{1,2}:\d{2}|\bdatetime\.|\bdate\(|\btime\.struct_time|\b\d{9,10}(?:\.\d+)?\b|\b\d{4}-\d{2}-\d{2}\b|[+-]\d{2}:?\d{2}\b")


class TimeZone(Tactic):
    """Local time."""

    name = "time_zone"
    summary = "Gives the test the time zone that its expectations were written in, and restores the machine's own afterwards"
    patterns = frozenset({FailurePattern.ASSERTION_FAILURE, FailurePattern.ENVIRONMENT_ISSUE, FailurePattern.UNKNOWN})
    applicability = Applicability.SAFE
    evidence = ("experiment", "docs")
    sources = ("https://docs.python.org/3/library/time.html#time.tzset",)
    heals = examples.ZONE_HEALS
    declines = examples.ZONE_DECLINES

    def propose(self, failure: Failure, ctx: Context) -> Iterable[Proposal]:
        """The first zone in which the unhealed test passes: UTC, those that the project names, then common ones."""
        if failure.phase != "call" or not ctx.experiments.available or "TZ" not in ctx.variables.implied(failure.path):
            return
        clock = bool(_CLOCK.search(shown(failure))) or _apart_by_zones(failure)
        named = dict(_named(failure, ctx))
        candidates = [z for z in ("UTC", *named, *(_COMMON if clock else ())) if z != ctx.environ.get("TZ")]
        trial = Trial(failure, ctx)
        found = trial.first({"TZ": z} for z in candidates)
        if found is None or found["TZ"] is None:
            return
        zone = found["TZ"]
        group = trial.group(found)
        facts = [Evidence("experiment", f"the test passes as it stands in {zone}, and fails in {ctx.machine.time_zone}", failure.path, 0.8)]
        if zone in named:
            facts.append(Evidence("docs", f"the project names {zone}", named[zone], 0.6))
        against = "" if any(setting.value == zone for setting in ctx.settings.values("TZ")) else promised(zone, failure, ctx)
        told = f"the expectations hold in {zone}, and this run is in {ctx.machine.time_zone}" + (f"; but {against}" if against else "")
        made = propose(
            self.name, group, ctx, lambda: isolated(group, ctx, found, zone=True, why=f"Local time as the expectations have it: {zone}."),
            evidence=facts, explanation=told,
            meaning=f"local time is {zone}", safe=(zone == "UTC" or zone in named) and not against, score=0.8, key=f"time_zone:{zone}",
        )  # fmt: skip
        if made is not None:
            yield made


def _apart_by_zones(failure: Failure) -> bool:
    """Whether two whole numbers differ as the clocks of two zones do, in hours or in seconds."""
    sides = [o.value.source or "" for o in failure.comparison.operands] if failure.comparison else []
    numbers = [float(t) for t in sides if re.fullmatch(r"-?\d+(\.0)?", t)]
    if len(numbers) != 2 or numbers[0] == numbers[1]:
        return False
    apart = abs(numbers[0] - numbers[1])
    return (apart % 900 == 0 and apart <= 14 * 3600) or all(0 <= n < 24 for n in numbers)


def _named(failure: Failure, ctx: Context) -> Iterator[tuple[str, str]]:
    """Zones that the project sets or speaks of, with the place."""
    for setting in ctx.settings.values("TZ"):
        yield setting.value, setting.where
    for path in ctx.variables.reachable(failure.path)[:40]:
        text = ctx.symbols.read(path).decode("utf-8", "replace")
        for m in list(_ZONE.finditer(text))[:3]:
            yield m[0], f"{path}:{text.count(chr(10), 0, m.start()) + 1}"
