"""docs/reference/http-api.md: every address, from the OpenAPI document that the server answers."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from docs.generators.markdown import code, table
from headgate.app.composition import build
from headgate.app.plan import Plan
from headgate.app.preparation import prepare
from headgate.config.settings import ProviderSettings, Settings

_INTRODUCTION = """\
# HTTP API

`GET /openapi.json` answers the OpenAPI 3.1 document that this page is written from. Send \
`Authorization: Bearer hg_…` with a live key; what each role may do stands in [Roles](roles.md), \
what goes wrong in [Errors](errors.md).

Under `/v1` stands OpenAI's own API: requests and replies are those of OpenAI's reference, unknown \
fields pass. Under `/api` an unknown field in a body or a query is an error that names it. Times \
are seconds since 1970 UTC.

## Headers

Requests under `/v1` and to `POST /api/workflows/{name}/runs` may carry:

| header | what it does |
|---|---|
| `x-headgate-feature` | What the cost is for: 1 to 64 letters, digits, spaces and `./:_-`. |
| `x-headgate-user` | The end user. Only a keyed hash is kept. Without it, OpenAI's own fields \
`safety_identifier` and `user` are read. |
| `Idempotency-Key` | Under `/v1`, handed on to the provider. For a workflow: the same key and \
input give the same run. |
| `x-headgate-complexity` | `low`, `medium` or `high`: a hint for tiered routes. |
| `x-headgate-hedge` | `safe`: the call may be made twice where its route hedges. |
| `Prefer` | Under `/v1`, `wait=N`: the whole answer within N seconds, or 504 `deadline_exceeded`. |
| `x-stainless-read-timeout`, `x-stainless-timeout` | How long the official SDKs wait for an \
answer to begin, in seconds; kept as `Prefer: wait` is, but for a stream that flows. |
| `x-headgate-cache` | `no-store`: neither answered from the cache nor kept there. |
| `x-headgate-cache-tag` | Under `/v1`: names to clear the answer by, with commas between. |
| `traceparent` | W3C trace context; its trace id stands in the call's record and log \
line, and its span is the parent of the call's [own](../how-to/trace-calls.md). |
| `x-simulator-fault` | A fault for the simulator to play, handed on only to a provider on this \
machine. |

Replies carry:

| header | what it tells |
|---|---|
| `x-request-id` | The provider's, or Headgate's own where no provider was asked. |
| `x-headgate-call-id` | The call's record in the ledger. |
| `x-headgate-target` | The provider and model of the last attempt, `openai/gpt-4.1-mini`. |
| `x-headgate-attempts` | How many requests were sent to providers. |
| `x-headgate-cache` | `hit`, `miss`, `stale` (an older answer, because no target answered) or \
`off`; see [caching](../how-to/caching.md). |
| `x-headgate-cost-usd` | The cost in dollars, exactly, where it is known before the body: not in \
streams, not for an unpriced model. |
| `x-headgate-simulated` | `true` where the simulator answered. |
| `x-headgate-run-id`, `x-headgate-workflow-version` | Of a workflow: the run and its version. |
| `x-headgate-fallback` | `true` where a workflow's declared fallback answered. |
| `idempotency-replayed` | `true` where an earlier run with the same key is answered again. |
| `x-ratelimit-*`, `retry-after`, `retry-after-ms`, `x-should-retry`, `openai-processing-ms`, \
`openai-version` | The provider's own, handed on; `x-should-retry` also Headgate's. |
"""

_SECTIONS = {
    "openai": "The OpenAI API",
    "workflows": "Workflows",
    "runs": "Runs",
    "actions": "Actions",
    "reviews": "Reviews",
    "usage": "Usage",
    "cache": "Cache",
    "keys": "Keys",
    "projects": "Projects",
    "config": "Configuration",
    "health": "Health and metrics",
}
"""A tag's heading; the order of the page."""


