"""JSON-RPC as MCP speaks it: what is sent, what comes, and what a missing answer leaves open."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import msgspec

from headgate.workflows.prompts.untrusted import made_visible

_MESSAGE_CHARACTERS = 1000
_METHOD_NOT_FOUND = -32601

NEVER_DONE = frozenset([-32700, -32600, -32601, -32602, -32020, -32021, -32022])
"""Errors by which a server says that it did not even begin: it could not read the request, knows
no such method or tool, wants other arguments, headers or another protocol version. Any other, such
as -32603 (internal error), may come from the middle of the work."""

Heard = Callable[[str], None]
"""Told the method of each notification that a server sends."""


class RefusedError(Exception):
    """The server answered with a JSON-RPC error; what it wrote is bounded, but anyone's text."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.never_done = code in NEVER_DONE
        """Whether it means that the server did not even begin."""


class LostError(Exception):
    """No answer came, or none that can be read; the message is ours and holds no contents."""

    def __init__(self, message: str, code: str, *, may_have_arrived: bool) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.may_have_arrived = may_have_arrived
        """Whether the server may have done what it was asked for."""


class SessionGoneError(Exception):
    """The server has forgotten the session that a request named, and so has not read it."""


class Request:
    """A request, and how far it has come."""

    def __init__(self, number: int, method: str, params: dict[str, Any], within_s: float) -> None:
        self.number = number
        self.method = method
        self.params = params
        self.within_s = within_s
        """How long at most whoever asks waits for the answer."""
        self.sent = False
        """Whether any of it may have reached the server."""

    def encoded(self) -> bytes:
        """It as JSON, on one line."""
        return msgspec.json.encode(
            {"jsonrpc": "2.0", "id": self.number, "method": self.method, "params": self.params}
        )


class Connection(Protocol):
    """One connection to a server; when it is broken, another is made."""

    @property
    def broken(self) -> bool:
        """Whether nothing can be asked through it any more."""
        ...

    async def open(self) -> None:
        """Make it. Raises `LostError`."""
        ...

    def speak(self, version: str, *, stateless: bool) -> None:
        """Say from now on which version of the protocol was agreed on."""
        ...

    def listen(self) -> None:
        """Hear also what the server says without being asked."""
        ...

    async def request(self, request: Request) -> Any:
        """The result. Raises `RefusedError`, `LostError` or `SessionGoneError`.

        It may be cancelled; `request.sent` then says what is known.
        """
        ...

    async def notify(self, method: str, params: dict[str, Any]) -> None:
        """Tell the server something; whether it arrives is not asked for."""
        ...

    async def close(self) -> None:
        """Let go of it, within a few seconds. Idempotent."""
        ...


def notification(method: str, params: dict[str, Any]) -> bytes:
    """A message that wants no answer."""
    return msgspec.json.encode({"jsonrpc": "2.0", "method": method, "params": params})


def decoded(data: bytes) -> dict[str, Any] | None:
    """A message, or None where it is none."""
    try:
        message = msgspec.json.decode(data)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return None
    return message if isinstance(message, dict) else None


def result_of(message: dict[str, Any]) -> Any:
    """The result that an answer carries. Raises `RefusedError` or `LostError`."""
    error = message.get("error")
    if isinstance(error, dict):
        code, text = error.get("code"), error.get("message")
        shown = " ".join(made_visible(text).split()) if isinstance(text, str) else ""
        raise RefusedError(code if isinstance(code, int) else 0, shown[:_MESSAGE_CHARACTERS])
    if "result" not in message:
        raise unreadable()
    return message["result"]


def is_answer(message: dict[str, Any]) -> bool:
    """Whether it answers a request of ours."""
    return "method" not in message and ("result" in message or "error" in message)


def answer_to(message: dict[str, Any], heard: Heard) -> bytes | None:
    """What to answer to a message that the server sends by itself; None where nothing.

    A server may ask whether we are there. What else it could ask of a client (to sample its model,
    to list files, to ask its user) is not offered to it, and is refused.
    """
    method, number = message.get("method"), message.get("id")
    if not isinstance(method, str):
        return None
    if not isinstance(number, int | str):
        heard(method)
        return None
    if method == "ping":
        return msgspec.json.encode({"jsonrpc": "2.0", "id": number, "result": {}})
    error = {"code": _METHOD_NOT_FOUND, "message": "not offered by this client"}
    return msgspec.json.encode({"jsonrpc": "2.0", "id": number, "error": error})


def unreadable() -> LostError:
    """What came is no answer of MCP."""
    return LostError("the server's answer is not MCP", "bad_answer", may_have_arrived=True)


def too_large() -> LostError:
    """What came is larger than is read."""
    return LostError("the server's answer is too large", "too_large", may_have_arrived=True)
