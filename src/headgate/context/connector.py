"""The interface of a connector. To add a kind: one class here, one block in `config.connectors`.

A connector is asked by an operation's name and gives records as its source has them; what may leave
is decided afterwards, in one place for all kinds (`narrowing.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

Argument = str | int | float | bool
Arguments = Mapping[str, Argument]


class ConnectorError(Exception):
    """A connector gave nothing that fits; the message says why, without contents or addresses."""

    def __init__(self, message: str, *, retryable: bool = False) -> None:
        super().__init__(message)
        self.retryable = retryable
        """Whether the same may go well later."""


class NoRecordError(ConnectorError):
    """The source has no such record."""


class ArgumentError(ConnectorError):
    """An argument is none that the source can be asked with."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(f"the argument `{name}` {message}")
        self.name = name


class Connector(Protocol):
    """One source of records."""

    async def records(self, operation: str, arguments: Arguments) -> list[dict[str, Any]]:
        """What the source has, at most one record more than the operation takes.

        Raises `ConnectorError`; cancelling it gives up waiting. `operation` is one of its own, and
        `arguments` are those that it needs.
        """

    def check(self) -> list[tuple[str, str, bool]]:
        """What is wrong with its operations, as far as the source itself can say that now.

        For each the operation, what is wrong, and whether it must not start so. Nothing where the
        source can't be asked; it blocks.
        """

    async def close(self) -> None:
        """Let go of all that it holds."""

    def discard(self) -> None:
        """The same for one that was only checked, where no event loop runs."""
