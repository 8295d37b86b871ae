"""The journal of a run that outlives its process."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from headgate.storage.threads import StorageThreads
from headgate.workflows.durable.engine import once
from headgate.workflows.journal import RunLostError
from headgate.workflows.repository import RunRepository
from headgate.workflows.run import Run
from headgate.workflows.steps import Trail

T = TypeVar("T")


class KeptJournal:
    """See `workflows.journal.Journal`."""

    def __init__(
        self, run: Run, leg: int, repository: RunRepository, threads: StorageThreads
    ) -> None:
        """One for each time that the engine begins the run: what it has is asked of it once."""
        self._leg = leg
        self._had: dict[str, object] = {}
        self._run = run
        self._repository = repository
        self._threads = threads

    async def once(self, name: str, work: Callable[[], Awaitable[T]], kind: type[T]) -> T:
        """See `Journal`."""
        # The engine counts steps; gone through again after an outage, a run must not count twice.
        if isinstance(had := self._had.get(name), kind):
            return had
        result = await once(name, work, kind)
        self._had[name] = result
        return result

    async def note(self, trail: Trail) -> None:
        """See `Journal`."""
        steps = tuple(trail.steps)
        if not await self._threads.run(self._repository.progress, self._run, steps, self._leg):
            raise RunLostError

    def headers(self, name: str) -> tuple[tuple[bytes, bytes], ...]:
        """See `Journal`; the name of a step is its own in its run, and a run's in all."""
        return ((b"idempotency-key", f"{self._run.id}-{name}".encode()),)
