"""What a run needs of the gateway: a way to ask a model. `app` hands it in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, Protocol

import msgspec

from headgate.config.allowances import Priority
from headgate.gateway.caller import Caller
from headgate.ledger.record import CacheState
from headgate.telemetry.traces.lineage import Parent


class ModelRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One call that a run makes."""

    endpoint: Literal["chat/completions"] = "chat/completions"
    body: bytes
    """A chat completions request, as JSON."""
    run_id: str
    workflow: str
    caller: Caller
    trace_id: str
    parent: Parent | None = None
    """The run's own span."""
    feature: str | None = None
    user_hash: str | None = None
    """The keyed hash of the end user's name."""
    untrusted: bool = False
    """Whether what it shows the model comes from outside: its input, some of its context, or what
    a tool answered."""
    users_vouched: bool = False
    """Whether its users' messages do not, so that only a tool's answers do."""
    retrieved: bool = False
    """Whether some of its context does."""
    asked_before: int = 0
    """How often the run asked the same and the answer failed its checks."""
    priority: Priority = "normal"
    """Who goes first where calls wait for a limit."""
    no_store: bool = False
    """Whether it is neither to be answered from the cache nor kept there."""
    prompt_cache_key: str | None = None
    """Names what requests have in common, for a provider that keeps the beginnings of prompts."""
    headers: tuple[tuple[bytes, bytes], ...] = ()
    """Hints of the caller's that are passed on, such as `x-simulator-fault`."""


class ModelReply(msgspec.Struct, frozen=True, kw_only=True):
    """How a call ended, after the gateway's own retries and fallbacks."""

    call_id: str
    status: int
    """200, or the status of the error in `body`."""
    body: bytes
    """A chat completion, or an error in OpenAI's shape."""
    latency_us: int = 0
    attempts: int = 0
    target: str | None = None
    """`provider/model` that answered, or was tried last."""
    model_answered: str | None = None
    input_tokens: int | None = None
    cached_tokens: int | None = None
    cache_write_tokens: int | None = None
    output_tokens: int | None = None
    reasoning_tokens: int | None = None
    simulated: bool = False
    """The simulator answered, not a model."""
    cost_nanousd: int | None = None
    """None where no price is known; never 0 for that."""
    cache: CacheState = "off"
    """Whether the answer was given before."""
    guards: str | None = None
    """What guards said of it, as the ledger's record has it; it holds no contents."""
    disown: Callable[[], None] | None = None
    """Says that the answer was of no use, so that it is not given again; None: it won't be."""


class Model(Protocol):
    """Something that answers chat completions."""

    async def complete(self, request: ModelRequest) -> ModelReply:
        """Answer `request`.

        An upstream failure is a reply with its status and OpenAI's error body. A refusal by
        Headgate itself, such as a full ledger, may be raised as `HeadgateError`.
        """
        ...
