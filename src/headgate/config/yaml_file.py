"""Reads a YAML file into a typed Struct and says, on error, which file, line and field is wrong."""

from __future__ import annotations

import copy
import re
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import yaml

from headgate.errors import ConfigError

T = TypeVar("T")

_SCALAR = re.compile(r"got `(int|float|bool|date|datetime)`$")
_PATTERN = re.compile(r"Expected `[^`]+` matching regex (.+)", re.DOTALL)
_PATH = re.compile(r" - at (?P<key>`key` in )?`\$(?P<path>[^`]*)`$")
_DEPTH_AT_MOST = 200
_SHOWN_AT_MOST = 60
_TAKEN_FOR = {"timestamp": "date", "int": "whole number", "float": "number"}

_STEP = re.compile(r"\.(?P<name>[^.\[]+)|\[(?P<index>\d+|\.\.\.)\]")


class YamlFile:
    """A parsed YAML document that remembers the line of every field."""

    def __init__(self, path: Path, text: str) -> None:
        self.path = path
        loader: Any = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
        try:
            self._check_depth(text, loader)
            self._root = yaml.compose(text, Loader=loader)
            self._check_repeated(self._root)
            self._check_circles(self._root)
            self.data: Any = self._built(text)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            line = mark.line + 1 if mark else 1
            begun = error.context_mark.line + 1 if error.context_mark else line
            since = f" (of what begins in line {begun})" if begun != line else ""
            raise ConfigError(f"{path}:{line}: not valid YAML: {error.problem}{since}") from None
        except yaml.YAMLError as error:
            raise ConfigError(f"{path}:1: not valid YAML: {error}") from None
        if self.data is None:
            self.data = {}

    def _check_depth(self, text: str, loader: Any) -> None:
        # libyaml composes by calling itself, and ends the whole process when its stack is full.
        depth = 0
        for event in yaml.parse(text, Loader=loader):
            if isinstance(event, yaml.CollectionStartEvent):
                depth += 1
                if depth > _DEPTH_AT_MOST:
                    line = event.start_mark.line + 1 if event.start_mark else 1
                    raise ConfigError(f"{self.path}:{line}: is nested too deeply")
            elif isinstance(event, yaml.CollectionEndEvent):
                depth -= 1

    def _check_repeated(self, root: yaml.Node | None) -> None:
        # PyYAML lets the last one win: limits written further up would be gone without a word.
        nodes, seen = [root], set[int]()
        while nodes:
            node = nodes.pop()
            if id(node) in seen:
                continue  # an anchor's, that is named again
            seen.add(id(node))
            if isinstance(node, yaml.SequenceNode):
                nodes.extend(node.value)
            elif isinstance(node, yaml.MappingNode):
                lines: dict[tuple[str, str], int] = {}
                for key, value in node.value:
                    nodes.append(value)
                    if not isinstance(key, yaml.ScalarNode):
                        continue
                    name, line = (key.tag, key.value), key.start_mark.line + 1
                    if name in lines:
                        raise ConfigError(
                            f"{self.path}:{line}: `{key.value}` stands here twice, first in line"
                            f" {lines[name]}; leave one out"
                        )
                    lines[name] = line

    def _check_circles(self, root: yaml.Node | None) -> None:
        # PyYAML builds what holds itself, and whoever walks through it never comes to its end.
        done, above = set[int](), set[int]()
        nodes: list[tuple[yaml.Node | None, bool]] = [(root, False)]
        while nodes:
            node, left = nodes.pop()
            if not isinstance(node, yaml.CollectionNode) or (id(node) in done and not left):
                continue
            if left:
                above.remove(id(node))
                done.add(id(node))
            elif id(node) in above:
                line = node.start_mark.line + 1
                raise ConfigError(f"{self.path}:{line}: an anchor holds itself; write it out")
            else:
                above.add(id(node))
                nodes.append((node, True))
                nodes.extend((inner, False) for inner in _inside(node))

    def _built(self, text: str) -> Any:
        try:
            return yaml.safe_load(text)
        except (ValueError, AttributeError, OverflowError):
            # What PyYAML takes for a date or a number by its looks, and then can't make one of.
            nodes = [self._root]
            while nodes:
                node = nodes.pop()
                nodes += _inside(node)
                if isinstance(node, yaml.ScalarNode) and (kind := _unbuildable(node)) is not None:
                    shown = node.value[:_SHOWN_AT_MOST]
                    raise ConfigError(
                        f"{self.path}:{node.start_mark.line + 1}: `{shown}` is no {kind};"
                        " mend it, or write it in quotes"
                    ) from None
            raise

    @classmethod
    def read(cls, path: Path) -> YamlFile:
        """The document at `path`; `ConfigError` where it can't be read or parsed."""
        try:
            return cls(path, path.read_text("utf-8"))
        except OSError as error:
            raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
        except UnicodeDecodeError:
            raise ConfigError(f"{path}: is not UTF-8 text") from None

    def line_of(self, *steps: str | int) -> int:
        """The 1-based line of the field at `steps`, or of its nearest parent that exists."""
        node, line = self._root, 1
        for step in steps:
            if isinstance(node, yaml.MappingNode):
                found = next(((k, v) for k, v in node.value if k.value == str(step)), None)
                if found is None:
                    return line
                key, node = found
                line = key.start_mark.line + 1
            elif isinstance(node, yaml.SequenceNode) and isinstance(step, int):
                if step >= len(node.value):
                    return line
                node = node.value[step]
                line = node.start_mark.line + 1
            else:
                return line
        return line

    def error(self, message: str, *steps: str | int) -> ConfigError:
        """A `ConfigError` that points at the field at `steps`."""
        return ConfigError(f"{self.path}:{self.line_of(*steps)}: {self._named(steps)}{message}")

    @staticmethod
    def _named(steps: tuple[str | int, ...]) -> str:
        if not steps:
            return ""
        name = "".join(f"[{s}]" if isinstance(s, int) else f".{s}" for s in steps).lstrip(".")
        return f"{name}: "

    def into(self, kind: type[T]) -> T:
        """The document as a `kind`; an unknown field, a wrong type or a bad value is an error."""
        try:
            return msgspec.convert(self.data, kind)
        except msgspec.ValidationError as error:
            raise self._explained(str(error), kind) from None

    def _explained(self, text: str, kind: type) -> ConfigError:
        found = _PATH.search(text)
        message = text[: found.start()] if found else text
        # Of a map's key that is wrong, msgspec says only in which map.
        path = f"{found['path']}{'[...]' if found['key'] else ''}" if found else ""
        steps = self._steps(path, text, kind)
        if unknown := re.match(r"Object contains unknown field `(.+)`", message):
            return self.error("unknown field; remove it or check its spelling", *steps, unknown[1])
        if missing := re.match(r"Object missing required field `(.+)`", message):
            return self.error(f"the required field `{missing[1]}` is missing", *steps)
        return self.error(_what_to_do(message, kind, steps), *steps)

    def _steps(self, path: str, text: str, kind: type) -> tuple[str | int, ...]:
        """The fields that msgspec's `$.a[0].b` leads through.

        msgspec writes `[...]` for a map's key. Which key it was is found by leaving each entry of
        that map alone in the document and looking for the same complaint.
        """
        steps: list[str | int] = []
        for step in _STEP.finditer(path):
            if step["name"]:
                steps.append(step["name"])
            elif step["index"] != "...":
                steps.append(int(step["index"]))
            else:
                key = next(
                    (k for k in self._keys(steps) if self._complains(steps, k, text, kind)), None
                )
                if key is None:
                    break
                steps.append(key)
        return tuple(steps)

    def _keys(self, steps: list[str | int]) -> list[Any]:
        node = self.data
        for step in steps:
            node = node[step]
        return list(node)

    def _complains(self, steps: list[str | int], key: Any, text: str, kind: type) -> bool:
        document = copy.deepcopy(self.data)
        node = document
        for step in steps:
            node = node[step]
        for other in [k for k in node if k != key]:
            del node[other]
        try:
            msgspec.convert(document, kind)
        except msgspec.ValidationError as error:
            return str(error) == text
        return False


