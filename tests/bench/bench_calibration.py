"""Is the confidence of a heal the probability that it is right? Reliability, Brier score, calibration error, and what is written unasked.

    python tests/bench/bench_calibration.py CORPUS.jsonl... [--plot docs/calibration.svg] [--write]

CORPUS is what ``tests/bench/train/collect.py`` wrote. *Before* is the evidence score as it is, *after* the calibrated probability, each heal's from a
fit that saw nothing of its project (package, or tactic for the strategies' examples), *shipped* what the shipped curve makes of it. An edit that
passes and is another than the maintainers' counts half for the fit; the figures are given with such edits left out, counted as right and counted as
wrong. The plot shows the shipped curve, with ``--write`` the new one as each project is told by the rest. ``--write`` fits on everything and
writes ``pytest_maestro_healer/decide/calibration.json``. Needs scikit-learn, and matplotlib for the plot (the ``train`` extra).
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
import sys
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "train"))

import fit_confidence as f
import numpy as np
from threadpoolctl import threadpool_limits

from pytest_maestro_healer.decide import calibration

THRESHOLD = 0.75


def subset(h: f.Heals, keep: np.ndarray, good: np.ndarray | None = None) -> f.Heals:
    """Some of the rows, with another judgement of them where given."""
    fields = {k.name: getattr(h, k.name) for k in dataclasses.fields(h)}
    fields["good"] = h.good if good is None else good
    return f.Heals(**{k: v[keep] if isinstance(v, np.ndarray) else [x for x, y in zip(v, keep, strict=True) if y] for k, v in fields.items()})


def lower_bound(good: float, whole: float) -> float:
    """The lower end of Wilson's 95 % interval."""
    if not whole:
        return 0.0
    p, z = good / whole, 1.96
    return (p + z * z / (2 * whole) - z * math.sqrt(p * (1 - p) / whole + z * z / (4 * whole * whole))) / (1 + z * z / whole)


def line(name: str, p: np.ndarray, h: f.Heals) -> str:
    """Brier, ECE, and the heals that would be written unasked."""
    auto = unasked(p, h)
    n, good = float(h.weight[auto].sum()), float((h.weight * h.good)[auto].sum())
    told = f"{good:.1f} of {n:.1f} = {100 * good / n:.1f} % (at least {100 * lower_bound(good, n):.1f} %)" if n else "none"
    return f"| {name} | {h.weight.sum():.0f} | {np.average(h.good, weights=h.weight):.3f} | {f.brier(p, h):.3f} | {f.ece(p, h):.3f} | {told} |"


def unasked(p: np.ndarray, h: f.Heals) -> np.ndarray:
    """What ``--heal-apply=safe`` writes: the policy asks that both the confidence and the evidence score reach the threshold."""
    found: np.ndarray = h.auto & (p >= THRESHOLD) & (h.score >= THRESHOLD)
    return found


def views(h: f.Heals) -> list[tuple[str, np.ndarray, np.ndarray]]:
    """Ways to count what is neither right nor wrong: (name, rows, judgement)."""
    unclear = h.good == 0.5
    every = np.ones(len(h.good), dtype=bool)
    return [
        ("left out", ~unclear, h.good),
        ("as right", every, np.where(unclear, 1.0, h.good)),
        ("as wrong", every, np.where(unclear, 0.0, h.good)),
        ("as half", every, h.good),
    ]


def plot(before: np.ndarray, after: np.ndarray, name: str, h: f.Heals, path: Path) -> None:
    """The reliability diagram, before and after; ``name`` says which curve is the second."""
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot

    pyplot.rcParams.update({"svg.hashsalt": "maestro", "font.size": 9, "svg.fonttype": "none"})
    figure, axes = pyplot.subplots(1, 2, figsize=(8, 4), sharey=True)
    for axis, p, title in ((axes[0], before, "evidence score"), (axes[1], after, name)):
        axis.plot([0, 1], [0, 1], color="#999999", linewidth=1)
        rows = f.bins(p, h)
        axis.scatter([r[0] for r in rows], [r[1] for r in rows], s=[12 + 4 * r[2] for r in rows], color="#2b5b84", alpha=0.8)
        for x, y, n in rows:
            axis.annotate(f"{n:.0f}", (x, y), textcoords="offset points", xytext=(6, -10), fontsize=8)
        axis.axvline(THRESHOLD, color="#b3402a", linewidth=0.8, linestyle="--")
        axis.set(xlim=(0, 1), ylim=(0, 1.03), xlabel="confidence", title=f"{title}: ECE {f.ece(p, h):.3f}, Brier {f.brier(p, h):.3f}")
    axes[0].set_ylabel("share of heals that were right")
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})


def wrong(h: f.Heals, p: np.ndarray) -> None:
    """The heals that would be written unasked and are not known to be right."""
    for i in np.flatnonzero(unasked(p, h) & (h.good < 1)):
        print(f"  {p[i]:.2f} (score {h.score[i]:.2f}) {h.right[i]:9} {h.source[i]:8} {h.strategy[i]:24} {h.group[i]}: {h.title[i][:80]}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure; plot and write where asked to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", nargs="+", type=Path)
    parser.add_argument("--plot", type=Path)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args(arguments)
    threadpool_limits(1)  # on problems this small threads only wait for each other
    h = f.read(options.corpus)
    after, shipped = f.held_out(h), f.applied(json.loads(calibration.PATH.read_text(encoding="utf-8")), h, range(len(h.good)))
    print(f"{h.weight.sum():.0f} cases, {len(h.good)} proved heals, {len(set(h.group))} groups; heals by source and judgement:")
    kinds = sorted(set(zip(h.source, h.right, strict=True)))
    print({f"{s} {r}": sum(a == s and b == r for a, b in zip(h.source, h.right, strict=True)) for s, r in kinds})
    print("\n| other edits that pass count | cases | right | Brier | ECE | unasked at 0.75: right |\n| --- | --- | --- | --- | --- | --- |")
    for name, keep, good in views(h):
        for when, p in (("before", h.told), ("after", after), ("shipped", shipped)):
            print(line(f"{name}, {when}", p[keep], subset(h, keep, good)))
    for source in sorted(set(h.source)):
        for when, p in (("before", h.told), ("after", after), ("shipped", shipped)):
            print(line(f"as half, {source}, {when}", p[h.source == source], subset(h, h.source == source)))
    for when, p in (("before", h.told), ("after", after), ("shipped", shipped)):
        print(f"written unasked and not known to be right, {when}:")
        wrong(h, p)
    print("reliability, as half:")
    for when, p in (("before", h.told), ("after", after), ("shipped", shipped)):
        print(f"  {when}: " + "  ".join(f"{a:.2f}->{b:.2f} ({n:.0f})" for a, b, n in f.bins(p, h)))
    if options.plot:
        plot(h.told, *((after, "projects left out") if options.write else (shipped, "the shipped curve")), h, options.plot)
    data = f.fit(h, range(len(h.good)))
    print(data)
    if options.write:
        calibration.PATH.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
