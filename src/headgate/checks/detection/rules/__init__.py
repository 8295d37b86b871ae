"""Which rules tell a kind? One file a kind; to add another, write one more and name it here."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Final

from headgate.checks.detection.rule import Rule
from headgate.checks.detection.rules import (
    date_of_birth,
    email,
    health_id,
    iban,
    national_id,
    network_address,
    organisation,
    passport,
    payment_card,
    person,
    phone,
    place,
    secret,
    street_address,
    tax_id,
)
from headgate.config.detection import KINDS, Kind, Language

_OF_KIND: Final[dict[Kind, Callable[[Collection[Language]], list[Rule]]]] = {
    "email": email.rules,
    "phone": phone.rules,
    "payment_card": payment_card.rules,
    "iban": iban.rules,
    "national_id": national_id.rules,
    "tax_id": tax_id.rules,
    "passport": passport.rules,
    "health_id": health_id.rules,
    "ip_address": network_address.ip_rules,
    "mac_address": network_address.mac_rules,
    "date_of_birth": date_of_birth.rules,
    "secret": secret.rules,
    "street_address": street_address.rules,
    "person": person.rules,
    "place": place.rules,
    "organisation": organisation.rules,
}


def rules_for(kinds: Collection[Kind], languages: Collection[Language]) -> list[Rule]:
    """The rules of `kinds` for texts in `languages`, always in the same order."""
    return [rule for kind in KINDS if kind in kinds for rule in _OF_KIND[kind](languages)]
