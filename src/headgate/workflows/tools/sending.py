"""Sends actions: once each, whatever happens to the process meanwhile.

An action is marked as started before it goes out. One that is found started was under way when its
process died: it is sent again only if its tool says that this does no harm, with the same key.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Coroutine

import msgspec

from headgate.errors import DatabaseUnavailableError
from headgate.storage.threads import StorageThreads
from headgate.workflows.journal import RunLostError
from headgate.workflows.tools.action import Action, ActionState
from headgate.workflows.tools.action_store import ActionStore
from headgate.workflows.tools.box import OfferedTool
from headgate.workflows.tools.tool import ToolAnswer, ToolCall, digest_of

_log = logging.getLogger(__name__)

_SENT_AT_MOST = 3
"""Times that an action is sent whose tool is idempotent, until nobody knows is the answer."""

_PAUSES_S = (0.5, 2.0)
_STORE_PAUSE_S = 1.0
_OTHERS_WITHIN_S = 30.0
"""How much longer than its tool may take another process's sending is waited for."""

_LOOK_S = 0.5
_SENT_WITHIN_S = 5.0
"""How long after it was marked as started an action goes out, or not at all: a process that stood
still meanwhile may have been taken for dead."""

_STATES: dict[str, ActionState] = {"done": "done", "failed": "failed", "unknown": "unknown"}

_INTERRUPTED = ToolAnswer(
    outcome="unknown",
    content="The server stopped while this was on its way; nobody knows if it arrived.",
    code="interrupted",
)
_ERASED = ToolAnswer(outcome="failed", content="Its arguments were erased.", code="erased")
_GONE = ToolAnswer(
    outcome="failed",
    content="It was not done: the workflow does not have this tool any more.",
    code="no_such_tool",
)


class ActionSender:
    """Sends what is approved, and says what came of it."""

    def __init__(self, store: ActionStore, threads: StorageThreads) -> None:
        self._store = store
        self._threads = threads
        self._on_their_way: dict[str, asyncio.Task[Action | None]] = {}
        """By action; at most one for each run that this process carries, and its like."""

    async def carried(self, offered: OfferedTool | None, action: Action) -> Action:
        """The action as far as it comes by itself: ended, or as a person must look at it.

        `offered` is None where its tool is gone. Raises `RunLostError` where another process has
        it, or the run is over. A task that is cancelled meanwhile waits until what is on its way
        has come to its end, or to its tool's time limit.
        """
        timeout_s = 0.0 if offered is None else offered.terms.timeout_s
        give_up_s = time.monotonic() + timeout_s + _OTHERS_WITHIN_S
        while action.state in ("approved", "started"):
            if (earlier := self._on_their_way.get(action.id)) is not None:
                # This process had lost the run, and has it again.
                await asyncio.wait([earlier])
            else:
                ended = await self._kept_up(action.id, self._attempt(offered, action))
                if ended is not None:
                    return ended
                if time.monotonic() > give_up_s:
                    raise RunLostError
                await asyncio.sleep(_LOOK_S)
            found = await self._threads.run(self._store.get, action.id)
            if found is None:
                raise RunLostError
            action = found
        return action

    async def break_off(self) -> None:
        """Drop what is on its way: nobody will hear from here what came of it."""
        tasks = list(self._on_their_way.values())
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=_STORE_PAUSE_S)

    async def _kept_up(
        self, action_id: str, sending: Coroutine[None, None, Action | None]
    ) -> Action | None:
        """What `sending` gives; it is not broken off where this task is cancelled."""
        task = asyncio.ensure_future(sending)
        self._on_their_way[action_id] = task
        task.add_done_callback(lambda _: self._on_their_way.pop(action_id, None))
        cancelled: asyncio.CancelledError | None = None
        while not task.done():
            try:
                await asyncio.wait([task])
            except asyncio.CancelledError as error:
                cancelled = error
        if cancelled is not None:
            if not task.cancelled():
                task.exception()  # somebody has looked at it
            raise cancelled
        return task.result()

    async def _attempt(self, offered: OfferedTool | None, action: Action) -> Action | None:
        """The action after it was sent from here; None while others have it."""
        if action.state == "approved":
            began_s = time.monotonic()
            started = await self._threads.run(self._store.start, action)
            if started is None:
                return None
            if time.monotonic() - began_s > _SENT_WITHIN_S:
                await self._threads.run(self._store.put_back, started)
                return None
            if _differs(offered, started):
                # Nothing goes out that nobody has seen: who approved it saw something else.
                return await self._threads.run(self._store.put_back, started, "requested")
            # A person had it sent again, without knowing what came of the first time.
            return await self._sent(offered, started, doubtful=started.attempts > 1)
        began_s = time.monotonic()
        adopted = await self._threads.run(self._store.adopt, action)
        if adopted is None:
            return None
        late = time.monotonic() - began_s > _SENT_WITHIN_S
        may = offered is not None and adopted.idempotent and adopted.attempts <= _SENT_AT_MOST
        if may and not late:
            return await self._sent(offered, adopted, doubtful=True)
        return await self._ended(adopted, _INTERRUPTED)

    async def _sent(
        self, offered: OfferedTool | None, action: Action, *, doubtful: bool = False
    ) -> Action:
        """Send it; `doubtful`: it was sent before, and nobody knows what came of that."""
        arguments = action.arguments
        if offered is None or arguments is None:
            return await self._ended(action, _GONE if offered is None else _ERASED)
        circumstances = ToolCall(
            key=action.key, timeout_s=offered.terms.timeout_s, run_id=action.run_id
        )
        answer = await offered.call(arguments, circumstances)
        for pause_s in _PAUSES_S if action.idempotent else ():
            # That another attempt failed says nothing of the one before.
            doubtful = doubtful or answer.outcome == "unknown"
            if answer.outcome == "done" or not doubtful:
                break
            await asyncio.sleep(pause_s)
            if not await self._may_repeat(action):
                break
            answer = await offered.call(arguments, circumstances)
        if doubtful and answer.outcome == "failed":
            answer = msgspec.structs.replace(answer, outcome="unknown")
        return await self._ended(action, answer)

    async def _may_repeat(self, action: Action) -> bool:
        try:
            return await self._threads.run(self._store.may_repeat, action)
        except DatabaseUnavailableError:
            return False  # it may have been cancelled, so a person shall look

    async def _ended(self, action: Action, answer: ToolAnswer) -> Action:
        """Keep what came of it, however long the database is away: it can't be asked again."""
        state = _STATES[answer.outcome]
        while True:
            try:
                stored = await self._threads.run(
                    self._store.end, action, state, answer.content, answer.code
                )
                break
            except DatabaseUnavailableError:
                await asyncio.sleep(_STORE_PAUSE_S)
        if not stored:
            raise RunLostError
        if state == "unknown":
            _log.warning(
                "nobody knows whether an action was done; a person is asked",
                extra={"action": action.id, "run_id": action.run_id, "tool": action.tool},
            )
        return msgspec.structs.replace(action, state=state, result=answer.content, code=answer.code)


def _differs(offered: OfferedTool | None, action: Action) -> bool:
    """Whether a person approved something else than what would be sent now."""
    if offered is None or action.sent_sha256 is None or action.arguments is None:
        return False
    return digest_of(offered.tool.sent(action.arguments, action.key)) != action.sent_sha256
