"""The way of a request about objects, in one place: admit, find the keeper, pass on, note, record.

Beside `gateway.gateway`, which carries calls: here no model is chosen and nothing is priced by
tokens, but whose an object is decides everything.
"""

from __future__ import annotations

import asyncio

import msgspec

from headgate.errors import (
    ClientGoneError,
    HeadgateError,
    InvalidRequestError,
    NotFoundError,
    UnavailableError,
)
from headgate.gateway.attempts.attempt import MAX_REPLY_BYTES, without_secret
from headgate.gateway.call import Call, Client, LastWords, Refusal
from headgate.gateway.caller import Caller
from headgate.gateway.commitments.batch_input import BatchInput
from headgate.gateway.commitments.keeper import CommitmentKeeper
from headgate.gateway.conclusion import conclude, record
from headgate.gateway.forms import FormReader, boundary_of
from headgate.gateway.guarded_files.files import GuardedFiles, GuardedForm
from headgate.gateway.guarded_files.results import GuardedResults
from headgate.gateway.guards import guard_headers
from headgate.gateway.keys.watch import KeyWatch
from headgate.gateway.objects.allowed import AllowedPaths
from headgate.gateway.objects.answers import (
    JSON,
    object_headers,
    object_refusal,
    provider_error,
    settle,
    stopping_error,
)
from headgate.gateway.objects.asking import Addressee, Asking, ObjectRequest, secret_of
from headgate.gateway.objects.batch_input import BatchBounds, BatchInputs
from headgate.gateway.objects.bodies import check_models, form_of, read_body
from headgate.gateway.objects.guards import GuardsAtObjects
from headgate.gateway.objects.in_calls import refuse_unknown_item
from headgate.gateway.objects.items import ResponseItems
from headgate.gateway.objects.lists import Lists
from headgate.gateway.objects.notes import Notes
from headgate.gateway.objects.operation import Operation
from headgate.gateway.objects.references import Named, Reference
from headgate.gateway.objects.register import Keeper, ObjectRegister
from headgate.gateway.objects.watched_form import WatchedForm
from headgate.gateway.provider import Provider
from headgate.gateway.provider_failures import broken_error, keys_out_error
from headgate.gateway.retries.policy import RetryPolicy
from headgate.gateway.routing import Routing
from headgate.gateway.spending import Spending
from headgate.gateway.stored_responses import StoredResponses
from headgate.gateway.upstream import RequestBody, UpstreamError, UpstreamReply
from headgate.ledger.writer import LedgerWriter
from headgate.telemetry.faults import log_fault

_TOO_MUCH = 429


