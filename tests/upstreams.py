"""A provider under a test's control: exact bytes, pauses, cuts, resets, and what it was sent.

Each test scripts what its own model name is answered, so that many tests share one upstream and
one server. A model that nobody scripted gets a plain completion.
"""

from __future__ import annotations

import asyncio
import json
import re
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Final

_START_TIMEOUT_S = 5.0
_MAX_HEAD_BYTES = 256 * 1024


class _Mark:
    """Something that a script does other than to send bytes."""


CUT: Final = _Mark()
"""Close the connection in the middle of whatever was being sent."""

RESET: Final = _Mark()
"""Close it with a TCP reset."""

_ASKED_BY_ITSELF: Final = re.compile(r"/(models|batches/[^/?]+|responses/[^/?]+)$")

Step = bytes | float | threading.Event | _Mark
"""Bytes are sent; a number is a pause in seconds; an event is waited for."""

Script = Sequence[Step]

Answering = Callable[["Received"], Script]
"""Looks at the request to say how it is answered."""


class Received:
    """One request as the provider saw it."""

    def __init__(
        self, method: str, target: str, headers: list[tuple[str, str]], body: bytes
    ) -> None:
        self.method = method
        self.target = target
        self.headers = headers
        self.body = body
        self.left = threading.Event()
        """Set when the other side closed the connection before its reply was complete."""
        self.done = threading.Event()
        """Set when the script has come to its end, or was broken off."""
        self.arrived_s = time.monotonic()
        self.done_s: float | None = None
        """When that was."""

    def header(self, name: str) -> str | None:
        """The value of a header, or None."""
        return next((value for key, value in self.headers if key.lower() == name), None)

    def json(self) -> Any:
        """The body, decoded."""
        return json.loads(self.body)

    @property
    def model(self) -> str:
        """The model that was asked for; the target where none was."""
        try:
            return str(json.loads(self.body)["model"])
        except (ValueError, KeyError, TypeError):
            return self.target


class Upstream:
    """An HTTP/1.1 server in a thread of its own; get one from `upstream_running`."""

    def __init__(self) -> None:
        self._scripts: dict[str, list[Script | Answering]] = {}
        self._received: dict[str, list[Received]] = {}
        self._arrived = threading.Condition()
        self._port = 0
        self._loop: asyncio.AbstractEventLoop
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def base_url(self) -> str:
        """What OPENAI_BASE_URL is to be."""
        return f"http://127.0.0.1:{self._port}/v1"

    @property
    def port(self) -> int:
        """Where it listens."""
        return self._port

    def answers(self, model: str, *scripts: Script | Answering) -> None:
        """Let requests for `model` be answered by `scripts`, the last one for all that follow."""
        self._scripts[model] = list(scripts)

    def requests(self, model: str) -> list[Received]:
        """What was asked of `model` so far; of another address than a call's, by its target."""
        with self._arrived:
            return list(self._received.get(model, ()))

    def wait_for(self, model: str, count: int = 1, timeout_s: float = 10.0) -> Received:
        """The `count`-th request for `model`, when it has come."""
        with self._arrived:
            came = self._arrived.wait_for(
                lambda: len(self._received.get(model, ())) >= count, timeout_s
            )
            assert came, f"no {count} requests for {model} came within {timeout_s} s"
            return self._received[model][count - 1]

    def everything(self) -> list[Received]:
        """All requests, in the order in which they came."""
        with self._arrived:
            came = [request for requests in self._received.values() for request in requests]
        return sorted(came, key=lambda request: request.arrived_s)

    def asked(self) -> list[Received]:
        """All but what servers ask by themselves: how batches and responses stand, probes of keys.

        Those come when they like, from every server that this upstream has: a test that counts what
        its own requests led to must not count them.
        """
        return [
            one
            for one in self.everything()
            if not (one.method == "GET" and _ASKED_BY_ITSELF.search(one.target))
        ]

    def _note(self, request: Received) -> Script:
        with self._arrived:
            came = self._received.setdefault(request.model, [])
            came.append(request)
            self._arrived.notify_all()
            scripts = self._scripts.get(request.model)
            if scripts is None:
                return _plain(request)
            script = scripts[min(len(came), len(scripts)) - 1]
            return script(request) if callable(script) else script

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            while (request := await _read_request(reader)) is not None:
                script = self._note(request)
                try:
                    if not await _play(script, request, reader, writer):
                        return
                finally:
                    request.done_s = time.monotonic()
                    request.done.set()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self._tasks.discard(task)
            with suppress(ConnectionError, RuntimeError):
                writer.close()

    async def _serve(self, ready: threading.Event, stop: asyncio.Event) -> None:
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0, backlog=512)
        self._port = server.sockets[0].getsockname()[1]
        ready.set()
        await stop.wait()
        server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


