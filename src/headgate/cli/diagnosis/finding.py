"""What was found of one thing that a server needs."""

from __future__ import annotations

from typing import Literal

import msgspec

State = Literal["ok", "warning", "failed", "not_asked"]
"""How it is with the thing.

`ok`: as it should be. `warning`: it works, and may not do what is wanted. `failed`: what needs it
won't work. `not_asked`: nothing is said of it, because it is not there to be asked.
"""


class Finding(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of the diagnosis."""

    of: str
    """What was looked at, such as `database` or `provider openai`."""
    state: State
    says: str
    remedy: str = ""
    """What to do about it."""
