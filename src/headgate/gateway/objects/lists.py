"""A list of which the caller is shown its own: as many of the providers' pages as that takes."""

from __future__ import annotations

from contextlib import suppress

from headgate.errors import InvalidRequestError, NotFoundError, UnavailableError
from headgate.gateway.call import Call, Headers, LastWords
from headgate.gateway.objects.answers import (
    JSON,
    object_headers,
    provider_error,
    settle,
)
from headgate.gateway.objects.asking import Addressee, Asking, ObjectRequest
from headgate.gateway.objects.kind import Kind
from headgate.gateway.objects.notes import Notes
from headgate.gateway.objects.pages import (
    MAX_PAGES,
    PageBeingFilled,
    PageRequest,
    read_page_request,
    read_provider_page,
)
from headgate.gateway.objects.register import Keeper, ObjectRegister
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
        filling = PageBeingFilled(wanted)
        told: Headers = []
        for addressee, most in await self._sources(call, kind, wanted):
            fresh = not told and wanted.cursor is not None
            answer = await self._fill(
                call, request, kind, filling, addressee,
                cursor=wanted.cursor if fresh else None, most=most,
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

    async def _sources(
        self, call: Call, kind: Kind, wanted: PageRequest
    ) -> list[tuple[Addressee, int]]:
        """Who is asked, one after the other: first all that one key sees, then the next.

        With each, how many objects there are the caller's. What was made with a key that is not
        set up any more is not shown.
        """
        kept = await self._register.keepers_of(kind, call.caller.project)
        found: dict[tuple[str, str | None], tuple[Addressee, int]] = {}
        for provider in self._routing.providers.values():
            if self._register.open_to_unregistered:
                names = (None,) if provider.pool is None else provider.pool.names
                kept |= {k: 0 for k in (Keeper(provider.name, n) for n in names) if k not in kept}
            for keeper in sorted((k for k in kept if k.provider == provider.name), key=str):
                with suppress(NotFoundError):
                    key = provider.keeper(keeper.provider_key)
                    place = provider.name, key.name
                    known = found.get(place, (None, 0))[1]
                    found[place] = Addressee(provider, key), known + kept[keeper]
        sources = list(found.values())
        if wanted.cursor is None:
            return sources
        began: tuple[str, str | None] | None = None
        for param, cursor in (("before", wanted.until or wanted.before), ("after", wanted.after)):
            if cursor is None:
                continue
            try:
                start = await self._register.keeper_of(kind, cursor, call.caller.project)
                if start is not None and start.provider in self._routing.providers:
                    key = self._routing.providers[start.provider].keeper(start.provider_key)
                    began = start.provider, key.name
            except NotFoundError as error:
                raise InvalidRequestError(error.message, param=param, code=error.code) from None
        if began is None or began not in found:
            return sources
        at = list(found).index(began)
        return sources[at : at + 1] if wanted.before is not None else sources[at:]

    async def _fill(
        self,
        call: Call,
        request: ObjectRequest,
        kind: Kind,
        filling: PageBeingFilled,
        addressee: Addressee,
        *,
        cursor: str | None,
        most: int,
    ) -> Headers | LastWords:
        """Read the pages that one key sees until the caller's is full; an error where one is told.

        `most` objects there are the caller's: when all have been seen, the rest need not be read.
        """
        operation, project = request.found.operation, call.caller.project
        provider = addressee.provider
        everything = self._register.open_to_unregistered
        countable = cursor is None and not everything
        seen_before = len(filling.shown)
        for _ in range(MAX_PAGES):
            reply, body = await self._asking.whole(
                call, request, addressee, b"", filling.query(cursor)
            )
            if reply.status != 200:
                return provider_error(call, reply, body, provider)
            page = read_provider_page(body)
            ids = [item["id"] for item in page.items]
            owners = await self._register.owners_among(kind, provider.name, ids)
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