@contextmanager
def upstream_running() -> Iterator[Upstream]:
    """An upstream that listens until the block ends."""
    upstream = Upstream()
    ready = threading.Event()
    stops: list[Callable[[], object]] = []

    async def main() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        stops.append(lambda: loop.call_soon_threadsafe(stop.set))
        await upstream._serve(ready, stop)

    thread = threading.Thread(target=lambda: asyncio.run(main()), name="upstream", daemon=True)
    thread.start()
    assert ready.wait(_START_TIMEOUT_S)
    try:
        yield upstream
    finally:
        stops[0]()
        thread.join(_START_TIMEOUT_S)


async def _read_request(reader: asyncio.StreamReader) -> Received | None:
    head = bytearray()
    while not head.endswith(b"\r\n\r\n"):
        line = await reader.readline()
        if not line or len(head) > _MAX_HEAD_BYTES:
            return None
        head += line
    lines = head.decode("latin-1").split("\r\n")
    method, target, _ = lines[0].split(" ", 2)
    headers = [
        (name.strip(), value.strip())
        for name, _, value in (line.partition(":") for line in lines[1:] if line)
    ]
    length = next((int(v) for n, v in headers if n.lower() == "content-length"), 0)
    body = await reader.readexactly(length) if length else b""
    return Received(method, target, headers, body)


async def _play(
    script: Script,
    request: Received,
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
) -> bool:
    """Do what `script` says; return whether the connection may be used again."""
    try:
        for step in script:
            if isinstance(step, bytes):
                writer.write(step)
                await writer.drain()
            elif step is CUT:
                writer.close()
                return False
            elif step is RESET:
                raw = writer.get_extra_info("socket")
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                writer.transport.abort()
                return False
            elif await _left_while_waiting(step, reader):
                request.left.set()
                return False
    except ConnectionError:
        request.left.set()
        return False
    return True


async def _left_while_waiting(step: Step, reader: asyncio.StreamReader) -> bool:
    # Headgate sends nothing more until it has its reply, so whatever comes now is its leaving.
    leaving = asyncio.ensure_future(reader.read(1))
    waiting = asyncio.ensure_future(_waited(step))
    try:
        await asyncio.wait({waiting, leaving}, return_when=asyncio.FIRST_COMPLETED)
        return leaving.done()
    finally:
        for task in (leaving, waiting):
            task.cancel()
        await asyncio.gather(leaving, waiting, return_exceptions=True)


async def _waited(step: Step) -> None:
    if isinstance(step, threading.Event):
        while not step.is_set():
            await asyncio.sleep(0.005)
    elif isinstance(step, int | float):
        await asyncio.sleep(step)


def reply(
    body: bytes | dict[str, Any],
    *,
    status: int = 200,
    headers: Sequence[tuple[str, str]] = (),
    content_type: str = "application/json",
) -> Script:
    """A whole reply with a content length."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [
        f"HTTP/1.1 {status} Whatever",
        f"content-type: {content_type}",
        f"content-length: {len(data)}",
        *(f"{name}: {value}" for name, value in headers),
    ]
    return ["\r\n".join([*lines, "", ""]).encode() + data]


def error(status: int, code: str, *, headers: Sequence[tuple[str, str]] = ()) -> Script:
    """An error in OpenAI's shape."""
    body = {"error": {"message": f"{code} it is", "type": "scripted", "param": None, "code": code}}
    return reply(body, status=status, headers=headers)


