"""What a strategy is: a name and a set of self-describing tactics whose examples are their tests and their docs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from pytest_maestro_healer.model import Applicability, Diagnosis, Failure, FailurePattern, Follows, Proposal

if TYPE_CHECKING:
    from pytest_maestro_healer.evidence.context import Context


@dataclass(frozen=True)
class Example:
    """One project before and after, generated into a test and into the docs catalogue.

    ``files`` is the broken project (path -> text; use ``bytes`` where the encoding matters). ``healed`` holds only the files that a heal
    changes, as they must be afterwards; empty for a DECLINES example, where nothing may change. ``head`` is committed to git first
    (all files as of the last commit), ``files`` is then the working tree; ``commits`` may give older commits before ``head``,
    ``message`` is the last commit's message. ``advice`` is text that must be in the advice. ``why`` says, for DECLINES, why the
    test must be left alone. ``needs`` names importable modules, or distributions with a version (``pytest>=9``), without which the example cannot
    run, ``lacks`` modules with which it cannot. ``env`` is set for the run (the
    machine that the tests do not fit), ``cwd`` is the folder below the project that it is started in.
    ``dated`` is the date of the commits, as git takes it. ``varies`` are patterns of text in a healed file that differs from run to run (a
    date, a measurement).
    """

    title: str
    files: Mapping[str, str | bytes]
    healed: Mapping[str, str | bytes] = field(default_factory=dict)
    head: Mapping[str, str | bytes] = field(default_factory=dict)
    commits: Sequence[tuple[str, Mapping[str, str | bytes]]] = ()
    message: str = "green"
    advice: str = ""
    why: str = ""
    needs: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()
    min_python: tuple[int, int] = (3, 10)
    max_python: tuple[int, int] = (3, 99)
    args: tuple[str, ...] = ()
    fresh: bool = False
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: str = ""
    varies: tuple[str, ...] = ()
    dated: str = ""


class Tactic:
    """One way of healing. Subclass it, fill the class attributes, implement :meth:`propose`.

    A tactic is pure: it reads no file and starts no process, it asks ``ctx`` for evidence. It yields candidates, best first; all are
    guarded and proved by the pipeline, so a tactic proposes what could be right and cites why; it never proposes what would be
    wrong even if the test then passed.
    """

    #: snake_case, unique within the strategy.
    name: ClassVar[str]
    #: What it heals, in one sentence.
    summary: ClassVar[str]
    patterns: ClassVar[frozenset[FailurePattern]] = frozenset()
    applicability: ClassVar[Applicability] = Applicability.REVIEW
    #: What its heals follow; ``None``: what the strategy says.
    follows: ClassVar[Follows | None] = None
    #: For a flaky test it is asked only where nothing that the others propose is proved: it takes many runs.
    late: ClassVar[bool] = False
    #: Kinds of evidence it cites.
    evidence: ClassVar[tuple[str, ...]] = ()
    #: What the knowledge in it was taken from (PEP, documentation page, paper), for the docs.
    sources: ClassVar[tuple[str, ...]] = ()
    heals: ClassVar[Sequence[Example]] = ()
    declines: ClassVar[Sequence[Example]] = ()

    def answers(self, failure: Failure, diagnosis: Diagnosis) -> bool:
        """Whether it is worth asking; cheap. By default: the diagnosed pattern is one of :attr:`patterns`, or that is unknown."""
        return not self.patterns or diagnosis.asked in self.patterns or diagnosis.asked is FailurePattern.UNKNOWN

    def propose(self, failure: Failure, ctx: Context) -> Iterable[Proposal]:
        """Candidate heals for ``failure``, best first; nothing where it has no evidence."""
        raise NotImplementedError  # pragma: no cover


class Strategy:
    """A named, ordered set of tactics."""

    name: ClassVar[str]
    title: ClassVar[str] = ""
    summary: ClassVar[str] = ""
    #: Whether its heals change what a test expects instead of a cause: tried after all others, and refused where a regression is suspected.
    symptom: bool = False
    #: Whether nothing is known of how its proposals are found: asked only where nothing else heals, and held to stricter guards and proof.
    stranger: bool = False
    #: What its heals follow, where that is a change of the product: they are written unasked only where that is finished and was meant.
    follows: Follows | None = None
    tactics: Sequence[Tactic] = ()


def following(strategies: Iterable[Strategy]) -> Callable[[Proposal], Follows | None]:
    """What a proposal of one of ``strategies`` follows, by its tactic or else its strategy; ``None`` for nothing of the product."""
    whole = {s.name: s.follows for s in strategies}
    # a tactic of somebody else's may be no subclass of ours
    own = {(s.name, getattr(t, "name", "")): getattr(t, "follows", None) for s in strategies for t in s.tactics}
    return lambda proposal: own.get((proposal.strategy, proposal.tactic)) or whole.get(proposal.strategy)
