"""Cuts `prompt.md` into its parts and remembers where each began; it does not render them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

import msgspec

from headgate.config.problems import every_problem
from headgate.config.workflow import PromptSettings
from headgate.config.yaml_file import YamlFile
from headgate.errors import ConfigError

PartName = Literal["system", "user", "example"]

_EXAMPLES_AT_MOST = 32
_HEADING = re.compile(r"#[ \t]+(?P<name>.+?)[ \t]*#*[ \t]*$")
_SUBHEADING = re.compile(r"##[ \t]+(?P<name>user|assistant)[ \t]*#*[ \t]*$", re.IGNORECASE)
_FENCE = re.compile(r"[ \t]{0,3}(`{3,}|~{3,})")


class Part(msgspec.Struct, frozen=True):
    """A stretch of the file."""

    text: str
    line: int
    """1-based line on which `text` begins."""


class Example(msgspec.Struct, frozen=True):
    """A pair that shows the model a good answer."""

    user: Part
    assistant: Part


class PromptParts(msgspec.Struct, frozen=True):
    """The whole of `prompt.md`."""

    path: Path
    settings: PromptSettings
    system: Part
    user: Part
    examples: tuple[Example, ...]


def read_parts(path: Path, content: bytes) -> PromptParts:
    """Cut the file; `ConfigError` with every problem where its headings are not as they must be."""
    try:
        text = content.decode().replace("\r\n", "\n").removeprefix("\ufeff")
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: is not UTF-8 text") from None
    lines = text.split("\n")
    problems: list[str] = []
    settings, first = _front_matter(path, lines, problems)
    found = _cut(path, lines, first, problems)
    system = _only("system", found, path, problems)
    user = _only("user", found, path, problems)
    examples = [_example(path, part, problems) for name, part in found if name == "example"]
    if len(examples) > _EXAMPLES_AT_MOST:
        problems.append(f"{path}:1: has more than {_EXAMPLES_AT_MOST} examples")
    if problems:
        raise ConfigError(problems[0], problems=tuple(problems))
    return PromptParts(path, settings, system, user, tuple(e for e in examples if e))


def _front_matter(path: Path, lines: list[str], problems: list[str]) -> tuple[PromptSettings, int]:
    """The front matter's settings, and the index of the line after it."""
    if not lines or lines[0].rstrip() != "---":
        return PromptSettings(), 0
    end = next((i for i, line in enumerate(lines[1:], 1) if line.rstrip() == "---"), None)
    if end is None:
        problems.append(f"{path}:1: the front matter has no closing `---`")
        return PromptSettings(), len(lines)
    try:
        # The blank first line stands for the `---`, so that lines are numbered as in the file.
        document = YamlFile(path, "\n" + "\n".join(lines[1:end]))
        if found := every_problem(document, PromptSettings):
            problems.extend(found)
            return PromptSettings(), end + 1
        return document.into(PromptSettings), end + 1
    except ConfigError as error:
        problems.extend(error.problems)
        return PromptSettings(), end + 1


def _cut(
    path: Path, lines: list[str], first: int, problems: list[str]
) -> list[tuple[PartName, Part]]:
    starts: list[tuple[PartName, int]] = []
    early = False
    for index in _outside_fences(lines, first):
        line = lines[index]
        heading = _HEADING.match(line)
        if not heading:
            if line.strip() and not starts and not early:
                early = True
                problems.append(f"{path}:{index + 1}: text before the first part; begin `# system`")
            continue
        match heading["name"].lower():
            case "system":
                starts.append(("system", index))
            case "user":
                starts.append(("user", index))
            case "example":
                starts.append(("example", index))
            case _:
                problems.append(
                    f"{path}:{index + 1}: unknown part `# {heading['name']}`; the parts are"
                    " `# system`, `# user` and `# example`; inside a part begin with `##`"
                )
    ends = [*(index for _, index in starts[1:]), len(lines)]
    return [
        (name, _part(lines, start + 1, end))
        for (name, start), end in zip(starts, ends, strict=False)
    ]


def _outside_fences(lines: list[str], first: int) -> list[int]:
    """Indexes of the lines from `first` on that are not in a fenced block of code."""
    outside: list[int] = []
    fence: str | None = None
    for index in range(first, len(lines)):
        mark = _FENCE.match(lines[index])
        if fence is None:
            outside.append(index)
            fence = mark[1] if mark else None
        elif mark and mark[1].startswith(fence) and not lines[index].strip(" \t`~"):
            fence = None
    return outside


def _part(lines: list[str], start: int, end: int) -> Part:
    while start < end and not lines[start].strip():
        start += 1
    return Part("\n".join(lines[start:end]).rstrip(), start + 1)


def _only(
    name: PartName, found: list[tuple[PartName, Part]], path: Path, problems: list[str]
) -> Part:
    parts = [part for kind, part in found if kind == name]
    if not parts:
        problems.append(f"{path}:1: the part `# {name}` is missing")
        return Part("", 1)
    if len(parts) > 1:
        problems.append(f"{path}:{parts[1].line}: a second `# {name}`; there may be only one")
    if not parts[0].text:
        problems.append(f"{path}:{parts[0].line}: the part `# {name}` is empty")
    return parts[0]


def _example(path: Path, part: Part, problems: list[str]) -> Example | None:
    lines = part.text.split("\n")
    starts = [
        (found["name"].lower(), index)
        for index in _outside_fences(lines, 0)
        if (found := _SUBHEADING.match(lines[index]))
    ]
    if [name for name, _ in starts] != ["user", "assistant"]:
        problems.append(
            f"{path}:{part.line}: example: must hold `## user` and then `## assistant`, once each"
        )
        return None
    middle = starts[1][1]
    user = _part(lines, starts[0][1] + 1, middle)
    assistant = _part(lines, middle + 1, len(lines))
    return Example(
        Part(user.text, part.line + user.line - 1),
        Part(_unfenced(assistant.text), part.line + assistant.line - 1),
    )


def _unfenced(text: str) -> str:
    """A JSON answer may be written in a fence, as editors like it; the model sees it bare."""
    lines = text.split("\n")
    if len(lines) > 2 and lines[0].strip() in ("```", "```json") and lines[-1].strip() == "```":
        return "\n".join(lines[1:-1]).strip()
    return text
