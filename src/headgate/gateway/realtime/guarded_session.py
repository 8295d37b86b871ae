"""The guards as a realtime session meets them: a client's events go in, a provider's come out.

What is hidden lives as long as the session, in memory alone. Each response is guarded by itself;
one that is blocked ends for the client as OpenAI ends one that its own filter stops.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import msgspec

from headgate.checks.guards.guard import BlockedError
from headgate.checks.guards.guarding import Guarding, put_back
from headgate.checks.guards.refusals import blocked_in_stream
from headgate.checks.guards.report import folded
from headgate.checks.parts.part import Part
from headgate.checks.parts.realtime_flow import RealtimeFlow, body_of, client_parts
from headgate.checks.parts.rewriting import Rewriting, TooManyChannelsError
from headgate.checks.parts.walker import TooDeepError, reply_parts, request_parts
from headgate.checks.redaction.mapping import Mapping
from headgate.errors import ContentBlockedError, GuardFailedError, InvalidRequestError
from headgate.gateway.call import Call
from headgate.gateway.endpoints.endpoint import UNREADABLE
from headgate.gateway.realtime.events import ClientEvent, ServerEvent, text_of
from headgate.gateway.realtime.heard import Heard

_decode = msgspec.json.decode
_encode = msgspec.json.encode

_MOST_ITEMS = 4096
"""Items of responses that are remembered, to know whose an event is; the oldest go first."""

_MOST_JUDGED = 1000
"""Windows of texts that are remembered not to be judged again; when full all are forgotten."""

_SOUND_OUT = frozenset({"response.output_audio.delta", "response.audio.delta"})
_WITHOUT_TEXT = ("input_audio_buffer.", "output_audio_buffer.", "rate_limits.")
_REPEATED = frozenset({"session.created", "session.updated", "conversation.created", "error"})
"""Events that say what the client said, or what went wrong: nothing of them is a model's."""

_CLIENTS_ITEMS = frozenset({"function_call_output", "mcp_approval_response"})
"""Kinds of items that only a client makes; its messages are told from a model's by their role."""

_TOOLS_ITEMS = frozenset({"mcp_call", "mcp_list_tools"})

_ITEM_IDS_ALONE = frozenset({"conversation.item.deleted", "conversation.item.truncated"})
_SHOWN_AGAIN = ("instructions", "tools")

_SAID_ALOUD = Part({"audio": ""}, "audio", path="audio", role="user", kind="audio")
_SPOKEN = Part({"audio": ""}, "audio", path="audio", role="model", kind="audio")

_MOST_HELD = 64
"""Pieces of sound that wait for a transcript to begin; one more blocks their response."""


class _Response(msgspec.Struct):
    guarding: Guarding
    rewriting: Rewriting
    transcribed: bool = False
    """Whether what is said aloud is told in writing too."""
    held: list[bytes] = msgspec.field(default_factory=list)
    """Its sound so far, until that is known."""

    def released(self, kind: str) -> list[bytes]:
        """What need not wait any more after an event of `kind`."""
        if kind.endswith("transcript.delta"):
            self.transcribed = True
        if not self.transcribed:
            return []
        held, self.held = self.held, []
        return held


