"""Signing in and out, and the choice of light or dark."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Literal

from starlette.requests import Request
from starlette.responses import Response

from headgate.errors import HeadgateError, PermissionDeniedError
from headgate.review.console.access import Access, Principal
from headgate.review.console.forms import read_form
from headgate.review.console.gate import Gate, cookie_name, posted
from headgate.review.console.rendering import Renderer
from headgate.review.console.sessions import SessionStore, csrf_token, new_token
from headgate.review.console.sign_in_limit import SignInLimit
from headgate.review.console.visit import THEME_COOKIE, Visit, local_page, see
from headgate.storage.threads import StorageThreads

_log = logging.getLogger(__name__)

_BEFORE_COOKIE = "headgate_before"
"""Ties the sign-in form to the browser that asked for it, before there is a session."""

_BEFORE_LASTS_S = 7 * 86_400
"""Over nights and weekends: a page that renews itself leads here when its session has ended, and is
found here in the morning."""
_YEAR_S = 31_536_000


class Signing:
    """The pages with which a session begins and ends."""

    def __init__(
        self,
        *,
        gate: Gate,
        access: Access,
        sessions: SessionStore,
        limit: SignInLimit,
        threads: StorageThreads,
        renderer: Renderer,
        passwords: bool,
        lasts_s: int,
    ) -> None:
        self._gate = gate
        self._access = access
        self._sessions = sessions
        self._limit = limit
        self._threads = threads
        self._renderer = renderer
        self._passwords = passwords
        self._lasts_s = lasts_s

    async def form(self, request: Request) -> Response:
        """`GET /console/sign-in`."""
        if await self._gate.visitor(request) is not None:
            return see(local_page(request.query_params.get("next", "")))
        return self._shown(request)

    async def sign_in(self, request: Request) -> Response:
        """`POST /console/sign-in`."""
        before = request.cookies.get(_BEFORE_COOKIE, "")
        if not before:
            no_cookie = PermissionDeniedError(
                "Your browser sent no cookie: this page was open for too long, or cookies are not"
                " allowed here. Try again."
            )
            return self._shown(request, error=no_cookie, form=await read_form(request))
        try:
            form = await posted(request, csrf_token(before))
        except PermissionDeniedError as error:
            return self._shown(request, error=error)
        try:
            who = await self._recognised(request, form)
        except HeadgateError as error:
            _log.warning("sign-in failed", extra={"code": error.code})
            return self._shown(request, error=error, form=form)
        secure = self._gate.client(request).secure
        session = await self._threads.begin(
            self._sessions.open,
            who.kind,
            who.id,
            instead_of=request.cookies.get(cookie_name(secure=secure)),
        )
        _log.info("signed in", extra={"kind": who.kind, "holder": who.id})
        response = see(local_page(form.get("next", "")))
        response.set_cookie(
            cookie_name(secure=secure), session.token, max_age=self._lasts_s, path="/",
            secure=secure, httponly=True, samesite="lax",
        )  # fmt: skip
        response.delete_cookie(_BEFORE_COOKIE, path="/console")
        return response

    async def sign_out(self, visit: Visit) -> Response:
        """`POST /console/sign-out`."""
        await self._threads.begin(self._sessions.close, visit.session.token)
        secure = self._gate.client(visit.request).secure
        response = see("/console/sign-in")
        response.delete_cookie(
            cookie_name(secure=secure), path="/", secure=secure, httponly=True, samesite="lax"
        )
        return response

    async def theme(self, visit: Visit) -> Response:
        """`POST /console/theme`: light, dark, or as the system has it."""
        chosen: Literal["light", "dark", "auto"] = "auto"
        if visit.field("theme") in ("light", "dark"):
            chosen = "light" if visit.field("theme") == "light" else "dark"
        response = see(local_page(visit.field("next")))
        response.set_cookie(
            THEME_COOKIE, chosen, max_age=_YEAR_S, path="/console", httponly=True, samesite="lax",
            secure=self._gate.client(visit.request).secure,
        )  # fmt: skip
        return response

    async def _recognised(self, request: Request, form: dict[str, str]) -> Principal:
        client = self._gate.client(request)
        name, password, key = form.get("name", ""), form.get("password", ""), form.get("key", "")
        by_password = self._passwords and not key
        noted = await self._threads.begin(
            self._limit.begin, client.address, name.strip().lower() if by_password else None
        )
        if by_password:
            who = await self._access.by_password(name.strip().lower(), password)
        else:
            who = await self._access.by_key(key.strip(), client.address)
        await self._threads.begin(self._limit.succeeded, noted)
        return who

    def _shown(
        self,
        request: Request,
        *,
        error: HeadgateError | None = None,
        form: Mapping[str, str] | None = None,
    ) -> Response:
        sent = form or {}
        before = request.cookies.get(_BEFORE_COOKIE) or new_token()
        theme = request.cookies.get(THEME_COOKIE, "auto")
        response = self._renderer.bare(
            "sign_in.html",
            http_status=200 if error is None else error.status,
            error=error,
            name=sent.get("name", ""),
            csrf=csrf_token(before),
            next=local_page(sent.get("next") or request.query_params.get("next", "")),
            passwords=self._passwords,
            theme=theme if theme in ("light", "dark") else "auto",
        )
        response.set_cookie(
            _BEFORE_COOKIE, before, max_age=_BEFORE_LASTS_S, path="/console", httponly=True,
            samesite="strict", secure=self._gate.client(request).secure,
        )  # fmt: skip
        if error is not None and error.retry_after_s is not None:
            response.headers["retry-after"] = str(int(error.retry_after_s))
        return response
