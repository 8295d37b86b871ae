"""What the ledger keeps of one call: who, what, how it ended, what it used and what it cost."""

from __future__ import annotations

from typing import Literal

import msgspec

from headgate.ledger.attempt import AttemptRecord
from headgate.telemetry.traces.lineage import Parent

CacheState = Literal["hit", "similar", "stale", "miss", "off"]
"""`hit`: answered from the cache. `similar`: so too, with the answer to a question much like it.
`stale`: so too, with an older answer, because no target
answered. `miss`: it had no answer. `off`: it was not asked."""


class CallRecord(msgspec.Struct, kw_only=True, gc=False):
    """One row of the ledger, filled while the call goes its way and handed to the writer once.

    The order of the fields is the order of the columns of `storage.schema.calls`; of the last
    three, `trail` goes to a table of its own, and the others to the trace alone.
    """

    id: str
    started_at_us: int
    project: str
    key_id: str
    endpoint: str
    """The part of the path after `/v1/`, such as `chat/completions`."""
    feature: str | None = None
    user_hash: str | None = None
    workflow: str | None = None
    run_id: str | None = None
    route: str | None = None
    model_requested: str | None = None
    provider: str | None = None
    model_answered: str | None = None
    streamed: bool = False
    status: int = 0
    """The HTTP status that the client was answered; 499 where it had gone."""
    error_class: str | None = None
    """Code of the error, such as `upstream_timeout`, or None where the call succeeded."""
    attempts: int = 0
    cache: CacheState = "off"
    input_tokens: int | None = None
    """All input tokens, cached ones included."""
    cached_tokens: int | None = None
    cache_write_tokens: int | None = None
    """Input tokens that the provider charges for putting into its prompt cache."""
    output_tokens: int | None = None
    """All output tokens, reasoning included."""
    reasoning_tokens: int | None = None
    input_audio_tokens: int | None = None
    output_audio_tokens: int | None = None
    tokens_estimated: bool = False
    """Some of the tokens are counted by us: a stream ended before the provider said what it used,
    or attempts were lost whose use no provider tells."""
    service_tier: str | None = None
    cost_nanousd: int | None = None
    """Integer nano-dollars, or None where no price is known. Never 0 for an unknown price."""
    price_version: str | None = None
    latency_us: int = 0
    first_token_us: int | None = None
    response_id: str | None = None
    """The provider's id of a response that may be asked for again."""
    upstream_request_id: str | None = None
    trace_id: str
    simulated: bool = False
    provider_key: str | None = None
    """The name of the provider's key that was used, where it has several."""
    saved_nanousd: int | None = None
    """What the part of the answer that came from the cache cost when a model gave it."""
    guards: str | None = None
    """What its guards said, as a JSON list; None where none stood at it. It holds no contents."""
    trail: tuple[AttemptRecord, ...] = ()
    """The attempts, where they tell more than the call itself does."""
    parent: Parent | None = None
    """The span that the call's own belongs under."""
    lone_attempt: AttemptRecord | None = None
    """The only attempt of a call that went well at once, where calls are traced."""
