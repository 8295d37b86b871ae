"""What every block of the configuration is made of."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

Name = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9_.-]{0,62}$")]
"""Lower-case letters, digits, `-`, `_` and `.`; at most 63 characters."""

Seconds = Annotated[float, Meta(gt=0, le=86_400)]

Share = Annotated[float, Meta(ge=0, le=1)]
"""A part of a whole."""


class Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A block of the configuration; a field it doesn't know is an error."""
