"""Trains the pattern classifier on a corpus and measures it on projects that it was not trained on, beside the rules alone.

    python tests/bench/train/fit_patterns.py CORPUS.jsonl... [--write] [--table]

CORPUS is what ``collect.py`` wrote. Every failure is predicted by a model that saw nothing of its group (package, tactic or way of conflicting):
the groups are dealt into ten parts, each part is predicted by a model of the other nine, whose regularisation is chosen inside these nine.
Failures of one case count as one. ``--write`` trains on everything and writes ``pytest_maestro_healer/diagnose/patterns.json``. Needs
scikit-learn (the ``train`` extra).
"""

from __future__ import annotations

import argparse
import base64
import dataclasses
import json
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

import numpy as np
from labels import PATTERNS
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support
from sklearn.model_selection import GroupKFold
from threadpoolctl import threadpool_limits

from pytest_maestro_healer.diagnose import classify, features, weights
from pytest_maestro_healer.model import Failure

STRENGTHS = (0.5, 3.0, 20.0)
FOLDS, INNER = 10, 3
#: What a failure as a result file tells it weighs in training, beside the live one.
TOLD_SHARE = 0.3


@dataclass
class Corpus:
    """Rows of failures."""

    places: list[list[int]]
    labels: np.ndarray
    groups: np.ndarray
    share: np.ndarray
    rules: list[str]
    sources: np.ndarray
    titles: list[str]
    told: np.ndarray

    def only(self, keep: np.ndarray) -> Corpus:
        """The rows for which ``keep`` holds."""
        fields = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        return Corpus(**{k: v[keep] if isinstance(v, np.ndarray) else [x for x, y in zip(v, keep, strict=True) if y] for k, v in fields.items()})

    def matrix(self, with_rules: bool) -> csr_matrix:
        """One row a failure, of length one; the rules' answer is a feature where asked for."""
        rows = [classify.places_of(p, r) if with_rules else p for p, r in zip(self.places, self.rules, strict=True)]
        lengths = [len(r) for r in rows]
        values = np.repeat([1 / np.sqrt(n or 1) for n in lengths], lengths)
        return csr_matrix((values, [i for r in rows for i in r], np.concatenate([[0], np.cumsum(lengths)])), shape=(len(rows), features.PLACES))


def read(paths: Sequence[Path]) -> Corpus:
    """All labelled failures, live and as a result file tells them; the same failure of a case is taken once, and each case weighs one."""
    rows: dict[tuple[Any, ...], tuple[Any, ...]] = {}
    for path in paths:
        for line in path.read_text(encoding="utf-8").splitlines():
            data = json.loads(line)
            if not data.get("label") or "failure" not in data:
                continue
            whole = Failure.from_dict(data["failure"])
            if str(classify.by_rules(whole)[0]) == "syntax_error":
                continue
            for told, failure in ((False, whole), (True, as_told(whole))):
                places, rule = features.places(features.names(failure)), str(classify.by_rules(failure)[0])
                rows.setdefault((data["source"], data["group"], data["title"], told, tuple(places)), (places, data["label"], rule))
    cases = Counter(k[:4] for k in rows)
    keys = list(rows)
    return Corpus(
        [rows[k][0] for k in keys],
        np.array([PATTERNS.index(rows[k][1]) for k in keys]),
        np.array([k[1] for k in keys]),
        np.array([1 / cases[k[:4]] for k in keys]),
        [rows[k][2] for k in keys],
        np.array([k[0] for k in keys]),
        [k[2] for k in keys],
        np.array([k[3] for k in keys]),
    )


def as_told(failure: Failure) -> Failure:
    """The same failure as a result file tells it: type, message and the failing line; no frames, no values, no statistics."""
    bare = Failure(failure.nodeid, failure.phase, failure.path, failure.exc_type, failure.message)
    return dataclasses.replace(bare, exc_mro=failure.exc_mro, statement=failure.statement)


