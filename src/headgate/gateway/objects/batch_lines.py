"""Reads the lines of a batch's input file as they flow by: what they ask, and what they name.

Pure. Each line is a request that the provider makes later, past Headgate; so each is read here as
if it came by itself. What guards a batch's requests one by one stands in `BatchLines._check`.
"""

from __future__ import annotations

import msgspec

from headgate.errors import HeadgateError, InvalidRequestError
from headgate.gateway.endpoints import ENDPOINTS
from headgate.gateway.endpoints.endpoint import UNREADABLE
from headgate.gateway.line_splitter import LineSplitter, LineTooLongError
from headgate.gateway.objects.allowed import AllowedPaths
from headgate.gateway.objects.references import Reference, named_in
from headgate.gateway.objects.repeated_fields import repeats_field
from headgate.gateway.request import Request, read_request

MOST_NAMES = 100_000
"""Objects, responses and models that the lines of one file may name, each counted once."""

_VERSION = "/v1"


class ModelWork(msgspec.Struct):
    """What a batch asks of one model."""

    first_line: int
    requests: int = 0


class BatchContents(msgspec.Struct):
    """What the lines of a file name, each with the first line that does."""

    lines: int = 0
    models: dict[str, ModelWork] = {}
    """"" stands for what isn't named."""
    objects: dict[Reference, int] = {}
    responses: dict[str, int] = {}
    items: dict[str, int] = {}
    """Items of responses."""


class _Line(msgspec.Struct):
    url: str | None = None
    body: msgspec.Raw = msgspec.Raw(b"null")
    method: str = "POST"


_line = msgspec.json.Decoder(_Line)
_anything = msgspec.json.Decoder()


class BatchLines:
    """One file; `feed` it, then `end` it. Both raise `InvalidRequestError` that names the line."""

    def __init__(
        self, endpoint: str, *, max_line_bytes: int, allowed: AllowedPaths | None = None
    ) -> None:
        """`endpoint` is the batch's own, which a line may leave out.

        `allowed` are those that an operator lets pass by name.
        """
        self._endpoint = endpoint
        self._max_line_bytes = max_line_bytes
        self._allowed = allowed
        self._splitter = LineSplitter(max_line_bytes)
        self._number = 0
        self.contents = BatchContents()

    def feed(self, data: bytes) -> None:
        """Take in the file's next bytes."""
        try:
            lines = self._splitter.feed(data)
        except LineTooLongError as error:
            raise at_line(
                error.number, InvalidRequestError(f"It has more than {self._max_line_bytes} bytes.")
            ) from None
        for line in lines:
            self._end_line(line)

    def end(self) -> BatchContents:
        """Say that the file has ended; what it holds."""
        self._end_line(self._splitter.end())
        return self.contents

    def _end_line(self, line: bytes) -> None:
        self._number += 1
        if not line.strip():
            return
        self.contents.lines += 1
        try:
            self._read(line)
        except HeadgateError as error:
            raise at_line(self._number, error) from None

    def _read(self, line: bytes) -> None:
        try:
            whole = _anything.decode(line)
            read = _line.decode(line) if isinstance(whole, dict) else _Line()
        except msgspec.ValidationError as error:
            raise InvalidRequestError(f"It is no request of a batch: {error}.") from None
        except UNREADABLE:
            raise InvalidRequestError("It is not JSON that this server reads.") from None
        if repeats_field(line, whole):
            raise InvalidRequestError("It gives a field twice.", code="invalid_json")
        if read.method != "POST":
            raise InvalidRequestError("Its `method` must be POST.")
        url = self._endpoint if read.url is None else read.url
        name = url.removeprefix(_VERSION).removeprefix("/")
        endpoint = ENDPOINTS.get(name) if url.startswith("/") else None
        if not isinstance(whole, dict) or not isinstance(whole.get("body"), dict):
            # The provider says what is wrong with it, in the batch's own way.
            self._note_names(None)
            return
        if endpoint is not None:
            self._check(read_request(endpoint, bytes(read.body)), whole["body"])
            return
        path = "/" + name
        if self._allowed is None or self._allowed.find("POST", path) is None:
            raise InvalidRequestError(f"Its `url` `{url[:64]}` is no endpoint that is served here.")
        self._note_names(whole["body"])

    def _check(self, request: Request, body: object) -> None:
        """One request of the batch: refuse it, or note what it asks."""
        request.endpoint.check(request.fields)
        work = self._work_of(request.model)
        work.requests += 1
        if request.second_model is not None:
            self._work_of(request.second_model)
        previous = request.previous_response()
        if previous is not None and previous not in self.contents.responses:
            self._within_bounds()
            self.contents.responses[previous] = self._number
        if request.names_objects:
            self._note_names(body, models=False)

    def _work_of(self, model: str) -> ModelWork:
        work = self.contents.models.get(model)
        if work is None:
            self._within_bounds()
            work = self.contents.models[model] = ModelWork(self._number)
        return work

    def _note_names(self, body: object, *, models: bool = True) -> None:
        named = named_in(body)
        for reference in named.objects:
            if reference not in self.contents.objects:
                self._within_bounds()
                self.contents.objects[reference] = self._number
        for item_id in named.items:
            if item_id not in self.contents.items:
                self._within_bounds()
                self.contents.items[item_id] = self._number
        for model in (named.models or ("",)) if models else ():
            self._within_bounds()
            work = self.contents.models.setdefault(model, ModelWork(self._number))
            work.requests += 1

    def _within_bounds(self) -> None:
        found = self.contents
        objects = len(found.objects) + len(found.responses) + len(found.items)
        if len(found.models) + objects >= MOST_NAMES:
            raise InvalidRequestError(
                f"With it, the file names more than {MOST_NAMES} models and objects."
            )


def at_line(number: int, error: HeadgateError) -> HeadgateError:
    """`error` as one about a line of the file."""
    return type(error)(
        f"Line {number} of the batch's input file: {error.message}",
        param="input_file_id",
        code=error.code,
    )
