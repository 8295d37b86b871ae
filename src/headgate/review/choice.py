"""What a person decided about a review, and whether what they say of it fits together."""

from __future__ import annotations

from typing import Any

import msgspec

from headgate.errors import InvalidRequestError
from headgate.review.deciding import Groups
from headgate.review.review import Decision


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """What a person decided."""

    decision: Decision
    output: dict[str, Any] | None = None
    """With `edit`: what goes out."""
    note: str | None = None
    version: int | None = None
    """The version that the person saw; None: whichever there is."""
    to: str | None = None
    """With `escalate`: the group."""
    usd: str | None = None
    """Approving more money: how much; None: as much as the budget holds."""

    def require_fit(self, groups: Groups) -> None:
        """Raise `InvalidRequestError` where it says what is not part of such a decision."""
        if (self.output is not None) != (self.decision == "edit"):
            raise InvalidRequestError(
                "Send the `output` with `edit`, and only with it.", param="output"
            )
        if self.to is not None:
            if self.decision != "escalate":
                raise InvalidRequestError("Only `escalate` takes `to`.", param="to")
            if self.to not in groups:
                known = ", ".join(groups) or "none"
                raise InvalidRequestError(
                    f"There is no group `{self.to[:64]}`; there is {known}.", param="to"
                )
        if self.usd is not None and self.decision != "approve":
            raise InvalidRequestError("Only `approve` takes `usd`.", param="usd")
