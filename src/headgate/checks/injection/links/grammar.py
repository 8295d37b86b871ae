"""How Markdown and HTML write addresses: where a link ends, and what stands in a tag."""

from __future__ import annotations

import html
import re
from typing import Final

from headgate.checks.injection.links.destination import DestinationKind

_ATTRIBUTE = re.compile(
    r"""(?P<name>[\w:-]+)\s*=\s*(?:"(?P<double>[^"]*)"|'(?P<single>[^']*)'|(?P<bare>[^\s>"']+))"""
)
_LOADED: Final = frozenset(
    ("src", "srcset", "poster", "background", "data", "style", "lowsrc", "dynsrc", "imagesrcset")
)
_LED_TO: Final = frozenset(
    ("href", "xlink:href", "action", "formaction", "cite", "ping", "longdesc", "codebase",
     "manifest", "profile", "usemap", "classid", "archive", "content", "srcdoc")
)  # fmt: skip
IN_VALUE: Final = re.compile(
    r"(?:[a-z][a-z0-9+.\-]*:)?(?://|\\\\|/\\|\\/)[^\s,\"')]*"
    r"|\b(?:data|javascript|vbscript|blob|file):[^\s,\"')]+"
    r"|\bhttps?:[^\s,\"')]+",
    re.IGNORECASE,
)
_TAG: Final = re.compile(
    r"""<(?:[!?/][^>]*|[a-z](?:[^>=]|=\s*(?:"[^"]*"|'[^']*')|=(?!\s*["']))*+)>""", re.IGNORECASE
)
_STYLE: Final = re.compile(r"<style[\s/>]", re.IGNORECASE)
_STYLE_END: Final = re.compile("</style", re.IGNORECASE)
_CSS_ESCAPE: Final = re.compile(r"\\(?:([0-9a-fA-F]{1,6})\s?|([^\n]))")
_DROPPED: Final = re.compile(r"[\t\n\r]")
_LAST_CHARACTER: Final = 0x10FFFF


def closing(text: str, begin: int) -> int | None:
    """Where the `)` of a link stands; None where it is still to come, -1 where there is none.

    A `](` counts as an end: renderers differ on what it means in an address.
    """
    depth = 0
    at = begin
    quote = ""
    angled = text[begin:].lstrip().startswith("<")
    while at < len(text):
        letter = text[at]
        if letter == "\n" and text[at + 1 : at + 2] == "\n":
            return -1
        if letter == "]" and text[at + 1 : at + 2] == "(":
            return at
        if letter == "\\":
            at += 2
            continue
        if quote:
            quote = "" if letter == quote else quote
        elif angled:
            angled = letter != ">"
        elif letter in "\"'" and at and text[at - 1].isspace():
            quote = letter
        elif letter == "(":
            depth += 1
        elif letter == ")":
            if depth == 0:
                return at
            depth -= 1
        at += 1
    return None


def without_title(inside: str) -> str:
    """The address in what stands between a link's `(` and `)`."""
    if inside.startswith("<"):
        return inside[1:].partition(">")[0]
    parts = inside.split(None, 1)
    if len(parts) == 2 and not parts[1].lstrip().startswith(('"', "'", "(")):
        # No Markdown, but some renderers take a space in an address for part of it.
        return inside
    return parts[0] if parts else ""


def unescaped(address: str) -> str:
    """`address` without Markdown's backslashes."""
    return re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", address)


def looks_like_address(text: str) -> bool:
    """Whether `text` begins as an address with a host does."""
    return bool(re.match(r"(?:[a-z][a-z0-9+.\-]*:|//|/?\\|www\.)\S", text, re.IGNORECASE))


def has_authority(address: str) -> bool:
    """Whether anything stands behind the scheme of `address`."""
    return re.match(r"[a-z]+:[/\\]*[^\s/\\]", address, re.IGNORECASE) is not None


def tag_end(text: str) -> int | None:
    """Where the tag ends that `text` begins with, a `>` in quotation marks aside; None: nowhere."""
    found = _TAG.match(text)
    return None if found is None else found.end()


def is_style(tag: str) -> bool:
    """Whether a style sheet follows `tag`."""
    return _STYLE.match(tag) is not None


def style_end(text: str) -> int | None:
    """Where the style sheet ends with whose tag `text` begins; None: nowhere."""
    found = _STYLE_END.search(text)
    return None if found is None else found.start()


def addresses_in(tag: str) -> list[tuple[DestinationKind, str]]:
    """The addresses in a tag's attributes, and any other that stands in it."""
    found: list[tuple[DestinationKind, str]] = []
    plain = html.unescape(tag)
    for attribute in _ATTRIBUTE.finditer(plain):
        value = attribute["double"] or attribute["single"] or attribute["bare"] or ""
        name = attribute["name"].lower()
        kind: DestinationKind = "image" if name in _LOADED else "link"
        if name in ("src", "href", "action", "formaction", "poster", "data", "xlink:href", "ping"):
            found.append((kind, value))
        elif name in _LOADED or name in _LED_TO:
            found += ((kind, inside) for inside in _in_values(value))
    listed = {address for _, address in found}
    for inside in _in_values(plain):
        if not any(inside in address for address in listed):
            found.append(("link", inside))
    return found


def addresses_in_style(sheet: str) -> list[tuple[DestinationKind, str]]:
    """The addresses in a style sheet; in an SVG it may have entities."""
    return [("image", inside) for inside in (*_in_values(sheet), *_in_values(html.unescape(sheet)))]


def _in_values(value: str) -> list[str]:
    """The addresses in an attribute's value, as it stands and as a style sheet would read it."""
    readings = dict.fromkeys((value, _DROPPED.sub("", _CSS_ESCAPE.sub(_meant, value))))
    return [inside[0] for reading in readings for inside in IN_VALUE.finditer(reading)]


def _meant(escape: re.Match[str]) -> str:
    if escape[1] is None:
        return escape[2]
    code = int(escape[1], 16)
    return chr(code) if code <= _LAST_CHARACTER else "\ufffd"
