"""Notes what a reply shows: what the project made, what was made along with it, what is gone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from headgate.errors import UpstreamFailedError
from headgate.gateway.call import Call
from headgate.gateway.commitments.keeper import CommitmentKeeper
from headgate.gateway.endpoints.endpoint import UNREADABLE
from headgate.gateway.guarded_files.files import GuardedFiles
from headgate.gateway.objects.kind import IDENTIFIER, Kind
from headgate.gateway.objects.operation import Found, Operation
from headgate.gateway.objects.register import ObjectRegister, OwnedObject
from headgate.gateway.provider import Provider


class Notes:
    """Writes into the register what replies show."""

    def __init__(
        self,
        register: ObjectRegister,
        commitments: CommitmentKeeper,
        guarded_files: GuardedFiles | None = None,
    ) -> None:
        self._register = register
        self._commitments = commitments
        self._guarded_files = guarded_files

    async def note(self, call: Call, found: Found, provider: Provider, body: bytes) -> None:
        """Remember what a successful request made, and forget what it deleted."""
        operation, caller = found.operation, call.caller
        if operation.effect == "delete" and operation.kind is not None:
            await self._register.forget(operation.kind, found.ids[operation.kind], caller.project)
            if operation.kind == "file" and self._guarded_files is not None:
                await self._guarded_files.gone(caller.project, found.ids["file"])
            return
        if operation.effect != "make" and not operation.learns:
            return
        shown = _object(body)
        if operation.effect == "make" and operation.kind is not None:
            made_id = shown.get("id")
            if made_id is None and operation.may_be_nameless:
                return
            if not isinstance(made_id, str) or not IDENTIFIER.fullmatch(made_id):
                raise UpstreamFailedError(
                    f"The provider `{provider.name}` made something without a name that an"
                    " address can hold, so that nobody could reach it.",
                    code="upstream_malformed_reply",
                )
            await self._register.remember([_owned(call, provider, operation.kind, made_id)])
            if operation.kind == "batch":
                await self._commitments.begun(call, "batch", made_id, model=None)
        await self.learn(call, operation, provider, [shown])

    async def learn(
        self,
        call: Call,
        operation: Operation,
        provider: Provider,
        shown: Sequence[Mapping[str, Any]],
    ) -> None:
        """Remember what was made along with the caller's own objects that are `shown`."""
        made: list[OwnedObject] = []
        for learnt in operation.learns:
            for one in shown:
                found = one.get(learnt.field)
                for part in found if isinstance(found, list) else [found]:
                    name = part.get("id") if isinstance(part, dict) else part
                    if isinstance(name, str) and IDENTIFIER.fullmatch(name):
                        made.append(_owned(call, provider, learnt.kind, name))
        is_batch = operation.path.startswith("/batches")
        if is_batch and self._guarded_files is not None:
            # First, so that nobody can fetch results before it is known whose lines they answer.
            await self._guarded_files.batches_shown(call.caller.project, shown)
        if made:
            await self._register.remember(made)
        if is_batch:
            await self._commitments.seen("batch", provider.name, shown)


def _object(body: bytes) -> dict[str, Any]:
    try:
        return msgspec.json.decode(body, type=dict[str, Any])
    except UNREADABLE:
        return {}


def _owned(call: Call, provider: Provider, kind: Kind, object_id: str) -> OwnedObject:
    return OwnedObject(
        kind=kind,
        id=object_id,
        provider=provider.name,
        project=call.caller.project,
        key_id=call.caller.key_id,
        provider_key=call.record.provider_key,
    )
