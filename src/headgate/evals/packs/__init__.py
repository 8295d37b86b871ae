"""Cases that come with Headgate: attacks on a model, and texts that only look like them."""

from headgate.evals.packs.injection_pack import (
    ATTACKS,
    LOOKALIKES,
    Attack,
    Half,
    Lookalike,
    PackError,
    attacks,
    half_of,
    lookalikes,
)
from headgate.evals.packs.outcome import Goal, Outcome, reached

__all__ = [
    "ATTACKS",
    "LOOKALIKES",
    "Attack",
    "Goal",
    "Half",
    "Lookalike",
    "Outcome",
    "PackError",
    "attacks",
    "half_of",
    "lookalikes",
    "reached",
]
