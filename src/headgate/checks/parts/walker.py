"""Finds the parts of a request or a reply: every string, with who wrote it, and all media."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Any

from headgate.checks.parts.exempt import is_exempt
from headgate.checks.parts.part import Kind, Part, Role

MAX_DEPTH = 64
"""How deep parts are looked for; what is nested deeper is refused where a guard must see it."""

_ROLES: Mapping[str, Role] = {
    "system": "operator",
    "developer": "operator",
    "user": "user",
    "assistant": "model",
    "tool": "tool",
    "function": "tool",
    "critic": "model",
    "discriminator": "model",
}

_FIELD_ROLES: Mapping[str, Role] = {
    "instructions": "operator",
    "tools": "operator",
    "functions": "operator",
    "response_format": "operator",
    "text": "operator",
    "tool_choice": "operator",
    "function_call": "operator",
    "prediction": "user",
    "metadata": "label",
    "user": "label",
    "safety_identifier": "label",
    "prompt_cache_key": "label",
}
"""Of a request's own fields; the others are the user's."""

_ITEM_ROLES: Mapping[str, Role] = {
    "function_call_output": "tool",
    "custom_tool_call_output": "tool",
    "computer_call_output": "tool",
    "local_shell_call_output": "tool",
    "shell_call_output": "tool",
    "apply_patch_call_output": "tool",
    "mcp_call": "tool",
    "mcp_list_tools": "tool",
    "file_search_call": "retrieved",
    "web_search_call": "retrieved",
    "tool_search_output": "tool",
    "code_interpreter_call": "tool",
    "reasoning": "model",
    "function_call": "model",
    "custom_tool_call": "model",
    "computer_call": "model",
    "local_shell_call": "model",
    "shell_call": "model",
    "apply_patch_call": "model",
    "image_generation_call": "model",
    "mcp_approval_request": "model",
    "compaction": "model",
    "additional_tools": "operator",
    "item_reference": "model",
}
"""Of the items of a response, by their type."""

OPEN = frozenset(
    {
        "metadata", "parameters", "schema", "variables", "env", "headers", "attributes",
        "properties", "input_schema", "filters",
    }
)  # fmt: skip
"""Fields below which a caller names the fields."""

_JSON_TEXT = frozenset({"arguments"})
"""Fields whose text is JSON itself."""

_MEDIA: Mapping[str, Kind] = {
    "image_url": "image",
    "b64_json": "image",
    "partial_image_b64": "image",
    "image": "image",
    "mask": "image",
    "input_image_mask": "image",
    "input_audio": "audio",
    "audio": "audio",
    "file_data": "file",
    "file_url": "file",
}
"""Fields that hold media, as an address, as encoded bytes, or as an object with one of them."""

_RESPONSES = ("response", "realtime.response")

_TOKENS = frozenset({"input", "prompt"})
"""Fields whose text may be given as the numbers of its tokens."""

_BYTES = frozenset({"data", "url", "image_url", "file_data", "file_url", "b64_json", "result"})
"""Fields of such an object that hold the media itself."""


_OF_THE_API = re.compile(r"[a-z][a-z0-9_]{0,47}(?:\[[a-z0-9_]{0,47}\]){0,4}")
"""What the API calls its fields, also in forms: `svg[model]`."""


_BASE64 = re.compile(r"[A-Za-z0-9+/=_%-]*\s*")

_KNOWN: set[str] = set()
"""Names that were found to be like the API's; the first 4,096 of them are not looked at again."""
_KNOWN_AT_MOST = 4096


class TooDeepError(Exception):
    """A request or a reply is nested deeper than parts are looked for."""


def request_parts(fields: dict[str, Any], *, without: str | None = None) -> list[Part]:
    """The parts of a decoded request, `without` those of a field. Raises `TooDeepError`."""
    walk = _Walk(structured=False)
    for name, value in fields.items():
        if name == without:
            continue
        before = len(walk.found)
        role = _FIELD_ROLES.get(name, "user")
        where = walk.place("", fields, name, role)
        walk.field(fields, name, value, where, role, 1)
        for part in walk.found[before:]:
            part.field = name
    return walk.found


def reply_parts(
    body: Any, *, structured: bool = False, without: Collection[str] = ()
) -> list[Part]:
    """The parts of a decoded reply, or of one event of a stream. Raises `TooDeepError`.

    `structured` says that the texts that a model writes are JSON, as the request asked for.
    `without`: fields that are looked at elsewhere.
    """
    walk = _Walk(structured=structured)
    if isinstance(body, dict):
        walk.object(body, "", "model", 0, without)
    elif isinstance(body, list):
        walk.items(body, "", "", "model", 0)
    return walk.found


