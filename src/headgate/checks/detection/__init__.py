"""Which personal data and secrets stand in a text, and where?"""

from __future__ import annotations

from headgate.checks.detection.detector import Detector
from headgate.checks.detection.engine import Engine
from headgate.checks.detection.finding import Finding, without_overlaps

__all__ = ["Detector", "Engine", "Finding", "without_overlaps"]
