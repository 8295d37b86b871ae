"""What stands between a browser and every page: session, rights, forms' tokens, headers, errors."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable
from urllib.parse import quote

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from headgate.errors import (
    AuthenticationError,
    ClientGoneError,
    HeadgateError,
    PermissionDeniedError,
    UnavailableError,
)
from headgate.review.console.access import Access, Principal
from headgate.review.console.forms import read_form
from headgate.review.console.rendering import Renderer
from headgate.review.console.reviews import Reviews
from headgate.review.console.sessions import Session, SessionStore
from headgate.review.console.visit import Visit, see
from headgate.storage.identifiers import new_id
from headgate.storage.threads import StorageThreads
from headgate.telemetry.faults import log_fault

SIGN_IN = "/console/sign-in"

RENEWS = "x-headgate-renews"
"""The header of requests that a page makes to renew itself: they keep no session open."""

_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self';"
        " connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}


class Client(msgspec.Struct, frozen=True):
    """Where a request comes from."""

    address: str | None
    """The client's IP address behind any trusted proxies."""
    secure: bool
    """Whether it came over https, as the server or a trusted proxy says."""


Page = Callable[[Visit], Awaitable[Response]]
"""A page, or what a form does."""

ShownAgain = Callable[[Visit, HeadgateError], Awaitable[Response]]
"""A page with what was typed in it, of which nothing was done, and why."""


class Gate:
    """Lets through who is signed in, and renders what goes wrong."""

    def __init__(
        self,
        *,
        access: Access,
        sessions: SessionStore,
        threads: StorageThreads,
        renderer: Renderer,
        reviews: Reviews,
        client_of: Callable[[Scope], Client],
    ) -> None:
        self._access = access
        self._sessions = sessions
        self._threads = threads
        self._renderer = renderer
        self._reviews = reviews
        self._client_of = client_of

    def client(self, request: Request) -> Client:
        """Where `request` comes from."""
        return self._client_of(request.scope)

    def for_all(
        self, handler: Callable[[Request], Awaitable[Response]]
    ) -> Callable[[Request], Awaitable[Response]]:
        """An endpoint for everyone: a static file, the sign-in page."""

        async def answer(request: Request) -> Response:
            request_id = new_id("req")
            try:
                response = await handler(request)
            except ClientGoneError:
                return Response(status_code=499)
            except HeadgateError as error:
                response = self._stranger_error(error)
            except Exception as error:  # noqa: BLE001 - the visitor is told 500, the log where
                log_fault("console page failed", error, request_id=request_id)
                response = self._stranger_error(_fault(request_id))
            return _secured(response)

        return answer

    def signed_in(
        self, page: Page, permission: str | None, shown_again: ShownAgain | None = None
    ) -> Callable[[Request], Awaitable[Response]]:
        """An endpoint for who is signed in and has `permission`; a POST needs the form's token.

        `shown_again`: for a form whose text somebody would miss, were it gone with a session.
        """

        async def answer(request: Request) -> Response:
            return _secured(await self._answered(request, page, permission, shown_again))

        return answer

    async def _answered(
        self,
        request: Request,
        page: Page,
        permission: str | None,
        shown_again: ShownAgain | None,
    ) -> Response:
        request_id = new_id("req")
        visit: Visit | None = None
        try:
            found = await self.visitor(request)
            if found is None:
                return await self._signed_out(request, keeps=shown_again is not None)
            session, who = found
            visit = Visit(request=request, who=who, session=session, form={}, request_id=request_id)
            if permission is not None:
                who.require(permission)
            if who.may("reviews.read"):
                waiting = await self._reviews.waiting(who)
                visit = msgspec.structs.replace(visit, open_reviews=waiting)
            if request.method == "POST":
                form, stale = await _sent(request, session.csrf)
                visit = msgspec.structs.replace(visit, form=form)
                if stale is not None:
                    if shown_again is None or not _from_our_page(request):
                        raise stale
                    return await shown_again(visit, stale)
            return await page(visit)
        except ClientGoneError:
            return Response(status_code=499)
        except HeadgateError as error:
            return self._error(request, visit, error)
        except Exception as error:  # noqa: BLE001 - as above
            log_fault("console page failed", error, request_id=request_id)
            return self._error(request, visit, _fault(request_id))

    async def visitor(self, request: Request) -> tuple[Session, Principal] | None:
        """Who is signed in; None where nobody is, or may be no more."""
        client = self.client(request)
        token = request.cookies.get(cookie_name(secure=client.secure))
        if token is None:
            return None
        seen = request.headers.get(RENEWS) is None
        session = await self._threads.begin(self._sessions.find, token, seen=seen)
        if session is None:
            return None
        try:
            who = await self._access.again(session.kind, session.holder, client.address)
        except (AuthenticationError, PermissionDeniedError):
            await self._threads.begin(self._sessions.close, token)
            return None
        return session, who

    async def _signed_out(self, request: Request, *, keeps: bool) -> Response:
        """To the sign-in page; but never away from what is being typed, nor without it.

        What was sent comes back in a form that a new session answers with what was typed: its
        token is none, so nothing of it is done.
        """
        if request.method == "POST" and _is_part(request):
            return self._renderer.bare("part_signed_out.html")
        if request.method == "POST" and keeps and _from_our_page(request):
            form = await read_form(request)
            form.pop("csrf", None)
            return self._renderer.bare(
                "signed_out.html", http_status=403, form=form, address=request.url.path
            )
        return _to_sign_in(request)

    def _error(self, request: Request, visit: Visit | None, error: HeadgateError) -> Response:
        if _is_part(request) and request.method == "POST":
            return self._renderer.bare("part_error.html", http_status=error.status, error=error)
        if visit is None:
            return self._stranger_error(error)
        return self._renderer.page("error.html", visit, http_status=error.status, error=error)

    def _stranger_error(self, error: HeadgateError) -> Response:
        return self._renderer.bare("error_bare.html", http_status=error.status, error=error)


