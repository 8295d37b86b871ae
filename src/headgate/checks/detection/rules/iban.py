"""How is an international bank account number told? By its country's length and its check digits."""

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


def _account(value: str) -> int:
    length = _length(value[:2].upper())
    seen = 0
    for index, character in enumerate(value, 1):
        seen += character.isalnum()
        if length and seen == length:
            return index if iban.is_valid(value[:index].replace(".", "")) else 0
    return 0
