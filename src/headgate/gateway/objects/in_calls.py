"""The objects that a call names: that they are the project's, and who keeps them."""

from __future__ import annotations

import asyncio
import logging

import msgspec

from headgate.errors import DatabaseUnavailableError, InvalidRequestError
from headgate.gateway.call import Call
from headgate.gateway.endpoints.endpoint import UNREADABLE
from headgate.gateway.objects.kind import IDENTIFIER, Kind
from headgate.gateway.objects.references import mentions_objects, named_in
from headgate.gateway.objects.register import ObjectRegister, OwnedObject
from headgate.gateway.target import Target

_KEEP_S = 2.0
"""How long the end of an answer may wait for the note of whose it is."""

_log = logging.getLogger(__name__)

_MOST_NAMED = 500
"""Objects that one call may name; each may take a look into the database."""


class ObjectsInCalls:
    """Holds calls to their project's objects."""

    def __init__(self, register: ObjectRegister) -> None:
        self._register = register

    async def keep(self, call: Call, kind: Kind, object_id: str) -> None:
        """Note that the provider keeps what it answered, and that it is the call's project's.

        Never raises: an answer that has been paid for is given, even if it can't be found again.
        """
        target, record = call.target, call.record
        if target is None or not target.provider.dialect.keeps_responses:
            return
        if not IDENTIFIER.fullmatch(object_id):
            return
        made = OwnedObject(
            kind=kind,
            id=object_id,
            provider=target.provider.name,
            project=record.project,
            key_id=record.key_id,
        )
        try:
            async with asyncio.timeout(_KEEP_S):
                await self._register.remember([made])
        except (DatabaseUnavailableError, TimeoutError):
            _log.warning("a stored answer can't be found again", extra={"call_id": record.id})

    async def targets_of(
        self, call: Call, fields: dict[str, msgspec.Raw], targets: tuple[Target, ...]
    ) -> tuple[Target, ...]:
        """Those of `targets` whose provider keeps what `fields` name; noted in `call`.

        Raises `InvalidRequestError` where one of them is not its project's, or where none of the
        targets keeps all. What names an object is written anew, so that a field given twice can't
        mean one thing here and another to the provider.
        """
        project = call.caller.project
        keepers: dict[str, str] = {}
        named = 0
        for name in [name for name in fields if mentions_objects({name: fields[name]})]:
            try:
                value = msgspec.json.decode(fields[name])
            except UNREADABLE:
                raise InvalidRequestError(
                    f"The field `{name}` is not JSON that this server reads.",
                    param=name,
                    code="invalid_json",
                ) from None
            found = named_in(value, name).objects
            if not found:
                continue
            named += len(found)
            if named > _MOST_NAMED:
                raise InvalidRequestError(
                    f"A call can't name more than {_MOST_NAMED} objects.", param=name
                )
            fields[name] = msgspec.Raw(msgspec.json.encode(value))
            for reference in found:
                keeper = await self._register.keeper_of_named(reference, project)
                if keeper is not None:
                    keepers[keeper] = reference.field
        for keeper, field in keepers.items():
            targets = tuple(target for target in targets if target.provider.name == keeper)
            if not targets:
                raise InvalidRequestError(
                    f"What `{field}` names is kept by the provider `{keeper}`, which is not one of"
                    " this model's, or not of all that the request names; ask for a model of that"
                    " provider.",
                    param=field,
                )
            call.kept_at = keeper
            call.kept_by = targets[0].provider.object_key.name
        return targets
