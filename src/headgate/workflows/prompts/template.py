"""A prompt's template: Jinja2, sandboxed, that takes its input as data and can't be surprised.

Values are put in as they are and never read as templates, so a customer who writes `{{ … }}`
gets `{{ … }}` into the prompt and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jinja2
from jinja2 import meta, nodes
from jinja2.sandbox import SandboxedEnvironment

from headgate.errors import ConfigError, InvalidRequestError
from headgate.workflows.prompts.variables import CONTEXT, INPUT, Known

RENDERED_CHARACTERS_AT_MOST = 4_000_000
"""Of one part; about a million tokens, which is more than any model takes."""


_WRITES_NOTHING_OF_INPUT = (nodes.Assign, nodes.AssignBlock, nodes.Macro, nodes.Const)
"""What stands in a template and puts nothing into the text there, or the same each time."""


class _DataEnvironment(SandboxedEnvironment):
    """A sandbox in which `input.items` is the field `items`, never Python's method of that name."""

    intercepted_binops = frozenset(["*", "**"])

    def getattr(self, obj: Any, attribute: str) -> Any:
        if isinstance(obj, dict):
            return obj[attribute] if attribute in obj else self.undefined(obj=obj, name=attribute)
        return super().getattr(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        if isinstance(obj, dict):
            return obj[argument] if argument in obj else self.undefined(obj=obj, name=argument)
        return super().getitem(obj, argument)

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        # `"x" * 10 ** 9` would take the memory before the bound on the output is looked at.
        if operator == "**" or not all(isinstance(side, int | float) for side in (left, right)):
            raise jinja2.TemplateRuntimeError(f"`{operator}` is only for small numbers here")
        return super().call_binop(context, operator, left, right)


_environment = _DataEnvironment(
    undefined=jinja2.StrictUndefined,
    autoescape=False,
    keep_trailing_newline=False,
    trim_blocks=True,
    lstrip_blocks=True,
)
# `range`, `lipsum`, `cycler` and the like have no place in a prompt.
_environment.globals.clear()


_OTHER_FILES = (nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends)


class Template:
    """One part of `prompt.md`, compiled."""

    def __init__(self, path: Path, text: str, line: int) -> None:
        self._path = path
        self._line = line
        try:
            self._tree = _environment.parse(text)
            self._template = _environment.from_string(text)
        except jinja2.TemplateSyntaxError as error:
            raise ConfigError(f"{path}:{line + error.lineno - 1}: {error.message}") from None
        except RecursionError:
            raise ConfigError(f"{path}:{line}: is nested too deeply") from None
        if (other := next(self._tree.find_all(_OTHER_FILES), None)) is not None:
            raise ConfigError(
                f"{self._at(other.lineno)}: a prompt is one file; write here what the other says"
            )

    def problems(self, known: Mapping[str, Known]) -> list[str]:
        """What it refers to that is not there, or may not stand here: names, and their fields."""
        found: list[str] = []
        paths = [
            (node, _path(node)) for node in self._tree.find_all((nodes.Getattr, nodes.Getitem))
        ]
        fields = {id(name): steps[0] for _, (name, steps) in paths if name is not None and steps}
        for free in self._free_names():
            place = self._at(free.lineno)
            if free.name not in known:
                only = " and ".join(f"`{name}`" for name in known)
                found.append(
                    f"{place}: `{free.name}` is not defined; a prompt has only {only},"
                    f" write {{{{ {INPUT}.{free.name} }}}}"
                )
            elif (told := known[free.name].refusal(fields.get(id(free)))) is not None:
                found.append(f"{place}: {told}")
        for node, (name, steps) in paths:
            if name is None or name.name not in known:
                continue
            of = known[name.name]
            if missing := _missing(of.schema, steps):
                found.append(
                    f"{self._at(node.lineno)}: {name.name}.{'.'.join(steps)}: {of.told_by} has no"
                    f" `{missing}`"
                )
        return sorted(set(found), key=found.index)

    def fixed_after_varying(self) -> tuple[str, int] | None:
        """Where text begins that is the same each time but follows text that varies, and how much.

        The place is `file:line`; None where there is no such text.
        """
        varying, place, size_characters = False, "", 0
        for node in self._tree.body:
            for part in node.nodes if isinstance(node, nodes.Output) else [node]:
                if isinstance(part, _WRITES_NOTHING_OF_INPUT):
                    continue
                if not isinstance(part, nodes.TemplateData):
                    varying = True
                elif varying and part.data.strip():
                    # Data that begins with a line break belongs to the lines after it.
                    skipped = len(part.data) - len(part.data.lstrip())
                    line = part.lineno + part.data[:skipped].count("\n")
                    place = place or self._at(line)
                    size_characters += len(part.data.strip())
        return (place, size_characters) if size_characters else None

    def sample_problem(self, sample: dict[str, Any], what: str) -> str | None:
        """Why the template can't be rendered with `sample`, described by `what`; None if it can.

        `sample` holds its variables by name.
        """
        try:
            for _ in self._template.generate(sample):
                pass
        except jinja2.UndefinedError as error:
            return (
                f"{self._failed_at(error)}: with {what}: {error.message}; guard an optional field"
                f" with {{% if {INPUT}.… is defined %}}"
            )
        except (jinja2.TemplateError, TypeError, ValueError, ArithmeticError) as error:
            return f"{self._failed_at(error)}: with {what}: {error}"
        return None

    def render(self, given: dict[str, Any], context: dict[str, Any] | None = None) -> str:
        """The text for one input; `InvalidRequestError` where this input can't be rendered."""
        pieces: list[str] = []
        size_characters = 0
        try:
            for piece in self._template.generate({INPUT: given, CONTEXT: context or {}}):
                size_characters += len(piece)
                if size_characters > RENDERED_CHARACTERS_AT_MOST:
                    raise InvalidRequestError(
                        "The input makes a prompt that is too long; send less of it.",
                        param=INPUT,
                        code="prompt_too_long",
                    )
                pieces.append(piece)
        except (jinja2.TemplateError, TypeError, ValueError, ArithmeticError) as error:
            place = self._failed_at(error).rpartition("/")[2]
            raise InvalidRequestError(
                f"The prompt can't be made from this input ({place}: {type(error).__name__});"
                " the workflow's owner must mend prompt.md or input.schema.json.",
                param=INPUT,
                code="prompt_failed",
            ) from error
        return "".join(pieces).strip()

    def _free_names(self) -> Iterator[nodes.Name]:
        free = meta.find_undeclared_variables(self._tree)
        for node in self._tree.find_all(nodes.Name):
            if node.ctx == "load" and node.name in free:
                yield node

    def _at(self, line: int) -> str:
        return f"{self._path}:{self._line + line - 1}"

    def _failed_at(self, error: Exception) -> str:
        # Jinja2 rewrites tracebacks so that the last frame of a template bears its own line.
        line, trace = 1, error.__traceback__
        while trace is not None:
            if trace.tb_frame.f_code.co_filename == "<template>":
                line = trace.tb_lineno
            trace = trace.tb_next
        return self._at(line)


def _path(node: nodes.Node) -> tuple[nodes.Name | None, list[str]]:
    """The variable and the fields of `input.a["b"].c`; none for what is not such a path."""
    steps: list[str] = []
    while True:
        if isinstance(node, nodes.Getattr):
            steps.append(node.attr)
            node = node.node
        elif isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const):
            steps.append(str(node.arg.value))
            node = node.node
        else:
            break
    return (node, steps[::-1]) if isinstance(node, nodes.Name) else (None, [])


def _missing(schema: dict[str, Any], steps: list[str]) -> str | None:
    """The first step that the schema surely lacks; None where it has all or can't tell."""
    for step in steps:
        properties = schema.get("properties")
        open_ended = schema.get("additionalProperties", True) is not False
        if not isinstance(properties, dict) or schema.keys() & {"$ref", "anyOf", "oneOf", "allOf"}:
            return None
        if step not in properties:
            return None if open_ended and "additionalProperties" in schema else step
        if not isinstance(properties[step], dict):
            return None
        schema = properties[step]
    return None
