"""What the cache gives in place of a model's answer."""

from __future__ import annotations

from typing import Literal

import msgspec

from headgate.gateway.cache.entry import Entry

FoundState = Literal["hit", "similar", "stale"]
"""`hit`: an answer that is still good. `similar`: one to a question that is much like this one.
 `stale`: an older one, given because no target answers."""


class Found(msgspec.Struct, frozen=True):
    """A kept answer."""

    entry: Entry
    state: FoundState = "hit"


def may_be_stale(status: int) -> bool:
    """Whether a failure of `status` is one after which an older answer may be given.

    Not one about the request: the client must learn of that.
    """
    return status >= 500 or status in (408, 429)
