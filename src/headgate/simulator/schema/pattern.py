"""A text that matches a regular expression of JSON Schema's kind.

It knows literals, classes, groups, alternatives, repetitions and anchors. Lookarounds and
back-references it doesn't; then it raises `PatternNotSupportedError`. What it makes is checked by
the caller: an anchor in the middle, say, may match nothing.
"""

from __future__ import annotations

from collections.abc import Callable

MAX_REPEATS = 200
"""The most repetitions of one part that are written."""

_PRINTABLE = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 -_.,:;!?@#$%&*+=/()'"
_CLASSES = {
    "d": "0123456789",
    "w": "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_",
    "s": " \t\n",
}
_CONTROL = {"n": "\n", "t": "\t", "r": "\r", "f": "\f", "v": "\v", "0": "\0"}

Writer = Callable[["Choices"], str]


class PatternNotSupportedError(Exception):
    """The regular expression uses what this file doesn't know."""


class Choices:
    """How the free parts of a pattern are filled: `extra` repetitions, `pick` among letters."""

    def __init__(self, extra: int, pick: int) -> None:
        self._extra = extra
        self._pick = pick

    def letter(self, letters: str) -> str:
        """One of `letters`, another at each call."""
        self._pick = (self._pick * 31 + 17) & 0xFFFF
        return letters[self._pick % len(letters)]

    def branch(self, count: int) -> int:
        """Which of `count` alternatives: the first, unless repetitions are stretched."""
        return self._extra % count

    def repeats(self, least: int, most: int | None) -> int:
        """How often a part between `least` and `most` times is written."""
        return min(least + self._extra, MAX_REPEATS if most is None else min(most, MAX_REPEATS))


def matching_text(pattern: str, *, extra: int = 0, pick: int = 0) -> str:
    """A text for `pattern`, in which each free repetition is `extra` above its least.

    Raises `PatternNotSupportedError` for an expression it doesn't know or that is malformed.
    """
    parser = _Parser(pattern)
    writer = parser.alternatives()
    if not parser.at_end():
        raise PatternNotSupportedError(pattern)
    try:
        return writer(Choices(extra, pick))
    except RecursionError:
        raise PatternNotSupportedError(pattern) from None


