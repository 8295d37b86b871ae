"""Judges a batch before it begins: whether this caller may ask all that its input file asks.

The file is read from the provider that keeps it, however it came there: in one piece, in parts of
an upload, or from before Headgate. It can't be changed there after.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict

import msgspec

from headgate.errors import (
    HeadgateError,
    InvalidRequestError,
    PayloadTooLargeError,
    PermissionDeniedError,
)
from headgate.gateway.call import Call
from headgate.gateway.objects.allowed import AllowedPaths
from headgate.gateway.objects.asking import Addressee, Asking, ObjectRequest
from headgate.gateway.objects.batch_lines import BatchContents, BatchLines, at_line
from headgate.gateway.objects.in_calls import refuse_unknown_item
from headgate.gateway.objects.items import ResponseItems
from headgate.gateway.objects.kind import Kind
from headgate.gateway.objects.operation import Found, Operation
from headgate.gateway.objects.references import Reference
from headgate.gateway.objects.register import Keeper, ObjectRegister
from headgate.gateway.provider_failures import broken_error
from headgate.gateway.stored_responses import StoredResponses
from headgate.gateway.upstream import UpstreamError

_CONTENT = Operation(
    method="GET", path="/files/{file}/content", effect="content", summary="Read a batch's input"
)


class _Batch(msgspec.Struct):
    input_file_id: str
    endpoint: str


class BatchBounds(msgspec.Struct, frozen=True, kw_only=True):
    """How much of a file is read."""

    max_file_bytes: int
    max_line_bytes: int


class BatchInputs:
    """Reads and judges the input files of batches."""

    def __init__(
        self,
        asking: Asking,
        register: ObjectRegister,
        stored: StoredResponses,
        items: ResponseItems,
        bounds: BatchBounds,
        allowed: AllowedPaths | None,
    ) -> None:
        self._asking = asking
        self._register = register
        self._stored = stored
        self._items = items
        self._bounds = bounds
        self._allowed = allowed

    async def check(self, call: Call, addressee: Addressee, body: bytes) -> BatchContents | None:
        """What the batch that `body` would begin asks for; `addressee` is asked for its file.

        None where nobody made the file through Headgate and an operator opened such to all: it is
        not read, and a key for certain models can't begin it. Raises `HeadgateError` that names the
        line where the caller may not have what it asks, and where the file can't be read.
        """
        batch = _read_batch(body)
        if addressee.is_new:
            if call.caller.models:
                raise PermissionDeniedError(
                    "This key may use certain models only, and what a file names that was not"
                    " uploaded through Headgate is not known; upload it again.",
                    param="input_file_id",
                    code="model_not_allowed",
                )
            return None
        contents = await self._read(call, addressee, batch)
        for model, work in contents.models.items():
            if not call.caller.may_use_model(model):
                what = f"the model `{model[:64]}`" if model else "a model that isn't named"
                error = PermissionDeniedError(
                    f"This key may not use {what}.", code="model_not_allowed"
                )
                raise at_line(work.first_line, error)
        await self._check_objects(call, addressee, contents.objects)
        await self._check_responses(call, addressee, contents.responses)
        await self._check_items(call, addressee, contents.items)
        return contents

    async def _read(self, call: Call, addressee: Addressee, batch: _Batch) -> BatchContents:
        ids = {"file": batch.input_file_id}
        found = Found(_CONTENT, f"/files/{batch.input_file_id}/content", ids)
        request = ObjectRequest(found=found, query=(), body=b"")
        reply = await self._asking.begin(call, request, addressee, b"")
        lines = BatchLines(
            batch.endpoint,
            max_line_bytes=self._bounds.max_line_bytes,
            allowed=self._allowed,
        )
        size_bytes = 0
        try:
            if reply.status != 200:
                raise InvalidRequestError(
                    f"The input file can't be checked: the provider `{addressee.provider.name}`"
                    f" answered {reply.status} when asked for its content.",
                    param="input_file_id",
                    code="input_file_unreadable",
                )
            while data := await reply.next_chunk():
                size_bytes += len(data)
                if size_bytes > self._bounds.max_file_bytes:
                    raise PayloadTooLargeError(
                        f"The input file has more than {self._bounds.max_file_bytes} bytes; split"
                        " it, or have the operator raise endpoints.max_upload_bytes.",
                        param="input_file_id",
                    )
                # In a thread, so that other calls get their turn between the lines.
                await asyncio.to_thread(lines.feed, data)
        except UpstreamError as error:
            raise broken_error(error, addressee.provider.name) from None
        finally:
            reply.abort()
        return lines.end()

    async def _check_objects(
        self, call: Call, addressee: Addressee, named: dict[Reference, int]
    ) -> None:
        by_kind: dict[Kind, list[str]] = defaultdict(list)
        for reference in named:
            by_kind[reference.kind].append(reference.id)
        project = call.caller.project
        found = {
            (kind, object_id): keeper
            for kind, ids in by_kind.items()
            for object_id, keeper in (
                await self._register.keepers_among(kind, ids, project)
            ).items()
        }
        for reference, number in named.items():
            place = reference.kind, reference.id
            if place not in found:
                what = f"{reference.kind.replace('_', ' ')} `{reference.id[:64]}`"
                error = InvalidRequestError(
                    f"There is no {what} that this project made through Headgate.",
                    code="object_not_found",
                )
                raise at_line(number, error)
            _keep_to(addressee, found[place], f"`{reference.id}`", number)

    async def _check_responses(
        self, call: Call, addressee: Addressee, named: dict[str, int]
    ) -> None:
        for response_id, number in named.items():
            try:
                owner = await self._stored.owner_of_previous(response_id, call.caller.project)
            except InvalidRequestError as error:
                raise at_line(number, error) from None
            keeper = Keeper(owner.provider, owner.provider_key)
            _keep_to(addressee, keeper, f"the response `{response_id}`", number)

    async def _check_items(self, call: Call, addressee: Addressee, named: dict[str, int]) -> None:
        if not named:
            return
        keepers = await self._items.keepers_of(list(named), call.caller.project)
        for item_id, number in named.items():
            try:
                refuse_unknown_item([item_id], keepers, "input")
            except InvalidRequestError as error:
                raise at_line(number, error) from None
            _keep_to(addressee, keepers[item_id], f"the item `{item_id}`", number)


def _keep_to(addressee: Addressee, keeper: Keeper | None, what: str, number: int) -> None:
    """Refuse what another provider or another key keeps than the file."""
    if keeper is None:
        return
    provider = addressee.provider
    try:
        same = (
            keeper.provider == provider.name
            and provider.keeper(keeper.provider_key) == addressee.key
        )
    except HeadgateError as error:
        raise at_line(number, InvalidRequestError(error.message, code=error.code)) from None
    if not same:
        raise at_line(
            number,
            InvalidRequestError(
                f"What it names with {what} is kept by `{keeper}`, the file is not; a batch can"
                " name what its own provider and key keep.",
                code="objects_of_different_keys",
            ),
        )


def _read_batch(body: bytes) -> _Batch:
    """What a batch names; its file must be all of its input."""
    try:
        fields = msgspec.json.decode(body or b"{}", type=dict[str, msgspec.Raw])
        batch = msgspec.json.decode(body or b"{}", type=_Batch)
    except msgspec.ValidationError:
        raise InvalidRequestError(
            "Name the batch's input as `input_file_id` and its `endpoint`, both strings.",
            param="input_file_id",
        ) from None
    other = next((n for n in fields if n.startswith("input") and n != "input_file_id"), None)
    if other is not None:
        raise InvalidRequestError(
            f"A batch's input can't be given by `{other[:64]}`, which can't be checked; upload a"
            " file and name it as `input_file_id`.",
            param=other[:64],
            code="unsupported_parameter",
        )
    return batch
