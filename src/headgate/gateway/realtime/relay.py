"""A realtime session under way: events both ways, each looked at once, in one place a direction.

`_on_client_event` and `_on_server_event` see every event before it goes on: what counts responses
stands there, and what guards texts.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol

import msgspec

from headgate.checks.parts.exempt import is_exempt
from headgate.config.sockets import SocketSettings
from headgate.errors import (
    AuthenticationError,
    ClientGoneError,
    ContentBlockedError,
    DatabaseUnavailableError,
    GuardFailedError,
    HeadgateError,
    InvalidRequestError,
    PermissionDeniedError,
    SocketExpiredError,
    UnavailableError,
    UpstreamFailedError,
)
from headgate.gateway.attempts.attempt import without_secret
from headgate.gateway.call import Call
from headgate.gateway.endpoints.endpoint import UNREADABLE
from headgate.gateway.provider_failures import broken_error
from headgate.gateway.realtime.admission import check_event
from headgate.gateway.realtime.calls import SessionCalls
from headgate.gateway.realtime.context import Context
from headgate.gateway.realtime.events import (
    ClientEvent,
    ServerEvent,
    error_event,
    read_client_event,
    read_server_event,
)
from headgate.gateway.realtime.guarded_session import GuardedSession
from headgate.gateway.upstream import UpstreamError
from headgate.gateway.upstream.websocket import UpstreamSocket
from headgate.storage.identifiers import new_id

_SOUND_BYTES_PER_TOKEN = 2400
"""Of what a model says: a twentieth of a second, of 16 bits at 24 kHz."""

_TOLD_AGAIN_S = 1.0
"""How often a client that sends sound is told that none is taken."""

_MOST_ORDERS = 64
"""Orders of ours that a provider may refuse late; of more, the refusals reach the client."""

_STOP_LOOKS_S = 0.05

_KEY_LOOKED_AT_S = 1.0
"""How often a session's key is looked at, which may have been revoked."""

_SOUND = frozenset({"input_audio_buffer.append", "input_audio_buffer.commit"})
_OF_SOUND = frozenset({"type", "event_id", "audio"})


class Peer(Protocol):
    """The application's end of a session."""

    server_stops: bool
    """Whether this server stops, and the session is to end as soon as no response is under way."""

    async def receive(self) -> str | bytes | None:
        """The next message; None when the server stops, and once it is closed."""

    async def send(self, message: bytes) -> None:
        """Send `message`, which is text."""

    async def close(self, code: int, reason: str) -> None:
        """Close it."""


class Ended(msgspec.Struct, frozen=True):
    """Why a session is over."""

    error: HeadgateError
    """What its open responses are recorded with."""
    close_code: int = 1000
    tell: bool = False
    """Whether the client is told of the error first."""
    may_be_charged: bool = True


