"""Whether JSON gives a field twice, which two readers may understand in two ways. Pure.

What Headgate writes anew can't; this is for what is handed on as the client wrote it.
"""

from __future__ import annotations

import json
from typing import Any

import msgspec


def repeats_field(raw: bytes, value: Any) -> bool:
    """Whether an object anywhere in `raw`, which was decoded to `value`, has a name twice.

    What was read twice is written once, and so with fewer quotes: those that begin and end strings,
    which are all but those behind a backslash. Two that are written in another way in `raw` can
    make the counts differ too; then it is read again, many times as slowly.
    """
    if _quotes(raw) == _quotes(msgspec.json.encode(value)):
        return False
    try:
        json.loads(raw, object_pairs_hook=_once)
    except _RepeatedFieldError:
        return True
    except (ValueError, RecursionError):
        # Where Python's reader and ours differ there may be a third.
        return True
    return False


def _quotes(text: bytes) -> int:
    return text.count(b'"') - text.count(b'\\"')


class _RepeatedFieldError(Exception):
    pass


def _once(pairs: list[tuple[str, Any]]) -> None:
    if len({name for name, _ in pairs}) != len(pairs):
        raise _RepeatedFieldError