class ObjectCarrier:
    """Carries requests about objects."""

    def __init__(
        self,
        routing: Routing,
        register: ObjectRegister,
        retries: RetryPolicy,
        commitments: CommitmentKeeper,
        batch_input: BatchInput | None,
        writer: LedgerWriter,
        keys: KeyWatch,
        stored: StoredResponses,
        items: ResponseItems,
        bounds: BatchBounds,
        *,
        allowed: AllowedPaths | None = None,
        keeper: str | None,
        durable: bool,
        spending: Spending | None = None,
        guards: GuardsAtObjects | None = None,
        guarded_files: GuardedFiles | None = None,
    ) -> None:
        """`keeper` is the provider of new objects that nothing else decides; None: the first.

        `allowed` are endpoints that an operator lets pass by name; `batch_input` tells the worst
        case of batches, where there are limits or budgets.
        """
        self._routing = routing
        self._register = register
        self._asking = Asking(retries, keys)
        self._notes = Notes(register, commitments, guarded_files)
        self._batch_input = batch_input
        self._inputs = BatchInputs(self._asking, register, stored, items, bounds, allowed)
        self._lists = Lists(routing, register, self._asking, self._notes)
        self._items = items
        self._writer = writer
        self._keeper = keeper
        self._durable = durable
        self._spending = spending
        self._guards = guards
        self._guarded_files = guarded_files
        self.in_flight = 0

    async def carry(self, call: Call, request: ObjectRequest, client: Client) -> None:
        """Carry `request` to the provider that keeps what it is about; leave one record.

        Never raises for what can go wrong on the way, as `Gateway.carry` doesn't.
        """
        self.in_flight += 1
        try:
            last = await self._answered(call, request, client)
            if self._guards is not None:
                await self._guards.concluded(call)
            await self._conclude(call, client, last)
            if call.cancelled:
                raise asyncio.CancelledError
        finally:
            self.in_flight -= 1

    async def refuse(self, call: Call, error: HeadgateError, client: Client) -> None:
        """Answer a request that could not be read with an error; leave one record all the same."""
        await self._conclude(call, client, object_refusal(call, error))

    async def _answered(
        self, call: Call, request: ObjectRequest, client: Client
    ) -> LastWords | Refusal | None:
        """What is left to tell the client; None where it has gone."""
        operation = request.found.operation
        held: GuardedForm | None = None
        try:
            if self._writer.full:
                raise UnavailableError(
                    "The ledger's queue is full because the database is away or slow; requests are"
                    " refused until it has caught up.",
                    code="ledger_full",
                )
            if self._spending is not None:
                may_cost = operation.method == "POST" and operation.cost != "later"
                await self._spending.reserve_request(
                    call,
                    may_cost=may_cost,
                    runs_models=operation.runs_models and operation.cost == "unknown",
                )
            if self._guards is not None:
                self._guards.check_address(call, request.found)
                query = await self._guards.query(call, request.found, request.query)
                request = msgspec.structs.replace(request, query=query)
            if operation.effect == "list" and operation.kind is not None:
                return await self._lists.answer(call, request, operation.kind)
            form, files = form_of(request), self._guarded_files
            if form is not None and files is not None:
                kind = request.content_type or b""
                held = await files.form(call, request.found, kind, form)
                if held is not None:
                    request = msgspec.structs.replace(request, body=held.body())
            addressee, body = await self._admitted(call.caller, request)
            if self._guards is not None and form is None and body:
                seen = body if isinstance(body, bytes) else None
                guarded = await self._guards.body(call, request.found, seen)
                body = body if seen is None else guarded
            if operation.runs_file:
                call.record.cost_nanousd = 0  # as long as it is only looked at
                begun = body if isinstance(body, bytes) else b""
                contents = await self._inputs.check(call, addressee, begun)
                if self._guarded_files is not None:
                    await self._guarded_files.check_batch(call, begun, contents)
                call.record.cost_nanousd = None
            if operation.effect in ("content", "pass"):
                return await self._relayed(call, request, addressee, body, client)
            if operation.cost == "later" and self._batch_input is not None:
                await self._batch_input.reserve(call, addressee, body)
            return await self._passed_on(call, request, addressee, body, held)
        except HeadgateError as error:
            told = object_refusal(call, error)
            if self._spending is not None and error.status == _TOO_MUCH:
                self._spending.headers_of_refusal(call, told.headers)
            return told
        except asyncio.CancelledError:
            call.cancelled = True
            told = object_refusal(call, ClientGoneError() if client.gone else stopping_error())
            return None if client.gone else told
        except Exception as fault:  # noqa: BLE001 - the client is told 500, the log where
            call_id = call.record.id
            log_fault("request failed", fault, call_id=call_id, trace_id=call.record.trace_id)
            return object_refusal(
                call,
                HeadgateError(
                    f"Headgate failed to carry this request; its log tells why under {call_id}."
                ),
            )
        finally:
            if held is not None:
                held.close()

    async def _admitted(
        self, caller: Caller, request: ObjectRequest
    ) -> tuple[Addressee, bytes | RequestBody]:
        """Who is to be asked, and the body as it is to be seen there."""
        keepers: list[Keeper | None] = [
            await self._register.keeper_of(kind, object_id, caller.project)
            for kind, object_id in request.found.owned()
        ]
        body, named = read_body(request)
        form = form_of(request)
        if form is None or request.found.operation.effect == "pass":
            # Where a form that nothing is known of may name models is not known either.
            check_models(caller, request.found.operation, named.models)
        keepers += [
            await self._register.keeper_of_named(reference, caller.project)
            for reference in named.objects
        ]
        if named.items:
            of_items = await self._items.keepers_of(named.items, caller.project)
            refuse_unknown_item(named.items, of_items, "items")
            keepers += of_items.values()
        kept = self._addressee_of({keeper for keeper in keepers if keeper is not None})
        addressee = kept or self._addressee_of_new(caller, request.found.operation, named)
        return addressee, body if form is None else self._watched(caller, request, form, addressee)

    def _addressee_of(self, keepers: set[Keeper]) -> Addressee | None:
        """Who can see what all of `keepers` keep; None where there are none."""
        if not keepers:
            return None
        names = sorted({keeper.provider for keeper in keepers})
        if len(names) > 1:
            raise InvalidRequestError(
                "The objects that this request names are kept by different providers"
                f" ({', '.join(names)}); name objects of one."
            )
        provider = self._routing.providers.get(names[0])
        if provider is None:
            raise NotFoundError(f"The provider `{names[0]}` that keeps this object is not set up.")
        keys = {key.name: key for key in (provider.keeper(k.provider_key) for k in keepers)}
        if len(keys) > 1:
            raise InvalidRequestError(
                "The objects that this request names were made with different keys of the provider"
                f" `{names[0]}` ({', '.join(sorted(map(str, keys)))}), and none can see them all;"
                " name objects of one.",
                code="objects_of_different_keys",
            )
        return Addressee(provider, next(iter(keys.values())))

    def _addressee_of_new(self, caller: Caller, operation: Operation, named: Named) -> Addressee:
        """Who is asked where nothing is named that is kept."""
        provider = self._routing.providers[self._keeper_of_new(operation, named)]
        key = provider.key_for_new(caller.project)
        if key is None:
            raise keys_out_error(provider.name)
        return Addressee(provider, key, is_new=True)

    def _watched(
        self, caller: Caller, request: ObjectRequest, form: RequestBody, addressee: Addressee
    ) -> RequestBody:
        """A form on its way to who is asked, that may name what is the caller's and kept there."""
        provider = addressee.provider

        async def judge_object(named: Reference) -> None:
            keeper = await self._register.keeper_of_named(named, caller.project)
            if keeper is None:
                return
            if keeper.provider != provider.name:
                raise InvalidRequestError(
                    f"What `{named.field}` names is kept by the provider `{keeper.provider}`, and"
                    f" this request goes to `{provider.name}`; name objects of one.",
                    param=named.field,
                )
            if provider.keeper(keeper.provider_key).name != addressee.key.name:
                raise InvalidRequestError(
                    f"What `{named.field}` names was made with the key `{keeper.provider_key}` of"
                    f" the provider `{provider.name}`, and this request goes by"
                    f" `{addressee.key.name}`; name what one key made.",
                    param=named.field,
                    code="objects_of_different_keys",
                )

        def judge_models(models: tuple[str, ...]) -> None:
            check_models(caller, request.found.operation, models)

        boundary = boundary_of(request.content_type or b"") or b""
        return WatchedForm(form, FormReader(boundary), judge_object, judge_models)

    def _keeper_of_new(self, operation: Operation, named: Named) -> str:
        """The provider of what names no object: its model's, or the one for new objects."""
        if operation.runs_models and named.models:
            provider = self._routing.route(named.models[0]).targets[0].provider
            if not provider.dialect.translates:
                return provider.name
        if self._keeper is not None:
            return self._keeper
        for name, provider in self._routing.providers.items():
            if not provider.dialect.translates:
                return name
        raise NotFoundError("No provider here keeps such objects; only those that speak OpenAI's.")

    async def _passed_on(
        self,
        call: Call,
        request: ObjectRequest,
        addressee: Addressee,
        body: bytes | RequestBody,
        held: GuardedForm | None,
    ) -> LastWords:
        """A reply that is read whole, because it may tell what was made."""
        operation, provider = request.found.operation, addressee.provider
        reply, data = await self._asking.whole(call, request, addressee, body, request.query)
        if reply.status >= 300:
            return provider_error(call, reply, data, provider)
        call.record.status = reply.status
        if held is not None and held.note is not None and self._guarded_files is not None:
            await self._guarded_files.made(call.caller.project, held.note, data)
        await self._notes.note(call, request.found, provider, data)
        if self._guards is not None:
            data = await self._guards.reply(call, request.found, data)
        settle(call, operation)
        headers = object_headers(call, reply, provider) + guard_headers(call)
        headers.append((b"content-type", reply.header(b"content-type") or JSON))
        return LastWords(data, reply.status, headers)

    async def _relayed(
        self,
        call: Call,
        request: ObjectRequest,
        addressee: Addressee,
        body: bytes | RequestBody,
        client: Client,
    ) -> LastWords | None:
        """A reply that is handed on as it comes; one that breaks off is cut here too."""
        record, provider = call.record, addressee.provider
        reply = await self._asking.begin(call, request, addressee, body)
        if reply.status >= 300:
            return provider_error(call, reply, await _error_body(call, reply, provider), provider)
        record.status = reply.status
        headers = object_headers(call, reply, provider)
        content_type = reply.header(b"content-type")
        if content_type is not None:
            headers.append((b"content-type", content_type))
        results: GuardedResults | None = None
        begun = False
        try:
            if self._guarded_files is not None:
                results = await self._guarded_files.results(call, request.found)
            begun = True
            await client.begin(reply.status, headers)
            while data := await reply.next_chunk():
                if results is not None:
                    data = await results.feed(data)
                if data:
                    await client.write(data)
            if results is not None and (data := await results.end()):
                await client.write(data)
        except HeadgateError as stopped:
            if not begun:
                raise
            record.error_class = stopped.code
            return LastWords(b"", cut=True)
        except UpstreamError as broken:
            record.error_class = broken_error(broken, provider.name).code
            return LastWords(b"", cut=True)
        except asyncio.CancelledError:
            call.cancelled = True
            error = ClientGoneError() if client.gone else stopping_error()
            record.error_class = error.code
            if not client.gone:
                return LastWords(b"", cut=True)
            record.status = error.status
            return None
        finally:
            reply.abort()
            if results is not None and self._guards is not None:
                self._guards.note_report(call, results.report)
        settle(call, request.found.operation)
        return LastWords(b"", unless=lambda _: b"")

    async def _conclude(self, call: Call, client: Client, last: LastWords | Refusal | None) -> None:
        recorded = record(call, writer=self._writer, spending=self._spending, durable=self._durable)
        await conclude(call, client, last, recorded)


async def _error_body(call: Call, reply: UpstreamReply, provider: Provider) -> bytes:
    try:
        return without_secret(await reply.read(MAX_REPLY_BYTES), secret_of(call))
    except UpstreamError as error:
        raise broken_error(error, provider.name) from None
