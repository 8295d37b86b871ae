"""What log lines and traces both tell of an attempt; the ledger's records have it."""

from __future__ import annotations

from typing import Protocol


class AttemptFigures(Protocol):
    """One attempt of a call."""

    @property
    def reason(self) -> str:
        """Why it was made."""

    @property
    def provider(self) -> str:
        """Who was asked."""

    @property
    def model(self) -> str:
        """For which model."""

    @property
    def provider_key(self) -> str | None:
        """By which of the provider's keys."""

    @property
    def status(self) -> int | None:
        """What the provider answered."""

    @property
    def error_class(self) -> str | None:
        """How it failed; None where its answer was used."""

    @property
    def latency_us(self) -> int:
        """How long it took until its answer was whole or, of a stream, had begun."""