STREAM_HEAD: Final = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\n"
    b"x-request-id: req_upstream_stream\r\ntransfer-encoding: chunked\r\n\r\n"
)

STREAM_END: Final = b"0\r\n\r\n"


def chunk(data: bytes | str) -> bytes:
    """`data` as one piece of a chunked body."""
    raw = data if isinstance(data, bytes) else data.encode()
    return b"%x\r\n%b\r\n" % (len(raw), raw)


def stream(*events: Step) -> Script:
    """A streamed reply of `events`, each bytes as one piece, with pauses, cuts and the like."""
    steps = [chunk(event) if isinstance(event, bytes) else event for event in events]
    return [STREAM_HEAD, *steps, *([] if CUT in events or RESET in events else [STREAM_END])]


def completion(model: str, text: str = "Water flows.", **more: Any) -> dict[str, Any]:
    """A chat completion."""
    return {
        "id": "chatcmpl-scripted",
        "object": "chat.completion",
        "created": 1_790_000_000,
        "model": model,
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": text, "refusal": None},
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12},
        **more,
    }


def chat_event(model: str, delta: dict[str, Any], **more: Any) -> bytes:
    """One chunk of a chat completion, as an event."""
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": None}
    body = {
        "id": "chatcmpl-scripted",
        "object": "chat.completion.chunk",
        "created": 1_790_000_000,
        "model": model,
        "choices": [choice],
        **more,
    }
    return b"data: " + json.dumps(body, separators=(",", ":")).encode() + b"\n\n"


def chat_words(model: str, *words: str) -> list[bytes]:
    """The events of a chat that says `words`, one an event, without its end."""
    first = chat_event(model, {"role": "assistant", "content": ""})
    return [first, *(chat_event(model, {"content": word}) for word in words)]


def chat_usage(model: str) -> bytes:
    """The event that tells a stream's usage."""
    usage = {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12}
    return chat_event(model, {}, choices=[], usage=usage)


DONE: Final = b"data: [DONE]\n\n"


def response_event(kind: str, number: int, **more: Any) -> bytes:
    """One event of a response's stream."""
    body = {"type": kind, "sequence_number": number, **more}
    return f"event: {kind}\ndata: {json.dumps(body, separators=(',', ':'))}\n\n".encode()


def response_object(model: str, status: str = "in_progress", **more: Any) -> dict[str, Any]:
    """A response, as far as the SDKs must have it."""
    return {
        "id": "resp_scripted",
        "object": "response",
        "created_at": 1_790_000_000,
        "status": status,
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "metadata": {},
        "model": model,
        "output": [],
        "parallel_tool_calls": True,
        "temperature": 1.0,
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        **more,
    }


def response_deltas(model: str, *words: str) -> list[bytes]:
    """The events of a response that says `words`, without its end."""
    events = [
        response_event("response.created", 0, response=response_object(model)),
        response_event(
            "response.output_item.added",
            1,
            output_index=0,
            item={
                "id": "msg_1", "type": "message", "role": "assistant",
                "status": "in_progress", "content": [],
            },
        ),
        response_event(
            "response.content_part.added",
            2,
            item_id="msg_1", output_index=0, content_index=0,
            part={"type": "output_text", "text": "", "annotations": []},
        ),
    ]  # fmt: skip
    events += [
        response_event(
            "response.output_text.delta",
            3 + index,
            item_id="msg_1",
            output_index=0,
            content_index=0,
            delta=word,
            logprobs=[],
        )
        for index, word in enumerate(words)
    ]
    return events


def _plain(request: Received) -> Script:
    path = request.target.partition("?")[0]
    if path.endswith("/models"):
        models = [
            {"id": name, "object": "model", "created": 1_790_000_000, "owned_by": "upstream"}
            for name in ("gpt-5-mini", "scripted")
        ]
        return reply({"object": "list", "data": models})
    model = request.model
    if path.endswith("/chat/completions"):
        if b'"stream":true' in request.body.replace(b" ", b""):
            return stream(*chat_words(model, "Water", " flows."), chat_usage(model), DONE)
        return reply(completion(model))
    return error(404, "not_found")
