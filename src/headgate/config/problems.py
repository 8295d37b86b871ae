"""Finds every problem of a YAML document, not only the first, so that one look mends all."""

from __future__ import annotations

from typing import Any

import msgspec

from headgate.config.yaml_file import YamlFile
from headgate.errors import ConfigError


def every_problem(document: YamlFile, kind: type[msgspec.Struct]) -> tuple[str, ...]:
    """What keeps `document` from being a `kind`: one line for each top-level field at most."""
    if not isinstance(document.data, dict):
        return _complaint(document, kind)
    fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
    problems: list[str] = []
    for key in document.data:
        if key in fields:
            # The decoder stops at its first complaint, so each field is decoded by itself.
            alone = msgspec.defstruct("Alone", [(key, fields[key].type)])
            problems.extend(_complaint(document, alone))
        else:
            problems.append(
                document.error("unknown field; remove it or check its spelling", key).message
            )
    problems.extend(
        document.error(f"the required field `{name}` is missing").message
        for name, field in fields.items()
        if field.required and name not in document.data
    )
    return tuple(problems)


def _complaint(document: YamlFile, kind: type[Any]) -> tuple[str, ...]:
    try:
        document.into(kind)
    except ConfigError as error:
        return error.problems
    return ()
