"""Reads the input of a workflow out of an OpenAI request whose model is `workflow:NAME`."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from headgate.checks.schema import Schema
from headgate.errors import InvalidRequestError
from headgate.workflows.folder import Workflow
from headgate.workflows.sample import sample_of

OpenAIEndpoint = Literal["chat/completions", "responses"]

_REFUSED = {
    "tools": "a workflow has its own tools",
    "functions": "a workflow has its own tools",
    "background": "a workflow answers at once",
    "previous_response_id": "a workflow keeps no conversation",
    "conversation": "a workflow keeps no conversation",
    "audio": "a workflow answers in JSON",
}
"""Fields that would change what is done, and that a workflow can't honour.

Others, such as `temperature` or `response_format`, are the workflow's to decide and are ignored.
"""


class OpenAIRequest(msgspec.Struct, frozen=True):
    """What of a request matters to a workflow."""

    input: dict[str, Any]
    stream: bool
    include_usage: bool
    metadata: dict[str, str]


class _StreamOptions(msgspec.Struct):
    include_usage: bool | None = None


class _Part(msgspec.Struct):
    type: str
    text: str | None = None


class _Item(msgspec.Struct):
    role: str | None = None
    content: str | list[_Part] | None = None
    type: str | None = None


class _Body(msgspec.Struct):
    messages: list[_Item] | None = None
    input: str | list[_Item] | None = None
    n: int | None = None
    stream: bool | None = None
    stream_options: _StreamOptions | None = None
    metadata: dict[str, str] | None = None


def read_openai_request(workflow: Workflow, endpoint: OpenAIEndpoint, body: bytes) -> OpenAIRequest:
    """The request for `workflow`; `InvalidRequestError` names the field and what to send."""
    try:
        fields = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
        request = msgspec.json.decode(body, type=_Body)
    except msgspec.ValidationError as error:
        message, _, place = str(error).partition(" - at `$")
        param = place.rstrip("`").lstrip(".") or None
        raise InvalidRequestError(
            f"{f'`{param}`: ' if param else ''}{message[:1].lower()}{message[1:]}.", param=param
        ) from None
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise InvalidRequestError(
            f"The body is not valid JSON: {error}.", code="invalid_json"
        ) from None
    _refuse_what_is_not_honoured(fields, request)
    text = _last_user_text(endpoint, request)
    return OpenAIRequest(
        _as_input(workflow.name, workflow.input_schema, text),
        bool(request.stream),
        bool(request.stream_options and request.stream_options.include_usage),
        request.metadata or {},
    )


def _refuse_what_is_not_honoured(fields: dict[str, msgspec.Raw], request: _Body) -> None:
    for name, reason in _REFUSED.items():
        if bytes(fields.get(name, b"null")) not in (b"null", b"false", b"[]"):
            raise InvalidRequestError(
                f"`{name}` can't be used with a workflow: {reason}; leave it out.",
                param=name,
                code="unsupported_parameter",
            )
    if request.n not in (None, 1):
        raise InvalidRequestError(
            "`n` can't be more than 1 with a workflow; send several requests.",
            param="n",
            code="unsupported_parameter",
        )


def _last_user_text(endpoint: OpenAIEndpoint, request: _Body) -> str:
    field = "messages" if endpoint == "chat/completions" else "input"
    items = request.messages if endpoint == "chat/completions" else request.input
    if isinstance(items, str):
        return items
    said = [item for item in items or [] if item.role == "user"]
    if not said:
        raise InvalidRequestError(
            f"`{field}` holds no message of the user's; the workflow's input goes there.",
            param=field,
            code="missing_required_parameter",
        )
    content = said[-1].content
    if isinstance(content, str):
        return content
    for part in content or []:
        if part.text is None or part.type not in ("text", "input_text"):
            raise InvalidRequestError(
                f"`{field}`: a workflow takes text, not a part of type `{part.type[:32]}`.",
                param=field,
                code="unsupported_content",
            )
    return "\n".join(part.text or "" for part in content or [])


def _as_input(name: str, schema: Schema, text: str) -> dict[str, Any]:
    """The object in `text`; or `text` itself where the schema has one place for it."""
    try:
        parsed = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        parsed = None
    only = _only_text_field(schema)
    if isinstance(parsed, dict) and (only is None or not schema.problems(parsed)):
        return parsed
    if only is not None:
        return {only: text}
    shape = msgspec.json.encode(sample_of(schema.document, optional=False)).decode()
    raise InvalidRequestError(
        f"The workflow `{name}` takes a JSON object: make the last user message one such as"
        f" {shape[:500]}; GET /api/workflows/{name} shows its schema.",
        param="messages",
        code="invalid_input",
    )


def _only_text_field(schema: Schema) -> str | None:
    if len(schema.required) != 1:
        return None
    only = schema.required[0]
    kind = schema.properties.get(only)
    return only if isinstance(kind, dict) and kind.get("type") == "string" else None
