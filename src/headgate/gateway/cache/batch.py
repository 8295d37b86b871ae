"""Embeddings are kept by input item: what is known is taken from the cache, the rest asked for.

Pure: it takes requests apart and puts answers together.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from headgate.gateway.cache.key import canonical, item_key
from headgate.gateway.endpoints import Fields, Usage
from headgate.gateway.endpoints.endpoint import UNREADABLE

_ITEMS_AT_MOST = 4096
"""Of one request; OpenAI takes 2,048. A longer one goes its way without the cache."""


class Item(msgspec.Struct, frozen=True):
    """One vector, as its batch was answered."""

    vector: bytes
    """JSON: a list of numbers, or a text in base64."""
    tokens: int | None
    cost_nanousd: int | None


class _Vector(msgspec.Struct):
    index: int
    embedding: msgspec.Raw


class _Reply(msgspec.Struct):
    data: list[_Vector]


class _VectorOut(msgspec.Struct):
    object: str
    index: int
    embedding: msgspec.Raw


_input = msgspec.json.Decoder(str | list[str | int | list[int]])
_reply = msgspec.json.Decoder(_Reply)
_encode = msgspec.json.encode


class Batch:
    """The items of one request for embeddings."""

    def __init__(self, items: Sequence[bytes], keys: Sequence[bytes]) -> None:
        self.items = items
        """Each as JSON."""
        self.keys = keys
        """One for each item; equal items have the same."""

    def missing(self, known: dict[bytes, Item]) -> list[int]:
        """Where the items stand that must be asked for: of equal ones the first."""
        first: dict[bytes, int] = {}
        for position, key in enumerate(self.keys):
            if key not in known:
                first.setdefault(key, position)
        return list(first.values())

    def input_of(self, positions: Sequence[int]) -> msgspec.Raw:
        """The `input` that asks for the items at `positions`."""
        return msgspec.Raw(b"[" + b",".join(self.items[p] for p in positions) + b"]")

    def read(
        self, body: bytes, positions: Sequence[int], usage: Usage, cost_nanousd: int | None
    ) -> dict[bytes, Item] | None:
        """The vectors that `body` has for the items at `positions`, by key.

        None where there is not one for each. What the reply used and cost is split by the items'
        lengths, because a provider tells only the sum.
        """
        try:
            vectors = {vector.index: bytes(vector.embedding) for vector in _reply.decode(body).data}
        except UNREADABLE:
            return None
        if set(vectors) != set(range(len(positions))):
            return None
        weights = [len(self.items[position]) for position in positions]
        tokens = split(usage.input_tokens, weights)
        costs = split(cost_nanousd, weights)
        return {
            self.keys[position]: Item(vectors[order], tokens[order], costs[order])
            for order, position in enumerate(positions)
        }

    def whole(self, found: dict[bytes, Item], model: str | None) -> tuple[bytes, Usage]:
        """The answer to the request, and what it says that it used."""
        vectors = [
            _VectorOut("embedding", position, msgspec.Raw(found[key].vector))
            for position, key in enumerate(self.keys)
        ]
        tokens = sum(found[key].tokens or 0 for key in self.keys)
        body = {
            "object": "list",
            "data": vectors,
            "model": model,
            "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
        }
        return _encode(body), Usage(model=model, input_tokens=tokens, output_tokens=0)


def read_batch(fields: Fields, batch_key: bytes) -> Batch | None:
    """The items of a request for embeddings; None where its `input` is none that is known."""
    try:
        given = _input.decode(fields["input"])
    except (*UNREADABLE, KeyError):
        return None
    # A list of numbers is one text, given as its tokens.
    single = isinstance(given, str) or all(isinstance(item, int) for item in given)
    items = [given] if single else list(given)
    mixed = len({type(item) for item in items}) != 1
    if not given or mixed or len(items) > _ITEMS_AT_MOST:
        return None
    written = [_encode(item) for item in items]
    return Batch(written, [item_key(batch_key, item) for item in written])


def asked_besides_input(fields: Fields) -> bytes | None:
    """The canonical request without its items."""
    return canonical(fields, without=frozenset({"input"}))


def split(total: int | None, weights: Sequence[int]) -> list[int | None]:
    """`total` in whole parts by `weights`, which add up to it."""
    if total is None:
        return [None] * len(weights)
    whole = sum(weights)
    parts: list[int | None] = []
    seen = given = 0
    for weight in weights:
        seen += weight
        upto = total * seen // whole if whole else 0
        parts.append(upto - given)
        given = upto
    return parts
