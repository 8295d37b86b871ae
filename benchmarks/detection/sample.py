"""What is one labelled sentence? Its text, and what stands where."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Label:
    """A value in a text, from `start` to `end` in characters."""

    kind: str
    form: str
    """A finer name of the kind, such as `us_ssn`; the kind itself where there is none."""
    start: int
    end: int


@dataclass(frozen=True)
class Sample:
    """A sentence, or a short message."""

    text: str
    language: str
    held_out: bool
    """Whether its template is one of those that nobody looks at when rules are changed."""
    labels: list[Label] = field(default_factory=list)


@dataclass(frozen=True)
class Found:
    """What an engine said of a text."""

    kind: str
    start: int
    end: int
    score: float


def write(samples: Iterable[Sample], path: Path) -> None:
    """Write one sample a line."""
    lines = (json.dumps(asdict(sample), ensure_ascii=False) for sample in samples)
    path.write_text("".join(f"{line}\n" for line in lines), "utf-8")


def read(path: Path) -> list[Sample]:
    """Read what `write` wrote."""
    samples = []
    for line in path.read_text("utf-8").split("\n"):
        if line:
            data = json.loads(line)
            labels = [Label(**label) for label in data.pop("labels")]
            samples.append(Sample(**data, labels=labels))
    return samples


def page_of(samples: Sequence[Sample]) -> str:
    """A text of 1,024 characters made of English samples of all sorts."""
    english = [sample.text for sample in samples if sample.language == "en"]
    return " ".join(english[at * 37 % len(english)] for at in range(len(english)))[:1024]
