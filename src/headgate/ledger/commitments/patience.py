"""When to ask after what was begun: soon at first, then ever less often, and not for ever."""

from __future__ import annotations

from headgate.ledger.commitments.commitment import Kind

_FIRST_S: dict[Kind, float] = {"response": 1.0, "batch": 15.0}
_LONGEST_S: dict[Kind, float] = {"response": 60.0, "batch": 900.0}

GIVEN_UP_AFTER_S = 30 * 86_400.0
"""No provider works on anything for so long; what it held is then taken to be spent."""


def pause_s(kind: Kind, looks: int, jitter: float) -> float:
    """How long to wait after so many looks, 0 of them at the start; `jitter` is in [0, 1)."""
    pause = min(_LONGEST_S[kind], _FIRST_S[kind] * 2.0 ** min(looks, 20))
    return float(pause * (0.75 + jitter / 2))


def is_given_up(made_at_us: int, now_us: int) -> bool:
    """Whether nobody asks after it any more."""
    return now_us - made_at_us > GIVEN_UP_AFTER_S * 1e6
