"""`/v1/realtime`: a conversation over a websocket, spoken or written."""

from __future__ import annotations

import asyncio
import base64
import binascii
import contextlib
import time
from collections.abc import Callable
from typing import Any

from headgate.simulator.catalogue import find_model
from headgate.simulator.conversation import Call, Task, Turn
from headgate.simulator.endpoints.audio import transcription_usage
from headgate.simulator.endpoints.identifier import new_id
from headgate.simulator.endpoints.tools import read_tool_choice, read_tools
from headgate.simulator.exchange import Exchange
from headgate.simulator.faults.fault import BreakFault
from headgate.simulator.generation import generate
from headgate.simulator.sockets.hearing import Hearing
from headgate.simulator.sockets.realtime_response import said_events, sound_tokens
from headgate.simulator.sockets.realtime_session import new_session, updated
from headgate.simulator.sockets.socket import Socket, SocketGoneError
from headgate.simulator.wire.api_error import ApiError, missing_parameter
from headgate.simulator.wire.delivery import STREAM_ERROR
from headgate.simulator.wire.request import JsonObject, Request

MakeExchange = Callable[[JsonObject], Exchange]

_MOST_ITEMS = 1_000


def check_realtime(request: Request) -> None:
    """`ApiError` for an address that names no model that speaks."""
    if request.query_value("intent") == "transcription":
        return
    name = request.query_value("model")
    if not name:
        raise missing_parameter("model")
    find_model(name, "realtime")


