"""docs/reference/configuration.md: every field of headgate.yaml, workflow.yaml and prompt.md."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import NamedTuple

import msgspec
from msgspec import inspect as types

from docs.generators.markdown import code, table
from headgate.config.settings import Settings
from headgate.config.workflow import PromptSettings, WorkflowSettings
from headgate.config.workload import WorkloadSettings

_INTRODUCTION = """\
# Configuration

Headgate needs no file: every field of `headgate.yaml` has a default. The file stands in the \
folder that `headgate serve DIR` or `HEADGATE_PROJECT` names, or in the current one. An unknown \
field, a wrong type or a value out of bounds is an error that names file, line and field, and the \
server does not start.

Any text in `headgate.yaml` may hold `${NAME}`, which is replaced by the environment variable of \
that name (it must be set), or `${NAME:-default}`. Keep secrets there, not in the file.
"""

_ENVIRONMENT = """\
## The environment

| variable | what it does |
|---|---|
| `OPENAI_API_KEY` | The key of the default provider, where the file names no `providers`. Without \
it, and with OpenAI's own address, the simulator answers. |
| `OPENAI_BASE_URL` | The address of the default provider, up to and including `/v1`. |
| `OPENAI_ORG_ID`, `OPENAI_PROJECT_ID` | Sent along to the default provider. |
| `HEADGATE_PROJECT` | The folder with `headgate.yaml`. |
| `HEADGATE_DATABASE_URL` | `sqlite:///PATH` or `postgresql://…`; goes before `database_url`. |
| `HEADGATE_ADMIN_KEY` | The administrator's key, 8 to 256 printable characters. Without it one is \
made at the first start and shown once. |
| `HEADGATE_SECRET_KEY` | At least 32 characters that key the hashes of keys and end users. \
Without it one is made and stored in the database. It must stay the same for the database's life. |
| `OTEL_…` | Turn traces on and say where they go; \
[Trace calls](../how-to/trace-calls.md) lists them. |
| `HTTP_PROXY`, `HTTPS_PROXY`, `NO_PROXY` | Read for the way to the providers. |
"""

_HEADGATE = """\
## headgate.yaml
"""

_WORKFLOW = """\
## workflow.yaml

One for each folder in `workflows/`. What the folder holds is told in \
[Write a workflow](../how-to/write-a-workflow.md).
"""

_WORKLOAD = """\
## A workload file

What `headgate estimate FILE` reads; [Estimate costs](../how-to/estimate-costs.md) explains it.
"""

_PROMPT = """\
## prompt.md

Its front matter, between two lines of `---` at its beginning; none is needed.
"""


class _Section(NamedTuple):
    heading: str
    kind: type
    defaults: object


def page() -> str:
    """The page's Markdown."""
    return "\n".join(
        [
            _INTRODUCTION,
            _ENVIRONMENT,
            _HEADGATE,
            *_document(Settings, "The top of headgate.yaml"),
            _WORKFLOW,
            *_document(WorkflowSettings, "The top of workflow.yaml"),
            _PROMPT,
            *_document(PromptSettings, "The front matter"),
            _WORKLOAD,
            *_document(WorkloadSettings, "The top of the workload file"),
        ]
    )


def _document(kind: type, top: str) -> Iterator[str]:
    waiting = [_Section(top, kind, None)]
    while waiting:
        section = waiting.pop(0)
        prefix = "" if section.kind is kind else f"{section.heading}."
        rows: list[list[str]] = []
        below: list[_Section] = []
        if (tag := _tag(section.kind)) is not None:
            rows.append([code("kind"), code(tag), "**required**", "What it is."])
        for field in _fields(section.kind):
            kind_of, description = _unwrapped(field.type)
            default = (
                getattr(section.defaults, field.name)
                if section.defaults is not None
                else _default(field)
            )
            nested = _nested(kind_of, f"{prefix}{field.encode_name}", default)
            shown = "see below" if _is_table(default) else _shown_default(field, default)
            if nested:
                below += nested
                description = description or _summary(nested[0].kind)
            name = code(field.encode_name)
            rows.append([name, _type_name(kind_of), shown, description])
        heading = section.heading if section.kind is kind else code(section.heading)
        yield f"### {heading}\n"
        yield f"{inspect.cleandoc(section.kind.__doc__ or '')}\n"
        yield table(["field", "type", "default", "what it does"], rows) + "\n"
        waiting[:0] = below


