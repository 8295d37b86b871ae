r"""Whether an address may stand in an answer.

Where browsers and renderers disagree on what an address means (`https:\\evil.com`,
`https://good.com@evil.com`, `//evil.com`, letters that only look like others), the address is
refused: only what every one of them reads alike can be compared with a list of hosts.
"""

from __future__ import annotations

import html
import re
import unicodedata
from typing import Final, Literal
from urllib.parse import unquote

import msgspec

DestinationKind = Literal["link", "image"]
"""`link`: a person has to follow it. `image`: it is loaded as soon as the answer is shown."""

Refusal = Literal["host", "scheme", "userinfo", "malformed", "nested", "query", "too_long"]
"""Why an address is refused.

`host`: not an allowed one. `scheme`: neither http nor https. `userinfo`: something stands before an
`@`. `malformed`: readers differ on what it means. `nested`: another address is inside it, as for a
redirect. `query`: it carries more data than is allowed. `too_long`: longer than any real one.
"""

MAX_ADDRESS_CHARS: Final = 2_048

_STRICT = re.compile(
    r"(?P<scheme>https?)://(?P<authority>[^/?#]*)(?P<path>[^?#]*)(?:\?(?P<query>[^#]*))?(?:#.*)?",
    re.IGNORECASE | re.DOTALL,
)
_SCHEME = re.compile(r"[a-z][a-z0-9+.\-]*:", re.IGNORECASE)
_HOST = re.compile(r"[a-z0-9](?:[a-z0-9.\-]*[a-z0-9])?", re.IGNORECASE)
_IGNORED_BY_BROWSERS = re.compile(r"[\t\n\r]")
_NESTED = re.compile(r"(?:https?|ftp):|[/\\]{2}|www\.", re.IGNORECASE)


class AllowedLinks(msgspec.Struct, frozen=True, kw_only=True):
    """What an operator allows."""

    hosts: tuple[str, ...] = ()
    """Hosts that links may lead to; `*.example.com` stands for all below it, not for itself."""
    image_hosts: tuple[str, ...] | None = None
    """Hosts that images may be loaded from; None for the same as `hosts`."""
    max_query_chars: int | None = None
    """How long the part after `?` may be; 0 for none, None for any."""
    mail: bool = False
    """Whether `mailto:` and `tel:` may stand; they carry data when a person follows them."""
    relative: bool = True
    """Whether addresses without a host may stand; they lead to where the answer is shown."""


def refusal(address: str, kind: DestinationKind, allowed: AllowedLinks) -> Refusal | None:
    """Why `address` may not stand; None where it may."""
    # As HTML and Markdown write it, and without what a browser drops.
    plain = _IGNORED_BY_BROWSERS.sub("", html.unescape(address)).strip()
    if len(plain) > MAX_ADDRESS_CHARS:
        return "too_long"
    if plain.startswith(("//", "\\", "/\\")):
        plain = f"https:{plain}" if plain.startswith("//") else f"https://{plain.lstrip(chr(92))}"
    elif plain.lower().startswith("www."):
        plain = f"https://{plain}"
    scheme = _SCHEME.match(plain)
    if scheme is None:
        return _of_relative(plain, allowed)
    name = scheme[0][:-1].lower()
    if name in ("mailto", "tel"):
        return None if allowed.mail else "scheme"
    if name not in ("http", "https"):
        return "scheme"
    found = _STRICT.fullmatch(plain)
    if found is None or "\\" in plain:
        return "malformed"
    return _of_parts(found, kind, allowed)


def _of_relative(plain: str, allowed: AllowedLinks) -> Refusal | None:
    if not allowed.relative:
        return "host"
    if "\\" in plain or _SCHEME.match(unquote(plain)):
        return "malformed"
    return "nested" if _NESTED.search(unquote(plain)) else None


def _of_parts(found: re.Match[str], kind: DestinationKind, allowed: AllowedLinks) -> Refusal | None:
    authority = found["authority"]
    if "@" in authority:
        return "userinfo"
    host, _, port = authority.partition(":")
    if port and not (port.isascii() and port.isdigit()):
        return "malformed"
    ascii_host = host_in_ascii(host)
    if ascii_host is None:
        return "malformed"
    hosts = allowed.hosts
    if kind == "image" and allowed.image_hosts is not None:
        hosts = allowed.image_hosts
    if not any(_covers(pattern, ascii_host) for pattern in hosts):
        return "host"
    query = found["query"] or ""
    if allowed.max_query_chars is not None and len(query) > allowed.max_query_chars:
        return "query"
    rest = unquote(unquote(found["path"][1:] + "?" + query))
    return "nested" if _NESTED.search(rest) else None


def host_in_ascii(host: str) -> str | None:
    """`host` in small ASCII letters (punycode where it has others); None where it is no name.

    A name with letters that only look like ASCII ones thus never equals the name it imitates.
    """
    host = host.rstrip(".").lower()
    if not host.isascii():
        if unicodedata.normalize("NFKC", host) != host:
            return None
        try:
            host = ".".join(_label_in_ascii(label) for label in re.split("[.\u3002]", host))
        except UnicodeError:
            return None
    return host if _HOST.fullmatch(host) and ".." not in host else None


def _label_in_ascii(label: str) -> str:
    if any(letter in label for letter in "\u00df\u03c2"):
        # Python's rules are of 2003 and make ss of an eszett; to browsers it is a name of its own.
        return f"xn--{label.encode('punycode').decode()}"
    return label.encode("idna").decode()


def _covers(pattern: str, host: str) -> bool:
    wildcard = pattern.startswith("*.")
    wanted = host_in_ascii(pattern[2:] if wildcard else pattern)
    if wanted is None:
        return False
    return host.endswith(f".{wanted}") if wildcard else host == wanted
