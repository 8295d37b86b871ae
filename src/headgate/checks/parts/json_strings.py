r"""The strings of a JSON text as they read, not as they are written. Pure.

A link that is written `https:\/\/evil.com`, or a word with `\u00fc` in it, is a link or a word like
any other to whoever decodes the text. A guard that looks at the written form alone misses it, and
one that cuts something out of that form may take a quotation mark along.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Final

from headgate.checks.parts.rewriting import TextFilter

_LEAVES: Final = re.compile(r'"|[^\s{}\[\],:0-9+\-.eEtrufalsn]')
"""What begins a string, or stands outside of strings in no JSON."""

_NO_SPACE: Final = re.compile(r"\S")
_IN_STRING: Final = re.compile(r'["\\\x00-\x1f]')
_ESCAPE: Final = re.compile(r'\\(?:u([0-9a-fA-F]{4})|(["\\/bfnrt]))')
_ESCAPE_BEGUN: Final = re.compile(r"\\(?:u[0-9a-fA-F]{0,3})?")
_LONGEST_ESCAPE: Final = len(r"\ud83d\ude00")
_MEANT: Final = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_SURROGATE: Final = re.compile("[\ud800-\udfff]")


class JsonStrings:
    """Has each string of a JSON text that flows go through a filter of its own.

    What turns out to be no JSON goes through one filter as it is, from there on.
    """

    def __init__(self, make_filter: Callable[[], TextFilter]) -> None:
        self._make_filter = make_filter
        self._around = make_filter()
        """For what stands outside of strings."""
        self._string: TextFilter | None = None
        """For the string that has begun."""
        self._after: str | None = None
        """What came since that string has ended, as far as that is white space."""
        self._begun = ""
        """The escape that has begun, or half a pair of them."""
        self._depth = 0
        self._is_json = True

    def feed(self, text: str) -> str:
        """See `TextFilter`."""
        text, self._begun = self._begun + text, ""
        told: list[str] = []
        at = 0
        while at < len(text):
            if not self._is_json:
                told.append(self._around.feed(text[at:]))
                break
            if self._string is None:
                said, at = self._outside(text, at)
            elif self._after is None:
                said, at = self._inside(self._string, text, at)
            else:
                said, at = self._behind(self._string, self._after, text, at)
            told.append(said)
        return "".join(told)

    def close(self) -> str:
        """See `TextFilter`."""
        if self._string is None:
            return self._around.close()
        told = _written(self._string.close())
        # If it was cut off within a string, what has begun of an escape stays what it is.
        return told + self._begun if self._after is None else f'{told}"{self._after}'

    def _outside(self, text: str, at: int) -> tuple[str, int]:
        found = _LEAVES.search(text, at)
        end = len(text) if found is None else found.start()
        between = text[at:end]
        self._depth += sum(map(between.count, "{[")) - sum(map(between.count, "}]"))
        told = self._around.feed(between)
        if found is None:
            return told, end
        if found[0] != '"':
            self._is_json = False
            return told, end
        told += self._around.close()
        self._around, self._string = self._make_filter(), self._make_filter()
        return f'{told}"', found.end()

    def _inside(self, string: TextFilter, text: str, at: int) -> tuple[str, int]:
        read: list[str] = []
        while at < len(text):
            found = _IN_STRING.search(text, at)
            end = len(text) if found is None else found.start()
            read.append(text[at:end])
            at = end
            if found is None:
                break
            if found[0] == '"':
                self._after = ""
                at += 1
                break
            escape = _escape_at(text, at) if found[0] == "\\" else ("", at)
            if escape is None:
                self._begun = text[at:]
                at = len(text)
            elif escape[0]:
                read.append(escape[0])
                at = escape[1]
            else:
                return _written(string.feed("".join(read))) + self._no_json(string), at
        return _written(string.feed("".join(read))), at

    def _behind(self, string: TextFilter, after: str, text: str, at: int) -> tuple[str, int]:
        """The string is closed once what follows tells that its quotation mark has ended it."""
        found = _NO_SPACE.search(text, at)
        end = len(text) if found is None else found.start()
        after += text[at:end]
        if found is None:
            self._after = after
            return "", end
        self._after = None
        if found[0] not in ",:]}" or not self._depth:
            return self._no_json(string) + string.feed(f'"{after}'), end
        self._string = None
        return f'{_written(string.close())}"{after}', end

    def _no_json(self, string: TextFilter) -> str:
        """Go on with the text as it is, and with what has come of it in sight."""
        told = self._around.close()
        self._around, self._string, self._is_json = string, None, False
        return told


class Unescaping:
    """Reads the escapes in a text that flows, wherever they stand."""

    def __init__(self) -> None:
        self._begun = ""

    def feed(self, text: str) -> str:
        """What can be read with `text`."""
        text = self._begun + text
        cut = len(text) - _begun_in(text)
        self._begun = text[cut:]
        return unescaped(text[:cut])


def unescaped(text: str) -> str:
    """`text` with the escapes of JSON in it read, wherever they stand."""
    told: list[str] = []
    at = 0
    for start, end, said in escapes_in(text):
        told += (text[at:start], said)
        at = end
    return "".join((*told, text[at:])) if told else text


def escapes_in(text: str) -> Iterator[tuple[int, int, str]]:
    """Where escapes of JSON stand in `text`, from and to, and what each means."""
    at = 0
    while (begin := text.find("\\", at)) >= 0:
        said, at = _escape_at(text, begin) or ("", begin)
        if said:
            yield begin, at, said
        else:
            # What is no escape, or was cut off, stays what it is.
            at = begin + 1


def _begun_in(text: str) -> int:
    """How many of the last characters are an escape that has begun."""
    tail = max(0, len(text) - _LONGEST_ESCAPE)
    at = text.find("\\", tail)
    while at >= 0:
        # An even number of backslashes before it are escapes of their own.
        before = len(text[:at]) - len(text[:at].rstrip("\\"))
        if before % 2 == 0 and _escape_at(text, at) is None:
            return len(text) - at
        at = text.find("\\", at + 1)
    return 0


def _escape_at(text: str, at: int) -> tuple[str, int] | None:
    """What the escape at `at` means and where it ends; `""` where it is none, None if cut off."""
    found = _ESCAPE.match(text, at)
    if found is None:
        begun = _ESCAPE_BEGUN.match(text, at)
        return None if begun is not None and begun.end() == len(text) else ("", at)
    if found[2] is not None:
        return _MEANT.get(found[2], found[2]), found.end()
    letter = chr(int(found[1], 16))
    if not "\ud800" <= letter <= "\udbff":
        return letter, found.end()
    second = _ESCAPE.match(text, found.end())
    if second is None:
        begun = _ESCAPE_BEGUN.match(text, found.end())
        if found.end() == len(text) or (begun is not None and begun.end() == len(text)):
            return None
        return letter, found.end()
    low = chr(int(second[1], 16)) if second[1] is not None else ""
    if not "\udc00" <= low <= "\udfff":
        return letter, found.end()
    pair = (letter + low).encode("utf-16", "surrogatepass").decode("utf-16")
    return pair, second.end()


def _written(text: str) -> str:
    """`text` as it stands between the quotation marks of a string."""
    plain = json.dumps(text, ensure_ascii=False)[1:-1]
    return _SURROGATE.sub(lambda half: f"\\u{ord(half[0]):04x}", plain)
