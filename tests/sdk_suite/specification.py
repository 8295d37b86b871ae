"""Which endpoints does the SDK call, and what do they answer? Written as an OpenAPI specification.

Runs in the environment that the SDK is installed in: `python specification.py SOURCE OUTPUT`. Where
the source carries the specification that it was generated from, that one is the one to use. Where
it doesn't, this derives one from the source itself: addresses from its lists of methods (`api.md`),
requests and replies from the types of those methods.
"""

from __future__ import annotations

import importlib
import inspect
import json
import re
import sys
import typing
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from openai import OpenAI
from pydantic import TypeAdapter

_METHOD = re.compile(
    r'<code title="(?P<verb>\w+) (?P<path>[^"]+)">client\.(?P<group>[\w.]*)<a href="[^"]*">'
    r"(?P<name>\w+)</a>(?P<arguments>.*?)</code>"
)
_PARAMETERS = re.compile(r'href="(?:\./)?src/openai/(?P<file>types/[\w/]*_params)\.py"')
_MAY_BE_FORMS = ("audio", "images", "files", "uploads", "videos", "skills", "voice")
"""Parts of addresses whose requests may be forms with files, which no JSON Schema describes."""

Mode = Literal["validation", "serialization"]


class Schemas:
    """The types that were met, and where their schemas are to stand."""

    def __init__(self) -> None:
        self._adapters: dict[tuple[str, Mode], TypeAdapter[Any]] = {}
        self._places: list[tuple[dict[str, Any], tuple[str, Mode], list[str]]] = []
        self.untold: list[str] = []
        """Types that no schema can tell; anything is taken for them."""

    def stand_for(
        self, kind: Any, mode: Mode, elsewhere: Sequence[str] = ()
    ) -> dict[str, Any] | None:
        """An object that holds the schema of `kind` once `fill` was called; None where none can.

        It requires nothing that is named `elsewhere`: a type of parameters holds those of the
        path too.
        """
        place: dict[str, Any] = {}
        key = (repr(kind), mode)
        if key not in self._adapters:
            try:
                adapter = TypeAdapter(kind)
                adapter.json_schema(mode=mode)
            except Exception as error:  # noqa: BLE001 - pydantic has many, and all mean the same
                self.untold.append(f"{kind}: {str(error).partition(chr(10))[0][:100]}")
                return None
            self._adapters[key] = adapter
        self._places.append((place, key, list(elsewhere)))
        return place

    def fill(self) -> dict[str, Any]:
        """Write every schema where it stands; return the definitions that they refer to."""
        # All at once, so that two types of one name get two names.
        found, rest = TypeAdapter.json_schemas(
            [(key, mode, adapter) for (key, mode), adapter in self._adapters.items()],
            ref_template="#/components/schemas/{model}",
        )
        definitions: dict[str, Any] = rest.get("$defs", {})
        for place, key, elsewhere in self._places:
            place.update(_without(found[key], elsewhere, definitions))
        return definitions


def _without(
    schema: dict[str, Any], elsewhere: Sequence[str], definitions: dict[str, Any]
) -> dict[str, Any]:
    """`schema`, and each alternative in it, without requiring what stands `elsewhere`."""
    if not elsewhere:
        return schema
    if name := schema.get("$ref", "").rpartition("/")[2]:
        schema = definitions[name]
    schema = dict(schema)
    if "required" in schema:
        schema["required"] = [name for name in schema["required"] if name not in elsewhere]
    for several in ("anyOf", "oneOf"):
        if several in schema:
            schema[several] = [_without(one, elsewhere, definitions) for one in schema[several]]
    return schema


def specification(source: Path) -> tuple[dict[str, Any], list[str]]:
    """What `source` tells of the API, and the types that it could not be told of."""
    client = OpenAI(api_key="unused", admin_api_key="unused", base_url="http://127.0.0.1:9/v1")
    paths: dict[str, dict[str, Any]] = {}
    schemas = Schemas()
    lists = [page.read_text("utf-8") for page in sorted(source.rglob("api.md"))]
    methods = [found for text in lists for found in _METHOD.finditer(text)]
    # A beta's address is the plain one with a query, and the mock goes by the plain one.
    for found in sorted(methods, key=lambda found: "?" in found["path"]):
        path = found["path"].partition("?")[0]
        in_path = re.findall(r"{(\w+)}", path)
        method: Any = client
        for step in filter(None, (*found["group"].split("."), found["name"])):
            method = getattr(method, step, None)
        operation: dict[str, Any] = {
            "parameters": [
                {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
                for name in in_path
            ],
            "responses": {"200": _reply(method, schemas)},
        }
        if found["verb"] in ("post", "put", "patch"):
            operation["requestBody"] = {"content": _request(found, in_path, schemas)}
        # Several methods may share an address; each answers as the first one.
        paths.setdefault(path, {}).setdefault(found["verb"], operation)
    return {
        "openapi": "3.1.0",
        "info": {"title": "The API as the SDK's source tells it", "version": "1"},
        "paths": paths,
        "components": {"schemas": schemas.fill()},
    }, schemas.untold


def _reply(method: Any, schemas: Schemas) -> dict[str, Any]:
    kind = _whole(typing.get_type_hints(inspect.unwrap(method)).get("return", type(None)))
    if kind is type(None):
        return {"description": "nothing"}
    if "Binary" in str(kind):
        content = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
    else:
        schema = schemas.stand_for(kind, "serialization")
        content = {"application/json": {"schema": {} if schema is None else schema}}
    return {"description": "the answer", "content": content}


def _whole(kind: Any) -> Any:
    """The reply of a call that is not streamed: the type without its streams."""
    members = typing.get_args(kind) if "Union" in str(typing.get_origin(kind)) else ()
    if not any("Stream" in str(member) for member in members):
        return kind
    return next(member for member in members if "Stream[" not in str(member))


def _request(found: re.Match[str], in_path: list[str], schemas: Schemas) -> dict[str, Any]:
    anything: dict[str, Any] = {"schema": {}}
    if any(part in found["path"] for part in _MAY_BE_FORMS):
        return {"application/json": anything, "multipart/form-data": anything}
    parameters = _PARAMETERS.search(found["arguments"])
    if parameters is None:
        return {"application/json": anything}
    module = importlib.import_module("openai." + parameters["file"].replace("/", "."))
    name = "".join(part.title() for part in parameters["file"].rpartition("/")[2].split("_"))
    kind = getattr(module, name, None)
    if kind is None:
        return {"application/json": anything}
    schema = schemas.stand_for(kind, "validation", in_path)
    if schema is None:
        return {"application/json": anything, "multipart/form-data": anything}
    return {"application/json": {"schema": schema}}


def main() -> None:
    """Write the specification of the source that the command line names."""
    source, output = map(Path, sys.argv[1:])
    found, untold = specification(source)
    output.write_text(json.dumps(found), "utf-8")
    print(f"{sum(map(len, found['paths'].values()))} operations; {len(untold)} types taken as any")
    for line in untold:
        print(f"  {line}")


if __name__ == "__main__":
    main()
