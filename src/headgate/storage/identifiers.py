"""Identifiers that sort by the time they were made, so tables keyed by them grow at the end."""

from __future__ import annotations

import itertools
import os
import time

_process = os.urandom(5).hex()
_sequence = itertools.count(int.from_bytes(os.urandom(2), "big"))


def new_id(prefix: str) -> str:
    """A unique name such as `call_0198c3a1f2b47d09c1e2a3f4b5`: microseconds, process, sequence.

    Not a secret: it can be guessed by who has seen another, so it must never grant anything.
    """
    # As `first_id` has it, whose call would cost each call of a model as much as the rest of this.
    time_us = time.time_ns() // 1000
    return f"{prefix}_{time_us:014x}{_process}{next(_sequence) & 0xFFFFFF:06x}"


def first_id(prefix: str, time_us: int) -> str:
    """What sorts before every identifier made at `time_us` or later, and after all earlier ones."""
    return f"{prefix}_{time_us:014x}"


def _renew_after_fork() -> None:
    global _process  # noqa: PLW0603 - a forked child must not share its parent's name
    _process = os.urandom(5).hex()


os.register_at_fork(after_in_child=_renew_after_fork)
