"""An OpenAPI document: found, read, and what its references stand for.

Only references within the document are followed: a file that names others is to be bundled first.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from headgate.checks.schema_path import referred
from headgate.config.json_file import JsonFile
from headgate.config.yaml_file import YamlFile
from headgate.errors import ConfigError

METHODS = ("get", "post", "put", "patch", "delete")
"""The methods whose operations can be tools."""

_BYTES_AT_MOST = 8 * 1024 * 1024
_REFERENCES_AT_MOST = 20

Steps = tuple[str | int, ...]


class Place(msgspec.Struct, frozen=True):
    """Something in the document, and where it stands, so that an error can point at it."""

    node: Any
    steps: Steps


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """One operation."""

    method: str
    path: str
    place: Place
    shared: Place
    """The path's item, whose parameters all its operations have."""


class OpenApiDocument:
    """A document of version 3.0 or 3.1."""

    def __init__(self, file: JsonFile | YamlFile) -> None:
        """Raises `ConfigError` where it is none."""
        self._file = file
        self.data: Any = file.data
        version = str(self.data.get("openapi", "")) if isinstance(self.data, dict) else ""
        self.is_3_0 = version.startswith("3.0")
        if not self.is_3_0 and not version.startswith("3.1"):
            raise self.error("must be a document of OpenAPI 3.0 or 3.1", ("openapi",))

    @classmethod
    def read(cls, path: Path) -> OpenApiDocument:
        """The document at `path`, JSON where its name says so, else YAML."""
        try:
            content = path.read_bytes()
            text = content.decode()
        except OSError as error:
            raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
        except UnicodeDecodeError:
            raise ConfigError(f"{path}: is not UTF-8 text") from None
        if len(content) > _BYTES_AT_MOST:
            raise ConfigError(f"{path}: is larger than {_BYTES_AT_MOST:,} bytes; leave out some")
        try:
            is_json = path.suffix == ".json"
            return cls(JsonFile(path, content) if is_json else YamlFile(path, text))
        except RecursionError:
            raise ConfigError(f"{path}: is nested too deeply") from None

    def error(self, message: str, steps: Steps = ()) -> ConfigError:
        """A `ConfigError` that points at `steps`."""
        if isinstance(self._file, YamlFile):
            return self._file.error(message, *steps)
        return ConfigError(self._file.problem(message, steps))

    def operations(self) -> Iterator[tuple[str, Operation]]:
        """Every operation that has an `operationId`, with that."""
        paths = self.data.get("paths", {})
        if not isinstance(paths, dict):
            raise self.error("must be an object", ("paths",))
        for path, item in paths.items():
            shared = self.followed(Place(item, ("paths", path)))
            for method in METHODS if isinstance(shared.node, dict) else ():
                operation = shared.node.get(method)
                named = operation.get("operationId") if isinstance(operation, dict) else None
                if isinstance(named, str):
                    place = Place(operation, (*shared.steps, method))
                    yield (
                        named,
                        Operation(method=method.upper(), path=path, place=place, shared=shared),
                    )

    def followed(self, place: Place) -> Place:
        """What stands there, or what a reference that stands there leads to."""
        start = place
        for _ in range(_REFERENCES_AT_MOST):
            node = place.node
            if not isinstance(node, dict) or "$ref" not in node:
                return place
            place = self.target(node["$ref"], place.steps)
        raise self.error("its reference leads in a circle", start.steps)

    def target(self, reference: Any, steps: Steps) -> Place:
        """What the reference at `steps` leads to."""
        if not isinstance(reference, str) or not reference.startswith("#"):
            raise self.error(
                "refers to another document; write it into this one (bundle it)", (*steps, "$ref")
            )
        found = referred(self.data, reference)
        if found is None:
            raise self.error(f"there is no {reference}", (*steps, "$ref"))
        names = reference.lstrip("#/").split("/")
        return Place(
            found, tuple(name.replace("~1", "/").replace("~0", "~") for name in names if name)
        )
