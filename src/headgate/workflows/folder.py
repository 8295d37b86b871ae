"""Reads a workflow's folder into a checked, ready `Workflow`, or tells everything wrong with it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from headgate.checks.declared_rules import DeclaredRules
from headgate.checks.rules import Rules
from headgate.checks.schema import Schema
from headgate.checks.strict_schema import as_sent, strict_problems
from headgate.config.connectors import ConnectorSettings
from headgate.config.json_file import JsonFile
from headgate.config.problems import every_problem
from headgate.config.review_checks import review_problems
from headgate.config.workflow import WorkflowSettings
from headgate.config.yaml_file import YamlFile
from headgate.errors import ConfigError
from headgate.workflows.context_checks import context_problems
from headgate.workflows.context_shape import ContextShape
from headgate.workflows.digest import digest_of, folder_files
from headgate.workflows.prompt import Prompt
from headgate.workflows.prompt_parts import PromptParts, read_parts
from headgate.workflows.rule_checks import rule_problems
from headgate.workflows.tools.arguments import ASK_CALLER
from headgate.workflows.tools.load_checks import reference_problems
from headgate.workflows.tools.tool import Tool

_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,62}")


class Workflow(msgspec.Struct, frozen=True):
    """One version of a workflow, as its folder stood when it was read."""

    name: str
    folder: Path
    digest: str
    settings: WorkflowSettings
    input_schema: Schema
    output_schema: Schema
    prompt: Prompt
    rules: Rules | None
    response_format: dict[str, Any]
    """Strict structured output, as chat completions take it."""
    declared_rules: DeclaredRules
    """Those of workflow.yaml."""
    own_tools: Mapping[str, Tool] = {}
    """The functions of tools.py that workflow.yaml gives to the model."""
    context: ContextShape | None = None
    """What is gathered for its runs; None: nothing."""

    @property
    def fingerprint(self) -> str:
        """A short form of the digest, as `system_fingerprint` shows it."""
        return f"hg_{self.digest.removeprefix('sha256:')[:12]}"


class _Reading:
    """Gathers the problems of one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.problems: list[str] = []
        self.files: dict[str, bytes] = {}

    def file(self, name: str) -> bytes | None:
        content = self.files.get(name)
        if content is None:
            self.problems.append(f"{self.folder / name}: the file is missing")
        return content


def load_workflow(
    folder: Path, connectors: Mapping[str, ConnectorSettings] | None = None
) -> Workflow:
    """The workflow in `folder`; its name is the folder's. Its context is of `connectors`.

    Raises `ConfigError` whose `problems` are all that was found, each `file:line: field: what`.
    """
    reading = _Reading(folder)
    try:
        reading.files = folder_files(folder)
    except ConfigError as error:
        raise ConfigError(error.message) from None
    if not _NAME.fullmatch(folder.name):
        reading.problems.append(
            f"{folder}: a workflow's name is lower-case letters, digits, `-`, `_` and `.`,"
            " 63 at most; rename the folder"
        )
    settings = _settings(reading)
    input_schema = _schema(reading, "input.schema.json", strict=False)
    output_schema = _schema(reading, "output.schema.json", strict=True)
    parts = _parts(reading)
    digest = digest_of(reading.files)
    rules = _rules(reading, settings, digest)
    own_tools = _own_tools(reading, settings, digest)
    before = len(reading.problems)
    context = _context(reading, settings, connectors or {}, input_schema)
    prompt = None
    # A prompt that speaks of what is not there would only repeat that.
    if parts and input_schema and output_schema and _context_is_known(reading, settings, before):
        prompt = _prompt(reading, parts, input_schema, output_schema, settings, context)
    if settings:
        _check_fallback(reading, settings, output_schema, rules)
        _check_schedule(reading, settings, input_schema)
        _check_review(reading, settings, output_schema)
        _check_tools(reading, settings, input_schema, output_schema)
    if settings and settings.checks.rules and input_schema and output_schema:
        _check_declared(reading, settings, output_schema, input_schema, context)
    if reading.problems or not (settings and input_schema and output_schema and prompt):
        raise ConfigError(reading.problems[0], problems=tuple(reading.problems))
    return Workflow(
        folder.name,
        folder,
        digest,
        settings,
        input_schema,
        output_schema,
        prompt,
        rules,
        _response_format(folder.name, output_schema),
        DeclaredRules(settings.checks.rules),
        own_tools,
        context,
    )


