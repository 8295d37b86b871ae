"""Whether a text mentions what it must not: an owner's words and patterns. Linear in the text."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Any

from headgate.checks.unspaced import UNSPACED
from headgate.config.output_rules import MentionSettings

_MEMORY_BYTES = 16 << 20

_INVISIBLE = dict.fromkeys(map(ord, "\u00ad\u200b\u200c\u200d\u2060\ufeff"))
"""Characters that a word may be taken apart with unseen."""

_UNSPACED = re.compile(f"[{UNSPACED}]")
_NO_LETTER = rf"[^\pL\pM\pN_]|[{UNSPACED}]"
"""What may stand beside a whole word."""


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
            self._expressions += [re2.compile(one, options) for one in _whole(settings.words)]

    def find(self, text: str) -> str | None:
        """The first that `text` mentions, as it stands there; None where it mentions nothing."""
        text = plain(text)
        for expression in self._expressions:
            found = expression.search(text)
            if found is not None:
                groups = found.groups()
                return str(groups[0] if groups and groups[0] else found[0])
        return None


def _whole(words: Iterable[str]) -> Iterator[str]:
    """Expressions that find `words` where they are no parts of others."""
    of_sides: dict[tuple[bool, bool], list[str]] = {}
    for word in words:
        parts = plain(word).split()
        if parts:
            sides = bool(_UNSPACED.match(parts[0])), bool(_UNSPACED.match(parts[-1][-1]))
            of_sides.setdefault(sides, []).append(r"\s+".join(map(_escaped, parts)))
    for (open_before, open_after), found in of_sides.items():
        # A phrase may be broken over two lines.
        before = "" if open_before else rf"(?:^|{_NO_LETTER})"
        after = "" if open_after else rf"(?:$|{_NO_LETTER})"
        yield f"{before}({'|'.join(found)}){after}"


def _escaped(text: str) -> str:
    import re2  # noqa: PLC0415 - as above

    return str(re2.escape(text))


def plain(text: str) -> str:
    """`text` in the one form that Unicode has for what looks the same, without what is unseen."""
    return unicodedata.normalize("NFKC", text).translate(_INVISIBLE)
