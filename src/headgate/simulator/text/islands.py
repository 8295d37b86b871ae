"""What stands in base64 in a text, decoded."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator

_BASE64 = re.compile(r"[A-Za-z0-9+/]{24,}={0,2}")


def decoded_islands(text: str) -> Iterator[str]:
    """Each stretch of base64 in `text` that is UTF-8 text."""
    for island in _BASE64.findall(text):
        try:
            yield base64.b64decode(island, validate=True).decode("utf-8")
        except (binascii.Error, UnicodeDecodeError):
            continue
