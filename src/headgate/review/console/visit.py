"""One request of someone who is signed in, as the pages see it."""

from __future__ import annotations

import time
from typing import Literal
from urllib.parse import urlencode

import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse

from headgate.errors import InvalidRequestError
from headgate.review.console.access import Principal
from headgate.review.console.sessions import Session

Theme = Literal["auto", "light", "dark"]

THEME_COOKIE = "headgate_theme"
_VALUE_CHARACTERS = 256


class Visit(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks for what."""

    request: Request
    who: Principal
    session: Session
    form: dict[str, str]
    """What was posted; empty where nothing was."""
    request_id: str
    open_reviews: int | None = None
    """How many wait for someone whom they reach; None where reviews are not theirs to see."""

    @property
    def now_us(self) -> int:
        """Now, in microseconds since 1970 UTC."""
        return time.time_ns() // 1000

    def path(self, name: str) -> str:
        """The part of the address called `name`."""
        value: str = self.request.path_params[name]
        return _checked(value)

    def asked(self, name: str) -> str | None:
        """What the query says of `name`; None where it says nothing."""
        value = self.request.query_params.get(name, "").strip()
        return _checked(value) if value else None

    def field(self, name: str) -> str:
        """A field of the form; empty where it is not there."""
        return self.form.get(name, "")

    @property
    def theme(self) -> Theme:
        """What the visitor chose."""
        match self.request.cookies.get(THEME_COOKIE):
            case "light":
                return "light"
            case "dark":
                return "dark"
        return "auto"

    def here(self, **changes: str | None) -> str:
        """The page's own address with some of its query changed; None takes a name out."""
        query = {n: v for n, v in self.request.query_params.items() if v} | changes
        written = urlencode({name: value for name, value in query.items() if value is not None})
        return self.request.url.path + (f"?{written}" if written else "")


def see(address: str) -> RedirectResponse:
    """Have the browser show another page after a form, so that reloading it posts nothing."""
    return RedirectResponse(address, 303)


def local_page(address: str) -> str:
    """`address` if it is a page of the console, else the console's first page."""
    good = address == "/console" or address.startswith(("/console/", "/console?"))
    if not good or "\\" in address or any(ord(c) < 33 or ord(c) == 127 for c in address):
        return "/console"
    return address


def _checked(value: str) -> str:
    if len(value) > _VALUE_CHARACTERS or "\0" in value:
        raise InvalidRequestError("The address is not one of these pages; follow their links.")
    return value
