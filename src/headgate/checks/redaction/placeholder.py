r"""What a placeholder looks like, `<PERSON_1>`, and how one is read where a model altered it.

A model may write another case or other spacing: `<person 1>`, `< Person-1 >`. Inside JSON text it
may also write the brackets as `\u003c` and `\u003e`. Pure.
"""

from __future__ import annotations

import re

MAX_LENGTH = 64
"""Of a placeholder as a model may write it, in characters; what is longer is not one."""

_NAME = r"[A-Za-z][A-Za-z _-]{0,24}"
_LONGER_NAME = r"[A-Za-z][A-Za-z _-]{0,26}"
"""A name with what may stand between it and its number."""

_SPACE, _NUMBER = r"[ \t]{0,2}", r"[0-9]{1,6}"

# In JSON text `\\u003c` is a backslash and some letters, not a bracket.
_LESS, _MORE = r"(?:<|(?<!\\)\\u003[cC])", r"(?:>|\\u003[eE])"
_ESCAPE_BEGUN = r"\\(?:u(?:0(?:0(?:3)?)?)?)?"

_BODY = rf"{_SPACE}({_NAME}?)[ _-]{{0,2}}({_NUMBER}){_SPACE}"
_BODY_BEGUN = rf"{_SPACE}({_LONGER_NAME})?([0-9]{{0,6}}){_SPACE}"

WRITTEN = re.compile(rf"<{_BODY}>")
"""A placeholder in plain text."""

WRITTEN_IN_JSON = re.compile(rf"{_LESS}{_BODY}{_MORE}")
"""A placeholder in a text that is JSON itself, such as a tool's arguments."""

_BEGUN = re.compile(rf"<{_BODY_BEGUN}")
_BEGUN_IN_JSON = re.compile(rf"{_LESS}{_BODY_BEGUN}(?:{_ESCAPE_BEGUN})?|{_ESCAPE_BEGUN}")

_APART = str.maketrans("", "", " \t_-")


def placeholder(kind: str, number: int) -> str:
    """The `number`-th placeholder of `kind`, such as `<PERSON_1>`."""
    return f"<{kind.upper()}_{number}>"


def folded(name: str, number: str) -> str:
    """What of a placeholder counts: its letters and its number, whatever stands between them."""
    return f"{name.translate(_APART).upper()}{int(number)}"


def folded_kind(kind: str) -> str:
    """The letters of a kind as `folded` has them."""
    return kind.translate(_APART).upper()


def begun_at(text: str, kinds: frozenset[str], *, in_json: bool) -> int:
    """Where at the end of `text` a placeholder of one of `kinds` may have begun; its length if not.

    `kinds` are as `folded_kind` gives them.
    """
    length = len(text)
    begun = _BEGUN_IN_JSON if in_json else _BEGUN
    at = max(0, length - MAX_LENGTH)
    while True:
        found = text.find("<", at)
        if in_json:
            escape = text.find("\\", at)
            found = escape if found < 0 or 0 <= escape < found else found
        if found < 0:
            return length
        match = begun.fullmatch(text, found)
        if match is not None and _leads_to(match, kinds):
            return found
        at = found + 1


def _leads_to(match: re.Match[str], kinds: frozenset[str]) -> bool:
    """Whether what has been written so far can still become a placeholder of one of `kinds`."""
    letters = (match[1] or "").translate(_APART).upper()
    if match[2]:
        return letters in kinds
    return any(kind.startswith(letters) for kind in kinds)