class RealtimeConversation:
    """One session."""

    def __init__(
        self,
        request: Request,
        socket: Socket,
        *,
        exchange: MakeExchange,
        fault: BreakFault | None,
        tokens_per_s: float,
    ) -> None:
        """`fault` strikes the first response."""
        self._socket = socket
        self._exchange = exchange
        self._fault = fault
        self._tokens_per_s = tokens_per_s
        self._model = request.query_value("model")
        self._session = new_session(
            self._model, transcribes=request.query_value("intent") == "transcription"
        )
        self._conversation_id = new_id("conv_")
        self._items: dict[str, dict[str, Any]] = {}
        self._sound_tokens: dict[str, int] = {}
        """By the id of the item that holds the sound."""
        self._hearing = Hearing()
        self._speaking: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Converse until the socket is closed."""
        await self._tell({"type": "session.created", "session": self._session})
        try:
            while True:
                await self._answer_one()
        finally:
            if self._speaking is not None:
                self._speaking.cancel()
                with contextlib.suppress(asyncio.CancelledError, SocketGoneError):
                    await self._speaking

    async def _answer_one(self) -> None:
        event: JsonObject = {}
        try:
            event = await self._socket.receive()
            await self._take(event)
        except ApiError as error:
            told = {**error.as_json()["error"], "event_id": event.get("event_id")}
            await self._tell({"type": "error", "error": told})

    async def _take(self, event: JsonObject) -> None:
        match event.get("type"):
            case "session.update":
                self._session = updated(self._session, event.get("session"))
                await self._tell({"type": "session.updated", "session": self._session})
            case "input_audio_buffer.append":
                await self._hear(event)
            case "input_audio_buffer.commit":
                if self._hearing.size_bytes == 0:
                    raise ApiError(400, "The buffer is empty.",
                                   code="input_audio_buffer_commit_empty")  # fmt: skip
                await self._commit()
            case "input_audio_buffer.clear":
                self._hearing = Hearing()
                await self._tell({"type": "input_audio_buffer.cleared"})
            case "conversation.item.create":
                await self._add(event.get("item") or {})
            case "conversation.item.delete":
                item_id = self._known(event.get("item_id"))
                del self._items[item_id]
                await self._tell({"type": "conversation.item.deleted", "item_id": item_id})
            case "conversation.item.retrieve":
                item = self._items[self._known(event.get("item_id"))]
                await self._tell({"type": "conversation.item.retrieved", "item": item})
            case "response.create":
                self._begin(event.get("response") or {})
            case "response.cancel":
                await self._cancel()
            case kind:
                raise ApiError(400, f"Unknown event type '{kind}'.", param="type",
                               code="unknown_event")  # fmt: skip

    async def _hear(self, event: JsonObject) -> None:
        try:
            sound = base64.b64decode(event.get("audio") or "", validate=True)
        except (binascii.Error, TypeError, ValueError):
            raise ApiError(400, "Invalid 'audio': it must be base64.", param="audio") from None
        settings = self._session["audio"]["input"]
        for heard in self._hearing.hear(sound, settings):
            if heard == "started":
                await self._tell({"type": "input_audio_buffer.speech_started"})
                continue
            await self._tell({"type": "input_audio_buffer.speech_stopped"})
            await self._commit()
            if settings["turn_detection"].get("create_response") and self._speaking is None:
                self._begin({})

    async def _commit(self) -> None:
        settings = self._session["audio"]["input"]
        item: dict[str, Any] = {"id": new_id("item_"), "type": "message", "role": "user",
                "content": [{"type": "input_audio", "transcript": None}]}  # fmt: skip
        taken = self._sound_tokens[item["id"]] = self._hearing.take(settings)
        committed = {"type": "input_audio_buffer.committed", "previous_item_id": None}
        await self._tell({**committed, "item_id": item["id"]})
        await self._add(item)
        writer = settings.get("transcription")
        if writer:
            text = f"This is a recording of {taken} tenths of a second."
            if writer.get("model") == "whisper-1":
                usage = {"type": "duration", "seconds": taken / 10}
            else:
                usage = transcription_usage(taken, text)
            kind = "conversation.item.input_audio_transcription.completed"
            await self._tell({"type": kind, "item_id": item["id"], "content_index": 0,
                              "transcript": text, "usage": usage})  # fmt: skip

    async def _add(self, item: dict[str, Any]) -> None:
        if len(self._items) >= _MOST_ITEMS:
            raise ApiError(400, f"A conversation has at most {_MOST_ITEMS} items.")
        whole = {"id": new_id("item_"), "object": "realtime.item", "status": "completed", **item}
        self._items[whole["id"]] = whole
        for kind in ("added", "done"):
            told = {"type": f"conversation.item.{kind}", "previous_item_id": None}
            await self._tell({**told, "item": whole})

    def _known(self, item_id: Any) -> str:
        if item_id not in self._items:
            raise ApiError(400, f"Item with item_id not found: {item_id}", param="item_id",
                           code="item_not_found")  # fmt: skip
        return str(item_id)

    def _begin(self, asked: dict[str, Any]) -> None:
        if self._speaking is not None:
            raise ApiError(
                400,
                "Conversation already has an active response in progress.",
                code="conversation_already_has_active_response",
            )
        if self._session["type"] == "transcription":
            raise ApiError(400, "A transcription session makes no responses.", param="type")
        self._speaking = asyncio.create_task(self._respond_if_heard(new_id("resp_"), asked))

    async def _cancel(self) -> None:
        if self._speaking is None:
            raise ApiError(400, "Cancellation failed: no active response found",
                           code="response_cancel_not_active")  # fmt: skip
        self._speaking.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._speaking

    async def _respond_if_heard(self, response_id: str, asked: dict[str, Any]) -> None:
        with contextlib.suppress(SocketGoneError):
            await self._respond(response_id, asked)

    async def _respond(self, response_id: str, asked: dict[str, Any]) -> None:
        """Say one answer."""
        settings = {**self._session, **asked}
        speaks = "audio" in settings["output_modalities"]
        frame: dict[str, Any] = {
            "object": "realtime.response",
            "id": response_id,
            "status": "in_progress",
            "status_details": None,
            "output": [],
            "conversation_id": None
            if asked.get("conversation") == "none"
            else self._conversation_id,
            "output_modalities": settings["output_modalities"],
            "max_output_tokens": settings["max_output_tokens"],
            "metadata": asked.get("metadata"),
            "usage": None,
        }
        ended = {**frame, "status": "cancelled",
                 "status_details": {"type": "cancelled", "reason": "client_cancelled"}}  # fmt: skip
        taken, cached, written = 0, 0, 0
        try:
            generation = generate(
                self._exchange(settings),
                self._task(settings),
                model=find_model(str(self._model), "realtime"),
                effort=None,
                choices=1,
                max_tokens=_limit(settings["max_output_tokens"]),
                messages_param="input",
            )
            taken, cached = generation.usage.input_tokens, generation.usage.cached_tokens
            events, items = said_events(generation.answers[0], response_id, speaks=speaks)
            await self._tell({"type": "response.created", "response": frame})
            due_s = time.monotonic()
            for number, (event, cost) in enumerate(events):
                if self._fault is not None and number == self._fault.after:
                    await self._break(self._fault)
                if self._tokens_per_s > 0 and cost:
                    due_s += cost / self._tokens_per_s
                    await asyncio.sleep(max(0.0, due_s - time.monotonic()))
                elif number % 16 == 15:
                    await asyncio.sleep(0)
                await self._tell(event)
                written += cost
            for item in items:
                self._items[item["id"]] = item
            ended = {**frame, "status": "completed", "output": items}
        except ApiError as error:
            details = {"type": "failed", "error": error.as_json()["error"]}
            ended = {**frame, "status": "failed", "status_details": details}
        except asyncio.CancelledError:
            # By `response.cancel`, or because the session is over and nobody listens.
            pass
        finally:
            self._speaking = None
        said = "".join(
            part.get("transcript") or ""
            for item in ended["output"]
            for part in item.get("content", ())
        )
        usage = self._usage(taken, cached, written, said)
        await self._tell({"type": "response.done", "response": {**ended, "usage": usage}})

    async def _break(self, fault: BreakFault) -> None:
        self._fault = None
        if fault.how == "stream-error":
            raise ApiError(500, STREAM_ERROR, kind="server_error", code="server_error")
        if fault.how == "malformed-json":
            await self._socket.send_text('{"type":"response.output_te')
            return
        await self._socket.break_off(fault)

    def _task(self, settings: dict[str, Any]) -> Task:
        turns = [Turn(role="system", text=settings.get("instructions") or "")]
        turns += [_turn(item) for item in self._items.values()]
        tools = read_tools(settings, nested=False)
        return Task(
            model=str(self._model),
            turns=tuple(turns),
            tools=tools,
            tool_choice=read_tool_choice(settings, tools, nested=False),
        )

    def _usage(self, taken: int, cached: int, written: int, said: str) -> dict[str, Any]:
        """What a response used; sound is counted beside the texts."""
        heard = sum(self._sound_tokens.get(item_id, 0) for item_id in self._items)
        spoken = sound_tokens(said) if said else 0
        return {
            "total_tokens": taken + heard + written + spoken,
            "input_tokens": taken + heard,
            "output_tokens": written + spoken,
            "input_token_details": {
                "text_tokens": taken,
                "audio_tokens": heard,
                "image_tokens": 0,
                "cached_tokens": cached,
                "cached_tokens_details": {
                    "text_tokens": cached, "audio_tokens": 0, "image_tokens": 0,
                },
            },
            "output_token_details": {"text_tokens": written, "audio_tokens": spoken},
        }  # fmt: skip

    async def _tell(self, event: dict[str, Any]) -> None:
        await self._socket.send({"type": event["type"], "event_id": new_id("event_"), **event})


def _limit(most: Any) -> int | None:
    return most if isinstance(most, int) else None


def _turn(item: dict[str, Any]) -> Turn:
    """An item as what was said."""
    match item.get("type"):
        case "function_call":
            call = Call(item["call_id"], item["name"], item["arguments"])
            return Turn(role="assistant", calls=(call,))
        case "function_call_output":
            return Turn(
                role="tool",
                text=str(item.get("output") or ""),
                answers_call=str(item.get("call_id")),
            )
    said = [
        str(part.get("text") or part.get("transcript") or "")
        for part in item.get("content") or ()
        if isinstance(part, dict)
    ]
    role = item.get("role")
    return Turn(
        role="assistant" if role == "assistant" else "system" if role == "system" else "user",
        text=" ".join(said),
    )
