"""What does every engine that finds personal data offer? One method, callable from any thread."""

from __future__ import annotations

from typing import Protocol

from headgate.checks.detection.finding import Finding


class Engine(Protocol):
    """Finds personal data and secrets in a text."""

    def find(self, text: str) -> list[Finding]:
        """What stands in `text`: in the text's order, not overlapping."""
