"""A value for a JSON Schema, sensible for a text, and valid or not given at all."""

from __future__ import annotations

import math
from typing import Any

import jsonschema_rs
import msgspec

from headgate.simulator.schema.choices import (
    fitting_options,
    ranked_options,
    truth,
    wished_number,
)
from headgate.simulator.schema.items import item_places
from headgate.simulator.schema.meaning import FACTUAL, Meaning, Place
from headgate.simulator.schema.numbers import bounds_of, number_within
from headgate.simulator.schema.references import ReferenceNotFoundError, References
from headgate.simulator.schema.strings import string_for
from headgate.simulator.schema.wording import NOT_STATED, texts_for
from headgate.simulator.text.ranking import keywords
from headgate.simulator.text.source import Source
from headgate.simulator.text.words import stem, stems

MAX_PARTS = 20_000
"""How many parts a value may have."""

SOFT_DEPTH = 4
"""From this depth on, and beyond `SOFT_PARTS`, only what must be there is written."""

SOFT_PARTS = 400
"""How many parts are written before the value is brought to its end."""

MAX_HEIGHT = 150
"""How deep a value may have to be at least."""

_USUAL_ITEMS: dict[Meaning, int] = {"question": 3, "points": 4, "summary": 3, "action": 2}
_USUAL_MAX_ITEMS = 12


class UnsatisfiableError(Exception):
    """No value was found for the schema; the message says why, as far as is known."""


def instance_for(schema: dict[str, Any], source: Source, *, index: int = 0) -> Any:
    """A value that is valid for `schema`; `UnsatisfiableError` where none can be made.

    Another `index` may give another value, as for the second of two choices.
    """
    try:
        references = References(schema)
        validator = jsonschema_rs.validator_for(schema, validate_formats=True)
    except (ValueError, RecursionError, jsonschema_rs.ValidationError) as error:
        raise UnsatisfiableError(f"it is not a valid JSON Schema: {error}") from None
    if references.height(schema) > MAX_HEIGHT:
        raise UnsatisfiableError("every value of it would be endless or too deep")
    complaint = ""
    for text in (source, Source(subject="", body="")):
        try:
            value = _Writer(references).write(schema, Place(source=text, index=index))
        except (UnsatisfiableError, ReferenceNotFoundError, RecursionError) as error:
            complaint = complaint or str(error)
            continue
        if validator.is_valid(value):
            return value
        complaint = complaint or str(next(iter(validator.iter_errors(value))))
    raise UnsatisfiableError(complaint)