class _Parser:
    """A recursive descent over one pattern; each method leaves a writer of matching text."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._at = 0

    def at_end(self) -> bool:
        return self._at >= len(self._pattern)

    def alternatives(self) -> Writer:
        branches = [self._sequence()]
        while self._taken("|"):
            branches.append(self._sequence())
        if len(branches) == 1:
            return branches[0]
        return lambda choices: branches[choices.branch(len(branches))](choices)

    def _sequence(self) -> Writer:
        parts: list[Writer] = []
        while not self.at_end() and self._peek() not in "|)":
            parts.append(self._repeated(self._atom()))
        return lambda choices: "".join(part(choices) for part in parts)

    def _repeated(self, part: Writer) -> Writer:
        bounds = self._bounds()
        if bounds is None:
            return part
        least, most = bounds
        if not self._taken("?"):
            self._taken("+")
        return lambda choices: "".join(part(choices) for _ in range(choices.repeats(least, most)))

    def _bounds(self) -> tuple[int, int | None] | None:
        if self._taken("*"):
            return 0, None
        if self._taken("+"):
            return 1, None
        if self._taken("?"):
            return 0, 1
        if self.at_end() or self._peek() != "{":
            return None
        end = self._pattern.find("}", self._at)
        low, comma, high = self._pattern[self._at + 1 : end].partition(",")
        if end < 0 or not low.isdigit() or (high and not high.isdigit()):
            return None
        self._at = end + 1
        if int(low) > MAX_REPEATS:
            raise PatternNotSupportedError(self._pattern)
        return int(low), (int(high) if high else None) if comma else int(low)

    def _atom(self) -> Writer:
        character = self._next()
        match character:
            case "^" | "$":
                return lambda _: ""
            case ".":
                return lambda choices: choices.letter(_PRINTABLE)
            case "(":
                return self._group()
            case "[":
                letters = self._class()
                return lambda choices: choices.letter(letters)
            case "\\":
                return self._escape()
            case "*" | "+" | "?":
                raise PatternNotSupportedError(self._pattern)
            case _:
                return lambda _: character

    def _group(self) -> Writer:
        if self._taken("?:"):
            pass
        elif self._taken("?<") or self._taken("?P<"):
            if self._peek() in "=!":
                raise PatternNotSupportedError(self._pattern)
            while self._next() != ">":
                pass
        elif self._taken("?"):
            raise PatternNotSupportedError(self._pattern)
        inner = self.alternatives()
        if not self._taken(")"):
            raise PatternNotSupportedError(self._pattern)
        return inner

    def _escape(self) -> Writer:
        character = self._next()
        if character in "bBAzZ":
            return lambda _: ""
        if character.isdigit() and character != "0":
            raise PatternNotSupportedError(self._pattern)
        letters = self._escaped(character)
        return lambda choices: choices.letter(letters)

    def _escaped(self, character: str) -> str:
        """The letters that the escape of `character` stands for."""
        if character in _CLASSES:
            return _CLASSES[character]
        if character.lower() in _CLASSES:
            return "".join(c for c in _PRINTABLE if c not in _CLASSES[character.lower()])
        if character in "xu":
            return self._code_point(2 if character == "x" else 4)
        if character in "pP":
            return self._property(negated=character == "P")
        return _CONTROL.get(character, character)

    def _code_point(self, digits: int) -> str:
        end = self._pattern.find("}", self._at) if self._taken("{") else self._at + digits
        code = self._pattern[self._at : end]
        self._at = end + (1 if end < len(self._pattern) and self._pattern[end] == "}" else 0)
        try:
            return chr(int(code, 16))
        except (ValueError, OverflowError):
            raise PatternNotSupportedError(self._pattern) from None

    def _property(self, *, negated: bool) -> str:
        if self._taken("{"):
            end = self._pattern.find("}", self._at)
            name = self._pattern[self._at : end]
            self._at = end + 1
        else:
            name = self._next()
        tests: dict[str, Callable[[str], bool]] = {
            "L": str.isalpha,
            "Letter": str.isalpha,
            "Lu": str.isupper,
            "Ll": str.islower,
            "N": str.isdigit,
            "Nd": str.isdigit,
        }
        test = tests.get(name)
        if test is None:
            raise PatternNotSupportedError(self._pattern)
        return "".join(c for c in _PRINTABLE if test(c) != negated)

    def _class(self) -> str:
        negated = self._taken("^")
        letters: list[str] = []
        first = True
        while first or self._peek() != "]":
            first = False
            low = self._class_letter()
            if (
                len(low) == 1
                and self._peek() == "-"
                and self._pattern[self._at + 1 : self._at + 2] not in ("]", "")
            ):
                self._at += 1
                high = self._class_letter()
                if len(high) != 1 or ord(high) < ord(low):
                    raise PatternNotSupportedError(self._pattern)
                letters.extend(map(chr, range(ord(low), min(ord(high), ord(low) + 127) + 1)))
            else:
                letters.extend(low)
        self._at += 1
        if negated:
            letters = [c for c in _PRINTABLE if c not in letters]
        if not letters:
            raise PatternNotSupportedError(self._pattern)
        # Letters and digits read better than signs, where the class has both.
        plain = [c for c in letters if c.isalnum()]
        return "".join(plain or letters)

    def _class_letter(self) -> str:
        character = self._next()
        if character != "\\":
            return character
        escaped = self._next()
        return "\b" if escaped == "b" else self._escaped(escaped)

    def _peek(self) -> str:
        if self.at_end():
            raise PatternNotSupportedError(self._pattern)
        return self._pattern[self._at]

    def _next(self) -> str:
        character = self._peek()
        self._at += 1
        return character

    def _taken(self, text: str) -> bool:
        if self._pattern.startswith(text, self._at):
            self._at += len(text)
            return True
        return False
