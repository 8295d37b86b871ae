"""The guards as a call meets them: its request goes in, its answer's body or events come out.

What guards see are parts; what they hide in a request is put back in the answer, after the cache
has kept it: so an answer that is given again holds no other caller's values.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

from headgate.checks.guards.guard import Guarded
from headgate.checks.guards.guarding import Guarding, put_back
from headgate.checks.guards.policy import GuardPolicies
from headgate.checks.parts import Kind, Part, reply_parts
from headgate.checks.parts.flow import ChatFlow, ResponseFlow
from headgate.errors import ContentBlockedError, HeadgateError, UpstreamFailedError
from headgate.gateway.call import Call, LastWords, Refusal
from headgate.gateway.endpoints.endpoint import UNREADABLE
from headgate.gateway.guarded_stream import GuardedStream
from headgate.gateway.hidden_values import HiddenValues
from headgate.gateway.objects.operation import Found
from headgate.gateway.reply_headers import refusal
from headgate.gateway.request import Request
from headgate.telemetry.guard_metrics import GuardMetrics

# Numbers that nobody looks at leave as they came.
_decode = msgspec.json.Decoder(float_hook=Decimal).decode
_encode = msgspec.json.Encoder(decimal_format="number").encode

_UNTOUCHED = frozenset({"model", "stream", "stream_options", "temperature", "max_tokens"})
"""Fields that hold no text, left out before anything is decoded."""

_HEADER = b"x-headgate-guards"


class GuardsInCalls:
    """Has the guards of a server look at its calls."""

    def __init__(
        self, policies: GuardPolicies, hidden: HiddenValues, metrics: GuardMetrics
    ) -> None:
        self._policies = policies
        self._hidden = hidden
        self._metrics = metrics

    async def request(self, call: Call, request: Request) -> None:
        """Check `request` and rewrite in it what must not leave.

        Raises `ContentBlockedError` and `GuardFailedError`, and leaves `call.guarding` where
        guards stand at this call.
        """
        if call.inner:
            return
        guarding = self._stand(
            call, request.endpoint.name, request.model, structured=_structured(request)
        )
        if guarding is None:
            return
        guarded, record = guarding.call, call.record
        if (earlier := _conversation(request)) is not None:
            guarded.mapping = await self._hidden.find(record.project, earlier)
        fields: dict[str, Any] = {
            name: _decode(raw) for name, raw in request.fields.items() if name not in _UNTOUCHED
        }
        more = []
        if request.form is not None:
            more.append(_file("audio" if request.endpoint.name.startswith("audio/") else "image"))
        for name in await guarding.request(fields, more):
            if name in fields:
                request.rewrite(name, fields[name], _encode(fields[name]))
            else:
                del request.fields[name]

    async def object_body(self, call: Call, found: Found, body: bytes | None) -> bytes:
        """The JSON of a request about an object as it may leave; None: a form, that nobody reads.

        Raises as `request` does. What is hidden comes back in calls that go on from the object.
        """
        operation = found.operation
        guarding = self._stand(call, operation.name, "", structured=False)
        if guarding is None or body == b"":
            return body or b""
        if body is None:
            await guarding.request({}, [_file("file")])
            return b""
        conversation = found.ids.get("conversation")
        if conversation is not None:
            guarding.call.mapping = await self._hidden.find(call.record.project, conversation)
        fields: dict[str, Any] = _decode(body)
        await guarding.request(fields)
        if conversation is not None and len(guarding.call.mapping):
            mapping = guarding.call.mapping
            await self._hidden.remember(call.record.project, conversation, mapping)
        return _encode(fields)

    def refuse_unseen(self, call: Call, endpoint: str, model: str) -> None:
        """Raise `ContentBlockedError` where guards stand at a call that they can't look into."""
        if self._stand(call, endpoint, model, structured=False) is not None:
            raise ContentBlockedError(
                f"Guards stand at the calls of this project, and they can't look into {endpoint};"
                " use an endpoint that they can, or have the operator leave it out of the policy.",
                code="guard_cannot_see",
            )

    async def restored(self, project: str, conversation: str, body: bytes) -> bytes:
        """What a provider keeps of a conversation, with what was hidden from it put back."""
        mapping = await self._hidden.find(project, conversation)
        if not len(mapping):
            return body
        try:
            shown = _decode(body)
        except UNREADABLE:
            return body
        put_back(reply_parts(shown), mapping)
        return _encode(shown)

    def _stand(self, call: Call, endpoint: str, model: str, *, structured: bool) -> Guarding | None:
        """The guards of `call`, noted in it; None where none stand there."""
        record = call.record
        guarded = Guarded(
            project=record.project,
            key_id=record.key_id,
            endpoint=endpoint,
            trust=call.trust,
            route=record.route or model,
            workflow=record.workflow,
            structured=structured,
            origin=call,
        )
        standing = self._policies.standing(guarded)
        if standing is not None:
            call.guarding = Guarding(standing, guarded)
        return call.guarding

    async def concluded(self, call: Call, request: Request) -> None:
        """As `note`, and keep what a later turn needs."""
        guarding, record = call.guarding, call.record
        if guarding is None:
            return
        self.note(call)
        mapping = guarding.call.mapping
        if len(mapping):
            for conversation in (record.response_id, _conversation_field(request)):
                if conversation is not None:
                    await self._hidden.remember(record.project, conversation, mapping)

    def note(self, call: Call) -> None:
        """Put what the guards said into the call's record and the metrics."""
        guarding, record = call.guarding, call.record
        if guarding is None:
            return
        guarding.abandon()
        if guarding.report.records:
            record.guards = _encode(guarding.report.records).decode()
            for one in guarding.report.records:
                self._metrics.verdict(
                    one.guard, one.direction, one.decision, one.policy, one.counts
                )
                self._metrics.took(one.guard, one.direction, one.took_us / 1e6)

    async def reply(self, call: Call, last: LastWords) -> LastWords | Refusal:
        """A whole answer as the client may have it."""
        guarding = call.guarding
        if guarding is None:
            return last
        try:
            body = _decode(last.body)
        except UNREADABLE:
            body = None
        try:
            await guarding.requests_verdicts()
            if isinstance(body, dict | list):
                await guarding.reply(body)
                last = msgspec.structs.replace(last, body=_encode(body))
            elif guarding.rewrites_replies:
                raise UpstreamFailedError(
                    "The reply is not JSON, so its guards can't read it.", code="guard_cannot_see"
                )
        except HeadgateError as error:
            return refusal(call, error)
        return last

    async def stream(self, call: Call, request: Request) -> GuardedStream | None:
        """What the events of an answer go through; None where they need not be read.

        Raises as `request` does, where its guards have been looking on meanwhile.
        """
        guarding = call.guarding
        if guarding is None:
            return None
        await guarding.requests_verdicts()
        if not guarding.rewrites_replies:
            return None
        structured = guarding.call.structured
        if request.endpoint.name == "chat/completions":
            return GuardedStream(guarding, ChatFlow(structured=structured))
        return GuardedStream(guarding, ResponseFlow(structured=structured))