class _Writer:
    """Writes one value; counts its parts, so that it comes to an end."""

    def __init__(self, references: References) -> None:
        self._references = references
        self._parts = 0

    def write(self, schema: Any, place: Place) -> Any:
        self._parts += 1
        if self._parts > MAX_PARTS:
            raise UnsatisfiableError(f"its smallest value has over {MAX_PARTS} parts")
        schema = _merged(self._references, self._references.resolved(schema))
        if schema is True or schema == {}:
            return {} if schema is True else NOT_STATED
        if not isinstance(schema, dict):
            raise UnsatisfiableError("a part of it allows no value")
        if isinstance(schema.get("description"), str):
            place = msgspec.structs.replace(place, description=schema["description"])
        if "const" in schema:
            return schema["const"]
        if isinstance(schema.get("enum"), list):
            return self._option(schema, place)
        for key in ("anyOf", "oneOf"):
            if isinstance(schema.get(key), list) and schema[key]:
                return self._branch(schema, key, place)
        return self._of_kind(schema, place)

    def _of_kind(self, schema: dict[str, Any], place: Place) -> Any:
        kinds = _kinds(schema)
        nullable = "null" in kinds
        kind = next((found for found in kinds if found != "null"), "null")
        match kind:
            case "object":
                if nullable and (
                    self._is_late(place) or self._references.height(schema) == math.inf
                ):
                    return None
                return self._object(schema, place)
            case "array":
                return self._array(schema, place)
            case "string":
                found = string_for(schema, place)
                if found is None:
                    if nullable:
                        return None
                    raise UnsatisfiableError(f"no string was found for {_shown(schema)}")
                text, said = found
                return None if nullable and not said and place.meaning in FACTUAL else text
            case "integer" | "number":
                return self._number(schema, place, integer=kind == "integer", nullable=nullable)
            case "boolean":
                return truth(place)
            case "null":
                return None
            case _:
                raise UnsatisfiableError(f"'{kind}' is not a type of JSON")

    def _option(self, schema: dict[str, Any], place: Place) -> Any:
        kinds = _kinds(schema) if "type" in schema else ()
        options = [option for option in schema["enum"] if not kinds or _is_one_of(option, kinds)]
        others = {key: value for key, value in schema.items() if key not in ("enum", "$defs")}
        if others.keys() & {"pattern", "minimum", "maximum", "minLength", "maxLength", "format"}:
            validator = jsonschema_rs.validator_for(others, validate_formats=True)
            options = [option for option in options if validator.is_valid(option)]
        if not options:
            raise UnsatisfiableError(f"no value of the enum suits {_shown(schema)}")
        ranked = ranked_options([option for option in options if option is not None], place)
        return ranked[0] if ranked else None

    def _branch(self, schema: dict[str, Any], key: str, place: Place) -> Any:
        beside = {name: value for name, value in schema.items() if name != key}
        branches = [
            branch for branch in schema[key] if self._references.height(branch) <= MAX_HEIGHT
        ]
        if not branches:
            raise UnsatisfiableError(f"every branch of an {key} is endless")
        nullable = any(self._is_null(branch) for branch in branches)
        others = [branch for branch in branches if not self._is_null(branch)]
        if not others:
            return None
        if self._is_late(place):
            if nullable:
                return None
            others.sort(key=self._references.height)
        else:
            said = {stem(word) for word in place.source.content_words}
            others.sort(key=lambda branch: -len(said & self._branch_stems(branch)))
        complaint: UnsatisfiableError | None = None
        for branch in others:
            chosen = self._references.resolved(branch)
            if isinstance(chosen, dict):
                kind = chosen.get("type")
                if nullable and isinstance(kind, str):
                    chosen = {**chosen, "type": [kind, "null"]}
                chosen = {**beside, **chosen}
            try:
                return self.write(chosen, place)
            except UnsatisfiableError as error:
                complaint = error
        if nullable:
            return None
        raise complaint or UnsatisfiableError(f"no branch of an {key} can be satisfied")

    def _branch_stems(self, branch: Any) -> set[str]:
        """The words by which one branch is told from another."""
        resolved = self._references.resolved(branch)
        if not isinstance(resolved, dict):
            return set()
        text = [str(resolved.get("title", "")), str(resolved.get("description", ""))]
        for name, part in (resolved.get("properties") or {}).items():
            text.append(name.replace("_", " "))
            if isinstance(part, dict):
                text += [str(part.get("const", "")), *map(str, part.get("enum") or ())]
        return stems(" ".join(text))

    def _is_null(self, branch: Any) -> bool:
        return isinstance(branch, dict) and (
            branch.get("type") == "null" or ("const" in branch and branch["const"] is None)
        )

    def _object(self, schema: dict[str, Any], place: Place) -> dict[str, Any]:
        properties = schema.get("properties") or {}
        required = set(schema.get("required") or ())
        late = self._is_late(place)
        value: dict[str, Any] = {}
        for name, part in properties.items():
            if name not in required and (late or self._references.height(part) > MAX_HEIGHT):
                continue
            value[name] = self.write(part, place.within(name))
        for name in required - properties.keys():
            value[name] = self.write(schema.get("additionalProperties", {}), place.within(name))
        self._add_entries(schema, place, value)
        return value

    def _add_entries(self, schema: dict[str, Any], place: Place, value: dict[str, Any]) -> None:
        """Entries of a map, whose names the schema leaves open."""
        open_part = schema.get("additionalProperties")
        wanted = int(schema.get("minProperties") or 0)
        if isinstance(open_part, dict) and not schema.get("properties") and not value:
            wanted = max(wanted, 0 if self._is_late(place) else 2)
        if wanted <= len(value) or open_part is False:
            return
        most = int(schema.get("maxProperties", wanted))
        found = [word for word in keywords(place.source, wanted) if word not in value]
        found += [f"entry_{number}" for number in range(1, wanted + 1)]
        for name in found[: min(wanted, most) - len(value)]:
            value[name] = self.write(
                open_part if isinstance(open_part, dict) else {"type": "string"},
                place.within(name),
            )

    def _array(self, schema: dict[str, Any], place: Place) -> list[Any]:
        least = int(schema.get("minItems") or 0)
        most = int(schema["maxItems"]) if "maxItems" in schema else max(least, _USUAL_MAX_ITEMS)
        first = schema.get("prefixItems") or []
        items = schema.get("items", {})
        if isinstance(items, list):
            first, items = items, schema.get("additionalItems", {})
        if least > MAX_PARTS or least > most:
            raise UnsatisfiableError(f"no array has {least} to {most} items")
        if self._is_late(place) or self._references.height(items) > MAX_HEIGHT:
            most = max(least, len(first))
        value = [self.write(part, place.item(place.source, at)) for at, part in enumerate(first)][
            : most or None
        ]
        if items is False:
            return value
        item = _merged(self._references, self._references.resolved(items))
        unique = schema.get("uniqueItems") is True
        least, most = max(0, least - len(value)), max(0, most - len(value))
        return value + self._items(item, place, least, most, unique=unique)

    def _items(self, item: Any, place: Place, least: int, most: int, *, unique: bool) -> list[Any]:
        if most == 0:
            return []
        if isinstance(item, dict) and isinstance(item.get("enum"), list):
            fitting = [one for one in fitting_options(item["enum"], place) if one is not None]
            rest = [one for one in ranked_options(item["enum"], place) if one not in fitting]
            chosen = (fitting + rest[: max(0, least - len(fitting))])[:most]
            while not unique and len(chosen) < least:
                chosen.append(chosen[-1])
            return chosen
        if isinstance(item, dict) and item.get("type") == "string" and "const" not in item:
            return self._strings(item, place, least, most, unique=unique)
        places = item_places(item, place, least, most)
        value: list[Any] = []
        for at in range(len(places) + 50):
            if len(value) >= len(places):
                break
            one = self.write(item, places[at] if at < len(places) else place.item(place.source, at))
            if not unique or one not in value:
                value.append(one)
        return value

    def _strings(
        self, item: dict[str, Any], place: Place, least: int, most: int, *, unique: bool
    ) -> list[Any]:
        bound = bool(item.keys() & {"format", "pattern"})
        usual = most if place.meaning in FACTUAL else _USUAL_ITEMS.get(place.meaning, 5)
        wanted = min(most, max(least, usual))
        value: list[Any] = []
        for at, text in enumerate([] if bound else texts_for(place, wanted)):
            fitted = string_for(item, place.worded(text, at))
            if fitted is not None and not (unique and fitted[0] in value):
                value.append(fitted[0])
        enough = max(least, 1) if bound else least
        for at in range(len(value), enough + 200):
            if len(value) >= enough:
                break
            fitted = string_for(item, place.item(place.source, at))
            if fitted is not None and unique and fitted[0] in value:
                fitted = string_for(item, place.worded(f"{at + 1}. {fitted[0]}", at))
            if fitted is None:
                raise UnsatisfiableError(f"no string was found for {_shown(item)}")
            if not unique or fitted[0] not in value:
                value.append(fitted[0])
        return value[:most]

    def _number(
        self, schema: dict[str, Any], place: Place, *, integer: bool, nullable: bool
    ) -> int | float | None:
        wished, said = wished_number(place)
        if nullable and not said:
            return None
        if integer:
            wished = float(round(wished)) if math.isfinite(wished) else 1.0
        found = number_within(bounds_of(schema, integer=integer), wished, integer=integer)
        if found is None and not nullable:
            raise UnsatisfiableError(f"no number was found for {_shown(schema)}")
        return found

    def _is_late(self, place: Place) -> bool:
        return place.depth >= SOFT_DEPTH or self._parts > SOFT_PARTS


