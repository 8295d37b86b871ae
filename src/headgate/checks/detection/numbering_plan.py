"""Which phone numbers may exist in a country? Google's plans, as the package phonenumbers has them.

Its own parser takes about 80 µs a number and its matcher a millisecond a line, so only its plans
are used here: each country's as one regular expression, made when a number first needs it. The
package itself is loaded then too (about 3 MB, and some 50 KB for each country asked about).
"""

from __future__ import annotations

import functools
import re
from collections.abc import Collection
from typing import Final

from headgate.config.detection import Language

REGIONS: Final[dict[Language, tuple[str, ...]]] = {
    "en": ("US", "GB", "AU", "IE", "IN"),
    "de": ("DE", "AT", "CH"),
    "fr": ("FR", "BE", "CH"),
    "es": ("ES", "MX", "AR", "CO"),
    "it": ("IT", "CH"),
    "nl": ("NL", "BE"),
    "pt": ("PT", "BR"),
    "zh": ("CN", "HK", "TW"),
}
"""Whose national numbers are known, by language."""

_TYPES: Final = (
    "fixed_line", "mobile", "toll_free", "premium_rate", "shared_cost", "personal_number", "voip",
    "uan",
)  # fmt: skip

_WITH_TRUNK_ZERO: Final = frozenset(
    ("GB", "AU", "IE", "IN", "DE", "AT", "CH", "FR", "BE", "NL", "TW")
)
"""Where national numbers are written with a 0 that is not part of the number."""

_TRUNK_PREFIX: Final = {"US": "1", "BR": "0"}
"""What may stand in front of a national number, and seldom does."""


@functools.cache
def _plan(region: str) -> re.Pattern[str] | None:
    from phonenumbers import PhoneMetadata  # noqa: PLC0415

    metadata = PhoneMetadata.metadata_for_region(region)
    if metadata is None:
        return None
    found = (getattr(metadata, kind) for kind in _TYPES)
    patterns = [one.national_number_pattern for one in found if one is not None]
    return re.compile("|".join(f"(?:{one})" for one in patterns if one))


@functools.cache
def _regions(calling_code: str) -> tuple[str, ...]:
    from phonenumbers import COUNTRY_CODE_TO_REGION_CODE  # noqa: PLC0415

    return tuple(COUNTRY_CODE_TO_REGION_CODE.get(int(calling_code), ()))


def is_international(digits: str) -> bool:
    """Whether `digits`, which follow a `+` or `00`, are a country's code and one of its numbers."""
    for length in (1, 2, 3):
        if regions := _regions(digits[:length]):
            number = digits[length:]
            if any(is_of(region, number) for region in regions):
                return True
            # Trunk zeros are often left in: +44 (0)20 …, +49 0151 …
            return number.startswith("0") and any(is_of(one, number[1:]) for one in regions)
    return False


def is_of(region: str, number: str) -> bool:
    """Whether `number`, without trunk prefix, is one of `region`'s."""
    plan = _plan(region)
    return plan is not None and plan.fullmatch(number) is not None


def is_national(digits: str, regions: Collection[str]) -> bool:
    """Whether `digits` are how a number is dialled within one of `regions`."""
    for region in regions:
        number = digits
        if region in _WITH_TRUNK_ZERO or (region == "CN" and digits[:1] == "0"):
            if digits[:1] != "0":
                continue
            number = digits[1:]
        elif (region == "US" and len(digits) == 11 and digits[0] == "1") or (
            region == "BR" and digits[:1] == "0"
        ):
            number = digits[1:]
        if is_of(region, number):
            return True
    return False
