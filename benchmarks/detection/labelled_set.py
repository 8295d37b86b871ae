"""How is the labelled set made? Templates of eight languages, filled in; the same at every run.

``python -m benchmarks.detection.labelled_set FILE`` writes it, in an environment with Faker.
"""

from __future__ import annotations

import random
import re
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from benchmarks.detection import look_alikes
from benchmarks.detection.sample import Label, Sample, write
from benchmarks.detection.values import Values

SEED: Final = 20261121
FILLINGS: Final = 8
"""Samples of each template."""

SENTENCES: Final = Path(__file__).parent / "sentences"
_PLACEHOLDER: Final = re.compile(r"\{(\w+)(?::(\w+))?\}")
_KIND: Final = {"person_last": "person"}


def samples() -> Iterator[Sample]:
    """Every sample, in the order of languages and templates."""
    for path in sorted(SENTENCES.glob("*.txt")):
        language = path.stem
        source = random.Random(f"{SEED}-{language}")
        values = Values(language, source)
        for line in path.read_text("utf-8").splitlines():
            template = line.replace("\\n", "\n")
            # By the template's own letters, so that a new one moves no other.
            held_out = zlib.crc32(line.encode()) % 2 == 1
            for _ in range(FILLINGS):
                yield _filled(template, language, values, held_out=held_out)


def _filled(template: str, language: str, values: Values, *, held_out: bool) -> Sample:
    text, last = "", 0
    labels: list[Label] = []
    for found in _PLACEHOLDER.finditer(template):
        text += template[last : found.start()]
        last = found.end()
        kind, form = found[1], found[2] or ""
        value, name = values.value(kind, form)
        if kind not in look_alikes.ALL:
            kind = _KIND.get(kind, kind)
            labels.append(Label(kind, name, len(text), len(text) + len(value)))
        text += value
    return Sample(text + template[last:], language, held_out, labels)


if __name__ == "__main__":
    write(samples(), Path(sys.argv[1]))
