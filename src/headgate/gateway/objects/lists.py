"""A list of which the caller is shown its own: as many of the providers' pages as that takes."""

from __future__ import annotations

from headgate.errors import InvalidRequestError, NotFoundError, UnavailableError
from headgate.gateway.call import Call, Headers, LastWords
from headgate.gateway.objects.answers import (
    JSON,
    object_headers,
    provider_error,
    settle,
)
from headgate.gateway.objects.asking import Asking, ObjectRequest
from headgate.gateway.objects.kind import Kind
from headgate.gateway.objects.notes import Notes
from headgate.gateway.objects.pages import (
    MAX_PAGES,
    PageBeingFilled,
    PageRequest,
    read_page_request,
    read_provider_page,
)
from headgate.gateway.objects.register import ObjectRegister
from headgate.gateway.reply_headers import call_headers
from headgate.gateway.routing import Routing


class Lists:
    """Answers lists."""

    def __init__(
        self, routing: Routing, register: ObjectRegister, asking: Asking, notes: Notes
    ) -> None:
        self._routing = routing
        self._register = register
        self._asking = asking
        self._notes = notes

    async def answer(self, call: Call, request: ObjectRequest, kind: Kind) -> LastWords:
        """The caller's page. Raises `HeadgateError`."""
        operation = request.found.operation
        wanted = read_page_request(operation, request.query)
        kept = await self._register.providers_of(kind, call.caller.project)
        filling = PageBeingFilled(wanted)
        told: Headers = []
        for name in await self._names(call, kind, wanted, kept):
            fresh = not told and wanted.cursor is not None
            answer = await self._fill(
                call, request, kind, filling, name,
                cursor=wanted.cursor if fresh else None, most=kept.get(name, 0),
            )  # fmt: skip
            if isinstance(answer, LastWords):
                return answer
            told = answer
            if filling.has_more or filling.ended:
                break
        call.record.status = 200
        settle(call, operation)
        return LastWords(
            filling.body(), 200, [*(told or call_headers(call)), (b"content-type", JSON)]
        )

    async def _names(
        self, call: Call, kind: Kind, wanted: PageRequest, kept: dict[str, int]
    ) -> list[str]:
        """The providers to be asked, one after the other: first all of one's, then the next's."""
        everywhere = self._register.open_to_unregistered
        names = [name for name in self._routing.providers if everywhere or name in kept]
        if wanted.cursor is None:
            return names
        start = None
        for param, cursor in (("before", wanted.until or wanted.before), ("after", wanted.after)):
            if cursor is None:
                continue
            try:
                start = await self._register.keeper_of(kind, cursor, call.caller.project)
            except NotFoundError as error:
                raise InvalidRequestError(error.message, param=param, code=error.code) from None
        if start not in names:
            return names
        at = names.index(start)
        return names[at : at + 1] if wanted.before is not None else names[at:]

    async def _fill(
        self,
        call: Call,
        request: ObjectRequest,
        kind: Kind,
        filling: PageBeingFilled,
        name: str,
        *,
        cursor: str | None,
        most: int,
    ) -> Headers | LastWords:
        """Read one provider's pages until the caller's is full; its error where it tells one.

        `most` objects there are the caller's: when all have been seen, the rest need not be read.
        """
        operation, project = request.found.operation, call.caller.project
        provider = self._routing.providers[name]
        everything = self._register.open_to_unregistered
        countable = cursor is None and not everything
        seen_before = len(filling.shown)
        for _ in range(MAX_PAGES):
            reply, body = await self._asking.whole(
                call, request, provider, b"", filling.query(cursor)
            )
            if reply.status != 200:
                return provider_error(call, reply, body, provider)
            page = read_provider_page(body)
            ids = [item["id"] for item in page.items]
            owners = await self._register.owners_among(kind, name, ids)
            full = filling.take(page, owners, project, unregistered_too=everything)
            own = [item for item in page.items if owners.get(item["id"]) == project]
            await self._notes.learn(call, operation, provider, own)
            cursor = page.edge(before=filling.wanted.before is not None)
            if full or cursor is None or (countable and len(filling.shown) - seen_before >= most):
                return object_headers(call, reply, provider)
        raise UnavailableError(
            "Too many objects of other projects lie between this project's own; narrow the list by"
            " its filters.",
            code="list_too_long",
        )
