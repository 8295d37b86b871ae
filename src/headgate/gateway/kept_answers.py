"""Answers that a provider keeps, as guards meet them when they are fetched later.

They look at such an answer as they would have when it was given: so what they blocked then, or what
was made in the background since, can't be had by asking for it again.
"""

from __future__ import annotations

import logging
from typing import Any

from headgate.checks.guards.guarding import Guarding
from headgate.checks.guards.policy import NOBODY, GuardPolicies
from headgate.checks.parts.structured import asks_for_json
from headgate.errors import HeadgateError
from headgate.gateway.call import Call
from headgate.gateway.caller import Caller
from headgate.gateway.guarded_call import guarded_call
from headgate.gateway.guarded_files.line_notes import LineNote, LineNotes
from headgate.gateway.hidden_values import HiddenValues
from headgate.telemetry.traces.lineage import trace_from

_log = logging.getLogger(__name__)

_TOKEN = "answers"  # noqa: S105 - under which notes of answers stand among those of lines


class KeptAnswers:
    """What is kept of answers, and the guards that stand at them later."""

    def __init__(self, policies: GuardPolicies, hidden: HiddenValues, notes: LineNotes) -> None:
        self._policies = policies
        self._hidden = hidden
        self._notes = notes

    async def keep(self, call: Call, guarding: Guarding, answer_id: str) -> None:
        """Note what an answer must be looked at with, where that can't be told from itself.

        Where the database is away it is not noted, and the guards of whoever fetches it hold.
        """
        guarded = guarding.call
        if not guarding.looks_at_answers:
            return
        inferred = Call(call.caller, guarded.endpoint, trace_id=call.record.trace_id)
        told = {
            None if (standing := self._policies.standing(one)) is None else standing.version
            for one in (
                guarded_call(inferred, guarded.endpoint, call.record.model_answered or ""),
                # Of a stream it is not known when it begins.
                guarded_call(inferred, guarded.endpoint, ""),
            )
        }
        if told == {guarding.version} and not (
            guarded.canaries or guarded.withheld or self._policies.go_by_key
        ):
            return
        note = LineNote(
            model=guarded.route or "",
            canaries=guarded.canaries,
            withheld=sorted(guarded.withheld),
            key_id=guarded.key_id,
            trust=guarded.trust,
            workflow=guarded.workflow,
        )
        try:
            await self._notes.keep_lines(call.record.project, _TOKEN, [(answer_id, note)])
        except HeadgateError as error:
            _log.warning("under which guards an answer was given is not kept: %s", error.code)

    async def guarding(
        self, caller: Caller, answer_id: str, shown: dict[str, Any] | None
    ) -> Guarding:
        """The guards that look at a kept answer; `shown` is it, unless it flows.

        Raises `DatabaseUnavailableError`.
        """
        project = caller.project
        notes = await self._notes.lines(project, _TOKEN, [answer_id])
        note = notes.get(answer_id)
        told = (shown or {}).get("model")
        model = told if isinstance(told, str) else ""
        call = Call(caller, "responses", trace_id=trace_from(None)[0])
        guarded = guarded_call(call, "responses", model if note is None else note.model)
        guarded.structured = asks_for_json(shown or {})
        guarded.mapping = await self._hidden.find(project, answer_id)
        if note is not None:
            guarded.key_id, guarded.trust = note.key_id, note.trust
            guarded.workflow = note.workflow
            guarded.canaries, guarded.withheld = note.canaries, set(note.withheld)
        return Guarding(self._policies.standing(guarded) or NOBODY, guarded)
