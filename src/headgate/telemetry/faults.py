"""How a fault of our own is logged: what was raised and where, and not what it said."""

from __future__ import annotations

import logging
import traceback

_logger = logging.getLogger(__name__)

_MAX_CAUSES = 5
_MAX_FRAMES = 30


def log_fault(event: str, error: BaseException, **facts: str) -> None:
    """Log that `event` happened because of `error`, with `facts`; call it where it was caught.

    An exception's text may quote a key, or what a person wrote; its type and place cannot.
    """
    raised: list[str] = []
    cause: BaseException | None = error
    while cause is not None and len(raised) < _MAX_CAUSES:
        raised.append(f"{type(cause).__module__}.{type(cause).__qualname__}")
        cause = cause.__cause__ or cause.__context__
    frames = traceback.extract_tb(error.__traceback__)[-_MAX_FRAMES:]
    places = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
    _logger.error(event, extra={"raised": raised, "at": places, **facts})
