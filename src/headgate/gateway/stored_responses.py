"""Whose a stored response is, and which provider keeps it.

All projects share a provider's account, so the provider would show any of them every response:
Headgate lets a project build only on its own.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from typing import Any, Literal
from urllib.parse import quote, urlencode

import msgspec

from headgate.errors import ConflictError, InvalidRequestError, NotFoundError
from headgate.gateway.attempts.attempt import without_secret
from headgate.gateway.caller import Caller
from headgate.gateway.commitments.keeper import CommitmentKeeper
from headgate.gateway.commitments.watch import CommitmentWatch
from headgate.gateway.endpoints.endpoint import UNREADABLE
from headgate.gateway.guards import GuardsInCalls
from headgate.gateway.objects.kind import IDENTIFIER
from headgate.gateway.provider import Provider
from headgate.gateway.provider_failures import broken_error, refused_key_error
from headgate.gateway.stored_stream import stored_events
from headgate.gateway.upstream import UpstreamError

_MAX_REMEMBERED = 10_000

_RECORDED_WITHIN_S = (0.0, 0.1, 0.3)
"""Another process's response is in the ledger a moment after its answer: looked for again."""


class ResponseOwner(msgspec.Struct, frozen=True):
    """Where a response came from."""

    project: str
    provider: str
    provider_key: str | None = None
    """The name of the provider's key by which it was asked for, where there are several."""


Find = Callable[[str], Awaitable[ResponseOwner | None]]


class StoredResponses:
    """Remembers the newest responses of this process and finds the others in the ledger."""

    def __init__(self, find: Find) -> None:
        self._find = find
        self._known: OrderedDict[str, ResponseOwner] = OrderedDict()

    def remember(self, response_id: str, owner: ResponseOwner) -> None:
        """Note a response that has just been answered."""
        self._known[response_id] = owner
        if len(self._known) > _MAX_REMEMBERED:
            self._known.popitem(last=False)

    async def owner_of(self, response_id: str, project: str) -> ResponseOwner:
        """Who keeps `response_id`; `NotFoundError` unless it is `project`'s."""
        owner = self._known.get(response_id)
        # PostgreSQL takes no NUL, and no provider gives such a name.
        if owner is None and IDENTIFIER.fullmatch(response_id):
            for pause_s in _RECORDED_WITHIN_S:
                await asyncio.sleep(pause_s)
                owner = await self._find(response_id)
                if owner is not None:
                    self.remember(response_id, owner)
                    break
        if owner is None or owner.project != project:
            raise NotFoundError(
                f"The response `{response_id[:64]}` is not one that this project was answered"
                " through Headgate.",
                code="response_not_found",
            )
        return owner

    async def owner_of_previous(self, response_id: str, project: str) -> ResponseOwner:
        """As `owner_of`, for `previous_response_id`, where OpenAI answers 400."""
        try:
            return await self.owner_of(response_id, project)
        except NotFoundError:
            raise InvalidRequestError(
                f"Previous response with id '{response_id[:64]}' not found in this project.",
                param="previous_response_id",
                code="previous_response_not_found",
            ) from None


Verb = Literal["GET", "POST", "DELETE"]

_MAX_REPLY_BYTES = 64 * 1024 * 1024

_SHOWS_IT = ("", "/cancel")
"""Below a response's address: where the reply is the response itself."""


class StoredReply(msgspec.Struct, frozen=True):
    """What the provider said of a response it keeps."""

    status: int
    body: bytes | AsyncGenerator[bytes]
    """Whole, or the response's events where it is streamed."""


class ResponseArchive:
    """Asks the provider that keeps a response, on behalf of the project that it belongs to."""

    def __init__(
        self,
        stored: StoredResponses,
        providers: Mapping[str, Provider],
        commitments: CommitmentKeeper,
        guards: GuardsInCalls | None = None,
    ) -> None:
        """`guards` look at what is shown, and put back into it what was hidden."""
        self._stored = stored
        self._providers = providers
        self._commitments = commitments
        self._guards = guards
        self._watch = CommitmentWatch(commitments)

    async def ask(
        self,
        method: Verb,
        response_id: str,
        caller: Caller,
        *,
        below: str = "",
        query: Sequence[tuple[str, str]] = (),
    ) -> StoredReply:
        """Send `method` to the response's address, or to what stands `below` it.

        A reply that is a stream is handed on as one. Raises `NotFoundError` where the response is
        not the caller's project's, and what else a provider can do.
        """
        owner = await self._stored.owner_of(response_id, caller.project)
        name = owner.provider
        provider = self._providers.get(name)
        if provider is None:
            raise NotFoundError(f"The provider `{name}` that keeps this response is not set up.")
        if not provider.dialect.keeps_responses:
            raise NotFoundError(
                f"The response `{response_id[:64]}` is not kept: its provider `{name}` keeps none.",
                code="response_not_found",
            )
        if self._guards is not None:
            self._guards.refuse_texts(query)
        if method == "DELETE":
            await self._settle_first(response_id, name)
        asked = f"?{urlencode(query)}" if query else ""
        target = f"/responses/{quote(response_id, safe='')}{below}{asked}"
        own_key = provider.keeper(owner.provider_key)
        while True:
            key = await provider.let_in(own_key)
            try:
                reply = await provider.upstream.send(
                    provider.origin,
                    method.encode(),
                    provider.path(target.encode()),
                    key.headers,
                    b"",
                    provider.quick,
                )
                content_type = (reply.header(b"content-type") or b"").lower()
                if reply.status == 200 and content_type.startswith(b"text/event-stream"):
                    guarded = None
                    try:
                        if self._guards is not None:
                            guarded = await self._guards.kept_stream(caller, response_id)
                    except BaseException:
                        reply.abort()
                        raise
                    return StoredReply(200, stored_events(reply, name, key.secret, guarded))
                body = await reply.read(_MAX_REPLY_BYTES)
            except UpstreamError as error:
                raise broken_error(error, name) from None
            if reply.status != 401 or not provider.may_ask_again(key):
                break
        if reply.status == 401:
            raise refused_key_error(name, key.name)
        if reply.status == 200 and below in _SHOWS_IT and method != "DELETE":
            await self._note(name, body)
        body = without_secret(body, key.secret)
        if self._guards is not None:
            if reply.status == 200 and below in _SHOWS_IT:
                body = await self._guards.kept(caller, response_id, body)
            else:
                body = await self._guards.restored(caller.project, response_id, body)
        return StoredReply(reply.status, body)

    async def _note(self, provider: str, body: bytes) -> None:
        """Settle a background response whose end is shown."""
        try:
            shown = msgspec.json.decode(body, type=dict[str, Any])
        except UNREADABLE:
            return
        if shown.get("background"):
            await self._commitments.seen("response", provider, [shown])

    async def _settle_first(self, response_id: str, provider: str) -> None:
        """Ask what a background response used before nobody can say any more."""
        for commitment in await self._commitments.going_on("response", provider, [response_id]):
            outcome = await self._watch.outcome(commitment)
            if outcome is None:
                raise ConflictError(
                    "This response is still being made; cancel it before you delete it.",
                    code="response_in_progress",
                )
            await self._commitments.ended(commitment, outcome)
