"""How are the figures of detection told? As tables: by kind, by form, and speed."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from benchmarks.detection.sample import Found, Sample
from benchmarks.detection.scores import Score, scored, total
from headgate.config.detection import KINDS, STRUCTURED

BOTH_KNOW: Final = frozenset(
    (
        *("email", "phone", "payment_card", "iban", "us_ssn", "us_itin", "passport", "nhs"),
        *("ip_address", "mac_address"),
    )
)
"""Forms of structured kinds that Presidio's default analyzer has a recogniser for, too."""


@dataclass(frozen=True)
class Reading:
    """What one engine found in the set, and what that took."""

    name: str
    found: Sequence[Sequence[Found]]
    us_per_kb: float
    us_per_page: float
    memory_mb: float
    title: str = ""
    structured_us_per_page: float | None = None
    structured_us_per_prose: float | None = None


def markdown(samples: Sequence[Sample], readings: Sequence[Reading]) -> str:
    """The whole report."""
    held = [number for number, sample in enumerate(samples) if sample.held_out]
    languages = len({sample.language for sample in samples})
    labels = sum(len(sample.labels) for sample in samples)
    empty = sum(not sample.labels for sample in samples)
    size = (
        f"{len(samples):,} sentences in {languages} languages with {labels:,} labels; {empty:,}"
        f" have nothing to find. {len(held):,} are of templates held out."
    )
    lines = [
        size,
        "",
        *(f"- {reading.title}" for reading in readings if reading.title),
        "",
        "**All sentences**, recall / precision in %",
        "",
        *_by_kind(samples, readings),
        "",
        "**Held-out templates only**",
        "",
        *_by_kind(
            [samples[number] for number in held],
            [_only(reading, held) for reading in readings],
        ),
        "",
        "**Missed, by form**",
        "",
        *_misses(samples, readings),
        "",
        *_speed(readings),
    ]
    return "\n".join(lines) + "\n"


def _only(reading: Reading, numbers: Sequence[int]) -> Reading:
    return Reading(reading.name, [reading.found[number] for number in numbers], 0, 0, 0)


def _by_kind(samples: Sequence[Sample], readings: Sequence[Reading]) -> list[str]:
    scores = [scored(samples, reading.found) for reading in readings]
    lines = [f"| kind | labels | {' | '.join(reading.name for reading in readings)} |"]
    lines.append("|---|---:|" + "---:|" * len(readings))
    for kind in KINDS:
        count = scores[0].get(kind, Score()).labels
        cells = [_cell(one.get(kind, Score())) for one in scores]
        lines.append(f"| {kind} | {count} | {' | '.join(cells)} |")
    totals = [total(one, STRUCTURED) for one in scores]
    told = " | ".join(f"**{_cell(one)}**" for one in totals)
    lines.append(f"| **structured kinds** | {totals[0].labels} | {told} |")
    dated = [kind for kind in STRUCTURED if kind != "date_of_birth"]
    told = " | ".join(_cell(total(one, dated)) for one in scores)
    lines.append(f"| without date_of_birth | {total(scores[0], dated).labels} | {told} |")
    both = [_of_forms(one, BOTH_KNOW) for one in scores]
    told = " | ".join(f"{100 * found / labels:.1f} / -" for found, labels in both)
    lines.append(f"| forms that Presidio's default has a recogniser for | {both[0][1]} | {told} |")
    return lines


def _of_forms(scores: dict[str, Score], forms: Collection[str]) -> tuple[int, int]:
    """How many labels of `forms` were found, and how many there are."""
    labels = sum(count for one in scores.values() for f, count in one.forms.items() if f in forms)
    missed = sum(
        count for one in scores.values() for f, count in one.missed_forms.items() if f in forms
    )
    return labels - missed, max(labels, 1)


def _cell(score: Score) -> str:
    precision = f"{100 * score.precision:.1f}" if score.findings else "-"
    return f"{100 * score.recall:.1f} / {precision}"


def _misses(samples: Sequence[Sample], readings: Sequence[Reading]) -> list[str]:
    scores = [scored(samples, reading.found) for reading in readings]
    lines = [f"| form | labels | {' | '.join(reading.name for reading in readings)} |"]
    lines.append("|---|---:|" + "---:|" * len(readings))
    for kind in KINDS:
        for form, count in sorted(scores[0].get(kind, Score()).forms.items()):
            missed = [str(one[kind].missed_forms[form]) for one in scores]
            name = kind if form == kind else f"{kind}: {form}"
            lines.append(f"| {name} | {count} | {' | '.join(missed)} |")
    return lines


def _speed(readings: Sequence[Reading]) -> list[str]:
    lines = ["| | " + " | ".join(reading.name for reading in readings) + " |"]
    lines.append("|---|" + "---:|" * len(readings))

    def row(name: str, values: list[float | None], unit: str) -> str:
        told = ["-" if value is None else f"{value:,.0f} {unit}" for value in values]
        return f"| {name} | {' | '.join(told)} |"

    lines.append(
        row("processor time: the set, all kinds, per KB", [one.us_per_kb for one in readings], "µs")
    )
    lines.append(
        row("1 KB of sentences of the set, all kinds", [one.us_per_page for one in readings], "µs")
    )
    lines.append(
        row("the same, structured kinds", [one.structured_us_per_page for one in readings], "µs")
    )
    lines.append(
        row(
            "a customer's message of 1 KB, structured kinds",
            [one.structured_us_per_prose for one in readings],
            "µs",
        )
    )
    lines.append(row("memory of the process", [one.memory_mb for one in readings], "MB"))
    if len(readings) > 1:
        first, other = readings[0], readings[1]
        times = other.us_per_kb / first.us_per_kb
        lines += ["", f"{other.name} takes {times:.0f} times the processor time for the set."]
    return lines
