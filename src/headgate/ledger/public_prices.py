"""What providers ask publicly for their models, read from the installed `genai-prices` package.

Its data only: its own calculation answers the standard price where a service tier has none, and
costs far more than a call may. It is never allowed to fetch anything.
"""

from __future__ import annotations

import re
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from importlib.metadata import version
from typing import TYPE_CHECKING

from headgate.ledger.cost import Price, Rates

if TYPE_CHECKING:
    from genai_prices.types import ModelInfo, ModelPrice, Provider, TieredPrices

_NANO = 1_000_000_000
_MODEL_CHARACTERS = 256
"""A longer name is no model's."""


class PublicPrices:
    """The price list. Making one imports it: 0.25 s and 12 MB."""

    def __init__(self) -> None:
        from genai_prices.data import providers  # noqa: PLC0415 - see the class

        self.version = f"genai-prices {version('genai-prices')}"
        self._providers: list[Provider] = providers

    @property
    def provider_ids(self) -> tuple[str, ...]:
        """The providers that have prices, by the names that `price_provider` takes."""
        return tuple(provider.id for provider in self._providers)

    def find(
        self, provider: str, base_url: str, model: str, tier: str | None, at: datetime
    ) -> Price | None:
        """The price of `model` at the moment `at`; None where the list has none.

        The provider is whose API `base_url` is, or else the one whose identifier is `provider`.
        `tier` is None for the standard one.
        """
        listed = self._provider(provider, base_url)
        if listed is None or len(model) > _MODEL_CHARACTERS:
            return None
        found = listed.find_model(model, all_providers=self._providers)
        if found is None:
            return None
        if tier is None:
            prices = found.get_prices(at)
        elif all(found is not own for own in listed.models):
            # The model was found in the list of the provider it comes from, whose tiers are not
            # those of the provider that serves it.
            return None
        elif (context := _tier_context(found, tier, at)) is not None:
            prices = found.get_prices(at, context)
        else:
            return None
        return _price(prices, self.version)

    def _provider(self, name: str, base_url: str) -> Provider | None:
        for provider in self._providers:
            if base_url and re.match(provider.api_pattern, base_url):
                return provider
        # The package's own matching of names is by substring; `not-openai` must not be OpenAI.
        return next((provider for provider in self._providers if provider.id == name), None)


def _tier_context(model: ModelInfo, tier: str, at: datetime) -> dict[str, str] | None:
    """How the list names `tier` for `model`, or None where it has no price of its own for it."""
    names = {"service_tier": tier}, {"processing": tier}
    for variant in model.price_variants or ():
        if variant.when in names and (variant.constraint is None or variant.constraint.active(at)):
            return variant.when
    return None


def _price(prices: ModelPrice, source: str) -> Price | None:
    listed: dict[str, Decimal | TieredPrices | None] = dict(prices.__dict__)
    if listed.get("input_mtok") is None:
        # Nothing listed may mean free, withdrawn or priced by the hour; only a guess could tell.
        return None
    starts = sorted(
        {tier.start for value in listed.values() for tier in getattr(value, "tiers", ())}
    )
    request = listed.get("requests_kcount")
    return Price(
        version=source,
        rates=_rates(listed, 0),
        long_context=tuple((start, _rates(listed, start + 1)) for start in starts),
        request_nanousd=_nano(_at_size(request, 0) / 1000) if request is not None else 0,
    )


def _rates(listed: dict[str, Decimal | TieredPrices | None], input_tokens: int) -> Rates:
    def rate(*keys: str) -> int:
        for key in keys:
            if (value := listed.get(key)) is not None:
                return _nano(_at_size(value, input_tokens))
        return 0

    return Rates(
        input=rate("input_mtok"),
        cached_input=rate("cache_read_mtok", "input_mtok"),
        cache_write=rate("cache_write_mtok", "input_mtok"),
        # Embedding models have no output and so no price for it.
        output=rate("output_mtok"),
        input_audio=rate("input_audio_mtok", "input_mtok"),
        output_audio=rate("output_audio_mtok", "output_mtok"),
        input_image=rate("input_image_mtok", "input_mtok"),
        output_image=rate("output_image_mtok", "output_mtok"),
        cached_input_audio=rate("cache_audio_read_mtok", "input_audio_mtok", "input_mtok"),
    )


def _at_size(value: Decimal | TieredPrices, input_tokens: int) -> Decimal:
    if isinstance(value, Decimal):
        return value
    reached = [tier.price for tier in value.tiers if input_tokens > tier.start]
    return reached[-1] if reached else value.base


def _nano(dollars: Decimal) -> int:
    return int((dollars * _NANO).to_integral_value(ROUND_HALF_UP))
