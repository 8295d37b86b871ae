"""How long one attempt is waited for where another could be made instead. Pure: no clock.

For replies that are not streamed: of those nothing is seen until all is written, so a provider that
hangs looks like one that writes. What is declared decides; else what was measured, and only where
it leaves no doubt, because an answer that is given up is paid for all the same.
"""

from __future__ import annotations

TIMES_USUAL = 4.0
"""An answer that takes so many times what all but one in a hundred take is late."""

LEAST_S = 10.0
SLOW_TOKENS_PER_S = 10.0
"""A model that writes more slowly than this is not in use for long answers."""

SHARE = 0.5
"""Of the call's time, where nothing bounds what may be written."""


def bound_s(
    *,
    declared_s: float | None,
    usual_s: float | None,
    most_output_tokens: int | None,
    left_s: float,
) -> float | None:
    """How long to wait for an attempt that begins with `left_s` of its call's time; None: all.

    `usual_s` is what all but one in a hundred of the target's answers took of late, None where that
    is not known. `most_output_tokens` bounds all that the model writes, thoughts included; None
    where nothing does. Another attempt must have time to be answered too.
    """
    if declared_s is not None:
        return declared_s if declared_s < left_s else None
    if usual_s is None:
        return None
    floor_s = SHARE * left_s
    if most_output_tokens is not None:
        floor_s = LEAST_S + most_output_tokens / SLOW_TOKENS_PER_S
    longest_s = max(TIMES_USUAL * usual_s, floor_s, LEAST_S)
    return longest_s if longest_s + usual_s < left_s else None
