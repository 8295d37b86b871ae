"""The guards as a call meets them: its request goes in, its answer's body or events come out.

What guards see are parts; what they hide in a request is put back in the answer, after the cache
has kept it: so an answer that is given again holds no other caller's values.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import msgspec

from headgate.checks.guards.guarding import Guarding, put_back
from headgate.checks.guards.policy import GuardPolicies
from headgate.checks.guards.report import GuardRecord
from headgate.checks.parts import Kind, Part, reply_parts
from headgate.checks.parts.flow import ChatFlow, ResponseFlow
from headgate.checks.parts.structured import asks_for_json
from headgate.errors import ContentBlockedError, HeadgateError, UpstreamFailedError
from headgate.gateway.alarms import Alarms, GuardAlarm
from headgate.gateway.call import Call, LastWords, Refusal
from headgate.gateway.caller import Caller
from headgate.gateway.endpoints.endpoint import UNREADABLE
from headgate.gateway.guarded_call import asks_for_structure, guarded_call
from headgate.gateway.guarded_files.forms import file_parts, rename
from headgate.gateway.guarded_stream import GuardedStream
from headgate.gateway.hidden_values import HiddenValues
from headgate.gateway.kept_answers import KeptAnswers
from headgate.gateway.named_conversation import conversation_of, earlier_turns_of
from headgate.gateway.reply_headers import refusal
from headgate.gateway.request import Request
from headgate.telemetry.guard_metrics import GuardMetrics

# Numbers that nobody looks at leave as they came.
_decode = msgspec.json.Decoder(float_hook=Decimal).decode
_encode = msgspec.json.Encoder(decimal_format="number").encode

_NO_TEXT = frozenset({"model", "stream", "temperature", "max_tokens"})
"""Fields that hold no text, left out before anything is decoded, unless they hold some after all;
a model's name is taken for what it is."""
_OPENS = (b'"', b"[", b"{")

_SHOWN: dict[str, Kind] = {
    "audio/speech": "audio",
    "images/generations": "image",
    "images/edits": "image",
    "images/variations": "image",
}
"""The endpoints whose answers are no text."""

_QUERY_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_.\[\]-]{0,127}|[0-9]{0,9}")
"""What a stored response is asked about: fields to include, a place in its stream."""

_HEADER = b"x-headgate-guards"


