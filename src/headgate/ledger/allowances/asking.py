"""What a budget that is used up needs of layer 5: to ask a person for more. `app` hands it in."""

from __future__ import annotations

from typing import Literal, Protocol

import msgspec

from headgate.ledger.allowances.rule import Rule
from headgate.ledger.allowances.window import Period

State = Literal["waits", "granted", "rejected"]
"""`waits`: nobody has decided yet. `granted`: there is more than the one who asks knows of.
`rejected`: a person said no, and is not asked again in this window."""


class BudgetQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """A budget that does not hold a call."""

    rule: Rule
    subject: str
    period: Period
    extra_nanousd: int
    """What people have granted on top so far; so a question is asked once for each amount."""
    needed_nanousd: int
    """What the call may cost at worst."""


class Asked(msgspec.Struct, frozen=True):
    """What became of a question."""

    review_id: str
    state: State


class Asking(Protocol):
    """Asks people, once over all processes for each budget, subject and window."""

    async def ask(self, question: BudgetQuestion) -> Asked | None:
        """What came of it; None where nobody can be asked now."""
        ...
