"""The objects that a call names: that they are the project's, and who keeps them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping

import msgspec

from headgate.errors import DatabaseUnavailableError, InvalidRequestError, NotFoundError
from headgate.gateway.call import Call
from headgate.gateway.endpoints.endpoint import UNREADABLE
from headgate.gateway.objects.items import ResponseItems
from headgate.gateway.objects.kind import IDENTIFIER, Kind
from headgate.gateway.objects.references import mentions_objects, named_in
from headgate.gateway.objects.register import Keeper, ObjectRegister, OwnedObject
from headgate.gateway.target import Target

_KEEP_S = 2.0
"""How long the end of an answer may wait until it is noted whose it is."""

_log = logging.getLogger(__name__)

_MOST_NAMED = 500
"""Objects that one call may name; each may take a look into the database."""


class ObjectsInCalls:
    """Holds calls to their project's objects."""

    def __init__(self, register: ObjectRegister, items: ResponseItems) -> None:
        self._register = register
        self._items = items

    def remember_items(self, call: Call) -> None:
        """Note whose the parts of a stored response are."""
        target = call.target
        if target is not None and target.provider.dialect.keeps_responses:
            keeper = Keeper(target.provider.name, call.record.provider_key)
            self._items.remember(call.item_ids, call.caller.project, keeper)

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
            provider_key=record.provider_key,
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
        keepers: dict[Keeper, str] = {}
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
            in_field = named_in(value, name)
            found, items = in_field.objects, in_field.items
            if not found and not items:
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
            if items:
                of_items = await self._items.keepers_of(items, project)
                refuse_unknown_item(items, of_items, name)
                keepers |= {one: name for one in of_items.values() if one is not None}
        for keeper, field in keepers.items():
            targets = keep_to(call, keeper, targets, field)
        return targets


def refuse_unknown_item(
    ids: Iterable[str], keepers: Mapping[str, Keeper | None], field: str
) -> None:
    """Raise `InvalidRequestError` where one of `ids` is not among `keepers`."""
    for item_id in ids:
        if item_id not in keepers:
            raise InvalidRequestError(
                f"Item with id '{item_id[:64]}' not found among those that this project was"
                " answered through Headgate; send the item itself in place of the reference.",
                param=field,
                code="item_not_found",
            )


def keep_to(
    call: Call, keeper: Keeper, targets: tuple[Target, ...], field: str
) -> tuple[Target, ...]:
    """Those of `targets` that can see what `field` names; noted in `call`.

    Raises `InvalidRequestError` where there is none, or where the call must go by another key.
    """
    name = keeper.provider
    targets = tuple(target for target in targets if target.provider.name == name)
    if not targets:
        raise InvalidRequestError(
            f"What `{field}` names is kept by the provider `{name}`, which is not one of this"
            " model's, or not of all that the request names; ask for a model of that provider.",
            param=field,
        )
    try:
        key = targets[0].provider.keeper(keeper.provider_key).name
    except NotFoundError as error:
        raise InvalidRequestError(error.message, param=field, code=error.code) from None
    if call.kept_at is not None and call.kept_by != key:
        raise InvalidRequestError(
            f"What `{field}` names was made with the key `{key}` of the provider `{name}`, and what"
            f" else the request names with `{call.kept_by}`; name what one key made.",
            param=field,
            code="objects_of_different_keys",
        )
    call.kept_at, call.kept_by = name, key
    return targets
