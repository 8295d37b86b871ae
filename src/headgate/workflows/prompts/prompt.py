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
from headgate.workflows.context_shape import ContextShape
from headgate.workflows.prompts.parts import Example, PromptParts
from headgate.workflows.prompts.untrusted import NOTICE, made_visible
from headgate.workflows.prompts.variables import CONTEXT, INPUT, Known
from headgate.workflows.sample import sample_of

if TYPE_CHECKING:
    from headgate.workflows.prompts.template import Template

_WORTH_MOVING_CHARACTERS = 400
"""About a hundred tokens; providers reuse beginnings of a thousand tokens and more, in steps."""


class Message(msgspec.Struct, frozen=True):
    """One message of a chat completions request."""

    role: Literal["system", "user", "assistant"]
    content: str


class Prompt:
    """A checked prompt, ready to render."""

    def __init__(
        self,
        parts: PromptParts,
        input_schema: Schema,
        output_schema: Schema,
        trust: Trust,
        context: ContextShape | None = None,
    ) -> None:
        """Compile and check the parts; `ConfigError` with every problem."""
        # A server without workflows has no use for Jinja2.
        from headgate.workflows.prompts.template import Template  # noqa: PLC0415

        self._trust = trust
        self._untrusted_parts = frozenset() if context is None else context.untrusted
        self._system = Template(parts.path, parts.system.text, parts.system.line)
        self._user = Template(parts.path, parts.user.text, parts.user.line)
        uses_input = parts.settings.system_uses_input
        schema = input_schema.document
        problems = self._system.problems(_known_to_system(schema, context, varies=uses_input))
        problems += self._user.problems(_known(schema, context))
        problems += _example_problems(parts, output_schema)
        if not problems:
            problems += _sample_problems((self._system, self._user), schema, context)
        if problems:
            raise ConfigError(problems[0], problems=tuple(problems))
        self._examples = tuple(m for example in parts.examples for m in _messages(example))
        self.warnings = _prefix_warnings(parts, self._user)
        """Why providers can't reuse the beginning of the prompt as much as they could."""
        # The same in every run, whichever parts it gets: providers reuse what does not vary.
        self._doubtful = trust == "untrusted" or bool(self._untrusted_parts)
        self._static_system = (
            None if uses_input else self._system_message({}, {}, doubtful=self._doubtful)
        )

    def render(
        self,
        given: dict[str, Any],
        context: dict[str, Any] | None = None,
        *,
        untrusted: bool = False,
    ) -> tuple[Message, ...]:
        """The messages for one input, with what was gathered for it.

        `untrusted`: the caller says that people outside wrote it, whatever the workflow says.
        `InvalidRequestError` where it can't be rendered.
        """
        untrusted = untrusted or self._trust == "untrusted"
        if untrusted:
            given = made_visible(given)
        context = {
            name: made_visible(part) if name in self._untrusted_parts else part
            for name, part in (context or {}).items()
        }
        doubtful = untrusted or bool(self._untrusted_parts)
        system = self._static_system
        if system is None or doubtful != self._doubtful:
            system = self._system_message(given, context, doubtful=doubtful)
        return (system, *self._examples, Message("user", self._user.render(given, context)))

    def _system_message(
        self, given: dict[str, Any], context: dict[str, Any], *, doubtful: bool
    ) -> Message:
        text = self._system.render(given, context)
        return Message("system", f"{text}\n\n{NOTICE}" if doubtful else text)


def _known(schema: dict[str, Any], context: ContextShape | None) -> dict[str, Known]:
    """The variables of the user part."""
    known = {INPUT: Known(schema, "input.schema.json")}
    if context is not None:
        known[CONTEXT] = Known(context.schema, "the context in workflow.yaml")
    return known


def _known_to_system(
    schema: dict[str, Any], context: ContextShape | None, *, varies: bool
) -> dict[str, Known]:
    """The variables of the system part, which speaks with the operator's voice."""
    known = _known(schema, context)
    untrusted = frozenset() if context is None else context.untrusted

    def of_input(_: str | None) -> str | None:
        return None if varies else _moved(INPUT)

    def of_context(part: str | None) -> str | None:
        if untrusted if part is None else part in untrusted:
            return (
                "the system part refers to context that is untrusted, and would say it in the"
                " operator's name; move that to `# user`"
            )
        return None if varies else _moved(CONTEXT)

    for name, refusal in ((INPUT, of_input), (CONTEXT, of_context)):
        if name in known:
            known[name] = msgspec.structs.replace(known[name], refusal=refusal)
    return known


def _moved(name: str) -> str:
    return (
        f"the system part refers to `{name}`; move that to `# user`,"
        " or write system_uses_input: true into the front matter"
    )


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


def _sample_problems(
    templates: tuple[Template, ...], schema: dict[str, Any], context: ContextShape | None
) -> list[str]:
    least, most = (sample_of(schema, optional=all_) for all_ in (False, True))
    if context is None:
        samples = [({INPUT: least}, "only the required fields"), ({INPUT: most}, "every field")]
    else:
        samples = [
            ({INPUT: given, CONTEXT: gathered}, what)
            for given, (gathered, what) in zip((least, most, most), context.samples(), strict=True)
        ]
    problems: list[str] = []
    for template in templates:
        for sample, what in samples:
            if (problem := template.sample_problem(sample, what)) is not None:
                problems.append(problem)
                break
    return problems
