"""How good are findings? Precision and recall by kind, and which forms were missed.

A label counts as found where findings of its kind cover at least four fifths of it; a finding is
right where at least half of it lies in labels of its kind.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

from benchmarks.detection.sample import Found, Sample


@dataclass
class Score:
    """What became of the labels and the findings of one kind."""

    labels: int = 0
    found: int = 0
    findings: int = 0
    right: int = 0
    forms: Counter[str] = field(default_factory=Counter)
    missed_forms: Counter[str] = field(default_factory=Counter)

    @property
    def recall(self) -> float:
        """The part of labels that was found; 1 where there was nothing to find."""
        return self.found / self.labels if self.labels else 1.0

    @property
    def precision(self) -> float:
        """The part of findings that was right; 1 where nothing was found."""
        return self.right / self.findings if self.findings else 1.0


def scored(samples: Sequence[Sample], found: Sequence[Iterable[Found]]) -> dict[str, Score]:
    """The score of each kind that has a label or a finding."""
    scores: dict[str, Score] = defaultdict(Score)
    for sample, findings in zip(samples, found, strict=True):
        by_kind: dict[str, list[Found]] = defaultdict(list)
        for one in findings:
            by_kind[one.kind].append(one)
        for label in sample.labels:
            score = scores[label.kind]
            covered = _covered(label.start, label.end, by_kind[label.kind])
            score.labels += 1
            score.forms[label.form] += 1
            if covered * 5 >= (label.end - label.start) * 4:
                score.found += 1
            else:
                score.missed_forms[label.form] += 1
        for kind, each in by_kind.items():
            spans = [
                Found(kind, label.start, label.end, 1)
                for label in sample.labels
                if label.kind == kind
            ]
            for one in each:
                scores[kind].findings += 1
                scores[kind].right += _covered(one.start, one.end, spans) * 2 >= one.end - one.start
    return dict(scores)


def total(scores: dict[str, Score], kinds: Collection[str]) -> Score:
    """All of `kinds` together."""
    whole = Score()
    for kind in kinds:
        score = scores.get(kind, Score())
        whole.labels += score.labels
        whole.found += score.found
        whole.findings += score.findings
        whole.right += score.right
    return whole


def best_only(found: Iterable[Found]) -> list[Found]:
    """Of findings that overlap, the one of the highest score, then the longest."""
    taken: list[Found] = []
    for one in sorted(found, key=lambda each: (-each.score, each.start - each.end, each.start)):
        if all(one.end <= other.start or one.start >= other.end for other in taken):
            taken.append(one)
    return taken


def _covered(start: int, end: int, spans: Iterable[Found]) -> int:
    return len({at for one in spans for at in range(max(start, one.start), min(end, one.end))})
