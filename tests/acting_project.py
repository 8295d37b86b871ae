"""A project whose model writes letters: with a tool that a person approves, and one that reads.

The simulator asks for the tool that the prompt names. What was sent stands in `sent.jsonl` beside
`workflows/`; while `broken` stands there too, nobody knows whether a letter was sent.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

SETTINGS = """\
logs: {calls: none}
console: {sign_in_attempts: 1000}
"""

_WORKFLOW = """\
version: 1.0.0
owner: letters
route: gpt-4.1-mini
description: Writes a letter.
tools:
  send_letter:
    effect: write
    per_hour: 1000
    arguments: {customer: input.customer}
  look_up:
    effect: read
    gives: trusted
"""
_TOOLS = '''\
import json
from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta

BESIDE = Path(__BESIDE__)


def send_letter(
    customer: str,
    text: Annotated[str, Meta(min_length=3, max_length=5000)],
    post: Literal["slow", "fast"] = "slow",
) -> dict:
    """Send a letter to the customer."""
    with (BESIDE / "sent.jsonl").open("a") as file:
        file.write(json.dumps({"customer": customer, "text": text, "post": post}) + "\\n")
    if (BESIDE / "broken").exists():
        raise RuntimeError("the post office burns")
    return {"letter": "L-1", "note": "<b>on its way</b>"}


def look_up(name: str) -> dict:
    """Look up an address."""
    return {"name": name}
'''
_FILES = {
    "input.schema.json": {
        "type": "object",
        "properties": {"customer": {"type": "string"}, "text": {"type": "string"}},
        "required": ["customer", "text"],
        "additionalProperties": False,
    },
    "output.schema.json": {
        "type": "object",
        "properties": {"summary": {"type": "string"}},
        "required": ["summary"],
        "additionalProperties": False,
    },
}
_PROMPT = """\
# system

Answer the customer with `send_letter`, then say in one line what you did.

# user

{{ input.text }}
"""


def write_acting_project(folder: Path) -> Path:
    """The project, in `folder`; its folder of workflows."""
    letters = folder / "workflows" / "letters"
    letters.mkdir(parents=True)
    (folder / "headgate.yaml").write_text(SETTINGS)
    (letters / "workflow.yaml").write_text(_WORKFLOW)
    (letters / "tools.py").write_text(_TOOLS.replace("__BESIDE__", repr(str(folder))))
    (letters / "prompt.md").write_text(_PROMPT)
    for name, schema in _FILES.items():
        (letters / name).write_text(json.dumps(schema))
    return folder / "workflows"


def letters_sent(folder: Path) -> list[dict[str, Any]]:
    """What the tool was called with, in order."""
    file = folder / "sent.jsonl"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
