"""A workflow's prompt: turns one input into the messages of a call, the same beginning each time.

Order: system, examples, user. All that does not depend on the input comes first, so that providers
reuse it from one run to the next.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import msgspec

from headgate.checks.schema import Schema
from headgate.config.workflow import Trust
from headgate.errors import ConfigError
from headgate.workflows.prompt_parts import Example, PromptParts
from headgate.workflows.sample import sample_of
from headgate.workflows.untrusted import NOTICE, made_visible

if TYPE_CHECKING:
    from headgate.workflows.template import Template

_WORTH_MOVING_CHARACTERS = 400
"""About a hundred tokens; providers reuse beginnings of a thousand tokens and more, in steps."""


class Message(msgspec.Struct, frozen=True):
    """One message of a chat completions request."""

    role: Literal["system", "user", "assistant"]
    content: str


class Prompt:
    """A checked prompt, ready to render."""

    def __init__(
        self, parts: PromptParts, input_schema: Schema, output_schema: Schema, trust: Trust
    ) -> None:
        """Compile and check the parts; `ConfigError` with every problem."""
        # A server without workflows has no use for Jinja2.
        from headgate.workflows.template import Template  # noqa: PLC0415

        self._trust = trust
        self._system = Template(parts.path, parts.system.text, parts.system.line)
        self._user = Template(parts.path, parts.user.text, parts.user.line)
        uses_input = parts.settings.system_uses_input
        schema = input_schema.document
        problems = self._system.problems(schema, input_allowed=uses_input)
        problems += self._user.problems(schema, input_allowed=True)
        problems += _example_problems(parts, output_schema)
        if not problems:
            problems += _sample_problems((self._system, self._user), schema)
        if problems:
            raise ConfigError(problems[0], problems=tuple(problems))
        self._examples = tuple(m for example in parts.examples for m in _messages(example))
        self.warnings = _prefix_warnings(parts, self._user)
        """Why providers can't reuse the beginning of the prompt as much as they could."""
        self._static_system = None if uses_input else self._system_message({})

    def render(self, given: dict[str, Any]) -> tuple[Message, ...]:
        """The messages for one input; `InvalidRequestError` where it can't be rendered."""
        if self._trust == "untrusted":
            given = made_visible(given)
        system = self._static_system or self._system_message(given)
        return (system, *self._examples, Message("user", self._user.render(given)))

    def _system_message(self, given: dict[str, Any]) -> Message:
        text = self._system.render(given)
        return Message("system", f"{text}\n\n{NOTICE}" if self._trust == "untrusted" else text)


def _prefix_warnings(parts: PromptParts, user: Template) -> tuple[str, ...]:
    warnings = []
    if parts.settings.system_uses_input:
        warnings.append(
            f"{parts.path}:{parts.system.line}: system_uses_input: the prompt differs from its"
            " first part on, so providers can't reuse its beginning; move what varies to `# user`"
        )
    found = user.fixed_after_varying()
    if found is not None and found[1] >= _WORTH_MOVING_CHARACTERS:
        place, size_characters = found
        warnings.append(
            f"{place}: {size_characters} characters that are the same each time stand after text"
            " that varies; move them above it, or to `# system`, so that providers reuse them"
        )
    return tuple(warnings)


def _messages(example: Example) -> tuple[Message, Message]:
    return Message("user", example.user.text), Message("assistant", example.assistant.text)


def _example_problems(parts: PromptParts, output_schema: Schema) -> list[str]:
    problems = []
    for example in parts.examples:
        place = f"{parts.path}:{example.assistant.line}: example"
        try:
            answer = msgspec.json.decode(example.assistant.text)
        except msgspec.DecodeError as error:
            problems.append(f"{place}: the assistant's answer is not JSON: {error}")
            continue
        problems += [f"{place}: {problem}" for problem in output_schema.problems(answer)]
    return problems


def _sample_problems(templates: tuple[Template, ...], schema: dict[str, Any]) -> list[str]:
    samples = (
        (sample_of(schema, optional=False), "only the required fields"),
        (sample_of(schema, optional=True), "every field"),
    )
    problems: list[str] = []
    for template in templates:
        for sample, what in samples:
            if (problem := template.sample_problem(sample, what)) is not None:
                problems.append(problem)
                break
    return problems
