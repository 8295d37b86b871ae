"""What a function's signature says of its arguments: a JSON Schema, and how JSON becomes them.

Types and their bounds are msgspec's: `Annotated[int, Meta(ge=1, description="…")]`, `Literal`,
lists, Structs, dataclasses and TypedDicts. The schema is what the model sees, and the same types
are what the function gets.
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from headgate.checks.schema import plain_json, refusals
from headgate.config.json_file import dotted

IDEMPOTENCY_KEY = "idempotency_key"
"""A keyword-only argument of this name is Headgate's to fill; the model doesn't see it."""

_DESCRIPTION_CHARACTERS_AT_MOST = 1024

_NAMED = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


class SignatureError(Exception):
    """A function can't be a tool; the message says what its author is to write."""


class Arguments(msgspec.Struct, frozen=True):
    """The arguments of one function."""

    kind: type[msgspec.Struct]
    schema: dict[str, Any]
    takes_key: bool
    """Whether it takes the idempotency key."""

    def converted(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """`arguments`, which are JSON, as the types that the function takes.

        Raises `msgspec.ValidationError`. What is not given is left out, so that the function's own
        default holds.
        """
        try:
            struct = msgspec.convert(arguments, self.kind, strict=True, str_keys=True)
        except msgspec.ValidationError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever a type's own `__post_init__` does
            # Not its text, which may quote what it was given.
            raise msgspec.ValidationError(f"they raised {type(error).__name__}") from None
        given = ((name, getattr(struct, name)) for name in self.kind.__struct_fields__)
        return {name: value for name, value in given if value is not msgspec.UNSET}


def arguments_of(function: Callable[..., Any]) -> Arguments:
    """What `function` takes. Raises `SignatureError`."""
    try:
        hints = typing.get_type_hints(inspect.unwrap(function), include_extras=True)
    except Exception as error:
        raise SignatureError(f"its types can't be read: {error}") from error
    fields: list[Any] = []
    defaults: dict[str, Any] = {}
    takes_key = False
    for parameter in inspect.signature(function).parameters.values():
        _check_parameter(parameter, hints)
        name, hint = parameter.name, hints[parameter.name]
        if name == IDEMPOTENCY_KEY:
            _check_key(parameter, hint)
            takes_key = True
        elif parameter.default is parameter.empty:
            fields.append((name, hint))
        else:
            # The default stays the function's: what the model leaves out is not passed at all.
            fields.append((name, hint | msgspec.UnsetType, msgspec.UNSET))
            defaults[name] = parameter.default
    try:
        kind = msgspec.defstruct(
            "Arguments", fields, kw_only=True, forbid_unknown_fields=True, frozen=True
        )
        schema = _rooted(msgspec.json.schema(kind))
    except Exception as error:
        said = " ".join(str(error).split())
        raise SignatureError(f"its types have no JSON Schema: {said}") from error
    for name, default in defaults.items():
        for value in _as_json(default):
            schema["properties"][name].setdefault("default", value)
    for steps, message in refusals(schema):
        raise SignatureError(f"its types make no JSON Schema: {dotted(steps)}: {message}")
    return Arguments(kind, schema, takes_key)


def description_of(function: Callable[..., Any]) -> str:
    """The first paragraph of its docstring, in one line. Raises `SignatureError`."""
    text = " ".join((inspect.getdoc(function) or "").split("\n\n")[0].split())
    if not text:
        raise SignatureError("write a docstring: it is what the model is told of it")
    if len(text) > _DESCRIPTION_CHARACTERS_AT_MOST:
        raise SignatureError(
            "the first paragraph of its docstring is longer than"
            f" {_DESCRIPTION_CHARACTERS_AT_MOST} characters"
        )
    return text


def _check_parameter(parameter: inspect.Parameter, hints: dict[str, Any]) -> None:
    name = parameter.name
    if parameter.kind not in _NAMED:
        raise SignatureError(f"`{parameter}`: a tool's arguments are named and counted")
    if name not in hints:
        raise SignatureError(f"`{name}` has no type; write `{name}: str`, say")
    if _is_any(hints[name]):
        raise SignatureError(f"`{name}`: `Any` tells a model nothing; write what it takes")


def _check_key(parameter: inspect.Parameter, hint: Any) -> None:
    if parameter.kind is not parameter.KEYWORD_ONLY or hint is not str:
        raise SignatureError(
            f"`{IDEMPOTENCY_KEY}` is Headgate's to fill: write `*, {IDEMPOTENCY_KEY}: str`"
        )


def _is_any(hint: Any) -> bool:
    if typing.get_origin(hint) is typing.Annotated:
        return _is_any(typing.get_args(hint)[0])
    return hint is Any or hint is inspect.Parameter.empty


def _rooted(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema with an object at its root, where msgspec writes a reference to it."""
    definitions: dict[str, Any] = schema["$defs"]
    root: dict[str, Any] = definitions.pop(schema["$ref"].rpartition("/")[2])
    root = {key: root[key] for key in ("type", "properties", "required", "additionalProperties")}
    for definition in definitions.values():
        # A field that the type doesn't have would be dropped, unseen by whoever approved it.
        if "properties" in definition:
            definition.setdefault("additionalProperties", False)
    return root | ({"$defs": definitions} if definitions else {})


def _as_json(default: Any) -> Iterator[Any]:
    """`default` as JSON; nothing where it can't be."""
    try:
        yield plain_json(msgspec.to_builtins(default, str_keys=True))
    except Exception:  # noqa: BLE001 - only the model's hint is lost
        return