def _settings(reading: _Reading) -> WorkflowSettings | None:
    if (content := reading.file("workflow.yaml")) is None:
        return None
    try:
        document = _yaml(reading, content)
        if problems := every_problem(document, WorkflowSettings):
            reading.problems.extend(problems)
            return None
        return document.into(WorkflowSettings)
    except ConfigError as error:
        reading.problems.extend(error.problems)
        return None


def _yaml(reading: _Reading, content: bytes) -> YamlFile:
    path = reading.folder / "workflow.yaml"
    try:
        return YamlFile(path, content.decode())
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: is not UTF-8 text") from None


def _schema(reading: _Reading, name: str, *, strict: bool) -> Schema | None:
    if (content := reading.file(name)) is None:
        return None
    try:
        file = JsonFile(reading.folder / name, content)
        schema = Schema.of(file)
    except ConfigError as error:
        reading.problems.extend(error.problems)
        return None
    refused = strict_problems(schema.document) if strict else []
    reading.problems.extend(file.problem(message, steps) for steps, message in refused)
    return schema


def _parts(reading: _Reading) -> PromptParts | None:
    if (content := reading.file("prompt.md")) is None:
        return None
    try:
        return read_parts(reading.folder / "prompt.md", content)
    except ConfigError as error:
        reading.problems.extend(error.problems)
        return None


def _rules(reading: _Reading, settings: WorkflowSettings | None, digest: str) -> Rules | None:
    if (content := reading.files.get("rules.py")) is None:
        return None
    module = _module(reading, "rules", digest)
    timeout_s = settings.checks.rules_timeout_s if settings else 1.0
    try:
        return Rules.load(reading.folder / "rules.py", content, module, timeout_s)
    except ConfigError as error:
        reading.problems.extend(error.problems)
        return None


def _own_tools(
    reading: _Reading, settings: WorkflowSettings | None, digest: str
) -> Mapping[str, Tool]:
    """The functions of tools.py that the workflow gives to its model."""
    names = [] if settings is None else [n for n, t in settings.tools.items() if t.source is None]
    content = reading.files.get("tools.py")
    if not names or settings is None:
        return {}
    if content is None:
        document = _yaml(reading, reading.files["workflow.yaml"])
        told = "names no `source`, and the folder has no tools.py"
        reading.problems += [document.error(told, "tools", name).message for name in names]
        return {}
    # What it brings along need not be loaded for workflows without tools of their own.
    from headgate.workflows.tools.python_tools import load_python_tools  # noqa: PLC0415 - so

    try:
        return load_python_tools(
            reading.folder / "tools.py", content, _module(reading, "tools", digest), names
        )
    except ConfigError as error:
        reading.problems.extend(error.problems)
        return {}


def _module(reading: _Reading, what: str, digest: str) -> str:
    """What a file of the folder is called as a module; no two versions share a name."""
    name = re.sub(r"\W", "_", reading.folder.name)
    return f"headgate_{what}_{name}_{digest.removeprefix('sha256:')[:12]}"


def _prompt(
    reading: _Reading,
    parts: PromptParts,
    input_schema: Schema,
    output_schema: Schema,
    settings: WorkflowSettings | None,
    context: ContextShape | None,
) -> Prompt | None:
    trust = settings.trust if settings else "untrusted"
    try:
        return Prompt(parts, input_schema, output_schema, trust, context)
    except ConfigError as error:
        reading.problems.extend(error.problems)
        return None


def _context(
    reading: _Reading,
    settings: WorkflowSettings | None,
    connectors: Mapping[str, ConnectorSettings],
    input_schema: Schema | None,
) -> ContextShape | None:
    if settings is None or not settings.context:
        return None
    if input_schema:
        document = _yaml(reading, reading.files["workflow.yaml"])
        reading.problems.extend(
            document.error(problem, "context", *steps).message
            for steps, problem in context_problems(settings.context, connectors, input_schema)
        )
    return ContextShape(settings.context, connectors)


