"""Waits for what happens in another process, of which a test is not told."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any


def until(look: Callable[[], Any], timeout_s: float, every_s: float = 0.02) -> Any:
    """What `look` gives once that is true; the last it gave when the time is up."""
    deadline = time.monotonic() + timeout_s
    while not (found := look()) and time.monotonic() < deadline:
        time.sleep(every_s)
    return found