def fit(x: csr_matrix, y: np.ndarray, share: np.ndarray, strength: float) -> LogisticRegression:
    """A multinomial logistic regression; classes weigh the fourth root of their inverse share, so that rare ones are heard."""
    whole = np.array([share[y == k].sum() for k in range(len(PATTERNS))])
    weight = share * ((whole.max() / np.maximum(whole, 1e-9)) ** 0.25)[y]
    return LogisticRegression(C=strength, max_iter=2000, random_state=0).fit(x, y, sample_weight=weight)


def probabilities(model: LogisticRegression, x: csr_matrix) -> np.ndarray:
    """For all seven classes, also where one was not trained."""
    out = np.zeros((x.shape[0], len(PATTERNS)))
    out[:, model.classes_] = model.predict_proba(x)
    return out


def best_strength(x: csr_matrix, c: Corpus, rows: np.ndarray) -> float:
    """By macro F1 on groups left out inside ``rows``."""

    def score(strength: float) -> float:
        found = np.zeros(len(rows), dtype=int)
        for train, test in GroupKFold(INNER).split(rows, groups=c.groups[rows]):
            model = fit(x[rows[train]], c.labels[rows[train]], trained(c)[rows[train]], strength)
            found[test] = probabilities(model, x[rows[test]]).argmax(1)
        live = ~c.told[rows]
        return macro(c.labels[rows][live], found[live], c.share[rows][live])

    return max(STRENGTHS, key=score)


def trained(c: Corpus) -> np.ndarray:
    """The weights of rows in training."""
    return c.share * np.where(c.told, TOLD_SHARE, 1.0)


def macro(y: np.ndarray, found: np.ndarray, share: np.ndarray) -> float:
    """Macro F1 over the seven; an answer outside of them is wrong."""
    return float(precision_recall_fscore_support(y, found, labels=range(len(PATTERNS)), sample_weight=share, average="macro", zero_division=0)[2])


def held_out(c: Corpus, with_rules: bool) -> np.ndarray:
    """Probabilities of every failure, from models that saw nothing of its group."""
    x = c.matrix(with_rules)
    out = np.zeros((len(c.labels), len(PATTERNS)))
    for train, test in GroupKFold(FOLDS).split(x, groups=c.groups):
        out[test] = probabilities(fit(x[train], c.labels[train], trained(c)[train], best_strength(x, c, train)), x[test])
    return out


def table(c: Corpus, found: np.ndarray) -> str:
    """Confusion in cases: rows are what was made, columns what was said."""
    order = range(len(PATTERNS) + 1)
    counts = confusion_matrix(c.labels, np.where(found < 0, len(PATTERNS), found), labels=order, sample_weight=c.share)[: len(PATTERNS)]
    p, r, f, n = precision_recall_fscore_support(c.labels, found, labels=range(len(PATTERNS)), sample_weight=c.share, zero_division=0)
    heads = [*(x.split("_")[0] for x in PATTERNS), "none", "precision", "recall", "F1", "cases"]
    lines = ["| made \\ said | " + " | ".join(heads) + " |", "|" + " --- |" * (len(heads) + 1)]
    for k, name in enumerate(PATTERNS):
        cells = [f"{v:.0f}" for v in counts[k]] + [f"{v[k]:.2f}" for v in (p, r, f)] + [f"{n[k]:.0f}"]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def report(c: Corpus, name: str, found: np.ndarray, tables: bool) -> None:
    """One line, and a table where asked for."""
    right = float(c.share[found == c.labels].sum() / c.share.sum())
    by = {s: macro_of(c, found, s) for s in sorted(set(c.sources))}
    print(
        f"{name:32} macro F1 {macro(c.labels, found, c.share):.3f}  accuracy {right:.3f}  accuracy by source "
        + " ".join(f"{s} {v:.2f}" for s, v in by.items())
    )
    if tables:
        print(table(c, found))


def macro_of(c: Corpus, found: np.ndarray, source: str) -> float:
    """Accuracy within one source: no source has all seven."""
    mine = c.sources == source
    return float(c.share[mine & (found == c.labels)].sum() / c.share[mine].sum())


