"""What a number of tokens costs at a known price, in integers only."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

_PER_MILLION = 1_000_000


class Rates(msgspec.Struct, frozen=True, kw_only=True):
    """Nano-dollars per million tokens of each kind."""

    input: int
    cached_input: int
    """Input that the provider found in its prompt cache."""
    cache_write: int
    """Input that the provider charges for putting into its prompt cache."""
    output: int
    input_audio: int
    output_audio: int
    input_image: int | None = None
    """Of pictures in the input; None: as other input."""
    output_image: int | None = None
    cached_input_audio: int | None = None
    """Of audio in the input that was found in the prompt cache; None: as other audio."""


class Price(msgspec.Struct, frozen=True, kw_only=True):
    """What one model costs now."""

    version: str
    """Where the price stands, such as `genai-prices 0.2.3` or `config`."""
    rates: Rates
    long_context: tuple[tuple[int, Rates], ...] = ()
    """Ascending input sizes and the rates of *all* tokens of a call whose input is larger."""
    request_nanousd: int = 0
    """Charged once for each call, beside its tokens."""

    def cost_nanousd(
        self,
        *,
        input_tokens: int,
        output_tokens: int = 0,
        cached_tokens: int = 0,
        cache_write_tokens: int = 0,
        input_audio_tokens: int = 0,
        output_audio_tokens: int = 0,
        input_image_tokens: int = 0,
        output_image_tokens: int = 0,
        cached_audio_tokens: int = 0,
    ) -> int:
        """The cost of one call in nano-dollars, rounded half up once, at the end.

        `input_tokens` holds the cached, written, audio and picture ones, `output_tokens` its audio
        and picture ones, `cached_tokens` those of audio. Parts that add up to more than their whole
        are cut down to it: first pictures, then written, then cached, then audio ones. Counts
        below 0 count as 0.
        """
        rates = self.rates
        if self.long_context:
            for above_tokens, higher in self.long_context:
                if input_tokens > above_tokens:
                    rates = higher
        plain = max(0, input_tokens)
        total = 0
        if input_audio_tokens > 0:
            part = min(plain, input_audio_tokens)
            plain -= part
            if cached_audio_tokens > 0 and rates.cached_input_audio is not None:
                cached = min(part, cached_audio_tokens)
                part -= cached
                cached_tokens -= cached
                total += cached * rates.cached_input_audio
            total += part * rates.input_audio
        if cached_tokens > 0:
            part = min(plain, cached_tokens)
            plain -= part
            total += part * rates.cached_input
        if cache_write_tokens > 0:
            part = min(plain, cache_write_tokens)
            plain -= part
            total += part * rates.cache_write
        if input_image_tokens > 0 and rates.input_image is not None:
            part = min(plain, input_image_tokens)
            plain -= part
            total += part * rates.input_image
        total += plain * rates.input
        if output_tokens > 0:
            part = 0
            if output_image_tokens > 0 and rates.output_image is not None:
                part = min(output_tokens, output_image_tokens)
                output_tokens -= part
                total += part * rates.output_image
                part = 0
            if output_audio_tokens > 0:
                part = min(output_tokens, output_audio_tokens)
                total += part * rates.output_audio
            total += (output_tokens - part) * rates.output
        return (total + _PER_MILLION // 2) // _PER_MILLION + self.request_nanousd

    def text_nanousd(self, input_tokens: int, output_tokens: int) -> int:
        """`cost_nanousd` of a call that used nothing but text, neither cached nor written.

        Most calls are such, and each is priced twice: this takes half as long.
        """
        rates = self.rates
        if self.long_context:
            for above_tokens, higher in self.long_context:
                if input_tokens > above_tokens:
                    rates = higher
        total = input_tokens * rates.input if input_tokens > 0 else 0
        if output_tokens > 0:
            total += output_tokens * rates.output
        return (total + _PER_MILLION // 2) // _PER_MILLION + self.request_nanousd

    def calls_nanousd(
        self,
        calls: int,
        *,
        input_tokens: int,
        output_tokens: int = 0,
        cached_tokens: int = 0,
        cache_write_tokens: int = 0,
    ) -> int:
        """The cost of `calls` calls of one size that used so many tokens together.

        Rounded once, at the end. Which rates hold is decided by the size of one call.
        """
        rates = self.rates
        for above_tokens, higher in self.long_context:
            if input_tokens > above_tokens * calls:
                rates = higher
        whole = Price(version=self.version, rates=rates)
        tokens_nanousd = whole.cost_nanousd(
            input_tokens=input_tokens,
            output_tokens=output_tokens,
            cached_tokens=cached_tokens,
            cache_write_tokens=cache_write_tokens,
        )
        return tokens_nanousd + calls * self.request_nanousd


def total_cost_nanousd(costs: Iterable[int | None]) -> int | None:
    """The sum, or None as soon as one of them is unknown: a part of a price would mislead."""
    total = 0
    for cost in costs:
        if cost is None:
            return None
        total += cost
    return total
