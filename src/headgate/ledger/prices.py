"""Which price applies to a model: the operator's own, or else the public one, or none."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from fnmatch import fnmatchcase

from headgate.config.settings import PriceSettings
from headgate.errors import ConfigError
from headgate.ledger.cost import Price, Rates
from headgate.ledger.public_prices import PublicPrices

_STANDARD_TIERS = frozenset({"", "auto", "default", "standard"})
_CACHE_ENTRIES = 4096
"""Prices kept at hand; when full they are forgotten and looked up anew."""
_RENEWAL_S = 60
"""Prices that begin on a date or hold for some hours of the day are seen within this time."""
_NANO = 1_000_000_000
_MOST_DOLLARS = 1_000_000
_DECIMALS = 9


class PriceList:
    """Finds prices; the second look at a model costs a dictionary's lookup.

    The first look at the public prices imports them, which takes 0.25 s: call `load()` first, in
    a thread, where that would hold up others.
    """

    def __init__(
        self, overrides: Mapping[str, PriceSettings], *, clock: Callable[[], float] = time.time
    ) -> None:
        """`overrides` go by a model's name or pattern, `NAME@TIER` for a service tier's price.

        Raises `ConfigError` for an amount that is no price.
        """
        self._own = {name: _own_price(name, settings) for name, settings in overrides.items()}
        self._public: PublicPrices | None = None
        self._clock = clock
        self._cache: dict[tuple[str, str, str, str | None], Price | None] = {}
        self._cache_until_s = 0.0

    def load(self) -> None:
        """Import the public prices now. Any thread may call it, more than once."""
        if self._public is None:
            self._public = PublicPrices()

    def provider_ids(self) -> tuple[str, ...]:
        """The names that `price_provider` takes; imports the public prices."""
        return self._loaded().provider_ids

    def price_of(
        self, provider: str, base_url: str, model: str, service_tier: str | None
    ) -> Price | None:
        """The price of `model` now, or None: unpriced, which is not free.

        The public list is that of the API that `base_url` belongs to, or else that of `provider`,
        an identifier of `provider_ids()`; to go by `provider` alone, leave `base_url` empty. A
        `service_tier` other than the standard one has its own price or none.
        """
        now_s = self._clock()
        if now_s >= self._cache_until_s:
            self._cache.clear()
            self._cache_until_s = now_s - now_s % _RENEWAL_S + _RENEWAL_S
        key = (provider, base_url, model, service_tier)
        try:
            return self._cache[key]
        except KeyError:
            pass
        if len(self._cache) >= _CACHE_ENTRIES:
            self._cache.clear()
        price = self._look_up(provider, base_url, model, service_tier, now_s)
        self._cache[key] = price
        return price

    def _look_up(
        self, provider: str, base_url: str, model: str, service_tier: str | None, now_s: float
    ) -> Price | None:
        tier = None if service_tier is None else service_tier.lower()
        if tier in _STANDARD_TIERS:
            tier = None
        if tier is not None and (price := self._own_match(model, f"@{tier}")) is not None:
            return price
        if (price := self._own_match(model, "")) is not None:
            # A public tier beside a price of one's own would mix two agreements.
            return price if tier is None else None
        at = datetime.fromtimestamp(now_s, UTC)
        return self._loaded().find(provider, base_url, model, tier, at)

    def _own_match(self, model: str, suffix: str) -> Price | None:
        if (price := self._own.get(model + suffix)) is not None:
            return price
        for name, price in self._own.items():
            pattern = name.removesuffix(suffix)
            if (not suffix or pattern != name) and fnmatchcase(model, pattern):
                return price
        return None

    def _loaded(self) -> PublicPrices:
        if self._public is None:
            self._public = PublicPrices()
        return self._public


def _own_price(name: str, settings: PriceSettings) -> Price:
    def rate(field: str, amount: str) -> int:
        return _nano_per_million(f"prices.{name}.{field}", amount)

    input_rate = rate("input", settings.input)
    output_rate = rate("output", settings.output)
    return Price(
        version="config",
        rates=Rates(
            input=input_rate,
            cached_input=input_rate
            if settings.cached_input is None
            else rate("cached_input", settings.cached_input),
            cache_write=input_rate,
            output=output_rate,
            input_audio=input_rate
            if settings.input_audio is None
            else rate("input_audio", settings.input_audio),
            output_audio=output_rate
            if settings.output_audio is None
            else rate("output_audio", settings.output_audio),
            cached_input_audio=None
            if settings.cached_input_audio is None
            else rate("cached_input_audio", settings.cached_input_audio),
        ),
    )


def _nano_per_million(field: str, amount: str) -> int:
    try:
        dollars = Decimal(amount)
        # `NaN` and `Infinity` are Decimals too.
        nano = dollars * _NANO if dollars.is_finite() and 0 <= dollars <= _MOST_DOLLARS else None
    except InvalidOperation:
        nano = None
    if nano is None or nano != nano.to_integral_value():
        raise ConfigError(
            f"{field}: `{amount}` is not a price; write US dollars per million tokens as text,"
            f' such as "0.15", from 0 to {_MOST_DOLLARS}, with at most {_DECIMALS} decimals'
        )
    return int(nano)
