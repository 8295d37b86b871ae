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
    return bool(re.match(r"(?:[a-z][a-z0-9+.\-]*:|//|\\|www\.)\S", text, re.IGNORECASE))


def has_authority(address: str) -> bool:
    """Whether anything stands behind the scheme of `address`."""
    return re.match(r"[a-z]+:[/\\]*[^\s/\\]", address, re.IGNORECASE) is not None


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
            found += ((kind, inside[0]) for inside in IN_VALUE.finditer(value))
    listed = {address for _, address in found}
    for inside in IN_VALUE.finditer(plain):
        if not any(inside[0] in address for address in listed):
            found.append(("link", inside[0]))
    return found
