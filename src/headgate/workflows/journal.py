"""What a run writes down while it is under way, so that it need not be done again.

A synchronous run ends with the request that began it, so its journal keeps nothing.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

from headgate.workflows.steps import Trail

T = TypeVar("T")


class Journal(Protocol):
    """Where a run under way keeps what it has done."""

    async def once(self, name: str, work: Callable[[], Awaitable[T]], kind: type[T]) -> T:
        """What `work` gives; where it had come to its end before a crash, what it gave then.

        `name` is the same whenever the run comes by here, and its own within the run. `kind` is
        what msgspec turns to JSON and back. Raises `RunLostError` where the run is not this
        process's any more.
        """
        ...

    async def note(self, trail: Trail) -> None:
        """Keep the steps that have ended, for whoever watches the run."""
        ...

    def headers(self, name: str) -> tuple[tuple[bytes, bytes], ...]:
        """What a request in the work `name` carries, so that the other side knows it again."""
        ...


class RunLostError(Exception):
    """The run was cancelled, or belongs to another process now; nothing more may be done for it."""


class _Nothing:
    """Keeps nothing: for runs that end with their request."""

    async def once(self, name: str, work: Callable[[], Awaitable[T]], kind: type[T]) -> T:  # noqa: ARG002 - see Journal
        return await work()

    async def note(self, trail: Trail) -> None:
        pass

    def headers(self, name: str) -> tuple[tuple[bytes, bytes], ...]:  # noqa: ARG002 - see Journal
        return ()


NOTHING: Journal = _Nothing()
