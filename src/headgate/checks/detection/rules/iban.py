"""How is an international bank account number told? By its length and its check digits."""

from __future__ import annotations

import functools
import re
from collections.abc import Collection
from typing import Final

from stdnum import iban, numdb

from headgate.checks.detection.rule import Rule
from headgate.config.detection import Language

_PART: Final = re.compile(r"(\d+)!")


def rules(languages: Collection[Language]) -> list[Rule]:
    """Account numbers have no language."""
    del languages
    return [
        Rule(
            kind="iban",
            shape=r"(?i)\b[A-Z]{2}[ -]?\d{2}(?:[ .-]?[A-Z0-9]){11,30}",
            gate=r"(?i)\b[A-Z]{2}[ -]?\d{2}[ .-]?[A-Z0-9]{4}",
            accept=_account,
            score=98,
            overlapping=True,
        )
    ]


@functools.cache
def _length(country: str) -> int:
    """How many characters an account number of `country` has; 0 where it has none."""
    found = numdb.get("iban").info(country)[0][1]
    parts = _PART.findall(found.get("bban", ""))
    return 4 + sum(map(int, parts)) if parts else 0


def _is_checked(account: str) -> bool:
    """Whether the check digits are right (ISO 7064): what stdnum also asks, ten times as fast."""
    moved = account[4:] + account[:4]
    return int("".join(str(int(character, 36)) for character in moved)) % 97 == 1


def _account(value: str) -> int:
    length = _length(value[:2].upper())
    seen = 0
    for index, character in enumerate(value, 1):
        seen += character.isalnum()
        if length and seen == length:
            account = "".join(filter(str.isalnum, value[:index])).upper()
            return index if _is_checked(account) and iban.is_valid(account) else 0
    return 0
