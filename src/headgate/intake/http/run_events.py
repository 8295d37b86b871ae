"""A run as it happens, for `GET /api/runs/{id}/events`: server-sent events, read from the database.

Any process can tell of any run. An event's id says how far the run was, so that a client that comes
back with `Last-Event-ID` is told what it has not heard.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any

import msgspec

from headgate.errors import InvalidRequestError, UnavailableError
from headgate.intake.http.run_view import run_view
from headgate.workflows.repository import ENDED
from headgate.workflows.run import Run

WATCHERS_AT_MOST = 500
"""Of one process; beyond it a watcher gets 503."""

_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 1.0
_HEARTBEAT_S = 15.0
_ENDS_AFTER_S = 3600.0
"""The client comes back by itself and is told the rest."""

_RETRY = b"retry: 1000\n\n"
_HEARTBEAT = b": still here\n\n"


class Watchers:
    """The watchers of one process."""

    def __init__(self) -> None:
        self._watching = 0

    def follow(
        self,
        run: Run,
        look: Callable[[], Awaitable[Run | None]],
        last_event_id: str | None,
        *,
        contents: bool,
        is_stopping: Callable[[], bool] = lambda: False,
    ) -> AsyncGenerator[bytes] | None:
        """The events of `run` after `last_event_id`; `look` reads the run anew.

        They end when `is_stopping`: the client comes back to another process, or the next start.
        None where the client has heard all there will ever be. Raises `InvalidRequestError` and
        `UnavailableError` at once.
        """
        told = _told(last_event_id)
        if last_event_id is not None and run.status in ENDED:
            news, *_ = events_since(run, *told, contents=False)
            if not news:
                return None
        if self._watching >= WATCHERS_AT_MOST:
            raise UnavailableError(
                f"{WATCHERS_AT_MOST} clients watch runs already; ask GET /api/runs/{run.id}"
                " instead.",
                code="too_many_watchers",
            )
        return self._events(run, look, told, contents=contents, is_stopping=is_stopping)

    async def _events(
        self,
        run: Run,
        look: Callable[[], Awaitable[Run | None]],
        told: tuple[int, str],
        *,
        contents: bool,
        is_stopping: Callable[[], bool],
    ) -> AsyncGenerator[bytes]:
        self._watching += 1
        try:
            steps, status = told
            pause_s, heard_at_s = _FIRST_PAUSE_S, time.monotonic()
            ends_at_s = heard_at_s + _ENDS_AFTER_S
            yield _RETRY
            while True:
                news, steps, status = events_since(run, steps, status, contents=contents)
                if news:
                    yield news
                    pause_s, heard_at_s = _FIRST_PAUSE_S, time.monotonic()
                if run.status in ENDED or time.monotonic() > ends_at_s or is_stopping():
                    return
                if time.monotonic() - heard_at_s > _HEARTBEAT_S:
                    yield _HEARTBEAT
                    heard_at_s = time.monotonic()
                await asyncio.sleep(pause_s)
                pause_s = min(1.5 * pause_s, _LONGEST_PAUSE_S)
                found = await look()
                if found is None:
                    return
                run = found
        finally:
            self._watching -= 1


def events_since(run: Run, steps: int, status: str, *, contents: bool) -> tuple[bytes, int, str]:
    """What is to be told of `run` to who knows of so many `steps` and its `status`, and these anew.

    First the steps, then what became of the run. One that is resumed has the steps it had.
    """
    view = run_view(run, contents=contents)
    news = b""
    for number in range(steps, len(view.steps)):
        steps = number + 1
        news += _event("step", steps, status, view.steps[number])
    if run.status != status:
        status = run.status
        bare = msgspec.structs.replace(view, steps=(), calls=())
        news += _event(f"run.{status}", steps, status, bare)
    return news, steps, status


def _event(name: str, steps: int, status: str, data: Any) -> bytes:
    return b"id: %d-%b\nevent: %b\ndata: %b\n\n" % (
        steps,
        status.encode(),
        name.encode(),
        msgspec.json.encode(data),
    )


def _told(last_event_id: str | None) -> tuple[int, str]:
    if last_event_id is None:
        return 0, ""
    steps, dash, status = last_event_id.partition("-")
    if not dash or not steps.isdecimal() or len(steps) > 6:
        raise InvalidRequestError(
            "The header Last-Event-ID is none of this run's; leave it out to hear all of it.",
            param="Last-Event-ID",
        )
    return int(steps), status
