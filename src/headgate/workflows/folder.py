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
from headgate.config.workflow import WorkflowSettings
from headgate.config.yaml_file import YamlFile
from headgate.errors import ConfigError
from headgate.workflows.context_checks import context_problems
from headgate.workflows.context_shape import ContextShape
from headgate.workflows.digest import digest_of, folder_files
from headgate.workflows.folder_checks import (
    Found,
    declared_problems,
    fallback_problems,
    held_problems,
    schedule_problems,
    tool_problems,
)
from headgate.workflows.prompts.parts import PromptParts, read_parts
from headgate.workflows.prompts.prompt import Prompt
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
        self.document: YamlFile | None = None
        """Its workflow.yaml, once that was read."""

    def file(self, name: str) -> bytes | None:
        content = self.files.get(name)
        if content is None:
            self.problems.append(f"{self.folder / name}: the file is missing")
        return content

    def tell(self, found: Found) -> None:
        """Note what is wrong at these places of workflow.yaml, whose settings are known."""
        for steps, problem in found:
            if self.document is not None:
                self.problems.append(self.document.error(problem, *steps).message)


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
        broken = "rules.py" in reading.files and rules is None
        reading.tell(fallback_problems(settings, output_schema, rules, broken=broken))
        reading.tell(schedule_problems(settings, input_schema))
        reading.tell(held_problems(settings, output_schema))
        reading.tell(tool_problems(settings, input_schema, output_schema))
        reading.tell(declared_problems(settings, output_schema, input_schema, context))
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
    path = reading.folder / "workflow.yaml"
    try:
        document = reading.document = YamlFile(path, content.decode())
        if problems := every_problem(document, WorkflowSettings):
            reading.problems.extend(problems)
            return None
        return document.into(WorkflowSettings)
    except UnicodeDecodeError:
        reading.problems.append(f"{path}: is not UTF-8 text")
        return None
    except ConfigError as error:
        reading.problems.extend(error.problems)
        return None


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
        told = "names no `source`, and the folder has no tools.py"
        reading.tell((("tools", name), told) for name in names)
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
        found = context_problems(settings.context, connectors, input_schema)
        reading.tell((("context", *steps), problem) for steps, problem in found)
    return ContextShape(settings.context, connectors)


def _context_is_known(reading: _Reading, settings: WorkflowSettings | None, before: int) -> bool:
    """Whether a prompt that speaks of the context can be held to it."""
    if settings is None:
        return b"context" not in reading.files.get("prompt.md", b"")
    return len(reading.problems) == before


def _response_format(name: str, schema: Schema) -> dict[str, Any]:
    return {
        "type": "json_schema",
        "json_schema": {
            "name": re.sub(r"[^a-zA-Z0-9_-]", "_", name)[:64],
            "strict": True,
            "schema": as_sent(schema.document),
        },
    }
