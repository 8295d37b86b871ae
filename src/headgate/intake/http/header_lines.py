"""A request's headers by name, where one may have come in several lines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from starlette.datastructures import Headers

_OWN: Final = b"x-headgate-"


def by_name(lines: Sequence[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    """The headers of a request, as ASGI has them; of several lines of one name, the last.

    Those of Headgate's own are put together, as RFC 9110 (5.3) lets anyone between do with lines of
    one name: what a proxy added must count whichever comes last.
    """
    found = dict(lines)
    if len(found) != len(lines):
        for name in found:
            if name.startswith(_OWN):
                found[name] = b", ".join(value for key, value in lines if key == name)
    return found


def joined(headers: Headers, name: str) -> bytes | None:
    """All that the lines of one name say, put together likewise; None where there is none."""
    lines = headers.getlist(name)
    return ", ".join(lines).encode("latin-1") if lines else None