class GuardedSession:
    """The guards of one session."""

    def __init__(self, guarding: Guarding) -> None:
        self._in = guarding
        """Looks at what the client says; its verdicts go into the record of the next response."""
        self._beside = self._followed(guarding.another())
        """Looks at what belongs to no response."""
        self._responses: dict[str, _Response] = {}
        self._blocked: OrderedDict[str, None] = OrderedDict()
        self._response_of: OrderedDict[str, str] = OrderedDict()
        """By item, the response that it is a part of."""
        self._said: dict[str, tuple[Any, Any]] = {}
        """Of the session's settings, what the provider was told and what the client had said."""
        self._hears = False
        """Whether sound was let by, and noted, since the last response."""
        self._tools: list[Any] = []
        """What the session offers, as the provider was told."""

    def attend(self, call: Call) -> None:
        """Have `call`, a response of the session, stand under the guards from now on."""
        call.trust = self._in.call.trust
        call.guarding = self._in.another()
        call.guarding.report.records = self._in.report.taken()
        self._hears = False

    def begin(self, response_id: str, call: Call) -> None:
        """Note that the response of `call` has begun."""
        if call.guarding is not None:
            self._responses[response_id] = self._followed(call.guarding)

    def check_sound(self, part: Part = _SAID_ALOUD) -> None:
        """Raise `ContentBlockedError` where a guard must read what only can be heard."""
        call = self._in.call
        unseen = self._in.sight.must_see(part, "input")
        if unseen is None:
            call.trusts.add("untrusted" if call.trust == "untrusted" else "user")
            if not self._hears:
                self._hears = True
                self._in.sight.let_by(part, "input")
            return
        guard, verdict = unseen
        self._in.report.add(guard.name, "input", verdict, 0)
        raise ContentBlockedError(
            f"The guard `{guard.name}` must read what goes in, and it can't read sound; send text,"
            " or have the operator allow it with `unreadable: allow`.",
            code="guard_cannot_see",
        )

    async def take(self, event: ClientEvent) -> None:
        """Check an event of the client's and rewrite in it what must not leave.

        Raises `ContentBlockedError` and `GuardFailedError`; the event is not to go on then.
        """
        try:
            fields: dict[str, Any] = {name: _decode(raw) for name, raw in event.fields.items()}
            parts = client_parts(event.type, fields)
        except UNREADABLE:
            raise InvalidRequestError("The event is not JSON.", code="invalid_json") from None
        except TooDeepError:
            raise _too_deep() from None
        name = body_of(event.type)
        body: Any = None
        if name is not None:
            body = fields.setdefault(name, {}) if name == "response" else fields.get(name)
        for part in parts:
            if part.kind == "audio":
                self.check_sound(part)
        before = _copies(body) if event.type == "session.update" else {}
        await self._check(event.type, body if isinstance(body, dict) else {}, parts)
        for changed, value in fields.items():
            # Also what no guard changed: a field that is given twice has one meaning from here on.
            event.fields[changed] = msgspec.Raw(_encode(value))
        event.event_id = text_of(event.fields, "event_id") or event.event_id
        if event.type == "session.update" and isinstance(body, dict):
            self._said |= {field: (body.get(field), said) for field, said in before.items()}
            if isinstance(body.get("tools"), list):
                self._tools = body["tools"]

    async def _check(self, kind: str, body: dict[str, Any], parts: list[Part]) -> None:
        if kind == "session.update":
            await self._in.piece(parts, body)
            if "tools" in self._in.call.rewritten:
                # None left is not the same as not said: that would leave those of before.
                body.setdefault("tools", [])
        else:
            # What an item brings in may take away tools that the session offers.
            offered = body.get("tools") if kind == "response.create" else None
            asked = {"tools": list(offered if isinstance(offered, list) else self._tools)}
            await self._in.piece(parts, asked)
            left = asked.get("tools", [])
            if kind == "response.create" and "tools" in self._in.call.rewritten:
                body["tools"] = left
                if not left:
                    body["tool_choice"] = "none"
        self._in.report.fold()

    async def tell(self, event: ServerEvent, message: bytes) -> list[bytes]:
        """What the client may have of an event of the provider's.

        Raises `ContentBlockedError` and `GuardFailedError`: then `instead` tells what it gets, and
        nothing more comes of the response that it is about.
        """
        response_id, kind = event.of_response, event.type
        if kind.startswith(_WITHOUT_TEXT):
            return [message]
        following = self._responses.get(response_id or "", self._beside)
        quiet = not self._blocked and not following.guarding.rewrites_replies
        if quiet and kind != "response.done":
            await self._hear(event, message)
            return [message]
        if kind in _SOUND_OUT:
            return [] if response_id in self._blocked else self._sound(event, message, following)
        shown = _object(message)
        response_id = response_id or self._owner(shown)
        self._note_items(shown, response_id)
        if kind in _ITEM_IDS_ALONE:
            return [message]
        if response_id in self._blocked:
            if kind == "conversation.item.retrieved":
                raise ContentBlockedError("The item is part of a response that a guard blocked.")
            return self.instead(event, message)
        following = self._responses.get(response_id or "", self._beside)
        try:
            told = await self._told(following, kind, shown)
        except (BlockedError, TooDeepError, TooManyChannelsError, ContentBlockedError) as stop:
            self._block(response_id)
            if isinstance(stop, BlockedError):
                raise blocked_in_stream(stop) from None
            raise stop if isinstance(stop, ContentBlockedError) else _too_deep() from None
        except GuardFailedError:
            self._block(response_id)
            raise
        finally:
            self._settled(response_id if kind == "response.done" else None, following)
        await self._hear(event, message)
        return [*(_encode(one) for one in told), *following.released(kind)]

    def instead(self, event: ServerEvent, message: bytes) -> list[bytes]:
        """What the client gets in the place of an event that was blocked."""
        if event.type != "response.done":
            return []
        following = self._responses.pop(event.of_response or "", None)
        if following is not None:
            following.guarding.streamed.end()
        shown = _object(message)
        response = shown.get("response")
        if isinstance(response, dict):
            response["status"] = "incomplete"
            response["status_details"] = {"type": "incomplete", "reason": "content_filter"}
            response["output"] = []
            put_back(reply_parts(response), self._in.call.mapping)
        return [_encode(shown)]

    def response_of(self, event: ServerEvent, message: bytes) -> str | None:
        """The response that an event is about, also where it names only an item of it."""
        return event.of_response or self._owner(_object(message))

    def leave(self) -> Guarding:
        """The session is over; what its guards said and no record tells of."""
        for following in self._responses.values():
            following.guarding.abandon()
            following.guarding.streamed.end()
        self._responses.clear()
        self._beside.guarding.abandon()
        self._in.report.records = folded(self._in.report.records)
        return self._in

    async def _told(self, following: _Response, kind: str, shown: dict[str, Any]) -> list[Any]:
        item = shown.get("item")
        kind_of_item = item.get("type") if isinstance(item, dict) else None
        if kind in _REPEATED or kind_of_item in _CLIENTS_ITEMS:
            self._put_back(shown)
            return [shown]
        if kind_of_item in _TOOLS_ITEMS:
            # A tool that the provider runs: what it answers never goes by as a client's event.
            self._in.call.trusts.add("tool")
        told: list[Any] = following.rewriting.event(shown)
        if kind == "response.done" or following is self._beside:
            await following.guarding.streamed.settle()
        return told

    def _settled(self, ended: str | None, following: _Response) -> None:
        """Note what the filters of a response that has ended said, or of what belongs to none."""
        if following is self._beside:
            following.guarding.streamed.end()
            self._in.report.records += following.guarding.report.taken()
            self._in.report.fold()
        elif ended is not None:
            following.guarding.streamed.end()
            self._responses.pop(ended, None)
        if len(self._in.call.judged) > _MOST_JUDGED:
            self._in.call.judged.clear()

    def _sound(self, event: ServerEvent, message: bytes, following: _Response) -> list[bytes]:
        """What may go out of a piece of sound: none before its transcript has begun to come."""
        unseen = None
        if not following.transcribed:
            unseen = following.guarding.sight.must_see(_SPOKEN, "output")
        if unseen is None:
            return [message]
        following.held.append(message)
        if len(following.held) <= _MOST_HELD:
            return []
        guard, verdict = unseen
        self._block(event.of_response)
        following.guarding.report.add(guard.name, "output", verdict, 0)
        raise ContentBlockedError(
            f"The guard `{guard.name}` must read what comes out, and no transcript comes with the"
            ' sound; ask for text with `output_modalities: ["text"]`.',
            code="guard_cannot_see",
        )

    async def _hear(self, event: ServerEvent, message: bytes) -> None:
        """Have guards look at what a user said aloud: too late to stop it, so it is noted only."""
        if event.type == Heard.KIND:
            aside = msgspec.structs.replace(
                self._in.call, mapping=Mapping(), canaries=[], withheld=set(), rewritten=set()
            )
            self._in.report.records += await Heard(self._in.another(aside)).judged(_object(message))
            self._in.report.fold()

    def _put_back(self, shown: dict[str, Any]) -> None:
        session = shown.get("session")
        if isinstance(session, dict):
            for field, (told, said) in self._said.items():
                if told is not None and session.get(field) == told:
                    session[field] = said
            put_back(request_parts(session), self._in.call.mapping)
        else:
            put_back(reply_parts(shown), self._in.call.mapping)

    def _block(self, response_id: str | None) -> None:
        if response_id is not None:
            self._blocked[response_id] = None
            if len(self._blocked) > _MOST_ITEMS:
                self._blocked.popitem(last=False)

    def _owner(self, shown: dict[str, Any]) -> str | None:
        """The response whose item an event is about that names only that."""
        return self._response_of.get(_item_id(shown) or "")

    def _note_items(self, shown: dict[str, Any], response_id: str | None) -> None:
        item_id = _item_id(shown)
        if item_id is not None and response_id is not None:
            self._response_of[item_id] = response_id
            if len(self._response_of) > _MOST_ITEMS:
                self._response_of.popitem(last=False)

    def _followed(self, guarding: Guarding) -> _Response:
        return _Response(guarding, guarding.streamed.rewriting(RealtimeFlow()))


def _item_id(shown: dict[str, Any]) -> str | None:
    item = shown.get("item")
    item_id = item.get("id") if isinstance(item, dict) else shown.get("item_id")
    return item_id if isinstance(item_id, str) else None


def _copies(session: Any) -> dict[str, Any]:
    """Of a session that a client sets, what it is shown again as it said it."""
    if not isinstance(session, dict):
        return {}
    return {name: _decode(_encode(session[name])) for name in _SHOWN_AGAIN if name in session}


def _object(message: bytes) -> dict[str, Any]:
    value = _decode(message)
    return value if isinstance(value, dict) else {}


def _too_deep() -> ContentBlockedError:
    return ContentBlockedError(
        "The event has a form that its guards can't follow.", code="guard_cannot_see"
    )
