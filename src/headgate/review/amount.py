"""How much money an approval grants, from what the person wrote."""

from __future__ import annotations

import re

from headgate.errors import InvalidRequestError
from headgate.ledger.allowances.rule import nanousd
from headgate.review.review import Facts

_DOLLARS = re.compile(r"\d{1,9}(\.\d{1,9})?")


def amount_granted(facts: Facts, usd: str | None) -> int:
    """Nano-dollars: what was written, or as much again as the budget holds."""
    if usd is None:
        return facts.limit_nanousd or 0
    if not _DOLLARS.fullmatch(usd) or not nanousd(usd):
        raise InvalidRequestError(
            '`usd` is US dollars as text, such as "25", with at most nine decimals; more than 0.',
            param="usd",
        )
    return nanousd(usd)
