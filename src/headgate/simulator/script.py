"""A file of replies: which requests get which answer, instead of the one they would have got."""

from __future__ import annotations

import fnmatch
import re
from pathlib import Path
from typing import Any, Literal

import msgspec
import yaml

from headgate.simulator.answer import Answer, ToolCall
from headgate.simulator.faults.fault import PlannedFault
from headgate.simulator.faults.grammar import FaultSyntaxError, parse_faults
from headgate.simulator.wire.api_error import ApiError
from headgate.simulator.wire.request import JsonObject, Request

EndpointName = Literal["chat.completions", "responses", "embeddings", "moderations"]
"""The endpoints that a script may name."""

MAX_TEXT_CHARS = 200_000
"""How much of a request's text is searched for `contains` and `regex`."""

_SPOKEN = frozenset(("content", "text", "input", "instructions", "output", "arguments"))


class ScriptError(ValueError):
    """A scripts file can't be used; the message names file, line, entry and field."""


class Match(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a request must be like; everything that is given must hold."""

    endpoint: EndpointName | None = None
    model: str | None = None
    """A model's name; `*` stands for any letters."""
    contains: str | tuple[str, ...] | None = None
    """A text, or all of several, that the messages must contain, whatever their case."""
    regex: str | None = None
    header: dict[str, str] | None = None
    stream: bool | None = None


class ScriptedCall(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A call of a function."""

    name: str
    arguments: dict[str, Any] = {}


class ScriptedError(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An error in OpenAI's shape."""

    status: int
    message: str = "The simulator's script says that this request fails."
    type: str = "invalid_request_error"
    param: str | None = None
    code: str | None = None
    headers: dict[str, str] = {}


class ScriptedReply(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is answered; at most one of the first five, and a fault beside it."""

    text: str | None = None
    json: Any = None
    tool_calls: tuple[ScriptedCall, ...] | None = None
    refusal: str | None = None
    error: ScriptedError | None = None
    times: int | None = None
    """How often; after that the entry matches no more."""
    fault: str | None = None

    def answer(self) -> Answer | None:
        """The scripted answer; None where only a fault or an error is scripted."""
        if self.tool_calls is not None:
            calls = tuple(
                ToolCall(call.name, msgspec.json.encode(call.arguments).decode())
                for call in self.tool_calls
            )
            return Answer(tool_calls=calls, finish="tool_calls")
        if self.refusal is not None:
            return Answer(refusal=self.refusal)
        if self.json is not None:
            return Answer(text=msgspec.json.encode(self.json).decode())
        return Answer(text=self.text) if self.text is not None else None

    def raise_error(self) -> None:
        """Raise the scripted error, if there is one."""
        if self.error is not None:
            raise ApiError(
                self.error.status,
                self.error.message,
                kind=self.error.type,
                param=self.error.param,
                code=self.error.code,
                headers=tuple(self.error.headers.items()),
            )


class ScriptEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One entry of the file."""

    match: Match
    reply: ScriptedReply


class Script:
    """The entries of one file, and how often each has answered."""

    def __init__(self, entries: tuple[ScriptEntry, ...] = ()) -> None:
        self._entries = entries
        self._used = [0] * len(entries)
        self._patterns = [
            re.compile(entry.match.regex, re.IGNORECASE) if entry.match.regex else None
            for entry in entries
        ]
        self._faults = [parse_faults(entry.reply.fault or "") for entry in entries]

    @classmethod
    def read(cls, path: str) -> Script:
        """The script at `path`; `ScriptError` where it can't be used."""
        try:
            text = Path(path).read_text("utf-8")
            items = yaml.safe_load(text)
            root = yaml.compose(text, Loader=yaml.SafeLoader)
        except OSError as error:
            raise ScriptError(f"{path}: cannot be read: {error.strerror}") from None
        except (UnicodeDecodeError, yaml.YAMLError) as error:
            raise ScriptError(f"{path}: is not YAML: {error}") from None
        if items is None:
            return cls()
        if not isinstance(items, list) or root is None:
            raise ScriptError(f"{path}: should be a list of entries with `match` and `reply`")
        entries = []
        for place, (item, node) in enumerate(zip(items, root.value, strict=True)):
            where = f"{path}:{node.start_mark.line + 1}: entry {place + 1}"
            entries.append(_entry(item, where))
        return cls(tuple(entries))

    def reply_for(
        self, endpoint: EndpointName, request: Request, body: JsonObject
    ) -> tuple[ScriptedReply, tuple[PlannedFault, ...]] | None:
        """The first entry's reply that matches, and its faults; it counts as used."""
        text: str | None = None
        for place, entry in enumerate(self._entries):
            times = entry.reply.times
            if times is not None and self._used[place] >= times:
                continue
            if not _fits(entry.match, endpoint, request, body):
                continue
            if entry.match.contains is not None or entry.match.regex is not None:
                text = spoken_text(body) if text is None else text
                if not self._says(place, text):
                    continue
            self._used[place] += 1
            return entry.reply, self._faults[place]
        return None

    def _says(self, place: int, text: str) -> bool:
        contains = self._entries[place].match.contains
        wanted = (contains,) if isinstance(contains, str) else contains or ()
        if not all(part.lower() in text.lower() for part in wanted):
            return False
        pattern = self._patterns[place]
        return pattern is None or pattern.search(text) is not None


def spoken_text(body: JsonObject) -> str:
    """The texts of all messages in a request, of whichever endpoint; at most `MAX_TEXT_CHARS`."""
    found: list[str] = []

    def gather(value: Any, *, spoken: bool) -> None:
        if isinstance(value, str):
            if spoken:
                found.append(value)
        elif isinstance(value, list):
            for part in value:
                gather(part, spoken=spoken)
        elif isinstance(value, dict):
            for key, part in value.items():
                gather(part, spoken=key in _SPOKEN)

    for key in ("instructions", "messages", "input"):
        gather(body.get(key), spoken=key != "messages")
    return "\n".join(found)[:MAX_TEXT_CHARS]


def _fits(match: Match, endpoint: EndpointName, request: Request, body: JsonObject) -> bool:
    if match.endpoint is not None and match.endpoint != endpoint:
        return False
    if match.model is not None and not fnmatch.fnmatchcase(str(body.get("model")), match.model):
        return False
    if match.stream is not None and match.stream != bool(body.get("stream")):
        return False
    headers = match.header or {}
    return all(request.headers.get(name.lower()) == value for name, value in headers.items())


def _entry(item: Any, where: str) -> ScriptEntry:
    try:
        entry = msgspec.convert(item, ScriptEntry)
    except msgspec.ValidationError as error:
        message, _, at = str(error).partition(" - at `$")
        field = at.rstrip("`").lstrip(".")
        raise ScriptError(f"{where}: {field + ': ' if field else ''}{message}") from None
    reply = entry.reply
    given = [
        name
        for name in ("text", "json", "tool_calls", "refusal", "error")
        if getattr(reply, name) is not None
    ]
    if len(given) > 1:
        raise ScriptError(f"{where}: reply: has both {given[0]} and {given[1]}; give one")
    if not given and reply.fault is None:
        raise ScriptError(
            f"{where}: reply: says nothing; give text, json, tool_calls, refusal, error or fault"
        )
    if reply.times is not None and reply.times < 1:
        raise ScriptError(f"{where}: reply.times: must be 1 or more")
    if reply.error is not None and not 400 <= reply.error.status <= 599:
        raise ScriptError(f"{where}: reply.error.status: must be 400 to 599")
    try:
        re.compile(entry.match.regex or "")
        parse_faults(reply.fault or "")
    except re.error as error:
        raise ScriptError(f"{where}: match.regex: {error}") from None
    except FaultSyntaxError as error:
        raise ScriptError(f"{where}: reply.fault: {error}") from None
    return entry
