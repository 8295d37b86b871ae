"""Under which key an answer is kept: two requests share one only if they ask the same. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from hashlib import sha256
from typing import Any

import msgspec

from headgate.gateway.endpoints import Fields
from headgate.gateway.endpoints.endpoint import UNREADABLE

_FORM = b"headgate answer 1\n"
"""Changed when a key comes to mean something else."""

NO_GUARDS = "none"
"""The version of the guard policy while there are no guards."""

LEFT_OUT: Mapping[str, str] = {
    "model": "what was asked for stands in the scope, with the targets that it means",
    "user": "says who asks, not what",
    "safety_identifier": "says who asks, not what",
    "metadata": "labels what the provider stores",
    "stream": "the same answer, told otherwise",
    "stream_options": "the same answer, told otherwise",
    "prompt_cache_key": "makes the provider quicker, not other",
    "prompt_cache_retention": "makes the provider quicker, not other",
}
"""Fields that do not change the answer, and why. All others are part of the key, also `store`:
who asks for an answer that the provider keeps must not get one that it doesn't."""

_COUNTS = frozenset(
    {
        "dimensions",
        "max_completion_tokens",
        "max_output_tokens",
        "max_tokens",
        "n",
        "seed",
    }
)
"""Fields that hold an integer, which there are not two sensible ways to write."""

_SETTINGS = frozenset({"frequency_penalty", "presence_penalty", "temperature", "top_p"})
"""Fields that hold a number, which some write as 0 and others as 0.0."""

_LONGEST_INTEGER = 20
"""Zeros that a number's exponent may stand for before it is left as it is written."""

# Numbers are compared as they were written: as floats, 2**70 and 2**70 + 1 would be one.
_decode = msgspec.json.Decoder(float_hook=Decimal).decode
_encode = msgspec.json.Encoder(order="sorted", decimal_format="number").encode


class Scope(msgspec.Struct, frozen=True, kw_only=True):
    """What an answer belongs to, apart from the request's own fields."""

    project: str
    workflow: str | None
    endpoint: str
    model: str
    """As it was asked for: a route's name or a model's."""
    targets: str
    """Which targets that means, so that another configuration has other answers."""
    guard_policy: str = NO_GUARDS
    beta: str = ""
    """The `openai-beta` header, which can change what an endpoint answers."""


def canonical(fields: Fields, *, without: frozenset[str] = frozenset()) -> bytes | None:
    """The fields that make the answer, as JSON with sorted keys; None where they can't be read."""
    read: dict[str, Any] = {}
    try:
        for name, raw in fields.items():
            if name in _COUNTS and bytes(raw).isdigit():
                read[name] = raw
            elif name in _SETTINGS:
                read[name] = _plainly(raw)
            elif name not in LEFT_OUT and name not in without:
                read[name] = _decode(raw)
        return _encode(read)
    except UNREADABLE:
        return None


def _plainly(raw: msgspec.Raw) -> Any:
    """A number without zeros that say nothing; anything else as it is."""
    if bytes(raw).isdigit():
        return raw
    value = _decode(raw)
    if not isinstance(value, Decimal):
        return value
    if not value:
        return 0
    sign, digits, exponent = value.as_tuple()
    if not isinstance(exponent, int):
        return value
    told = len(digits)
    while digits[told - 1] == 0:
        told -= 1
    digits, exponent = digits[:told], exponent + len(digits) - told
    shortest = Decimal((sign, digits, exponent))
    return int(shortest) if 0 <= exponent <= _LONGEST_INTEGER else shortest


class ScopedKeys:
    """The keys of one scope, whose part of the digest is made once for all its calls."""

    __slots__ = ("_begun", "scope")

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        # JSON has no line breaks of its own, so the parts can't run into each other.
        self._begun = sha256(_FORM + msgspec.json.encode(scope) + b"\n")

    def key(self, asked: bytes) -> bytes:
        """The key of the answer to `asked`, a canonical request."""
        digest = self._begun.copy()
        digest.update(asked)
        return digest.digest()


def answer_key(scope: Scope, asked: bytes) -> bytes:
    """The key of the answer to `asked`, a canonical request, within `scope`."""
    return ScopedKeys(scope).key(asked)


def item_key(batch_key: bytes, item: bytes) -> bytes:
    """The key of one item of a batch whose other fields have `batch_key`."""
    return sha256(batch_key + item).digest()
