"""A small workflow, and a model that answers what a test tells it to."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import msgspec

from headgate.gateway.caller import Caller
from headgate.storage.identifiers import new_id
from headgate.workflows.journal import RunLostError
from headgate.workflows.model import ModelReply, ModelRequest
from headgate.workflows.run import Order, Run

FILES = {
    "workflow.yaml": """\
version: 1.2.3
owner: tests
route: small-model
""",
    "input.schema.json": """\
{
  "type": "object",
  "properties": {"text": {"type": "string"}, "tone": {"type": "string"}},
  "required": ["text"],
  "additionalProperties": false
}
""",
    "output.schema.json": """\
{
  "type": "object",
  "properties": {
    "label": {"type": "string", "enum": ["good", "bad"]},
    "score": {"type": "integer", "minimum": 0}
  },
  "required": ["label", "score"],
  "additionalProperties": false
}
""",
    "prompt.md": """\
# system

Label the text.

# user

Text: {{ input.text }}
{% if input.tone is defined %}
Tone: {{ input.tone }}
{% endif %}
""",
}

GOOD = {"label": "good", "score": 3}


class Kept:
    """A journal in memory, as JSON, for one leg; it dies where it is told to."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}
        self.dies_after = ""
        self.lost = False

    async def once(self, name: str, work: Any, kind: type[Any]) -> Any:
        if name not in self.kept:
            self.kept[name] = msgspec.json.encode(await work())
            if name == self.dies_after:
                raise asyncio.CancelledError
        return msgspec.json.decode(self.kept[name], type=kind)

    async def note(self, trail: Any) -> None:
        if self.lost:
            raise RunLostError

    def headers(self, name: str) -> tuple[tuple[bytes, bytes], ...]:
        return ((b"idempotency-key", name.encode()),)


class ScriptedModel:
    """Answers from a list: an object, a text, a reply's changes, or an exception."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.requests: list[ModelRequest] = []
        self.delay_s = 0.0

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return [msgspec.json.decode(request.body) for request in self.requests]

    async def complete(self, request: ModelRequest) -> ModelReply:
        self.requests.append(request)
        await asyncio.sleep(self.delay_s)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, BaseException):
            raise answer
        if isinstance(answer, ModelReply):
            return answer
        content = answer if isinstance(answer, str) else msgspec.json.encode(answer).decode()
        return completion(content)


def completion(
    content: str | None = None, *, refusal: str | None = None, finish_reason: str = "stop"
) -> ModelReply:
    message = {"role": "assistant", "content": content, "refusal": refusal}
    choice = {"index": 0, "message": message, "finish_reason": finish_reason}
    return ModelReply(
        call_id="call_1",
        status=200,
        body=msgspec.json.encode({"choices": [choice]}),
        latency_us=1500,
        attempts=1,
        target="openai/small-model",
        model_answered="small-model-1",
        input_tokens=100,
        cached_tokens=40,
        output_tokens=20,
        reasoning_tokens=5,
        cost_nanousd=1_000,
    )


def failure(status: int, code: str, message: str = "It broke.") -> ModelReply:
    error = {"message": message, "type": "upstream_error", "param": None, "code": code}
    return ModelReply(
        call_id="call_1", status=status, body=msgspec.json.encode({"error": error}), attempts=3
    )


CALLER = Caller(key_id="key_1", project="default", role="app")


def order(text: str = "hello", **changes: Any) -> Order:
    fields = {
        "workflow": "labels",
        "input": {"text": text},
        "caller": CALLER,
        "trace_id": "0" * 31 + "1",
        **changes,
    }
    return Order(**fields)


def write_project(folder: Path) -> Path:
    """A project in `folder` with one workflow, `labels`; the workflow's folder."""
    labels = folder / "workflows" / "labels"
    labels.mkdir(parents=True)
    for name, text in FILES.items():
        (labels / name).write_text(text)
    return labels


def write_cached_project(folder: Path, route: str, label: dict[str, Any]) -> None:
    """A project whose workflow `labels` gives answers again; `label` is its output's schema."""
    labels = folder / "workflows" / "labels"
    labels.mkdir(parents=True)
    (labels / "workflow.yaml").write_text(
        f"version: 1.0.0\nowner: tests\nroute: {route}\ncache: {{ttl_s: 60}}\n"
    )
    (labels / "prompt.md").write_text("# system\n\nLabel.\n\n# user\n\n{{ input.text }}\n")
    given: dict[str, Any] = {
        "type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"],
    }  # fmt: skip
    output = given | {"properties": {"label": label}, "required": ["label"]}
    (labels / "input.schema.json").write_bytes(msgspec.json.encode(given))
    (labels / "output.schema.json").write_bytes(
        msgspec.json.encode(output | {"additionalProperties": False})
    )


def declare(labels: Path, text: str) -> None:
    """Add to the workflow.yaml in the folder `labels`."""
    with (labels / "workflow.yaml").open("a") as file:
        file.write(text)


def stored_run(**changes: Any) -> Run:
    """A run of `labels` that has just begun."""
    fields = {
        "id": new_id("run"),
        "project": "default",
        "key_id": "key_1",
        "workflow": "labels",
        "version": "1.0.0",
        "digest": "sha256:" + "0" * 64,
        "created_at_us": time.time_ns() // 1000,
        "trace_id": "0" * 32,
        "input": {"text": "ä\x00€"},
    }
    return Run(**{**fields, **changes})


def asks(*wanted: tuple[str, dict[str, Any] | str]) -> ModelReply:
    """A reply that asks for these tools, each with its arguments or the text of them."""
    calls = [
        {
            "id": f"ask_{number}",
            "type": "function",
            "function": {
                "name": name,
                "arguments": given
                if isinstance(given, str)
                else msgspec.json.encode(given).decode(),
            },
        }
        for number, (name, given) in enumerate(wanted)
    ]
    message = {"role": "assistant", "content": None, "tool_calls": calls}
    choice = {"index": 0, "message": message, "finish_reason": "tool_calls"}
    return msgspec.structs.replace(completion(), body=msgspec.json.encode({"choices": [choice]}))