def calibration(c: Corpus, p: np.ndarray) -> float:
    """Expected calibration error of the winning probability, ten bins of equal width."""
    sure, good = p.max(1), p.argmax(1) == c.labels
    at = np.minimum((sure * 10).astype(int), 9)
    errors = [abs(float((c.share * (good - sure))[at == k].sum())) for k in range(10)]
    return sum(errors) / float(c.share.sum())


def write(c: Corpus) -> None:
    """Train on everything, round to one signed byte a weight, and say what the rounding costs."""
    x = c.matrix(True)
    strength = best_strength(x, c, np.arange(len(c.labels)))
    model = fit(x, c.labels, trained(c), strength)
    scale = np.abs(model.coef_).max(1) / 127
    rows = np.round(model.coef_ / scale[:, None]).astype(np.int8).T
    data = {
        "version": features.VERSION,
        "places": features.PLACES,
        "classes": [PATTERNS[k] for k in model.classes_],
        "bias": [round(float(v), 4) for v in model.intercept_],
        "scale": [round(float(v), 6) for v in scale],
        "trained": {"cases": round(float(c.share[~c.told].sum())), "failures": int((~c.told).sum()), "groups": len(set(c.groups)), "C": strength},
        "weights": base64.b64encode(np.ascontiguousarray(rows).tobytes()).decode(),
    }
    text = json.dumps(data, indent=1) + "\n"
    weights.PATH.write_text(text, encoding="utf-8")
    small = weights.parse(data)
    said = [max((q := small.probabilities(classify.places_of(p, r))), key=lambda k: q[k]) for p, r in zip(c.places, c.rules, strict=True)]
    same = sum(str(s) == PATTERNS[int(k)] for s, k in zip(said, model.predict(x), strict=True))
    print(f"wrote {weights.PATH.name}: {len(text)} bytes, C {strength:g}; rounded weights say the same for {same} of {len(said)}")


def main() -> int:
    """Measure, and write where asked to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", nargs="+", type=Path)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--table", action="store_true", help="confusion matrices")
    parser.add_argument("--wrong", action="store_true", help="list what was said wrong")
    options = parser.parse_args()
    threadpool_limits(1)  # on problems this small threads only wait for each other
    corpus = read(options.corpus)
    plain, p = held_out(corpus, False), held_out(corpus, True)
    for told in (False, True):
        keep = corpus.told == told
        c = corpus.only(keep)
        print(
            f"\n{'as a result file tells them' if told else 'live'}: {c.share.sum():.0f} cases, {len(c.labels)} failures, {len(set(c.groups))} groups"
        )
        rules = np.array([PATTERNS.index(r) if r in PATTERNS else -1 for r in c.rules])
        report(c, "rules alone", rules, options.table and not told)
        report(c, "trained, without the rules", plain[keep].argmax(1), False)
        report(c, "trained, the rules a feature", p[keep].argmax(1), options.table and not told)
        real = ~np.char.startswith(c.groups.astype(str), "made-up")
        figures = [macro(c.labels[real], found[real], c.share[real]) for found in (rules, p[keep].argmax(1))]
        print(f"without the made-up conflicts: rules {figures[0]:.3f}, trained {figures[1]:.3f}")
        print(f"expected calibration error of its probability {calibration(c, p[keep]):.3f}")
    live = ~corpus.told
    c, p = corpus.only(live), p[live]
    counts = Counter({(s, PATTERNS[k]): round(float(c.share[(c.sources == s) & (c.labels == k)].sum())) for s in set(c.sources) for k in range(7)})
    print("cases by source and label:", {" ".join(k): v for k, v in sorted(counts.items()) if v})
    if options.wrong:
        for k in np.flatnonzero(p.argmax(1) != c.labels):
            made, said = PATTERNS[c.labels[k]], PATTERNS[p[k].argmax()]
            print(f"  {c.sources[k]:9} {made:18} said {said:18} {p[k].max():.2f} rules {c.rules[k]:18} {c.titles[k][:90]}")
    if options.write:
        write(corpus)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
