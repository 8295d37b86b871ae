"""How a tool's arguments become an HTTP request: which of them stands where. Pure.

What a model wrote must not become more than the one value that it stands for: an argument in a path
is one segment of it, one in a header is one line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Literal
from urllib.parse import urlencode

import msgspec

from headgate.context.service import path_segment

IN_PATH = re.compile(r"\{([^{}]*)\}")
"""Where an argument stands in a path."""

BodyWay = Literal["rest", "argument", "none"]
"""What a JSON body is: all arguments that stand nowhere else, one that is it as a whole, or
nothing; then all others go into the query."""

_HEADER_VALUE = re.compile(r"[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?")


class ArgumentError(Exception):
    """An argument can't stand where it would; the message names it and does not quote it."""


class HttpRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One request, below the service's base URL."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: dict[str, str] = {}
    """Those of this request alone."""
    body: Any = msgspec.UNSET
    """JSON; `UNSET`: none is sent."""

    @property
    def target(self) -> str:
        """Path and query."""
        return f"{self.path}?{urlencode(self.query)}" if self.query else self.path

    @property
    def content(self) -> bytes | None:
        """The body's bytes: of the same arguments always the same, in whatever order they came."""
        if self.body is msgspec.UNSET:
            return None
        return msgspec.json.encode(self.body, order="deterministic")


class HttpOperation(msgspec.Struct, frozen=True, kw_only=True):
    """What one tool asks a service for."""

    method: str
    path: str
    """`{argument}` stands for one segment, or for a part of one."""
    query: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()
    """Arguments that go into headers of the same name."""
    body: BodyWay = "none"
    body_argument: str = "body"
    body_needed: bool = True
    """Whether `{}` is sent where no argument is left for it."""
    media_type: str = "application/json"
    """Of the body, which is JSON."""
    idempotency_header: str | None = None

    def request(self, arguments: dict[str, Any], key: str) -> HttpRequest:
        """The request for `arguments`. Raises `ArgumentError`."""
        for name in arguments:
            _text("the name of an argument", name)
        in_path = IN_PATH.findall(self.path)
        left = {
            name: value
            for name, value in arguments.items()
            if name not in in_path and name not in self.headers
        }
        headers = {
            name: _header(name, arguments[name])
            for name in self.headers
            if arguments.get(name) is not None
        }
        if self.idempotency_header is not None:
            headers[self.idempotency_header] = key
        body: Any = msgspec.UNSET
        if self.body == "argument":
            body = left.pop(self.body_argument, msgspec.UNSET)
        asked = {n: v for n, v in left.items() if self.body != "rest" or n in self.query}
        if self.body == "rest":
            rest = {name: value for name, value in left.items() if name not in asked}
            body = rest if rest or self.body_needed else msgspec.UNSET
        return HttpRequest(
            method=self.method,
            path=self._path(arguments),
            query=tuple(pair for name in sorted(asked) for pair in _query(name, asked[name])),
            headers=headers,
            body=body,
        )

    def _path(self, arguments: dict[str, Any]) -> str:
        def segment(found: re.Match[str]) -> str:
            name = found[1]
            try:
                return path_segment(_text(name, arguments.get(name)))
            except ValueError as error:
                raise ArgumentError(f"`{name}` {error}") from None

        path = IN_PATH.sub(segment, self.path)
        if any(part in (".", "..") for part in path.split("/")):
            raise ArgumentError("the path would lead elsewhere")
        return path


def _query(name: str, value: Any) -> Iterator[tuple[str, str]]:
    if value is None:
        return
    for one in value if isinstance(value, list) else [value]:
        yield name, _text(name, one)


def _header(name: str, value: Any) -> str:
    text = _text(name, value)
    if not _HEADER_VALUE.fullmatch(text):
        raise ArgumentError(f"`{name}` goes into a header: write one line of plain ASCII")
    return text


def _text(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int | float):
        return str(value)
    if not isinstance(value, str):
        raise ArgumentError(f"`{name}` must be a text, a number, true or false")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ArgumentError(f"`{name}` holds half a character") from None
    return value
