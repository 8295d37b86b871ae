"""Which personal data and secrets stand in a text, and where? Headgate's own engine.

RE2 sets read the text once and say which rules are worth running; most texts need few. It
does no I/O and keeps nothing of what it reads, so one detector serves all threads.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

from headgate.checks.detection.expression import Gates
from headgate.checks.detection.finding import Finding, joined, without_overlaps
from headgate.checks.detection.own import own_scanner
from headgate.checks.detection.plain_text import PlainText
from headgate.checks.detection.rules import rules_for
from headgate.checks.detection.scanner import Scanner
from headgate.checks.detection.word_list import WordList
from headgate.config.detection import KINDS, LANGUAGES, Kind, Language, OwnPatternSettings

_OF_MANY_KINDS: Final = (
    "tel. 030 12345678, +44 20 7946 0958, DE89370400440532013000, 078-05-1121, 12345678Z,"
    " 390.533.447-05, born 12.03.1985, NHS 401 023 2137, 4242 4242 4242 4242, BSN 111222333"
)


class Detector:
    """Finds values of `kinds` (all by default) and of `own` patterns.

    `languages` says whose cues and numbering plans are known; `least_score` from where a finding
    counts.
    """

    def __init__(
        self,
        kinds: Collection[Kind] | None = None,
        languages: Collection[Language] | None = None,
        own: Sequence[OwnPatternSettings] = (),
        *,
        least_score: int = 50,
    ) -> None:
        self._scanners: list[tuple[str, Scanner | WordList]] = [
            (one.name, own_scanner(one, least_score)) for one in own if one.score >= least_score
        ]
        for rule in rules_for(
            KINDS if kinds is None else kinds, LANGUAGES if languages is None else languages
        ):
            if max(rule.score, rule.cued_score if rule.cue else 0) >= least_score:
                self._scanners.append((rule.kind, Scanner(rule, least_score)))
        self._gates = Gates((scanner.family, scanner.gate) for _, scanner in self._scanners)

    def warm_up(self) -> None:
        """Load what waits for a first candidate, such as numbering plans: about 100 ms."""
        self.find(_OF_MANY_KINDS)

    def find(self, text: str) -> list[Finding]:
        """What stands in `text`: in its order, not overlapping, in characters of `text`."""
        plain = PlainText(text)
        data = plain.data
        kinds: list[str] = []
        scores: list[int] = []
        places: list[tuple[int, int]] = []
        for index in self._gates.open_for(data):
            kind, scanner = self._scanners[index]
            for start, end, score in scanner.scan(data):
                kinds.append(kind)
                scores.append(score)
                places.append((start, end))
        if not places:
            return []
        return without_overlaps(
            joined(
                Finding(kind, start, end, score)
                for kind, score, (start, end) in zip(
                    kinds, scores, plain.spans(places), strict=True
                )
            )
        )
