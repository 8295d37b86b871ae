"""How do several engines act as one? Each reads the text; of what overlaps the better stays."""

from __future__ import annotations

from collections.abc import Sequence

from headgate.checks.detection.detector import Detector
from headgate.checks.detection.engine import Engine
from headgate.checks.detection.finding import Finding, joined, without_overlaps
from headgate.checks.detection.presidio_engine import PresidioEngine
from headgate.config.detection import DetectionSettings


class Together:
    """Finds what any of `engines` finds."""

    def __init__(self, engines: Sequence[Engine]) -> None:
        self._engines = tuple(engines)

    def find(self, text: str) -> list[Finding]:
        """What stands in `text`: in its order, not overlapping."""
        return without_overlaps(joined(one for each in self._engines for one in each.find(text)))


def engine_for(settings: DetectionSettings) -> Engine:
    """The engine that `settings` ask for; `ConfigError` where Presidio or its model is missing."""
    detector = Detector(
        settings.kinds, settings.languages, settings.own, least_score=settings.least_score
    )
    if settings.presidio_model is None:
        return detector
    presidio = PresidioEngine(
        settings.presidio_model, kinds=settings.kinds, least_score=settings.least_score
    )
    return Together([detector, presidio])
