"""One interface for tools of every kind: what the model is told, what would be sent, and the call.

A kind knows how to do a thing. Whether it may be done is none of its business: that is decided
before, by `permission.py` and `terms.py`, from what the operator wrote.
"""

from __future__ import annotations

import hashlib
from typing import Any, Literal, Protocol

import msgspec

from headgate.errors import HeadgateError

ToolOutcome = Literal["done", "failed", "unknown"]
"""`done`: it did what it was asked for. `failed`: it certainly did nothing. `unknown`: it may have
done it, or not, since no answer came, or one that leaves it open."""


class ToolSpec(msgspec.Struct, frozen=True):
    """What a model is told of a tool."""

    description: str
    parameters: dict[str, Any]
    """JSON Schema of the arguments: an object."""


class Sent(msgspec.Struct, frozen=True):
    """Exactly what would be sent, for the person who approves it; secrets are only named."""

    summary: str
    """One line: `POST http://…/tickets`, or `create_ticket(…) of tools.py`."""
    details: dict[str, Any] = {}
    """Such as `headers` and `body`, as JSON. Where nothing can be sent, `refused` says why."""

    @property
    def refused(self) -> str | None:
        """Why nothing would be sent, though the arguments fit the schema."""
        why = self.details.get("refused")
        return why if isinstance(why, str) else None


def digest_of(sent: Sent) -> str:
    """SHA-256 of what would be sent, in hexadecimal: the same for the same, in whatever order."""
    return hashlib.sha256(msgspec.json.encode(sent, order="sorted")).hexdigest()


class ToolCall(msgspec.Struct, frozen=True, kw_only=True):
    """Under what circumstances a tool is called."""

    key: str
    """The same whenever the same call is made again; the receiver can know it by that."""
    timeout_s: float
    run_id: str


class ToolAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a call."""

    outcome: ToolOutcome
    content: Any
    """JSON: the result, or for `failed` and `unknown` a text that says what went wrong, for the
    model and for people. No secrets, and of an error nothing that only the operator should see."""
    code: str | None = None
    """Why it failed, as metadata: `http_404`, `timeout`, `raised`."""


class ToolUnavailableError(HeadgateError):
    """A tool that this workflow's model is given can't be had at the moment; try again."""

    status = 503
    type = "server_error"
    code = "tool_unavailable"
    retryable = True


class Tool(Protocol):
    """A tool; it belongs to the process's event loop."""

    @property
    def known(self) -> ToolSpec | None:
        """What `spec` gives, where it stands in files; None: a server says."""
        ...

    async def spec(self) -> ToolSpec:
        """What the model is told. Raises `ToolUnavailableError`."""
        ...

    def sent(self, arguments: dict[str, Any], key: str) -> Sent:
        """Exactly what `call` would send; `arguments` fit the schema."""
        ...

    async def call(self, arguments: dict[str, Any], call: ToolCall) -> ToolAnswer:
        """Do it, once: nothing is repeated in here. Raises nothing but `CancelledError`.

        It ends within `call.timeout_s`, as `unknown` where nobody knows what came of it.
        """
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...
