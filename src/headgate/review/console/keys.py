"""Keys: who may use this server, a new one shown once, and ending one."""

from __future__ import annotations

from starlette.responses import Response

from headgate.errors import HeadgateError, InvalidRequestError
from headgate.review.console.access import Access, KeyWanted
from headgate.review.console.rendering import Renderer
from headgate.review.console.visit import Visit, see
from headgate.storage.identifiers import new_id

_PAGE = 100
_DAY_US = 86_400_000_000
_MOST_DAYS = 3650


class KeysPages:
    """`/console/keys` and what is under it."""

    def __init__(self, access: Access, renderer: Renderer) -> None:
        self._access = access
        self._renderer = renderer

    async def show(self, visit: Visit) -> Response:
        """`GET /console/keys`."""
        return await self._page(visit)

    async def create(self, visit: Visit) -> Response:
        """`POST /console/keys`: the page again, with the secret, this once."""
        visit.who.require("keys.manage")
        try:
            wanted = KeyWanted(
                name=visit.field("name"),
                project=visit.field("project") or visit.who.caller.project,
                role=visit.field("role"),
                models=_patterns(visit.field("models")),
                workflows=_patterns(visit.field("workflows")),
                expires_at_us=_end(visit),
                id=visit.session.unsealed(visit.field("once")),
            )
            _, secret = await self._access.create_key(visit.who, wanted)
        except HeadgateError as error:
            if error.status not in (400, 403, 409):
                raise
            return await self._page(visit, error=error)
        return await self._page(visit, secret=secret, name=wanted.name)

    async def revoke(self, visit: Visit) -> Response:
        """`POST /console/keys/{id}/revoke`."""
        visit.who.require("keys.manage")
        await self._access.revoke_key(visit.who, visit.path("id"))
        return see("/console/keys")

    async def _page(
        self,
        visit: Visit,
        *,
        secret: str | None = None,
        name: str = "",
        error: HeadgateError | None = None,
    ) -> Response:
        keys = await self._access.keys(visit.who, limit=_PAGE + 1, after=visit.asked("after") or "")
        may_manage = visit.who.may("keys.manage")
        return self._renderer.page(
            "keys.html",
            visit,
            http_status=200 if error is None else error.status,
            keys=keys[:_PAGE],
            more=keys[_PAGE - 1].id if len(keys) > _PAGE else None,
            secret=secret,
            made=name,
            error=error,
            may_manage=may_manage,
            once=visit.session.sealed(new_id("key")),
            roles=self._access.roles_to_give(visit.who) if may_manage else (),
            projects=await self._access.projects(visit.who) if may_manage else (),
        )


def _patterns(text: str) -> tuple[str, ...]:
    return tuple(part for part in text.replace(",", " ").split() if part)


def _end(visit: Visit) -> int | None:
    days = visit.field("days").strip()
    if not days:
        return None
    if not (days.isascii() and days.isdigit() and 1 <= int(days[:6]) <= _MOST_DAYS):
        raise InvalidRequestError(
            f"`days`: give a number from 1 to {_MOST_DAYS}, or nothing for no end.", param="days"
        )
    return visit.now_us + int(days) * _DAY_US
