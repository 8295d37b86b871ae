"""Who is next among the calls that wait: by priority, then each project in turn, then in order."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterator
from typing import Generic, Protocol, TypeVar, get_args

from headgate.config.allowances import Priority

PRIORITIES: tuple[Priority, ...] = get_args(Priority)


class Waiter(Protocol):
    """A call that waits in line."""

    @property
    def project(self) -> str:
        """Whose it is."""

    @property
    def priority(self) -> Priority:
        """How urgent it is."""


T = TypeVar("T", bound=Waiter)


class Line(Generic[T]):
    """Waiting calls. A call of a lower priority goes only when none of a higher one waits."""

    __slots__ = ("_length", "_projects")

    def __init__(self) -> None:
        self._projects: tuple[OrderedDict[str, deque[T]], ...] = tuple(
            OrderedDict() for _ in PRIORITIES
        )
        self._length = 0

    def __len__(self) -> int:
        return self._length

    def join(self, waiter: T) -> None:
        """Stand in line."""
        projects = self._projects[PRIORITIES.index(waiter.priority)]
        projects.setdefault(waiter.project, deque()).append(waiter)
        self._length += 1

    def leave(self, waiter: T) -> None:
        """Give up one's place; nothing happens where one has none."""
        projects = self._projects[PRIORITIES.index(waiter.priority)]
        waiting = projects.get(waiter.project)
        if waiting is None or waiter not in waiting:
            return
        waiting.remove(waiter)
        self._length -= 1
        if not waiting:
            del projects[waiter.project]

    def served(self, waiter: T) -> None:
        """`waiter` was helped: it leaves, and its project goes behind the others."""
        self.leave(waiter)
        projects = self._projects[PRIORITIES.index(waiter.priority)]
        if waiter.project in projects:
            projects.move_to_end(waiter.project)

    def __iter__(self) -> Iterator[T]:
        """The first call of each project, in the order in which they are to be served."""
        for projects in self._projects:
            yield from [waiting[0] for waiting in projects.values()]

    @property
    def first(self) -> T | None:
        """Who is to be served next."""
        return next(iter(self), None)
