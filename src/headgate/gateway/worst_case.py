"""How much a request may use and cost at worst, before anything of it has been sent.

First by size alone, which takes a microsecond: no text has more tokens than bytes. Counted with a
tokenizer it comes closer; that is done only where the first does not fit.
"""

from __future__ import annotations

import functools
import re
from fnmatch import fnmatchcase
from typing import Any

import msgspec

from headgate.config.allowances import FRAME_TOKENS
from headgate.gateway.call import Call
from headgate.gateway.endpoints import Fields
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

_SILENT = (False, False)
"""Of a call that neither hears nor speaks."""

_STANDARD_TIERS = (None, "auto", "default")

_MOST_TOKENS = 10**9
"""Taken for any number above it."""

_integer = msgspec.json.Decoder(int, strict=False)
"""Takes 1e3 and "1000" too, as many servers do: else such a bound would be none, and little be
reserved for much."""
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
        request.model,
        turn.likely_tokens,
        output,
        turn.output_tokens is not None,
        _cost(request, (target,), prices, turn.most_tokens, output, sound),
    )


def worst_call(
    call: Call,
    request: Request,
    targets: tuple[Target, ...],
    prices: PriceList,
    assumed_output_tokens: int,
) -> WorstCase:
    """The claims of a call, which may go to its route's target for long requests as well."""
    larger = None if call.route is None else call.route.larger_context
    if larger is not None:
        targets = (*targets, larger)
    return WorstCase(request, targets, prices, assumed_output_tokens)


class WorstCase:
    """The claims of one request: by size at once, and by counting in a few milliseconds."""

    __slots__ = (
        "_audio",
        "_extra",
        "_prices",
        "_request",
        "_text",
        "_writes",
        "by_size",
        "targets",
    )

    def __init__(
        self,
        request: Request,
        targets: tuple[Target, ...],
        prices: PriceList,
        assumed_output_tokens: int,
    ) -> None:
        self._request = request
        self.targets = targets
        self._prices = prices
        text = b"".join(request.fields.values())
        self._extra = FRAME_TOKENS
        if b"image" in text:
            # An image takes tokens by its size in pixels, however many bytes carry it.
            text = _IMAGE_DATA.sub(b"", text)
            images = text.count(b"image_url") + text.count(b'"input_image"')
            self._extra += images * _IMAGE_TOKENS
        self._text = text
        self._audio = b'"input_audio"' in text, "audio" in request.fields
        self._writes = _output(request, assumed_output_tokens)
        size_bytes = len(text)
        self.by_size = self._claim(size_bytes // BYTES_PER_TOKEN + self._extra, size_bytes)
        """The first claim: no text has more tokens than bytes."""

    def counted(self) -> Claim:
        """The claim with the text's tokens counted."""
        tokens = int(_tokenizer().count(self._text.decode("utf-8", "replace")))
        return self._claim(tokens + self._extra, tokens)

    def _claim(self, input_tokens: int, most_text_tokens: int) -> Claim:
        output, stated = self._writes
        return Claim(
            self._request.model,
            input_tokens,
            output,
            stated,
            _cost(
                self._request,
                self.targets,
                self._prices,
                most_text_tokens + self._extra,
                output,
                self._audio,
            ),
        )


def _output(request: Request, assumed_tokens: int) -> tuple[int, bool]:
    """The most tokens that the request's answer may have, and whether it says so itself."""
    fields = request.fields
    # Over all its choices.
    choices = (_count(fields["n"]) or 1) if "n" in fields else 1
    most = stated_output(fields)
    if most is not None:
        return most * choices, True
    return (assumed_tokens * choices, False) if request.endpoint.generates else (0, True)


def stated_output(fields: Fields) -> int | None:
    """The most tokens that each choice of an answer may have; None where a request sets no bound.

    Of several bounds the largest, since servers differ in which of them they heed.
    """
    stated = [_count(fields[name]) for name in _MAX_OUTPUT_FIELDS if name in fields]
    return max((most for most in stated if most is not None), default=None)


def _count(raw: msgspec.Raw) -> int | None:
    """A number above 0, however a server may read one; what is absurd is as much as can be."""
    try:
        found = _integer.decode(raw)
    except UNREADABLE:
        return None  # null, or what the provider will refuse
    return min(found, _MOST_TOKENS) if found > 0 else None


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
    tier = _tier(request) if "service_tier" in request.fields else None
    free_models = request.endpoint.free_models
    dearest = 0
    for target in targets:
        model = target.model
        if free_models and any(fnmatchcase(model, pattern) for pattern in free_models):
            continue
        if not model:
            return None
        provider = target.provider
        price = prices.price_of(provider.price_list, provider.price_address, model, tier)
        if price is None:
            return None
        # Where writing into the prompt cache costs more than input, all of it may be written.
        is_written = price.rates.cache_write > price.rates.input
        if is_written or audio != _SILENT:
            cost = price.cost_nanousd(
                input_tokens=input_tokens,
                cache_write_tokens=input_tokens if is_written else 0,
                output_tokens=output_tokens,
                input_audio_tokens=input_tokens if audio[0] else 0,
                output_audio_tokens=output_tokens if audio[1] else 0,
            )
        else:
            cost = price.text_nanousd(input_tokens, output_tokens)
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
