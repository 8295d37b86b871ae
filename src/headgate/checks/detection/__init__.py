"""Which personal data and secrets stand in a text, and where? `Detector` tells."""

from __future__ import annotations

from headgate.checks.detection.detector import Detector
from headgate.checks.detection.engine import Engine
from headgate.checks.detection.finding import Finding, without_overlaps
from headgate.checks.detection.presidio_engine import PresidioEngine
from headgate.checks.detection.together import Together, engine_for

__all__ = [
    "Detector",
    "Engine",
    "Finding",
    "PresidioEngine",
    "Together",
    "engine_for",
    "without_overlaps",
]
