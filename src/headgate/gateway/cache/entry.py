"""One answer as it is kept: its body, what it used and cost, and how long it may be given again."""

from __future__ import annotations

import msgspec

from headgate.gateway.endpoints import Usage

_OVERHEAD_BYTES = 1024
"""About what an entry takes in memory beside its body."""

_FORM = "headgate answer 1"
"""Changed when an entry written before can no longer be read."""


class Entry(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A complete, successful answer; or, of embeddings, the vector of one input item."""

    body: bytes
    """The whole answer as JSON, also where it was streamed."""
    usage: Usage
    cost_nanousd: int | None
    """What it cost; None where no price is known."""
    target: str
    """`provider/model` that answered."""
    project: str
    workflow: str | None
    model: str
    """As it was asked for."""
    tags: tuple[str, ...]
    simulated: bool
    asked_at_us: int
    """When the call that it answered began."""
    fresh_until_us: int
    usable_until_us: int
    """Until when it may be given if no target answers."""

    @property
    def size_bytes(self) -> int:
        """About what it takes to keep it."""
        return len(self.body) + _OVERHEAD_BYTES

    def fresh(self, now_us: int) -> bool:
        """Whether it may be given without asking a model."""
        return now_us < self.fresh_until_us


_encode = msgspec.msgpack.encode
_decoder = msgspec.msgpack.Decoder(tuple[str, Entry])


def packed(entry: Entry) -> bytes:
    """The form in which a shared store keeps it."""
    return _encode((_FORM, entry))


def unpacked(data: bytes) -> Entry | None:
    """The entry that `data` holds; None where another version of Headgate wrote it."""
    try:
        form, entry = _decoder.decode(data)
    except (msgspec.DecodeError, msgspec.ValidationError):
        return None
    return entry if form == _FORM else None