def _fields(kind: type) -> tuple[types.Field, ...]:
    found = types.type_info(kind)
    assert isinstance(found, types.StructType)  # noqa: S101 - narrows the type
    return found.fields


def _unwrapped(kind: types.Type) -> tuple[types.Type, str]:
    """A type without its description, and that."""
    if isinstance(kind, types.Metadata):
        return kind.type, (kind.extra_json_schema or {}).get("description", "")
    return kind, ""


def _nested(kind: types.Type, path: str, default: object) -> list[_Section]:
    """The sections that tell of the tables in a field: one, or one of each `kind` it may have."""
    if isinstance(kind, types.StructType):
        return [_Section(path, kind.cls, default if _is_table(default) else None)]
    if isinstance(kind, types.DictType):
        return _nested(_unwrapped(kind.value_type)[0], f"{path}.NAME", None)
    if isinstance(kind, types.VarTupleType):
        return _nested(_unwrapped(kind.item_type)[0], f"{path}[]", None)
    if isinstance(kind, types.UnionType):
        found = [s for member in kind.types for s in _nested(_unwrapped(member)[0], path, None)]
        if all(_tag(section.kind) for section in found):
            return [one._replace(heading=f"{path} (kind: {_tag(one.kind)})") for one in found]
        return found[:1]
    return []


def _tag(kind: type) -> str | None:
    """What a table's `kind` is, where it is one of several."""
    found = types.type_info(kind)
    assert isinstance(found, types.StructType)  # noqa: S101 - narrows the type
    return None if found.tag is None else str(found.tag)


def _is_table(value: object) -> bool:
    return isinstance(value, msgspec.Struct)


def _summary(kind: type) -> str:
    return inspect.cleandoc(kind.__doc__ or "").partition("\n")[0]


def _default(field: types.Field) -> object:
    if field.default_factory is not msgspec.NODEFAULT:
        return field.default_factory()
    return field.default


def _shown_default(field: types.Field, default: object) -> str:
    if field.required:
        return "**required**"
    if default is None or default is msgspec.NODEFAULT:
        return "none"
    if default in ((), {}):
        return "empty"
    return code(msgspec.json.encode(default).decode())


def _type_name(kind: types.Type) -> str:
    kind, _ = _unwrapped(kind)
    match kind:
        case types.BoolType():
            return "true or false"
        case types.IntType() | types.FloatType():
            name = "whole number" if isinstance(kind, types.IntType) else "number"
            return ", ".join([name, *_bounds(kind)])
        case types.StrType():
            return ", ".join(["text", *_text_bounds(kind)])
        case types.LiteralType():
            return " or ".join(code(str(value)) for value in kind.values)
        case types.DateType():
            return "date"
        case types.NoneType():
            return "none"
        case types.UnionType():
            members = [_type_name(member) for member in kind.types]
            return " or ".join(dict.fromkeys(name for name in members if name != "none"))
        case types.VarTupleType():
            return f"list of {_type_name(kind.item_type)}"
        case types.DictType():
            return f"map of names to {_type_name(kind.value_type)}"
        case types.StructType():
            return "table"
        case types.AnyType():
            return "any JSON"
    raise TypeError(f"no words for the type {kind!r}")


def _bounds(kind: types.IntType | types.FloatType) -> Iterator[str]:
    for sign, bound in ((">", kind.gt), ("≥", kind.ge), ("<", kind.lt), ("≤", kind.le)):
        if bound is not None:
            yield f"{sign} {bound:,}".replace(",", "\N{NO-BREAK SPACE}")


def _text_bounds(kind: types.StrType) -> Iterator[str]:
    if kind.min_length is not None or kind.max_length is not None:
        least, most = kind.min_length or 0, kind.max_length
        yield f"{least} to {most} characters" if most is not None else f"≥ {least} characters"
    if kind.pattern is not None:
        yield f"matching {code(kind.pattern)}"
