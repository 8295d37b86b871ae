"""Where in an answer something stands: a dotted path through objects. Pure."""

from __future__ import annotations

from typing import Any

MISSING: Any = object()
"""Nothing stands there; null does not mean that."""


def value_at(place: str, root: Any) -> Any:
    """What stands at `place`, as `owner.email`; `root` for an empty one, else `MISSING`."""
    found = root
    for step in place.split(".") if place else ():
        if not isinstance(found, dict) or step not in found:
            return MISSING
        found = found[step]
    return found
