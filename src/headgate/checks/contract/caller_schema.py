"""A JSON Schema that a caller sent: compiled with bounds, since it may be meant to do harm."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

import jsonschema_rs
import msgspec

from headgate.checks.schema_work import (
    UnknownReferenceError,
    extent,
    lists_errors_of,
    unfolded,
)

_BYTES_AT_MOST = 256 * 1024
_UNFOLDED_AT_MOST = 20_000
"""Subschemas of one schema, its references followed."""

_WORK_AT_MOST = 5_000_000
"""Subschemas times values of one check, which takes some 0.3 s at worst."""

_BACKTRACKS_AT_MOST = 10_000
_PATTERN_BYTES_AT_MOST = 1 << 20

_KEPT_AT_MOST = 256
_KEPT_BYTES_AT_MOST = 4 << 20
"""Of the schemas that are kept compiled, as JSON; the longest unused goes first."""

_DRAFTS: dict[str, Any] = {
    "https://json-schema.org/draft/2020-12/schema": jsonschema_rs.Draft202012Validator,
    "https://json-schema.org/draft/2019-09/schema": jsonschema_rs.Draft201909Validator,
    "http://json-schema.org/draft-07/schema": jsonschema_rs.Draft7Validator,
    "http://json-schema.org/draft-06/schema": jsonschema_rs.Draft6Validator,
    "http://json-schema.org/draft-04/schema": jsonschema_rs.Draft4Validator,
}


class UncheckableError(Exception):
    """A schema can't be checked against; the message says why, and quotes nothing of it."""


class Fault(msgspec.Struct, frozen=True):
    """The first thing in which a value breaks its schema; it holds nothing of the value."""

    path: str
    """Where, by names that the schema itself has; other names are `*`. Empty for the whole."""
    keyword: str
    """What is broken, such as `required`; `json` where it is no JSON at all."""


class CallerSchema:
    """A compiled schema."""

    def __init__(self, document: Any) -> None:
        """Raises `UncheckableError`."""
        if not isinstance(document, dict | bool):
            raise UncheckableError("is no JSON Schema")
        self._document = document
        self._work = _unfolded(document)
        self._names = _names(document)
        dialect = document.get("$schema") if isinstance(document, dict) else None
        kind = _DRAFTS.get(str(dialect or next(iter(_DRAFTS))).rstrip("#"))
        if kind is None:
            raise UncheckableError("is of a `$schema` that is not known; 2020-12 is")
        try:
            self._validator = kind(
                document,
                offline=True,
                validate_formats=True,
                pattern_options=jsonschema_rs.FancyRegexOptions(
                    backtrack_limit=_BACKTRACKS_AT_MOST,
                    size_limit=_PATTERN_BYTES_AT_MOST,
                    dfa_size_limit=_PATTERN_BYTES_AT_MOST,
                ),
            )
        except (ValueError, jsonschema_rs.ReferencingError):
            raise UncheckableError("is no valid JSON Schema") from None

    def fault_in(self, text: str) -> Fault | None:
        """In what a JSON text breaks it; None where it fits. Raises `UncheckableError`."""
        try:
            value = msgspec.json.decode(text)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            return Fault("", "json")
        # A text has no more values than characters, so most need not be counted.
        if len(text) * self._work > _WORK_AT_MOST < extent(value)[0] * self._work:
            raise UncheckableError("is too much for an answer of this size")
        return self.fault(value)

    def fault(self, value: Any) -> Fault | None:
        """The same of a value that is not large."""
        if self._validator.is_valid(value):
            return None
        if not lists_errors_of(self._document, value):
            return Fault("", "schema")
        error = next(iter(self._validator.iter_errors(value)), None)
        if error is None:
            return Fault("", "schema")
        steps = list(error.instance_path)
        if error.kind.name == "required":
            steps.append(error.kind.as_dict()["property"])
        return Fault(self._path(steps), error.kind.name)

    def _path(self, steps: Sequence[str | int]) -> str:
        # A name that the schema doesn't have is the model's, and may be somebody's.
        told = [
            f"[{step}]" if isinstance(step, int) else f".{step if step in self._names else '*'}"
            for step in steps
        ]
        return "".join(told).removeprefix(".")


class CallerSchemas:
    """Schemas by what they say, so that one that comes with every request is compiled once."""

    def __init__(self) -> None:
        self._kept: OrderedDict[bytes, tuple[CallerSchema | UncheckableError, int]] = OrderedDict()
        self._kept_bytes = 0

    def compiled(self, document: Any) -> CallerSchema:
        """`document` compiled. Raises `UncheckableError`."""
        try:
            written = msgspec.json.encode(document)
        except RecursionError:
            raise UncheckableError("is nested too deeply") from None
        if len(written) > _BYTES_AT_MOST:
            raise UncheckableError(f"has more than {_BYTES_AT_MOST} bytes")
        key = hashlib.sha256(written).digest()
        known = self._kept.get(key)
        if known is None:
            try:
                # Anew from its bytes: guards may rewrite the request that it came in.
                found: CallerSchema | UncheckableError = CallerSchema(msgspec.json.decode(written))
            except UncheckableError as error:
                found = error
            self._keep(key, found, len(written))
        else:
            self._kept.move_to_end(key)
            found = known[0]
        if isinstance(found, UncheckableError):
            raise UncheckableError(*found.args)
        return found

    def _keep(self, key: bytes, found: CallerSchema | UncheckableError, size_bytes: int) -> None:
        self._kept[key] = found, size_bytes
        self._kept_bytes += size_bytes
        while len(self._kept) > _KEPT_AT_MOST or self._kept_bytes > _KEPT_BYTES_AT_MOST:
            _, (_, gone_bytes) = self._kept.popitem(last=False)
            self._kept_bytes -= gone_bytes


def _unfolded(document: Any) -> int:
    try:
        count = unfolded(document, _UNFOLDED_AT_MOST)
    except UnknownReferenceError:
        raise UncheckableError(
            "has a reference that is not followed; write references as `#/$defs/NAME`, and no"
            " `$id` but at the root"
        ) from None
    if count is None:
        raise UncheckableError(f"unfolds to more than {_UNFOLDED_AT_MOST} parts")
    return count


def _names(document: Any) -> frozenset[str]:
    """Every name that stands under a `properties`, or is required."""
    found: set[str] = set()
    waiting = [document]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            if isinstance(properties := node.get("properties"), dict):
                found.update(properties)
            if isinstance(required := node.get("required"), list):
                found.update(name for name in required if isinstance(name, str))
            waiting += node.values()
        elif isinstance(node, list):
            waiting += node
    return frozenset(found)
