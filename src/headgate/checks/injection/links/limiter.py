"""Which addresses stand in an answer, and what is left of it without those that may not.

The answer may come in pieces cut anywhere; the result is the same for every cut, because a whole
answer is treated as one piece. Only what may be an address is held back: from the `](` of a link,
the `]:` of a reference, the `<` of a tag or the scheme of a bare address, to its end. A link's text
is not held: it goes nowhere.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from typing import Final, Literal

import msgspec

from headgate.checks.injection.links.destination import (
    MAX_ADDRESS_CHARS,
    AllowedLinks,
    DestinationKind,
    Refusal,
    refusal,
)
from headgate.checks.injection.links.grammar import (
    IN_VALUE,
    addresses_in,
    addresses_in_style,
    closing,
    has_authority,
    is_style,
    looks_like_address,
    style_end,
    tag_end,
    unescaped,
    without_title,
)

MAX_HELD_CHARS: Final = MAX_ADDRESS_CHARS + 1_024
"""How much may be held back: the longest address, with a title or a tag around it."""

NOTE: Final = "(link removed)"
"""What stands where something was taken out, unless another text is configured."""

Where = Literal["markdown", "reference", "tag", "autolink", "bare"]
"""How an address is written: `[a](…)`, `[a]: …`, in a tag, `<…>`, or just so."""

_BARE_STARTS: Final = ("http:", "https:", "ftp:", "ws:", "wss:", "www.")
_STARTS: Final = ("](", "]:", "<", *_BARE_STARTS)
_START = re.compile("|".join(map(re.escape, _STARTS)), re.IGNORECASE)
_LONGEST_START: Final = max(map(len, _STARTS))
_BRACKET = re.compile(r"[\[\]]")
_SPACE = re.compile(r"\s")
_NO_SPACE = re.compile(r"\S")
_HEAD = re.compile(r"[A-Za-z0-9+.\-/\\&#;:<]*\S")
"""What tells whether a word begins as an address does."""

_TAG_FOLLOWS = re.compile(r"[A-Za-z/!?]")
_BARE_END = re.compile(r"[\s<>\"`{}|^]|[\u3000-\u303f\uff00-\uff0f\uff1a-\uff20]")
_ENDS_LINK: Final = re.compile(r"[()\n\]]")
_ENDS_TAG: Final = re.compile(">")
_ENDS_STYLE: Final = re.compile("[eE]")
_TRAILING = ".,;:!?)]}*_~'"
_AUTOLINK = re.compile(r"<(?P<address>[a-z][a-z0-9+.\-]{1,31}:[^<>\s]*)>", re.IGNORECASE)


class Removed(msgspec.Struct, frozen=True):
    """What was taken out."""

    reason: Refusal
    where: Where
    kind: DestinationKind
    address: str
    """The address; a secret may be in it, so it belongs into no log."""


class LinkLimiter:
    """Takes the addresses that `allowed` doesn't allow out of one answer."""

    def __init__(self, allowed: AllowedLinks, note: str = NOTE) -> None:
        self._allowed = allowed
        self._note = note
        self._held = ""
        self._before = ""
        """The last characters that were given out, to tell an image's `![` from a link's `[`."""
        self._brackets: list[bool] = []
        self._awaited: re.Pattern[str] | None = None
        """What must come before what is held can be judged; None for anything."""
        self.removed: list[Removed] = []

    @property
    def held_chars(self) -> int:
        """How much is held back at the moment."""
        return len(self._held)

    def feed(self, piece: str) -> str:
        """What may be shown after `piece`."""
        self._held += piece
        if (
            self._awaited is not None
            and len(self._held) <= MAX_HELD_CHARS
            and not self._awaited.search(piece)
        ):
            return ""
        return self._advance(final=False)

    def close(self) -> str:
        """What is left when nothing more comes."""
        return self._advance(final=True)

    def _advance(self, *, final: bool) -> str:
        self._awaited = None
        shown: list[str] = []
        text = self._held
        at = 0
        while at < len(text):
            start = _START.search(text, at)
            if start is None:
                safe = len(text) if final else len(text) - _possible_start(text, at)
                shown.append(self._passed(text[at:safe]))
                at = safe
                break
            shown.append(self._passed(text[at : start.start()]))
            at = start.start()
            step = self._step(text, at, start[0].lower(), final=final)
            if step is None:
                break
            shown_now, at = step
            shown.append(shown_now)
        self._held = text[at:]
        return "".join(shown)

    def _passed(self, text: str) -> str:
        """Note the brackets that `text` opens and closes, and hand it on."""
        for bracket in _BRACKET.finditer(text):
            place = bracket.start()
            if bracket[0] == "[":
                before = text[place - 1] if place else self._before
                self._brackets.append(before == "!")
                # Unclosed brackets of a long text are no links.
                del self._brackets[:-64]
            elif self._brackets:
                self._brackets.pop()
        if text:
            self._before = text[-1]
        return text

    def _step(self, text: str, at: int, start: str, *, final: bool) -> tuple[str, int] | None:
        """What is shown for the start at `at`, and where to go on; None to wait for more."""
        if start == "](":
            return self._markdown(text, at, final=final)
        if start == "]:":
            return self._reference(text, at, final=final)
        if start == "<":
            return self._tag(text, at, final=final)
        return self._bare(text, at, start, final=final)

    def _closed(self) -> DestinationKind:
        is_image = self._brackets.pop() if self._brackets else False
        return "image" if is_image else "link"

    def _markdown(self, text: str, at: int, *, final: bool) -> tuple[str, int] | None:
        # No farther than a stream would wait, so that a whole answer is treated the same.
        close = closing(text[: at + MAX_HELD_CHARS + 1], at + 2)
        if close is None and not final and len(text) - at <= MAX_HELD_CHARS:
            self._awaited = _ENDS_LINK
            return None
        if close is None or close < 0:
            # No link after all; an address inside is looked at by itself.
            self._closed()
            self._before = "("
            # One too long to be waited for is none either, whatever ends it.
            is_long = close is None and len(text) - at > MAX_HELD_CHARS
            return "] (" if is_long else "](", at + 2
        kind = self._closed()
        inside = text[at + 2 : close].strip()
        address = without_title(inside)
        reason = refusal(unescaped(address), kind, self._allowed)
        if reason is None and _START.search(inside[inside.find(address) + len(address) :]):
            # An address in the title: where it ends is a matter of the renderer.
            reason = "malformed"
        self._before = ")"
        end = close + (text[close] == ")")
        if reason is None:
            return text[at:end], end
        self.removed.append(Removed(reason, "markdown", kind, address))
        return f"] {self._note}", end

    def _reference(self, text: str, at: int, *, final: bool) -> tuple[str, int] | None:
        furthest = at + MAX_HELD_CHARS
        begin = _NO_SPACE.search(text, at + 2, furthest)
        start = min(furthest, len(text)) if begin is None else begin.start()
        head = _HEAD.match(text, start, furthest)
        if (head is None or head.end() == len(text)) and not final and len(text) < furthest:
            return None
        if start >= furthest:
            # Too far off to be waited for, so it is to define nothing.
            self._closed()
            self._before = ":"
            return "] :", at + 2
        # As Markdown reads it: with entities and backslashes.
        if head is None or not looks_like_address(html.unescape(unescaped(head[0].strip("<")))):
            self._closed()
            self._before = ":"
            return text[at : at + 2], at + 2
        ended = _SPACE.search(text, start, furthest)
        end = min(furthest, len(text)) if ended is None else ended.start()
        if end == len(text) and not final:
            return None
        self._closed()
        self._before = ":"
        address = text[start:end].strip("<>")
        plain = html.unescape(unescaped(address))
        # A definition serves links and images alike, so both lists must allow it.
        reason = refusal(plain, "link", self._allowed) or refusal(plain, "image", self._allowed)
        if reason is None:
            # What else stands in it is still looked at.
            return text[at:start], start
        self._before = self._note[-1:]
        self.removed.append(Removed(reason, "reference", "link", address))
        return f"]: {self._note}", end

    def _tag(self, text: str, at: int, *, final: bool) -> tuple[str, int] | None:
        if at + 1 >= len(text):
            return ("<", at + 1) if final else None
        if not _TAG_FOLLOWS.match(text[at + 1]):
            self._before = "<"
            return "<", at + 1
        close = text.find(">", at)
        if close < 0:
            if not final and len(text) - at <= MAX_HELD_CHARS:
                self._awaited = _ENDS_TAG
                return None
            if final and not IN_VALUE.search(html.unescape(text[at:])):
                return "<", at + 1
            # A tag without an end is none, but what comes later must not end it.
            self._before = ";"
            return "&lt;", at + 1
        tag = text[at : close + 1]
        if len(tag) > MAX_HELD_CHARS:
            self._before = ";"
            return "&lt;", at + 1
        whole = text[at : at + MAX_HELD_CHARS + 1]
        quoted = tag_end(whole)
        if quoted is None:
            if not final and len(text) - at <= MAX_HELD_CHARS:
                self._awaited = _ENDS_TAG
                return None
            # For a browser it goes on behind this `>`, which stands in quotation marks.
            if any(refusal(one, kind, self._allowed) for kind, one in addresses_in(whole)):
                self._before = ";"
                return "&lt;", at + 1
        elif quoted > len(tag) and self._refused("tag", addresses_in(whole[:quoted])):
            return self._note, at + quoted
        if is_style(tag):
            sheet = style_end(whole)
            if sheet is None and len(text) - at <= MAX_HELD_CHARS and not final:
                self._awaited = _ENDS_STYLE
                return None
            if sheet is None and len(text) - at > MAX_HELD_CHARS:
                self._before = ";"
                return "&lt;", at + 1
            if self._refused("tag", addresses_in_style(whole[len(tag) : sheet])):
                return self._note, at + (len(whole) if sheet is None else sheet)
        self._before = ">"
        if found := _AUTOLINK.fullmatch(tag):
            # Chats write <address|text>.
            address = found["address"].partition("|")[0]
            reason = refusal(address, "link", self._allowed)
            if reason is None:
                return tag, close + 1
            self.removed.append(Removed(reason, "autolink", "link", address))
            return self._note, close + 1
        if self._refused("tag", addresses_in(tag)):
            return self._note, close + 1
        return tag, close + 1

    def _refused(self, where: Where, addresses: Iterable[tuple[DestinationKind, str]]) -> bool:
        """Whether one of `addresses` may not stand; it is noted, as what stands in its place."""
        for kind, address in addresses:
            reason = refusal(address, kind, self._allowed)
            if reason is not None:
                self.removed.append(Removed(reason, where, kind, address))
                self._before = self._note[-1:]
                return True
        return False

    def _bare(self, text: str, at: int, start: str, *, final: bool) -> tuple[str, int] | None:
        ended = _BARE_END.search(text, at + len(start))
        end = ended.start() if ended else len(text)
        if ended is None and not final and len(text) - at <= MAX_HELD_CHARS:
            return None
        end = min(end, at + MAX_HELD_CHARS)
        address = text[at:end]
        while len(address) > len(start) and address[-1] in _TRAILING:
            address = address[:-1]
        end = at + len(address)
        if len(address) == len(start) or (start != "www." and not has_authority(address)):
            # "http:" in a sentence about protocols.
            self._before = text[at + len(start) - 1]
            return text[at : at + len(start)], at + len(start)
        reason = refusal(address, "link", self._allowed)
        self._before = address[-1]
        if reason is None:
            return address, end
        self.removed.append(Removed(reason, "bare", "link", address))
        self._before = self._note[-1:]
        return self._note, end


def limited(text: str, allowed: AllowedLinks, note: str = NOTE) -> tuple[str, tuple[Removed, ...]]:
    """A whole answer without the addresses that may not stand, and what they were."""
    limiter = LinkLimiter(allowed, note)
    shown = limiter.feed(text) + limiter.close()
    return shown, tuple(limiter.removed)


def _possible_start(text: str, since: int) -> int:
    """How many of the last letters may be the beginning of a start."""
    tail = text[max(since, len(text) - _LONGEST_START + 1) :].lower()
    return next(
        (
            len(tail) - at
            for at in range(len(tail))
            if any(start.startswith(tail[at:]) for start in _STARTS)
        ),
        0,
    )