def _kinds(schema: dict[str, Any]) -> tuple[str, ...]:
    kind = schema.get("type")
    if isinstance(kind, list):
        return tuple(map(str, kind))
    if isinstance(kind, str):
        return (kind,)
    if "properties" in schema or "additionalProperties" in schema:
        return ("object",)
    if "items" in schema or "prefixItems" in schema:
        return ("array",)
    if schema.keys() & {"minimum", "maximum", "multipleOf", "exclusiveMinimum"}:
        return ("number",)
    return ("string",)


def _is_one_of(value: Any, kinds: tuple[str, ...]) -> bool:
    return any(jsonschema_rs.is_valid({"type": kind}, value) for kind in kinds)


def _merged(references: References, schema: Any) -> Any:
    """`schema` with its `allOf` drawn into it, as far as that can be done by joining keywords."""
    if not isinstance(schema, dict) or not isinstance(schema.get("allOf"), list):
        return schema
    merged = {key: value for key, value in schema.items() if key != "allOf"}
    for part in schema["allOf"]:
        resolved = _merged(references, references.resolved(part))
        if not isinstance(resolved, dict):
            continue
        for key, value in resolved.items():
            if key == "properties":
                merged[key] = {**merged.get(key, {}), **value}
            elif key == "required":
                merged[key] = [*merged.get(key, ()), *value]
            else:
                merged[key] = value
    return merged


def _shown(schema: dict[str, Any]) -> str:
    return msgspec.json.encode(
        {key: schema[key] for key in schema if key not in ("description", "$defs", "title")}
    ).decode()[:200]