class _Walk:
    """One walk through decoded JSON."""

    __slots__ = ("_structured", "found")

    def __init__(self, *, structured: bool) -> None:
        self.found: list[Part] = []
        self._structured = structured

    def place(self, path: str, holder: dict[str, Any], name: str, role: Role) -> str:
        """Where the field `name` of what stands at `path` is; a name that is no API's is seen."""
        if name in _KNOWN or _is_the_apis(name):
            return f"{path}.{name}" if path else name
        # The caller's own words are no path: it may be logged.
        where = f"{path}.{{}}"
        self.found.append(Part(holder, name, path=where, role=role, kind="name"))
        return where

    def object(
        self,
        value: dict[str, Any],
        path: str,
        role: Role,
        depth: int,
        without: Collection[str] = (),
    ) -> None:
        """An object of the API's own."""
        if depth > MAX_DEPTH:
            raise TooDeepError
        said, kind = value.get("role"), value.get("type")
        if isinstance(said, str) and said in _ROLES:
            role = _ROLES[said]
        elif isinstance(kind, str) and kind in _ITEM_ROLES:
            role = _ITEM_ROLES[kind]
        # A response repeats what it was asked.
        echoes = value.get("object") in _RESPONSES
        for name, inner in value.items():
            if name in without:
                continue
            where = self.place(path, value, name, role)
            if name == "result" and kind == "image_generation_call":
                self.found.append(Part(value, name, path=where, role=role, kind="image"))
                continue
            its_role = _FIELD_ROLES.get(name, role) if echoes else role
            self.field(value, name, inner, where, its_role, depth + 1)

    def field(
        self, holder: dict[str, Any], name: str, value: Any, path: str, role: Role, depth: int
    ) -> None:
        """A field that the API names."""
        if not isinstance(value, str | dict | list) or is_exempt(name, value):
            return
        if name in OPEN or (name in _JSON_TEXT and not isinstance(value, str)):
            self._open(holder, name, path, role, depth)
        elif name in _MEDIA and self._media(holder, name, value, path, role, depth):
            return
        elif isinstance(value, str):
            self._text(holder, name, value, path, role, in_json=name in _JSON_TEXT)
        elif isinstance(value, dict):
            self.object(value, path, role, depth)
        else:
            self.items(value, name, path, role, depth)

    def items(self, values: list[Any], name: str, path: str, role: Role, depth: int) -> None:
        """A list in the field `name`."""
        if depth > MAX_DEPTH:
            raise TooDeepError
        if values and name in _TOKENS and _are_numbers(values):
            self.found.append(Part(values, 0, path=path, role=role, kind="tokens"))
            return
        for index, value in enumerate(values):
            where = f"{path}[{index}]"
            if isinstance(value, str):
                if not is_exempt(name, value):
                    self._text(values, index, value, where, role, in_json=False)
            elif isinstance(value, dict):
                self.object(value, where, role, depth + 1)
            elif isinstance(value, list):
                self.items(value, name, where, role, depth + 1)

    def _text(
        self, holder: Any, key: str | int, value: str, path: str, role: Role, *, in_json: bool
    ) -> None:
        in_json = in_json or (self._structured and role == "model")
        kind = _encoded(value)
        self.found.append(Part(holder, key, path=path, role=role, kind=kind, in_json=in_json))

    def _open(self, holder: Any, key: str | int, path: str, role: Role, depth: int) -> None:
        """All strings below a place where a caller names the fields, the names among them."""
        if depth > MAX_DEPTH:
            raise TooDeepError
        value = holder[key]
        if isinstance(value, str):
            self.found.append(Part(holder, key, path=path, role=role, kind=_encoded(value)))
        elif isinstance(value, dict):
            for number, name in enumerate(value):
                # The caller's own words are no path: it may be logged.
                where = f"{path}.{{{number}}}"
                self.found.append(Part(value, name, path=where, role=role, kind="name"))
                self._open(value, name, where, role, depth + 1)
        elif isinstance(value, list):
            for index in range(len(value)):
                self._open(value, index, f"{path}[{index}]", role, depth + 1)

    def _media(
        self, holder: dict[str, Any], name: str, value: Any, path: str, role: Role, depth: int
    ) -> bool:
        """The media in a field that may hold some; False where it holds something else."""
        kind = _MEDIA[name]
        if isinstance(value, str):
            self.found.append(Part(holder, name, path=path, role=role, kind=kind))
            return True
        if not isinstance(value, dict) or not _BYTES & value.keys():
            return False
        for inner_name, inner in value.items():
            where = self.place(path, value, inner_name, role)
            if isinstance(inner, str) and inner_name in _BYTES:
                self.found.append(Part(value, inner_name, path=where, role=role, kind=kind))
            else:
                self.field(value, inner_name, inner, where, role, depth + 1)
        return True


def _is_the_apis(name: str) -> bool:
    if not _OF_THE_API.fullmatch(name):
        return False
    if len(_KNOWN) < _KNOWN_AT_MOST:
        _KNOWN.add(name)
    return True


def _are_numbers(values: list[Any]) -> bool:
    return all(isinstance(value, int | float | Decimal) for value in values)


def _encoded(value: str) -> Kind:
    """What a string is that stands where texts do: text, or media as a data URL."""
    encoded = value.find(";base64,", 0, 256) if value.startswith("data:") else -1
    # A text that only begins like a picture is one that a model reads.
    if encoded > 0 and _BASE64.fullmatch(value, encoded + len(";base64,")):
        if value.startswith("data:image/"):
            return "image"
        return "audio" if value.startswith("data:audio/") else "file"
    return "text"
