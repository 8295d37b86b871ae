"""What a simulator is told when it starts."""

from __future__ import annotations

import msgspec


class SimulatorConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where the simulator listens, how fast it answers and what goes wrong."""

    host: str = "127.0.0.1"
    """The address to listen on."""

    port: int = 0
    """The port to listen on; 0 takes a free one."""

    script: str | None = None
    """The path of a scripts file: requests to match and what to reply."""

    gullible: str | None = None
    """The path of a file of attacks that the model falls for; None for a model that does not."""

    gullible_seed: int = 0
    """Which of the attacks behind a defence succeed all the same: another seed, other ones."""

    faults: str | None = None
    """Faults for every request that has no `x-simulator-fault` header, such as `429 first`."""

    tokens_per_s: float | None = None
    """The rate of streams; None means 400, 0 as fast as the client reads."""

    first_token_s: float = 0.0
    """How long each answer is thought about before its first byte."""

    api_keys: tuple[str, ...] = ()
    """The bearer tokens accepted; when empty, any token is, but one must be there."""

    refuse_unknown_parameters: bool = False
    """Whether a body's field that the API doesn't have is a 400, as it is at OpenAI."""

    requests_per_min: int = 10_000
    """What `x-ratelimit-limit-requests` says, for each key and model."""

    tokens_per_min: int = 2_000_000
    """What `x-ratelimit-limit-tokens` says, for each key and model."""

    enforce_rate_limits: bool = False
    """Whether a request beyond these limits is refused with 429; else they are only shown."""

    max_body_bytes: int = 64 * 1024 * 1024
    """The largest request body; a larger one is a 413."""

    gzip: bool = False
    """Whether replies are compressed for clients that accept it."""
