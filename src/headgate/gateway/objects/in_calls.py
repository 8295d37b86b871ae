"""The objects that a call names: that they are the project's, and who keeps them."""

from __future__ import annotations

import msgspec

from headgate.errors import InvalidRequestError, NotFoundError
from headgate.gateway.call import Call
from headgate.gateway.endpoints.endpoint import UNREADABLE
from headgate.gateway.objects.references import mentions_objects, named_in
from headgate.gateway.objects.register import Keeper, ObjectRegister
from headgate.gateway.target import Target

_MOST_NAMED = 500
"""Objects that one call may name; each may take a look into the database."""


class ObjectsInCalls:
    """Holds calls to their project's objects."""

    def __init__(self, register: ObjectRegister) -> None:
        self._register = register

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
            targets = keep_to(call, keeper, targets, field)
        return targets


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
