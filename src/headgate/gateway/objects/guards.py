"""The guards as requests about objects meet them: a query and a body go in, a reply comes out.

What is hidden in an object, such as a conversation, is put back in calls that go on from it and
wherever it is shown. Files, which may be large, are for `guarded_files`.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

from headgate.checks.guards.guarding import Guarding, put_back
from headgate.checks.guards.policy import NOBODY, GuardPolicies
from headgate.checks.guards.report import GuardReport
from headgate.checks.parts import Part, reply_parts
from headgate.errors import ContentBlockedError
from headgate.gateway.call import Call
from headgate.gateway.endpoints.endpoint import UNREADABLE
from headgate.gateway.guarded_call import guarded_call
from headgate.gateway.guards import GuardsInCalls, header_parts
from headgate.gateway.hidden_values import HiddenValues
from headgate.gateway.objects.operation import Found

# Numbers that nobody looks at leave as they came.
_decode = msgspec.json.Decoder(float_hook=Decimal).decode
_encode = msgspec.json.Encoder(decimal_format="number").encode

_PAST_HEADGATE = "/realtime/"
"""Below it a client gets what it can speak to the provider with: a secret, a call."""


class GuardsAtObjects:
    """Has the guards of a server look at its requests about objects."""

    def __init__(
        self, guards: GuardsInCalls, policies: GuardPolicies, hidden: HiddenValues
    ) -> None:
        self._guards = guards
        self._policies = policies
        self._hidden = hidden

    def check_address(self, call: Call, found: Found) -> None:
        """Raise `ContentBlockedError` where a request would lead its client past its guards."""
        if not found.path.startswith(_PAST_HEADGATE) or found.operation.method == "GET":
            return
        if self._policies.may_stand(guarded_call(call, found.operation.name, "")):
            raise ContentBlockedError(
                "Guards stand at the calls of this project, and what a client says to the provider"
                " by itself goes past them; have it open a websocket at /v1/realtime.",
                code="guard_cannot_see",
            )

    async def body(self, call: Call, found: Found, body: bytes | None) -> bytes:
        """The JSON of a request about an object as it may leave; None: what nobody reads.

        Raises as `GuardsInCalls.request` does. What is hidden comes back in calls that go on from
        the object.
        """
        operation = found.operation
        guarding = self._guards.stand(call, operation.name, "", structured=False)
        if guarding is None or body == b"":
            return body or b""
        guarding.call.kept_as_data = True
        if body is None:
            unread = Part({"file": ""}, "file", path="file", role="user", kind="file")
            await guarding.request({}, [unread])
            await guarding.requests_verdicts()
            return b""
        conversation = found.ids.get("conversation")
        if conversation is not None:
            guarding.call.mapping = await self._hidden.find(call.record.project, conversation)
        fields: dict[str, Any] = _decode(body)
        await guarding.request(fields)
        # Nobody waits for an answer beside which they could still look.
        await guarding.requests_verdicts()
        if conversation is not None and len(guarding.call.mapping):
            mapping = guarding.call.mapping
            await self._hidden.remember(call.record.project, conversation, mapping)
        return _encode(fields)

    async def query(
        self, call: Call, found: Found, query: tuple[tuple[str, str], ...]
    ) -> tuple[tuple[str, str], ...]:
        """The query of a request about objects as it may leave; its headers are looked at too.

        Raises as `GuardsInCalls.request` does.
        """
        headers = header_parts(call)
        if not query and not headers:
            return query
        guarding = self._guards.stand(call, found.operation.name, "", structured=False)
        if guarding is None:
            return query
        values = [value for _, value in query]
        parts = [
            Part(values, at, path=f"query[{at}]", role="label") for at in range(len(values))
        ] + [Part({name: ""}, name, path="query", role="label", kind="name") for name, _ in query]
        await guarding.request({}, [*parts, *headers])
        await guarding.requests_verdicts()
        return tuple((name, value) for (name, _), value in zip(query, values, strict=True))

    async def reply(self, call: Call, found: Found, body: bytes) -> bytes:
        """The reply to a request about an object, with what was hidden put back.

        That is what its own request hid, and what is kept of the conversation it is about. Raises
        `DatabaseUnavailableError`.
        """
        guarding, project = call.guarding, call.record.project
        mapping = None if guarding is None else guarding.call.mapping
        if mapping is not None and len(mapping):
            try:
                shown = _decode(body)
            except UNREADABLE:
                return body
            made = shown.get("id") if isinstance(shown, dict) else None
            if found.operation.kind == "conversation" and isinstance(made, str):
                await self._hidden.remember(project, made, mapping)
            put_back(reply_parts(shown), mapping)
            return _encode(shown)
        completion = found.ids.get("chat_completion")
        if completion is not None and found.operation.path.endswith("{chat_completion}"):
            return await self._guards.kept(call.caller, completion, body)
        kept = found.ids.get("conversation") or completion
        return body if kept is None else await self._guards.restored(project, kept, body)

    async def concluded(self, call: Call) -> None:
        """Note what the guards said, in the call's record and the metrics; tell who must look."""
        self._guards.note(call)
        await self._guards.alarm(call)

    def note_report(self, call: Call, report: GuardReport) -> None:
        """Put what guards said of results into the call's own report."""
        if call.guarding is None:
            call.guarding = Guarding(NOBODY, guarded_call(call, call.record.endpoint, ""))
        call.guarding.report.join(report)
