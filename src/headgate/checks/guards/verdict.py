"""What a guard says of the parts that it was shown."""

from __future__ import annotations

from typing import Any, Literal

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

    def __post_init__(self) -> None:
        """Refuse what is no verdict, in the line of whoever made it.

        A decision that nobody knows would be neither a block nor a failure, and so let a call by.
        """
        if self.decision not in WEIGHT:
            known = ", ".join(WEIGHT)
            raise ValueError(f"no decision of a guard; they are: {known}")
        if not _are_sound(self.reason, self.score, self.counts, self.message):
            raise TypeError("a verdict of other types than Verdict says")

    def joined(self, other: Verdict) -> Verdict:
        """What both say: the weightier decision, and all counts."""
        weightier = other if WEIGHT[other.decision] > WEIGHT[self.decision] else self
        counts = dict(self.counts)
        for kind, count in other.counts.items():
            counts[kind] = counts.get(kind, 0) + count
        return msgspec.structs.replace(weightier, counts=counts)


def _are_sound(reason: Any, score: Any, counts: Any, message: Any) -> bool:
    return (
        isinstance(reason, str | None)
        and isinstance(score, int | None)
        and isinstance(message, str | None)
        and isinstance(counts, dict)
        and all(isinstance(kind, str) and isinstance(n, int) for kind, n in counts.items())
    )


PASS = Verdict()