def page() -> str:
    """The page's Markdown."""
    document = asyncio.run(_document())
    schemas: dict[str, dict[str, Any]] = document["components"]["schemas"]
    operations: dict[str, list[str]] = {tag: [] for tag in _SECTIONS}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            told = "\n\n".join(_operation(method.upper(), path, operation))
            operations[operation["tags"][0]].append(told)
    parts = [_INTRODUCTION.strip()]
    for tag, heading in _SECTIONS.items():
        parts += [f"## {heading}", *operations[tag]]
    parts.append("## Objects")
    parts += [_schema(name, schemas[name]) for name in sorted(schemas)]
    return "\n\n".join(parts)


async def _document() -> dict[str, Any]:
    """What a server with nothing configured answers at /openapi.json."""
    with tempfile.TemporaryDirectory() as folder:
        plan = Plan(
            settings=Settings(),
            folder=None,
            database_url=f"sqlite:///{Path(folder) / 'reference.db'}",
            secret_key=None,
            providers={"openai": ProviderSettings()},
            simulated=frozenset(),
        )
        prepare(plan, None)
        application = build(plan)
        sent: list[Any] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        scope: dict[str, Any] = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "GET",
            "scheme": "http",
            "path": "/openapi.json",
            "raw_path": b"/openapi.json",
            "query_string": b"",
            "root_path": "",
            "headers": [],
            "client": None,
            "server": None,
        }
        try:
            await application(scope, receive, send)
        finally:
            await application.stop()
    body = b"".join(message.get("body", b"") for message in sent)
    document: dict[str, Any] = msgspec.json.decode(body)
    return document


def _operation(method: str, path: str, operation: dict[str, Any]) -> Iterator[str]:
    yield f"### {code(f'{method} {path}')}"
    permission = operation.get("x-headgate-permission")
    asks = f"Permission: {code(permission)}." if permission else "Needs no key."
    yield f"{operation['summary'].rstrip('.')}. {asks}"
    listed = [
        [code(parameter["name"]), parameter["in"], _type(parameter["schema"]), _told(parameter)]
        for parameter in operation["parameters"]
        if parameter["in"] != "path"
    ]
    if listed:
        yield table(["parameter", "in", "type", "what it does"], listed)
    if body := operation.get("requestBody"):
        kind = body["content"]["application/json"]["schema"]
        yield f"Body: {_type(kind) if '$ref' in kind else 'as in the reference of the OpenAI API'}."
    for status, reply in operation["responses"].items():
        if status.isdigit() and "content" in reply:
            yield f"Answers {status}: {_type(reply['content']['application/json']['schema'])}."


def _schema(name: str, schema: dict[str, Any]) -> str:
    heading = f"### {name}"
    told = schema.get("description", "").strip()
    if "properties" not in schema:
        return f"{heading}\n\n{told} {_type(schema)}".strip()
    required = schema.get("required", [])
    rows = [
        [
            code(field),
            _type(value) + ("" if field in required or "default" in value else ", may be missing"),
            _told(value) if "$ref" not in value else "",
        ]
        for field, value in schema["properties"].items()
    ]
    return f"{heading}\n\n{told}\n\n{table(['field', 'type', 'what it is'], rows)}"


def _told(described: dict[str, Any]) -> str:
    text = str(described.get("description", "")).strip()
    schema = described.get("schema", described)
    default = schema.get("default")
    if schema.get("enum") == [default]:
        return text
    if default not in (None, "", [], {}):
        text += f" Default: {code(msgspec.json.encode(default).decode())}."
    return text.strip()


def _type(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "anyOf" in schema:
        return " or ".join(_type(member) for member in schema["anyOf"])
    if "enum" in schema:
        return " or ".join(code(str(value)) for value in schema["enum"])
    match schema.get("type"):
        case "array":
            return f"list of {_type(schema.get('items', {}))}"
        case "object":
            return "object"
        case "string":
            return "text"
        case "integer":
            return ", ".join(["whole number", *_bounds(schema)])
        case "number":
            return ", ".join(["number", *_bounds(schema)])
        case "boolean":
            return "true or false"
        case "null":
            return "null"
    return "any JSON"


def _bounds(schema: dict[str, Any]) -> Iterator[str]:
    for sign, name in (("≥", "minimum"), ("≤", "maximum")):
        if name in schema:
            yield f"{sign} {schema[name]}"
