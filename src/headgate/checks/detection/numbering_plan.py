"""Which phone numbers may exist in a country? Google's plans, as the package phonenumbers has them.

Its own parser takes about 80 µs a number and its matcher a millisecond a line, so only its plans
are used here, as one regular expression for all countries asked about: a microsecond a number. The
package itself is loaded when a number is first judged (about 3 MB, and some 50 KB a country).
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection
from typing import Final

from headgate.checks.detection.expression import Expression
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
    "fixed_line",
    "mobile",
    "toll_free",
    "premium_rate",
    "shared_cost",
    "personal_number",
    "voip",
    "uan",
)

_WITH_TRUNK_ZERO: Final = frozenset(
    ("GB", "AU", "IE", "IN", "DE", "AT", "CH", "FR", "BE", "NL", "TW")
)
"""Where national numbers are written with a 0 that is not part of the number."""

_TRUNK_PREFIX: Final = {"US": "1?", "BR": "0?", "CN": "0?"}
"""What else may stand in front of a national number."""


def is_international(digits: str) -> bool:
    """Whether `digits`, which follow a `+` or `00`, are a country's code and one of its numbers."""
    for length in (1, 2, 3):
        if (plan := _plan_of_code(digits[:length])) is not None:
            number = digits[length:].encode()
            # Trunk zeros are often left in: +49 0151 …
            return plan.is_whole(number) or (number.startswith(b"0") and plan.is_whole(number[1:]))
    return False


def national(regions: Collection[str]) -> Callable[[str], bool]:
    """Asks whether digits are how a number is dialled within one of `regions`."""
    together = tuple(regions)

    def is_national(digits: str) -> bool:
        return _plan_within(together).is_whole(digits.encode())

    return is_national


@functools.cache
def _plan_of_code(calling_code: str) -> Expression | None:
    from phonenumbers import COUNTRY_CODE_TO_REGION_CODE  # noqa: PLC0415

    regions = COUNTRY_CODE_TO_REGION_CODE.get(int(calling_code), ())
    plans = [plan for region in regions if (plan := _plan(region))]
    return Expression("|".join(plans)) if plans else None


@functools.cache
def _plan_within(regions: tuple[str, ...]) -> Expression:
    dialled = []
    for region in regions:
        prefix = "0" if region in _WITH_TRUNK_ZERO else _TRUNK_PREFIX.get(region, "")
        dialled.append(f"{prefix}(?:{_plan(region)})")
    return Expression("|".join(dialled))


def _plan(region: str) -> str:
    """The numbers of `region`, without trunk prefix, as a regular expression."""
    from phonenumbers import PhoneMetadata  # noqa: PLC0415

    metadata = PhoneMetadata.metadata_for_region(region)
    if metadata is None:
        return ""
    found = (getattr(metadata, kind) for kind in _TYPES)
    patterns = [one.national_number_pattern for one in found if one is not None]
    return "|".join(f"(?:{one})" for one in patterns if one)
