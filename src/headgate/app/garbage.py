"""When Python looks for cyclic garbage in a server: seldom, and never at what its start made."""

from __future__ import annotations

import gc

_COLLECT_AFTER = 20_000, 10, 10
"""A call leaves no such garbage; at Python's own 700 new objects, looking took a tenth of a call's
time, and more the more answers the cache held. Of a start it took as much."""


def look_seldom() -> None:
    """From now on; call it before the imports, which make most of what a server consists of."""
    gc.set_threshold(*_COLLECT_AFTER)


def keep_what_is_here() -> None:
    """What is here now stays: not looked at again, it can't hold up a call.

    A full collection of all modules takes tens of milliseconds.
    """
    gc.collect()
    gc.freeze()
    look_seldom()
