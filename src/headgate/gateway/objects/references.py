"""Which objects and models a JSON body names, wherever in it they stand. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from headgate.errors import InvalidRequestError
from headgate.gateway.objects.kind import Kind

_FIELDS: dict[str, Kind] = {
    "batch_id": "batch",
    "container": "container",
    "container_id": "container",
    "conversation": "conversation",
    "conversation_id": "conversation",
    "eval_id": "eval",
    "file_id": "file",
    "file_ids": "file",
    "input_file_id": "file",
    "skill_id": "skill",
    "training_file": "file",
    "validation_file": "file",
    "vector_store_id": "vector_store",
    "vector_store_ids": "vector_store",
    "video": "video",
}
"""Fields that name an object, or several, by identifier; or hold it as `{"id": …}`."""

_NAMES = frozenset(_FIELDS)

_PASSED_OVER = frozenset({"metadata", "attributes", "annotations"})
"""Maps whose keys the application chooses, so that they name nothing; and what a model cited."""

_EVERYBODYS = ("stored_completions", "responses", "logs")
"""Sources of an eval's run that hold what every project of the provider's account stored."""

_ECHOED = ("code_interpreter_call", "file_search_call")
"""Items that a model wrote and that an application hands back: they open nothing."""

_SAID = frozenset({"input", "messages"})
"""Fields of calls in which no tool is set up, so that a container is named by `container_id`."""

_ITEM_LISTS = frozenset({"input", "items"})
"""Fields of a request that hold items of responses; one with an `id` alone names another."""

_OPEN = (b"{", b"[")

_MARKS = (b"file_id", b"store_id", b"tainer_id", b"skill_id")


class Reference(msgspec.Struct, frozen=True):
    """An object that a body names."""

    kind: Kind
    id: str
    field: str
    """Where it stands, for the error's `param`."""


class Named(msgspec.Struct, frozen=True):
    """What a body names."""

    objects: tuple[Reference, ...] = ()
    models: tuple[str, ...] = ()
    """The outermost first."""
    items: tuple[str, ...] = ()
    """Items of responses that are named in their own place."""


def mentions_objects(fields: Mapping[str, msgspec.Raw]) -> bool:
    """Whether a call's `fields` may name an object.

    Each call is looked at, so what can be is left to the search for one byte, which is many times
    as fast as that for a word: without an underscore there is no `file_id` and no item's
    identifier, and without a backslash no letter that is written in another way.
    """
    if not _NAMES.isdisjoint(fields):
        return True
    for name, value in fields.items():
        raw = bytes(value)
        if raw[:1] in _OPEN and (
            (
                b"_" in raw
                and (
                    (b"_id" in raw and any(one in raw for one in _MARKS))
                    or (name in _ITEM_LISTS and b'"id"' in raw)
                )
            )
            or (name not in _SAID and b'"container"' in raw)
            or (b"\\" in raw and b"\\u00" in raw)
        ):
            return True
    return False


def kind_named_by(field: str) -> Kind | None:
    """What a form's field of this name names, also as in `images[0][file_id]`; None: nothing."""
    for part in field.replace("]", "[").split("["):
        if part in _FIELDS:
            return _FIELDS[part]
    return None


def names_object(field: str) -> bool:
    """Whether a form's field of this name names an object."""
    return kind_named_by(field) is not None


def named_in(value: Any, field: str = "") -> Named:
    """What `value`, decoded JSON, names; `field` is where it stood.

    Raises `InvalidRequestError` for a source that holds what other projects made.
    """
    objects: list[Reference] = []
    models: list[str] = []
    # Elsewhere, as in a schema's `items`, a list of that name holds other things.
    outermost = value.items() if isinstance(value, dict) and not field else [(field, value)]
    items = [one for name, found in outermost if name in _ITEM_LISTS for one in _referred(found)]
    for name, found in _walk(value, field):
        if name in _FIELDS:
            kind = _FIELDS[name]
            if kind == "video" and not isinstance(found, dict):
                continue  # a film's address, as other servers' messages have it
            objects += (Reference(kind, one, name) for one in _ids(found) if _is_owned(kind, one))
        elif name == "model" and isinstance(found, str):
            models.append(found)
        elif name == "source" and isinstance(found, dict) and found.get("type") in _EVERYBODYS:
            raise InvalidRequestError(
                f"A run's source can't be `{found['type']}`, which holds what every project of"
                " this provider's account stored; name a file of your own, or give its content.",
                param="source",
                code="unsupported_parameter",
            )
        if isinstance(found, dict) and found.get("type") == "file_id":
            objects += (Reference("file", one, "id") for one in _ids(found))
    return Named(
        tuple(dict.fromkeys(objects)), tuple(dict.fromkeys(models)), tuple(dict.fromkeys(items))
    )


def _referred(listed: Any) -> Iterator[str]:
    """The items that are named in a list of items: by the published type, or by the id alone."""
    for item in listed if isinstance(listed, list) else ():
        if not isinstance(item, dict) or not isinstance(item.get("id"), str):
            continue
        kind = item.get("type")
        if kind == "item_reference" or (kind is None and "role" not in item):
            yield item["id"]


def _walk(value: Any, field: str) -> Iterator[tuple[str, Any]]:
    """Every field's name and value below `value`, and `value` itself, what is outermost first."""
    # No recursion: a body may be nested deeper than Python's stack.
    waiting: deque[tuple[str, Any]] = deque([] if field in _PASSED_OVER else [(field, value)])
    while waiting:
        name, found = waiting.popleft()
        yield name, found
        if isinstance(found, dict):
            if found.get("type") in _ECHOED:
                continue
            waiting += ((key, part) for key, part in found.items() if key not in _PASSED_OVER)
        elif isinstance(found, list):
            # What a list holds belongs to the list's own field, which has been looked at.
            waiting += (("", part) for part in found if isinstance(part, dict | list))


def _is_owned(kind: Kind, object_id: str) -> bool:
    """Whether this is an object of somebody's: the provider's own skills are everybody's."""
    return kind != "skill" or not object_id.startswith("openai-")


def _ids(found: Any) -> Iterator[str]:
    for one in found if isinstance(found, list) else (found,):
        if isinstance(one, str):
            yield one
        elif isinstance(one, dict) and isinstance(one.get("id"), str):
            yield one["id"]
