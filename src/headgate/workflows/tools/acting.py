"""Acts for runs: what one wants done is kept, sent once, and put before a person where it must be.

Whether a run may act, and what its model or caller is told of it, is not for here.
"""

from __future__ import annotations

import time
from typing import Any

from headgate.storage.identifiers import new_id
from headgate.storage.threads import StorageThreads
from headgate.workflows.errand import Errand
from headgate.workflows.outcome import ActionWaits
from headgate.workflows.steps import Step, ToolFacts
from headgate.workflows.tools.action import Action
from headgate.workflows.tools.action_store import ActionStore
from headgate.workflows.tools.box import OfferedTool
from headgate.workflows.tools.sending import ActionSender
from headgate.workflows.tools.tool import Sent, ToolUnavailableError


class Acting:
    """The actions that one process carries."""

    def __init__(self, store: ActionStore, threads: StorageThreads) -> None:
        self._store = store
        self._threads = threads
        self._sender = ActionSender(store, threads)

    async def break_off(self) -> None:
        """Drop what is on its way to tools: the process is about to end."""
        await self._sender.break_off()

    async def earlier(self, errand: Errand) -> Action | None:
        """The action that the run's next call of a tool is, if it has come by here before."""
        return await self._threads.run(self._store.find, errand.run.id, errand.talk.tools + 1)

    async def requested(
        self, errand: Errand, offered: OfferedTool, arguments: dict[str, Any], why: str | None
    ) -> Action | None:
        """The action, kept; as it is, where the run had come by here before.

        `why` a person must approve it; None: nobody must. None where a limit is reached.
        """
        run, terms = errand.run, offered.terms
        action = Action(
            id=new_id("act"),
            run_id=run.id,
            number=errand.talk.tools + 1,
            project=run.project,
            workflow=run.workflow,
            tool=offered.name,
            effect=terms.effect,
            state="approved" if why is None else "requested",
            idempotent=terms.idempotent,
            requested_at_us=time.time_ns() // 1000,
            arguments=arguments,
        )
        return await self._threads.run(self._store.request, action, terms)

    async def carried(
        self, offered: OfferedTool | None, action: Action, step: Step
    ) -> tuple[Action, ActionWaits | None]:
        """The action as far as it comes by itself, and what a person must then decide about it."""
        action = await self._sender.carried(offered, action)
        step.tool = ToolFacts(
            name=action.tool, effect=action.effect, outcome=action.state, action_id=action.id
        )
        if action.state not in ("requested", "unknown"):
            return action, None
        step.verdict = "held"
        return action, await waits_for(offered, action)


async def waits_for(offered: OfferedTool | None, action: Action) -> ActionWaits:
    """What a person must decide about an action, with all that they need for it.

    `offered` is None where the tool is gone: then a person can only say what came of it.
    """
    arguments = action.arguments or {}
    why = "nobody knows whether it was done"
    if action.state == "requested":
        why = "a person approves it"
        if action.sent_sha256 is not None:
            why = "what would be sent is not any more what was approved"
    if offered is None:
        gone = Sent(f"{action.tool}, which the workflow does not have any more", arguments)
        return ActionWaits(
            action=action, sent=gone, parameters={}, why=why, reviewers=None, four_eyes=False
        )
    parameters: dict[str, Any] = {}
    try:
        spec = await offered.tool.spec()
        parameters = spec.parameters
        if action.state == "requested" and action.sent_sha256 is None:
            why = offered.why_approval(spec, arguments) or why
    except ToolUnavailableError:
        if action.state == "requested":
            raise
    return ActionWaits(
        action=action,
        sent=offered.tool.sent(arguments, action.key),
        parameters=parameters,
        why=why,
        reviewers=offered.terms.reviewers,
        four_eyes=offered.terms.four_eyes,
    )
