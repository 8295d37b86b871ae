"""Whether a text mentions what it must not: an owner's words and patterns. Linear in the text."""

from __future__ import annotations

import unicodedata
from typing import Any

from headgate.config.output_rules import MentionSettings

_MEMORY_BYTES = 16 << 20

_INVISIBLE = dict.fromkeys(map(ord, "\u00ad\u200b\u200c\u200d\u2060\ufeff"))
"""Characters that a word may be taken apart with unseen."""


class Mentions:
    """Looks for the words and patterns of one rule."""

    def __init__(self, settings: MentionSettings) -> None:
        # Here, because a workflow without such rules has no need of it.
        import re2  # noqa: PLC0415

        options = re2.Options()
        options.log_errors = False
        options.max_mem = _MEMORY_BYTES
        options.case_sensitive = not settings.ignore_case
        self._expressions: list[Any] = [re2.compile(one, options) for one in settings.patterns]
        if settings.words:
            # A phrase may be broken over two lines.
            words = "|".join(
                r"\s+".join(map(re2.escape, plain(word).split())) for word in settings.words
            )
            whole = rf"(?:^|[^\pL\pM\pN_])({words})(?:$|[^\pL\pM\pN_])"
            self._expressions.append(re2.compile(whole, options))

    def find(self, text: str) -> str | None:
        """The first that `text` mentions, as it stands there; None where it mentions nothing."""
        text = plain(text)
        for expression in self._expressions:
            found = expression.search(text)
            if found is not None:
                groups = found.groups()
                return str(groups[0] if groups and groups[0] else found[0])
        return None


def plain(text: str) -> str:
    """`text` in the one form that Unicode has for what looks the same, without what is unseen."""
    return unicodedata.normalize("NFKC", text).translate(_INVISIBLE)
