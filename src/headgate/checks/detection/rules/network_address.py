"""How is the address of a machine told? By its form: IPv4, IPv6, or its network card's."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection
from typing import Final

from headgate.checks.detection.rule import Rule, whole
from headgate.config.detection import Language

_GROUP: Final = r"[0-9A-Fa-f]{1,4}"


def ip_rules(languages: Collection[Language]) -> list[Rule]:
    """IPv4 and IPv6."""
    del languages
    return [
        Rule(
            kind="ip_address",
            # The whole row of numbers, so that a piece of a longer one is not taken for an address.
            shape=r"\b\d{1,3}(?:\.\d{1,5}){3,}\b",
            accept=_version_four,
            score=85,
            # Four numbers are also how versions, sections and object identifiers are written.
            unless=r"(?i:\bv(?:er(?:sion|sione|s[aã]o|si[oó]n)?)?|release|build|section|chapter|"
            r"oid|§"
            r"|firmware|版本)[ .:#=-]{0,3}",
            # Ports and sizes of networks follow: `:8080`, `/24`.
            neighbours="word",
        ),
        Rule(
            kind="ip_address",
            gate=rf"{_GROUP}:{_GROUP}:{_GROUP}:|{_GROUP}::|::{_GROUP}",
            shape=r"[0-9A-Fa-f]{0,4}:[0-9A-Fa-f]{0,4}:[0-9A-Fa-f:]*(?:\.\d{1,3}){0,3}",
            accept=_version_six,
            score=90,
            neighbours="word",
        ),
    ]


def mac_rules(languages: Collection[Language]) -> list[Rule]:
    """Six pairs with colons or hyphens, or three fours with dots."""
    del languages
    pair = "[0-9A-Fa-f]{2}"
    return [
        Rule(
            kind="mac_address",
            # The whole row of pairs, so that a piece of a longer fingerprint is not taken for one.
            shape=rf"\b(?:{pair}(?::{pair}){{5,}}|{pair}(?:-{pair}){{5,}}"
            r"|[0-9A-Fa-f]{4}(?:\.[0-9A-Fa-f]{4}){2,})\b",
            accept=whole(_is_a_card),
            score=92,
            neighbours="number",
        )
    ]


def _version_four(value: str) -> int:
    """All of `value`, where it is of some machine in particular: loopback addresses are not."""
    try:
        address = ipaddress.IPv4Address(value)
    except ValueError:
        return 0
    nowhere = address.is_loopback or address.is_unspecified or value.startswith("255.")
    return 0 if nowhere else len(value)


_SIX: Final = re.compile(r"[0-9A-Fa-f:]+(?:\.\d{1,3}){0,3}")


def _version_six(value: str) -> int:
    found = _SIX.match(value)
    candidate = found[0].rstrip(".") if found else ""
    if candidate.endswith(":") and not candidate.endswith("::"):
        candidate = candidate[:-1]
    try:
        address = ipaddress.IPv6Address(candidate)
    except ValueError:
        return 0
    # `a::b` is more often a name in a program than an address.
    if candidate.count(":") < 3 and not any(character.isdigit() for character in candidate):
        return 0
    return 0 if address.is_loopback or address.is_unspecified else len(candidate)


def _is_a_card(value: str) -> bool:
    digits = [character for character in value.lower() if character.isalnum()]
    return len(digits) == 12 and len(set(digits)) > 1
