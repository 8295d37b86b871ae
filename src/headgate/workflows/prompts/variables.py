"""The variables that a prompt's template has: what each looks like, and where it may stand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

INPUT = "input"
"""The run's input object."""

CONTEXT = "context"
"""What was gathered for the run; there is one where the workflow declares parts of it."""


class Known(msgspec.Struct, frozen=True):
    """A variable that a template has: what it looks like, and where it may stand."""

    schema: dict[str, Any]
    told_by: str
    """Where that is declared."""
    refusal: Callable[[str | None], str | None] = lambda _: None
    """Why the field given, or None for all of it, may not stand in this part; None: it may."""