def _file(kind: Kind) -> Part:
    """The files of a form, which pass by as they come."""
    return Part({"file": ""}, "file", path="file", role="user", kind=kind)


def guard_headers(call: Call) -> list[tuple[bytes, bytes]]:
    """What the reply's head tells of the guards so far."""
    if call.guarding is None or not call.guarding.report.records:
        return []
    return [(_HEADER, call.guarding.report.header().encode())]


def _conversation(request: Request) -> str | None:
    """What the provider keeps of earlier turns, that the request goes on from."""
    return request.previous_response() or _conversation_field(request)


def _conversation_field(request: Request) -> str | None:
    raw = request.fields.get("conversation")
    if raw is None:
        return None
    try:
        return _named.decode(raw).id if bytes(raw).lstrip()[:1] == b"{" else _string.decode(raw)
    except UNREADABLE:
        return None


class _Named(msgspec.Struct):
    id: str | None = None


_named = msgspec.json.Decoder(_Named)
_string = msgspec.json.Decoder(str | None)


class _Format(msgspec.Struct, frozen=True):
    type: str = "text"


class _Text(msgspec.Struct, frozen=True):
    format: _Format = _Format()


def _structured(request: Request) -> bool:
    """Whether the answer's text is to be JSON."""
    try:
        if "response_format" in request.fields:
            told = msgspec.json.decode(request.fields["response_format"], type=_Format | None)
        elif "text" in request.fields:
            text = msgspec.json.decode(request.fields["text"], type=_Text | None)
            told = None if text is None else text.format
        else:
            return False
    except UNREADABLE:
        return False
    return told is not None and told.type.startswith("json")
