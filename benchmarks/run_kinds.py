"""The kinds of runs whose cost is compared, their workflows, and the upstream behind them all."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

_MODEL: Final = "benchmark-model"
_TEXT: Final = "Where is my parcel?"

CONFIGURATION: Final = """
tools:
  desk:
    kind: http
    base_url: "{upstream_url}"
    tools:
      look: { description: Looks it up., path: /look, effect: read, parameters: &text {
        type: object, additionalProperties: false, required: [text],
        properties: { text: { type: string } } } }
      act: { description: Does it., path: /act, effect: write, approval: never,
        needs: untrusted, idempotent: true, parameters: *text }
"""
"""A headgate.yaml; the service is the upstream too."""

_SCHEMA: Final = {
    "type": "object",
    "properties": {"text": {"type": "string"}},
    "required": ["text"],
    "additionalProperties": False,
}
_FILES: Final = {
    "input.schema.json": json.dumps(_SCHEMA),
    "output.schema.json": json.dumps(_SCHEMA),
    "prompt.md": "# system\n\nRepeat the text.\n\n# user\n\n{{ input.text }}\n",
}
_WORKFLOWS: Final = {
    "plain": "",
    "reads": "tools: {look: {source: desk/look}}\n",
    "acts": "tools: {act: {source: desk/act}}\n",
    "asks": "tools: {act: {source: desk/act, approval: always}}\n",
    "reviewed": "review: {always: true}\n",
}
"""What each adds to the plain one's workflow.yaml."""

_RUN: Final = {"input": {"text": _TEXT}}
_CALL: Final = {"model": _MODEL, "messages": [{"role": "user", "content": _TEXT}]}


@dataclass(frozen=True)
class Kind:
    """What is asked for, until its end."""

    path: str
    body: dict[str, Any]
    headers: dict[str, str]
    decided: bool = False
    """Whether it waits, and goes on when it is approved, which is done at once."""


def _run_of(workflow: str, *, decided: bool = False, **headers: str) -> Kind:
    return Kind(f"/api/workflows/{workflow}/runs", _RUN, headers, decided)


KINDS: Final = {
    "call": Kind("/v1/chat/completions", _CALL, {}),
    "sync": _run_of("plain"),
    "read": _run_of("reads"),
    "review": _run_of("reviewed", decided=True),
    "async": _run_of("plain", prefer="respond-async, wait=60"),
    "action": _run_of("acts", prefer="respond-async, wait=60"),
    "approval": _run_of("asks", decided=True, prefer="respond-async, wait=60"),
}


def write_workflows(folder: Path) -> None:
    """The workflows of all kinds, in the project `folder`."""
    for name, more in _WORKFLOWS.items():
        workflow = folder / "workflows" / name
        workflow.mkdir(parents=True)
        for file, text in _FILES.items():
            (workflow / file).write_text(text)
        settings = f"version: 1.0.0\nowner: benchmark\nroute: {_MODEL}\n{more}"
        (workflow / "workflow.yaml").write_text(settings)


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer every request on a connection at once, as the model or as the service."""
    try:
        while True:
            request = await reader.readuntil(b"\r\n\r\n")
            length = next(
                (
                    int(line.partition(b":")[2])
                    for line in request.split(b"\r\n")
                    if line.lower().startswith(b"content-length:")
                ),
                0,
            )
            content = await reader.readexactly(length)
            path = request.split(b" ", 2)[1]
            body = _reply(content) if path.endswith(b"/completions") else b'{"id": "t1"}'
            writer.write(_HEAD % len(body) + body)
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


_HEAD: Final = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"


def _completion(message: dict[str, Any]) -> bytes:
    reply = {
        "id": "chatcmpl-benchmark",
        "object": "chat.completion",
        "created": 1_790_000_000,
        "model": _MODEL,
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 20, "completion_tokens": 10, "total_tokens": 30},
    }
    return json.dumps(reply).encode()


def _asking(tool: str) -> bytes:
    function = {"name": tool, "arguments": json.dumps({"text": _TEXT})}
    calls = [{"id": "ask_1", "type": "function", "function": function}]
    return _completion({"role": "assistant", "content": None, "tool_calls": calls})


_ANSWER: Final = _completion(
    {"role": "assistant", "content": json.dumps({"text": _TEXT}), "refusal": None}
)
_ASKING: Final = {tool: _asking(tool) for tool in ("look", "act")}


def _reply(content: bytes) -> bytes:
    """It asks for the tool that it is offered, and answers when that has."""
    body = json.loads(content)
    if body["messages"][-1]["role"] != "tool":
        for tool in body.get("tools", ()):
            if (asking := _ASKING.get(tool["function"]["name"])) is not None:
                return asking
    return _ANSWER