def _inside(node: yaml.Node | None) -> list[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        return [one for pair in node.value for one in pair]
    return node.value if isinstance(node, yaml.SequenceNode) else []


def _unbuildable(node: yaml.ScalarNode) -> str | None:
    """What it was taken for, where it can't be that."""
    try:
        yaml.SafeLoader("").construct_document(node)
    except (ValueError, AttributeError, OverflowError):
        return _TAKEN_FOR.get(node.tag.rpartition(":")[2], "value")
    return None


def _what_to_do(message: str, kind: type, steps: tuple[str | int, ...]) -> str:
    """Msgspec's complaint, and what may be written there, which it doesn't say."""
    # Only what is wrong needs it, and few files are.
    from headgate.config.type_at import allowed_at, description_at  # noqa: PLC0415 - so

    told = message[:1].lower() + message[1:]
    if message.startswith("Invalid ") and (values := allowed_at(kind, steps)) is not None:
        return f"{told}; write one of {values}"
    pattern = _PATTERN.fullmatch(message)
    if pattern is not None and (meant := description_at(kind, steps)) is not None:
        return f"must match the pattern {pattern[1]}; it is: {meant.rstrip('.')}"
    if message.startswith(("Expected `object", "Expected `array")) and "got `null`" in message:
        return f"{told}; write what belongs below it, or leave it out"
    if message.startswith("Expected `str") and _SCALAR.search(message):
        return f"{told}; write it in quotes"
    return told