class Relay:
    """Carries one session."""

    def __init__(
        self,
        opened: Call,
        peer: Peer,
        upstream: UpstreamSocket,
        calls: SessionCalls,
        context: Context,
        settings: SocketSettings,
        session: dict[str, Any] | None,
        standing: Callable[[], Awaitable[object]],
        broke_off: Callable[[], None],
        guards: GuardedSession | None = None,
    ) -> None:
        """`session` is what it is set to before the client can say anything.

        `standing` raises once the client may no longer use it; `broke_off` is told when the
        provider breaks off.
        """
        self._guards = guards
        self._standing = standing
        self._broke_off = broke_off
        self._session = session
        self._opened = opened
        self._peer = peer
        self._upstream = upstream
        self._calls = calls
        self._context = context
        self._settings = settings
        self._secret = opened.provider_key.secret if opened.provider_key else None
        self._heard_at_s = time.monotonic()
        self._told_at_s = float("-inf")
        self._orders: deque[str] = deque(maxlen=_MOST_ORDERS)
        """The events of our own orders to give responses up."""

    async def run(self, first: bytes) -> None:
        """Carry events until either side closes; `first` is the provider's first one."""
        ended = Ended(UnavailableError("The server is stopping.", code="call_cancelled"), 1012)
        try:
            ended = await self._carried(first)
        except asyncio.CancelledError:
            # The server waits no longer; all the same what was used is settled first.
            pass
        except Exception:
            ended = Ended(HeadgateError(), 1011, tell=True)
            raise
        finally:
            await self._calls.leave(ended.error, may_be_charged=ended.may_be_charged)
            if ended.tell:
                await self._peer.send(error_event(ended.error, None))
            await self._peer.close(ended.close_code, (ended.error.code or "")[:64])
            await self._upstream.close()

    async def _carried(self, first: bytes) -> Ended:
        tasks = [
            asyncio.create_task(work, name=f"headgate-realtime-{name}")
            for name, work in (
                ("client", self._from_client()),
                ("provider", self._from_provider(first)),
                ("clock", self._until_too_long()),
            )
        ]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            # Where both sides have ended, what the provider did is why.
            return next(task for task in reversed(tasks) if task in done).result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _from_client(self) -> Ended:
        if self._session is not None:
            try:
                await self._set_session(self._session)
            except HeadgateError as error:
                return Ended(error, 1008, tell=True)
            except UpstreamError as error:
                return self._broken(error)
        while (message := await self._peer.receive()) is not None:
            self._heard_at_s = time.monotonic()
            about: str | None = None
            try:
                event = read_client_event(message)
                about = event.event_id
                goes_on = await self._on_client_event(event)
            except HeadgateError as error:
                await self._peer.send(error_event(error, about or getattr(error, "event_id", None)))
                continue
            if goes_on:
                try:
                    await self._upstream.send(event.written())
                except UpstreamError as error:
                    return self._broken(error)
        if self._peer.server_stops:
            while self._calls.under_way:  # noqa: ASYNC110 - looked at for a few seconds, at the end
                await asyncio.sleep(_STOP_LOOKS_S)
            return Ended(UnavailableError("The server is stopping.", code="call_cancelled"), 1012)
        return Ended(ClientGoneError())

    async def _from_provider(self, first: bytes) -> Ended:
        message = first
        while True:
            try:
                event = read_server_event(message)
            except UNREADABLE:
                return Ended(
                    UpstreamFailedError(
                        "The provider sent something other than an event.",
                        code="upstream_malformed_reply",
                    ),
                    1011,
                    tell=True,
                )
            try:
                told = await self._on_server_event(event, message)
            except DatabaseUnavailableError as error:
                return Ended(error, 1011, tell=True)
            for one in told:
                await self._peer.send(one)
            try:
                message = without_secret(await self._upstream.receive(), self._secret)
            except UpstreamError as error:
                return self._broken(error)
            self._heard_at_s = time.monotonic()

    async def _until_too_long(self) -> Ended:
        """When nothing was said for too long, the session has lasted its time, or its key ends."""
        end_s = time.monotonic() + self._settings.max_session_s
        while True:
            now_s = time.monotonic()
            if now_s >= end_s:
                return Ended(SocketExpiredError(), 1001, tell=True)
            silent_s = now_s - self._heard_at_s
            if silent_s >= self._settings.idle_s:
                idle = InvalidRequestError("Nothing was said for too long.", code="session_idle")
                return Ended(idle, 1001, tell=True)
            try:
                await self._standing()
            except (AuthenticationError, PermissionDeniedError) as error:
                return Ended(error, 1008, tell=True)
            except HeadgateError:
                # It can't be found out now; what a session does needs no database.
                pass
            left_s = min(self._settings.idle_s - silent_s, end_s - now_s)
            await asyncio.sleep(min(left_s, _KEY_LOOKED_AT_S))

    async def _on_client_event(self, event: ClientEvent) -> bool:
        """Look at an event of the client's; whether it goes on. Raises what it is refused with."""
        if event.type in _SOUND:
            if not await self._sound_may_go_on(event):
                return False
        else:
            check_event(event, self._opened)
            await self._guarded(event)
            if event.type == "response.create":
                await self._calls.ask(event)
        self._context.take(event)
        return True

    async def _on_server_event(self, event: ServerEvent, message: bytes) -> Sequence[bytes]:
        """Look at an event of the provider's; what of it goes on."""
        refused = self._calls.is_refused(event.of_response)
        told: Sequence[bytes] = () if refused else (message,)
        if self._guards is not None and told and event.type != "response.created":
            told = await self._guarded_answer(event, message, self._guards)
        match event.type:
            case "session.created" | "session.updated" if event.session is not None:
                self._context.set_to(event.session, len(message))
            case "response.created" if event.response is not None:
                try:
                    await self._calls.begin(event.response.id)
                except HeadgateError as error:
                    await self._cancel(event.response.id)
                    await self._peer.send(error_event(error, None))
                    return ()
                if self._guards is not None:
                    told = await self._guarded_answer(event, message, self._guards)
            case "response.done" if event.response is not None:
                self._context.settle(event.response)
                await self._calls.end(event.response)
            case "error" if event.error is not None and event.error.event_id in self._orders:
                # It had ended by itself; the client knows nothing of the order.
                return ()
            case "error" if event.error is not None:
                await self._calls.fail(event.error)
            case "conversation.item.input_audio_transcription.completed":
                await self._calls.write_down(event.usage)
            case kind if kind.endswith(".delta"):
                sound = kind in ("response.output_audio.delta", "response.audio.delta")
                tokens = len(message) * 3 // 4 // _SOUND_BYTES_PER_TOKEN + 1 if sound else 1
                self._calls.hear(event.response_id, text_tokens=tokens)
        return told

    async def _sound_may_go_on(self, event: ClientEvent) -> bool:
        """Whether sound may; a refusal is raised once a second, sound comes more often."""
        now_s = time.monotonic()
        try:
            if self._guards is not None:
                self._guards.check_sound()
                if not event.fields.keys() <= _OF_SOUND or not is_exempt(
                    "event_id", event.event_id
                ):
                    await self._guards.take(event)
            await self._calls.keep_ready(now_s)
        except HeadgateError as error:
            if now_s - self._told_at_s < _TOLD_AGAIN_S:
                return False
            if isinstance(error, ContentBlockedError) and self._told_at_s < 0:
                await self._calls.refuse(error)
            self._told_at_s = now_s
            raise
        return True

    async def _guarded(self, event: ClientEvent) -> None:
        """Have the guards look at an event of the client's; a record tells of what they refuse."""
        if self._guards is None:
            return
        try:
            await self._guards.take(event)
        except (ContentBlockedError, GuardFailedError) as error:
            await self._calls.refuse(error)
            raise

    async def _guarded_answer(
        self, event: ServerEvent, message: bytes, guards: GuardedSession
    ) -> Sequence[bytes]:
        """What the guards let by of an event; the response that it is part of ends where none."""
        try:
            return await guards.tell(event, message)
        except (ContentBlockedError, GuardFailedError) as error:
            response_id = guards.response_of(event, message)
            self._calls.block(response_id, error)
            await self._peer.send(error_event(error, None))
            if response_id is not None and event.type != "response.done":
                await self._cancel(response_id)
            return guards.instead(event, message)

    async def _set_session(self, session: dict[str, Any]) -> None:
        order = {"type": "session.update", "session": {"type": "realtime", **session}}
        event = read_client_event(msgspec.json.encode(order))
        if await self._on_client_event(event):
            await self._upstream.send(event.written())

    async def _cancel(self, response_id: str) -> None:
        event_id = new_id("event")
        self._orders.append(event_id)
        order = {"type": "response.cancel", "event_id": event_id, "response_id": response_id}
        with contextlib.suppress(UpstreamError):
            await self._upstream.send(msgspec.json.encode(order))

    def _broken(self, error: UpstreamError) -> Ended:
        provider = self._opened.record.provider or ""
        if self._upstream.closed_by_provider in (1000, 1001) and not self._calls.under_way:
            # It has ended as sessions do.
            return Ended(UpstreamFailedError(code="session_ended"), 1000, may_be_charged=False)
        self._broke_off()
        return Ended(broken_error(error, provider), 1011, tell=True, may_be_charged=False)
