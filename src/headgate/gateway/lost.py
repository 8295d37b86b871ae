"""An attempt whose answer was not used and that its provider may charge all the same."""

from __future__ import annotations

import msgspec

from headgate.gateway.target import Target


class Lost(msgspec.Struct, frozen=True):
    """An attempt that was broken off, by us or in the middle of its answer."""

    number: int
    """Which of the call's attempts it was, from 1."""
    target: Target
