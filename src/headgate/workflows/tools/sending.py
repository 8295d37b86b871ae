"""Sends actions: once each, whatever happens to the process meanwhile.

An action is marked as started before it goes out. One that is found started was under way when its
process died: it is sent again only if its tool says that this does no harm, with the same key.
"""

from __future__ import annotations

import asyncio
import logging

import msgspec

from headgate.errors import DatabaseUnavailableError
from headgate.storage.threads import StorageThreads
from headgate.workflows.journal import RunLostError
from headgate.workflows.tools.action import Action, ActionState
from headgate.workflows.tools.action_store import ActionStore
from headgate.workflows.tools.box import OfferedTool
from headgate.workflows.tools.tool import ToolAnswer, ToolCall

_log = logging.getLogger(__name__)

_SENT_AT_MOST = 3
"""Times that an action is sent whose tool is idempotent, until nobody knows is the answer."""

_PAUSES_S = (0.5, 2.0)
_STORE_PAUSE_S = 1.0
_ADOPT_WITHIN_S = 30.0
_ADOPT_PAUSE_S = 0.5
_STATES: dict[str, ActionState] = {"done": "done", "failed": "failed", "unknown": "unknown"}


class ActionSender:
    """Sends what is approved, and says what came of it."""

    def __init__(self, store: ActionStore, threads: StorageThreads) -> None:
        self._store = store
        self._threads = threads

    async def carried(self, offered: OfferedTool, action: Action) -> Action:
        """The action as far as it comes by itself: ended, or as a person must look at it.

        Raises `RunLostError` where another process has it. A task that is cancelled meanwhile
        waits until what is on its way has come to its end, or to its tool's time limit.
        """
        work = asyncio.ensure_future(self._carried(offered, action))
        try:
            return await asyncio.shield(work)
        except asyncio.CancelledError:
            await asyncio.wait([work])
            if not work.cancelled():
                work.exception()  # somebody has looked at it
            raise

    async def _carried(self, offered: OfferedTool, action: Action) -> Action:
        if action.state == "approved":
            started = await self._threads.run(self._store.start, action)
            if started is None:
                raise RunLostError
            return await self._sent(offered, started)
        if action.state == "started":
            adopted = await self._adopted(action)
            if adopted.idempotent and adopted.attempts <= _SENT_AT_MOST:
                return await self._sent(offered, adopted)
            lost = ToolAnswer(
                outcome="unknown",
                content="The server stopped while this was on its way; nobody knows if it arrived.",
                code="interrupted",
            )
            return await self._ended(adopted, lost)
        return action

    async def _sent(self, offered: OfferedTool, action: Action) -> Action:
        circumstances = ToolCall(
            key=action.key, timeout_s=offered.terms.timeout_s, run_id=action.run_id
        )
        arguments = action.arguments
        if arguments is None:
            erased = ToolAnswer(
                outcome="failed", content="Its arguments were erased.", code="erased"
            )
            return await self._ended(action, erased)
        answer = await offered.tool.call(arguments, circumstances)
        for pause_s in _PAUSES_S if action.idempotent else ():
            if answer.outcome != "unknown":
                break
            await asyncio.sleep(pause_s)
            answer = await offered.tool.call(arguments, circumstances)
        return await self._ended(action, answer)

    async def _adopted(self, action: Action) -> Action:
        """The action, from the process that died; that one's name may stand for another moment."""
        tries = int(_ADOPT_WITHIN_S / _ADOPT_PAUSE_S)
        for _ in range(tries):
            adopted = await self._threads.run(self._store.adopt, action)
            if adopted is not None:
                return adopted
            await asyncio.sleep(_ADOPT_PAUSE_S)
        raise RunLostError

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
