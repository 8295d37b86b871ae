"""How much a request may use and cost at worst, before anything of it has been sent.

First by size alone, which takes a microsecond: no text has more tokens than bytes. Counted with a
tokenizer it comes closer; that is done only where the first does not fit.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from fnmatch import fnmatchcase
from typing import Any

import msgspec

from headgate.config.allowances import FRAME_TOKENS
from headgate.gateway.endpoints.endpoint import UNREADABLE
from headgate.gateway.request import Request
from headgate.gateway.settlement import BYTES_PER_TOKEN
from headgate.gateway.target import Target
from headgate.ledger.allowances.claim import Claim
from headgate.ledger.prices import PriceList

_IMAGE_TOKENS = 1600
"""About what one large image takes, which a request may name in a few bytes."""

_IMAGE_DATA = re.compile(rb"data:image/[a-z+.-]{1,20};base64,[A-Za-z0-9+/=\\]*")

_MAX_OUTPUT_FIELDS = ("max_completion_tokens", "max_output_tokens", "max_tokens")

_STANDARD_TIERS = (None, "auto", "default")

_integer = msgspec.json.Decoder(int)
_text = msgspec.json.Decoder(str)


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """A response in a session whose input is not in its request, at its largest."""

    likely_tokens: int
    """About what it takes in: what limits on tokens count."""
    most_tokens: int
    """The most that it can take in: what budgets count."""
    output_tokens: int | None
    """The most that it may write; None where nothing says."""
    hears: bool
    """Whether what it takes in may be sound, which costs more."""
    speaks: bool
    """Whether what it writes may be sound."""


def worst_turn(
    request: Request,
    target: Target,
    prices: PriceList,
    turn: Turn,
    assumed_output_tokens: int,
) -> Claim:
    """The claim of a response in a session."""
    output = assumed_output_tokens if turn.output_tokens is None else turn.output_tokens
    sound = turn.hears, turn.speaks
    return Claim(
        model=request.model,
        input_tokens=turn.likely_tokens,
        output_tokens=output,
        output_stated=turn.output_tokens is not None,
        nanousd=_cost(request, (target,), prices, turn.most_tokens, output, sound),
    )


def worst_case(
    request: Request, targets: tuple[Target, ...], prices: PriceList, assumed_output_tokens: int
) -> tuple[Claim, Callable[[], Claim]]:
    """The claim by size, and a function that makes one by counting, in a few milliseconds."""
    sizes = b"".join(bytes(value) for value in request.fields.values())
    extra = FRAME_TOKENS
    if b"image" in sizes:
        # An image takes tokens by its size in pixels, however many bytes carry it.
        sizes = _IMAGE_DATA.sub(b"", sizes)
        images = sizes.count(b"image_url") + sizes.count(b'"input_image"')
        extra += images * _IMAGE_TOKENS
    output = _max_output(request)
    stated = output is not None
    if output is None:
        output = assumed_output_tokens if request.endpoint.generates else 0
        stated = not request.endpoint.generates
    audio = b'"input_audio"' in sizes, "audio" in request.fields

    def claim(input_tokens: int, most_input_tokens: int) -> Claim:
        return Claim(
            model=request.model,
            input_tokens=input_tokens,
            output_tokens=output,
            output_stated=stated,
            nanousd=_cost(request, targets, prices, most_input_tokens, output, audio),
        )

    def counted() -> Claim:
        text = sizes.decode("utf-8", "replace")
        tokens = int(_tokenizer().count(text)) + extra
        return claim(tokens, tokens)

    return claim(len(sizes) // BYTES_PER_TOKEN + extra, len(sizes) + extra), counted


def _max_output(request: Request) -> int | None:
    """The most tokens that the request asks for, over all its choices."""
    for name in _MAX_OUTPUT_FIELDS:
        most = _count(request, name)
        if most is not None:
            return most * max(1, _count(request, "n") or 1)
    return None


def _count(request: Request, name: str) -> int | None:
    raw = request.fields.get(name)
    if raw is None:
        return None
    try:
        found = _integer.decode(raw)
    except UNREADABLE:
        return None  # null, or what the provider will refuse
    return found if 0 < found < 10**9 else None


def _cost(
    request: Request,
    targets: tuple[Target, ...],
    prices: PriceList,
    input_tokens: int,
    output_tokens: int,
    audio: tuple[bool, bool],
) -> int | None:
    """The price of the dearest target; None where any of them has none, or more is run."""
    if request.second_model is not None:
        return None
    tier = _tier(request)
    dearest = 0
    for target in targets:
        model = target.model
        if any(fnmatchcase(model, pattern) for pattern in request.endpoint.free_models):
            continue
        if not model:
            return None
        provider = target.provider
        price = prices.price_of(provider.price_list, provider.price_address, model, tier)
        if price is None:
            return None
        cost = price.cost_nanousd(
            input_tokens=input_tokens,
            # Where writing into the prompt cache costs more than input, all of it may be written.
            cache_write_tokens=input_tokens if price.rates.cache_write > price.rates.input else 0,
            output_tokens=output_tokens,
            input_audio_tokens=input_tokens if audio[0] else 0,
            output_audio_tokens=output_tokens if audio[1] else 0,
        )
        dearest = max(dearest, cost)
    return dearest


def _tier(request: Request) -> str | None:
    raw = request.fields.get("service_tier")
    if raw is None:
        return None
    try:
        tier = _text.decode(raw)
    except UNREADABLE:
        return None
    return None if tier in _STANDARD_TIERS else tier


@functools.cache
def _tokenizer() -> Any:
    from rs_bpe.bpe import openai  # noqa: PLC0415 - the tables take 50 ms and 30 MB

    return openai.o200k_base()
