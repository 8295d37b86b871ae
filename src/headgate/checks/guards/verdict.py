"""What a guard says of the parts that it was shown."""

from __future__ import annotations

from typing import Literal

import msgspec

Decision = Literal["pass", "change", "flag", "review", "block", "failed"]
"""`pass`: nothing to say. `change`: some texts were rewritten. `flag`: something was found, and the
call goes on. `review`: a person must look; a workflow's run waits, a direct call is refused.
`block`: it must not go on. `failed`: the guard could not tell, and its policy lets such calls
by."""

WEIGHT: dict[Decision, int] = {
    "pass": 0, "change": 1, "flag": 2, "failed": 3, "review": 4, "block": 5,
}  # fmt: skip
"""Which of two decisions is told where only one can be."""


class Verdict(msgspec.Struct, frozen=True):
    """A decision and why. It holds nothing of the text, because it is stored and logged."""

    decision: Decision = "pass"
    reason: str | None = None
    """What was found, in words of the guard's own, such as `payment_card` or `system override`."""
    score: int | None = None
    """How sure the guard is, from 0 to 100, where it can say."""
    counts: dict[str, int] = {}
    """How many values of which kind were found."""
    message: str | None = None
    """What the caller is told where the call is blocked, if the operator wrote something."""

    def joined(self, other: Verdict) -> Verdict:
        """What both say: the weightier decision, and all counts."""
        weightier = other if WEIGHT[other.decision] > WEIGHT[self.decision] else self
        counts = dict(self.counts)
        for kind, count in other.counts.items():
            counts[kind] = counts.get(kind, 0) + count
        return msgspec.structs.replace(weightier, counts=counts)


PASS = Verdict()