def cookie_name(*, secure: bool) -> str:
    """What the session's cookie is called; over https no other host or path can set one so."""
    return "__Host-headgate_session" if secure else "headgate_session"


async def posted(request: Request, csrf: str) -> dict[str, str]:
    """The form that was posted from one of our pages; 403 where it came from elsewhere."""
    form, stale = await _sent(request, csrf)
    if stale is not None:
        raise stale
    return form


async def _sent(request: Request, csrf: str) -> tuple[dict[str, str], PermissionDeniedError | None]:
    """The form, and what is wrong with its token; 403 where another site sent it."""
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise PermissionDeniedError(
            "That form was sent by another site, so nothing was done.", code="foreign_form"
        )
    form = await read_form(request)
    if _same(form.pop("csrf", ""), csrf):
        return form, None
    return form, PermissionDeniedError(
        "That form is from an earlier session, so nothing was done; look at this page as it is"
        " now, then send it again.",
        code="stale_form",
    )


def _from_our_page(request: Request) -> bool:
    """Whether the browser says so: no other site can, and an old browser says nothing."""
    return request.headers.get("sec-fetch-site") == "same-origin"


def _is_part(request: Request) -> bool:
    """Whether a page asked for a part of itself, so that a whole one has no place in it."""
    return request.headers.get("hx-request") == "true"


def _same(given: str, wanted: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), wanted.encode())


def _to_sign_in(request: Request) -> Response:
    if request.method != "GET":
        return see(SIGN_IN)
    here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    address = SIGN_IN if here == "/console" else f"{SIGN_IN}?next={quote(here, safe='')}"
    if _is_part(request):
        return Response(status_code=200, headers={"hx-redirect": address})
    return see(address)


def _fault(request_id: str) -> HeadgateError:
    return UnavailableError(
        f"Something failed on our side; the log says more under {request_id}.",
        code="internal_error",
    )


def _secured(response: Response) -> Response:
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers.setdefault("cache-control", "no-store")
    return response