def _context_is_known(reading: _Reading, settings: WorkflowSettings | None, before: int) -> bool:
    """Whether a prompt that speaks of the context can be held to it."""
    if settings is None:
        return b"context" not in reading.files.get("prompt.md", b"")
    return len(reading.problems) == before


def _check_fallback(
    reading: _Reading,
    settings: WorkflowSettings,
    output_schema: Schema | None,
    rules: Rules | None,
) -> None:
    fallback = settings.fallback
    if fallback is None or fallback == "review":
        return
    document = _yaml(reading, reading.files["workflow.yaml"])
    if (fallback.output is None) is not fallback.from_rules:
        reading.problems.append(
            document.error("write either `output` or `from_rules: true`", "fallback").message
        )
    elif fallback.output is None:
        broken = "rules.py" in reading.files and rules is None
        if not broken and not (rules and rules.has("fallback")):
            reading.problems.append(
                document.error(
                    "rules.py defines no fallback(input)", "fallback", "from_rules"
                ).message
            )
    elif output_schema:
        reading.problems.extend(
            document.error(
                f"does not fit output.schema.json: {problem}", "fallback", "output"
            ).message
            for problem in output_schema.problems(fallback.output)
        )


def _check_declared(
    reading: _Reading,
    settings: WorkflowSettings,
    output_schema: Schema,
    input_schema: Schema,
    context: ContextShape | None,
) -> None:
    document = _yaml(reading, reading.files["workflow.yaml"])
    parts = () if context is None else tuple(context.parts)
    for number, rule in enumerate(settings.checks.rules):
        for steps, message in rule_problems(rule, output_schema, input_schema, parts):
            problem = document.error(message, "checks", "rules", number, *steps)
            reading.problems.append(problem.message)


def _check_schedule(
    reading: _Reading, settings: WorkflowSettings, input_schema: Schema | None
) -> None:
    if (schedule := settings.schedule) is None:
        return
    # Half a second that other projects need not wait for.
    from headgate.workflows.durable.schedule import Schedule  # noqa: PLC0415 - so

    document = _yaml(reading, reading.files["workflow.yaml"])
    try:
        Schedule(schedule)
    except ValueError as error:
        reading.problems.append(document.error(str(error), "schedule").message)
    if input_schema:
        reading.problems.extend(
            document.error(
                f"does not fit input.schema.json: {problem}", "schedule", "input"
            ).message
            for problem in input_schema.problems(schedule.input)
        )


def _check_review(
    reading: _Reading, settings: WorkflowSettings, output_schema: Schema | None
) -> None:
    if settings.review is None or output_schema is None:
        return
    document = _yaml(reading, reading.files["workflow.yaml"])
    can_fall_back = settings.fallback not in (None, "review")
    reading.problems.extend(
        document.error(problem, "review", *steps).message
        for steps, problem in review_problems(
            settings.review, output_schema.document, can_fall_back=can_fall_back
        )
    )


def _check_tools(
    reading: _Reading,
    settings: WorkflowSettings,
    input_schema: Schema | None,
    output_schema: Schema | None,
) -> None:
    """Apart from what the tools themselves say, which is not known here: see `tools/box.py`."""
    document = _yaml(reading, reading.files["workflow.yaml"])

    def told(message: str, *steps: str | int) -> None:
        reading.problems.append(document.error(message, *steps).message)

    if ASK_CALLER in settings.tools:
        told("is Headgate's own; take another name", "tools", ASK_CALLER)
    if input_schema:
        for name, tool in settings.tools.items():
            for steps, problem in reference_problems(tool.arguments, input_schema, None):
                told(problem, "tools", name, "arguments", *steps)
    delivery = settings.deliver
    if delivery is None:
        return
    if delivery.tool not in settings.tools:
        told(f"there is no tool `{delivery.tool}` in `tools`", "deliver", "tool")
    if input_schema and output_schema:
        for steps, problem in reference_problems(delivery.arguments, input_schema, output_schema):
            told(problem, "deliver", "arguments", *steps)


def _response_format(name: str, schema: Schema) -> dict[str, Any]:
    return {
        "type": "json_schema",
        "json_schema": {
            "name": re.sub(r"[^a-zA-Z0-9_-]", "_", name)[:64],
            "strict": True,
            "schema": as_sent(schema.document),
        },
    }
