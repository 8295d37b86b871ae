"""What was said in a run after its prompt: the tools that were asked for, and their answers.

It is kept when a run waits for a person, so that whoever goes on with it knows where it was.
"""

from __future__ import annotations

from typing import Any

import msgspec

from headgate.workflows.prompts.prompt import Message
from headgate.workflows.tools.asked import AskedTool


class Talk(msgspec.Struct, kw_only=True, omit_defaults=True):
    """How far a run has come; filled while it goes on."""

    messages: list[dict[str, Any]] = []
    """Of a chat completions request, after the prompt's."""
    pending: list[AskedTool] = []
    """Calls of the newest reply that have no answer yet, in order."""
    correction: list[Message] = []
    """What the model is told of its newest answer, where that failed its checks."""
    attempt: int = 1
    """1, or 2 and more after being asked again."""
    calls: int = 0
    """Calls of models so far."""
    tools: int = 0
    """Calls of tools that were answered; the next has the number after it."""
    used: dict[str, int] = {}
    """How often each tool was called."""
    untrusted: bool = False
    """Whether the model has seen a text that the operator doesn't vouch for."""
    output: dict[str, Any] | None = None
    """The output, once only what is done with it is left."""
    fallback: bool = False
    """Whether that is the workflow's declared one."""
    approved: bool = False
    """Whether its review has let it out."""
    by_person: bool = False
    """Whether a person did."""
    steps: int = 0
    """Steps of the run until it began to wait."""

    def ask(self, message: dict[str, Any], asked: tuple[AskedTool, ...]) -> None:
        """The model has asked for tools."""
        self.messages.append(message)
        self.pending = list(asked)

    def answer(self, asked: AskedTool, content: str, *, used: bool) -> None:
        """The first call without an answer has one; `used`: its tool was called."""
        self.pending.pop(0)
        self.tools += 1
        if used:
            self.used[asked.name] = self.used.get(asked.name, 0) + 1
        self.messages.append({"role": "tool", "tool_call_id": asked.call_id, "content": content})


_talk = msgspec.json.Decoder(Talk)


def talk_of(text: str | None) -> Talk:
    """What is kept; nothing was said where nothing is."""
    return Talk() if text is None else _talk.decode(text)


def kept(talk: Talk) -> str:
    """What `talk_of` reads."""
    return msgspec.json.encode(talk).decode()
