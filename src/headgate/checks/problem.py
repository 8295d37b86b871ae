"""One thing that is wrong with an input or an output, said so that it can be mended."""

from __future__ import annotations

import msgspec


class Problem(msgspec.Struct, frozen=True):
    """Where, which check found it, and what must hold."""

    path: str
    """The field, as `queue` or `dates[0].what`; empty for the whole."""
    check: str
    """The schema's keyword, such as `enum`, or `rules`, `json`, `refusal`, `length`, `upstream`."""
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" if self.path else self.message