class GuardsInCalls:
    """Has the guards of a server look at its calls."""

    def __init__(
        self,
        policies: GuardPolicies,
        hidden: HiddenValues,
        kept: KeptAnswers,
        metrics: GuardMetrics,
        alarms: Alarms | None = None,
    ) -> None:
        self._alarms = alarms
        self._policies = policies
        self._hidden = hidden
        self._kept = kept
        self._metrics = metrics

    async def request(self, call: Call, request: Request) -> None:
        """Check `request` and rewrite in it what must not leave.

        Raises `ContentBlockedError` and `GuardFailedError`, and leaves `call.guarding` where
        guards stand at this call.
        """
        if call.inner:
            return
        guarding = self.stand(
            call, request.endpoint.name, request.model, structured=asks_for_structure(request)
        )
        if guarding is None:
            return
        guarded, record = guarding.call, call.record
        if (earlier := earlier_turns_of(request)) is not None:
            guarded.mapping = await self._hidden.find(record.project, earlier)
        fields: dict[str, Any] = {
            name: _decode(raw)
            for name, raw in request.fields.items()
            if name not in _NO_TEXT or (name != "model" and bytes(raw)[:1] in _OPENS)
        }
        names: list[Part] = []
        files: list[Part] = []
        if request.form is not None:
            is_audio = request.endpoint.name.startswith("audio/")
            names, files = file_parts(request.form, "audio" if is_audio else "image")
        answer = _SHOWN.get(request.endpoint.name)
        changed = await guarding.request(fields, [*files, *header_parts(call)], answer=answer)
        # What has fields of its own is written anew in any case: one that is given twice must not
        # mean one thing here and another to the provider.
        if request.form is None:
            changed |= {name for name, value in fields.items() if isinstance(value, dict | list)}
        for name in changed:
            if name in fields:
                request.rewrite(name, fields[name], _encode(fields[name]))
            else:
                del request.fields[name]
        if request.form is not None:
            rename(request.form, names)

    def refuse_texts(self, query: Sequence[tuple[str, str]]) -> None:
        """Raise `ContentBlockedError` where a query that guards don't see holds more than names."""
        for name, value in query:
            if not (_QUERY_WORD.fullmatch(name) and _QUERY_WORD.fullmatch(value)):
                raise ContentBlockedError(
                    "Guards don't look into the query of this address, so it may hold names and"
                    " small numbers only.",
                    code="guard_cannot_see",
                )

    def conversation(self, call: Call, request: Request) -> Guarding | None:
        """The guards of a conversation that `call` opens; None where none stand there."""
        return self.stand(call, request.endpoint.name, request.model, structured=False)

    async def restored(self, project: str, conversation: str, body: bytes) -> bytes:
        """What a provider keeps of a conversation, with what was hidden from it put back."""
        mapping = await self._hidden.find(project, conversation)
        if not len(mapping):
            return body
        try:
            shown = _decode(body)
        except UNREADABLE:
            return body
        structured = isinstance(shown, dict) and asks_for_json(shown)
        put_back(reply_parts(shown, structured=structured), mapping)
        return _encode(shown)

    async def kept(self, caller: Caller, answer_id: str, body: bytes) -> bytes:
        """An answer that its provider keeps, as its guards let it by now. Raises as `request`."""
        try:
            shown = _decode(body)
        except UNREADABLE:
            return body
        if not isinstance(shown, dict):
            return body
        guarding = await self._kept.guarding(caller, answer_id, shown)
        try:
            await guarding.reply(shown)
        finally:
            self.count(guarding.report.records)
        return _encode(shown)

    async def kept_stream(self, caller: Caller, answer_id: str) -> GuardedStream | None:
        """What the events of such an answer go through; None where they need not be read."""
        guarding = await self._kept.guarding(caller, answer_id, None)
        return GuardedStream(guarding, ResponseFlow()) if guarding.rewrites_replies else None

    def stand(self, call: Call, endpoint: str, model: str, *, structured: bool) -> Guarding | None:
        """The guards of `call`, noted in it; None where none stand there."""
        guarded = guarded_call(call, endpoint, model, structured=structured)
        standing = self._policies.standing(guarded)
        if standing is not None:
            call.guarding = Guarding(standing, guarded).after(call.guarding)
        return call.guarding

    async def concluded(self, call: Call, request: Request) -> None:
        """As `note`, and keep what a later turn needs."""
        guarding, record = call.guarding, call.record
        if guarding is None:
            return
        self.note(call)
        await self.alarm(call)
        mapping = guarding.call.mapping
        if len(mapping):
            project = record.project
            if record.response_id is not None:
                await self._hidden.remember(project, record.response_id, mapping, grows=False)
            if (conversation := conversation_of(request)) is not None:
                await self._hidden.remember(project, conversation, mapping)
        if record.response_id is not None:
            await self._kept.keep(call, guarding, record.response_id)

    def note(self, call: Call) -> None:
        """Put what the guards said into the call's record and the metrics."""
        guarding, record = call.guarding, call.record
        if guarding is None:
            return
        guarding.abandon()
        if guarding.report.records:
            record.guards = _encode(guarding.report.records).decode()
            self.count(guarding.report.records)

    def count(self, verdicts: Sequence[GuardRecord]) -> None:
        """Put what guards said into the metrics."""
        for one in verdicts:
            self._metrics.verdict(one.guard, one.direction, one.decision, one.policy, one.counts)
            self._metrics.took(one.guard, one.direction, one.took_us / 1e6)

    async def alarm(self, call: Call) -> None:
        """Have a person look at a direct call that a guard held, once `note` has noted that."""
        guarding, record = call.guarding, call.record
        if guarding is None or self._alarms is None or record.run_id is not None:
            return
        for one in guarding.report.records:
            if one.decision == "review":
                await self._alarms.raised(
                    GuardAlarm(
                        call_id=record.id,
                        project=record.project,
                        key_id=record.key_id,
                        guard=one.guard,
                        direction=one.direction,
                        reason=one.reason,
                        score=one.score,
                    )
                )

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
            elif call.record.endpoint.startswith("audio/") and _is_text(last):
                # A transcript as it is, or as subtitles.
                told = {"text": last.body.decode()}
                await guarding.reply(told)
                last = msgspec.structs.replace(last, body=told["text"].encode())
            elif guarding.rewrites_replies:
                raise UpstreamFailedError(
                    "The reply is not JSON, so its guards can't read it.", code="guard_cannot_see"
                )
        except HeadgateError as error:
            return refusal(call, error)
        return last

    def found_unfit(self, call: Call) -> bool:
        """Whether the answer is not what was asked, so that it is not to be given again."""
        return call.guarding is not None and call.guarding.call.unfit

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
        if request.endpoint.name == "audio/speech" and not _flows_as_events(request):
            return None  # sound, that its guards let by before it was asked for
        if request.endpoint.name == "chat/completions":
            return GuardedStream(guarding, ChatFlow(structured=structured))
        return GuardedStream(guarding, ResponseFlow(structured=structured))


def header_parts(call: Call) -> list[Part]:
    """Headers of the client's that leave with its request, where they hold more than a word."""
    values = [line.partition(b":")[2].strip() for line in call.forwarded.split(b"\r\n")]
    told = [value.decode("latin-1") for value in values if not _HEADER_WORD.fullmatch(value)]
    return [Part({one: ""}, one, path="header", role="label", kind="name") for one in told]


_HEADER_WORD = re.compile(rb"[A-Za-z0-9_.:/+=~,-]{0,512}")


def _is_text(last: LastWords) -> bool:
    kind = next((value for name, value in last.headers if name == b"content-type"), b"")
    if not kind.lower().startswith((b"text/", b"application/x-subrip")):
        return False
    try:
        last.body.decode()
    except UnicodeDecodeError:
        return False
    return True


def _flows_as_events(request: Request) -> bool:
    return bytes(request.fields.get("stream_format", b"")) == b'"sse"'


def guard_headers(call: Call) -> list[tuple[bytes, bytes]]:
    """What the reply's head tells of the guards so far."""
    if call.guarding is None or not call.guarding.report.records:
        return []
    return [(_HEADER, call.guarding.report.header().encode())]
