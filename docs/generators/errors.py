"""docs/reference/errors.md: every error a client can get, found in the code that raises it."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import headgate
from docs.generators.markdown import code, table
from headgate.errors import ConfigError, HeadgateError
from headgate.gateway.provider_failures import broken_error
from headgate.gateway.upstream import UPSTREAM_ERROR_KINDS, UpstreamError

_INTRODUCTION = """\
# Errors

Every error over HTTP has OpenAI's shape, so the official SDKs raise their own exceptions for it:

```json
{"error": {"message": "what is wrong and what to do", "type": "…", "param": null, "code": "…"}}
```

`param` names the field that is wrong, where it is one. Programs should go by the status and \
`code`; messages are for people and may change. Errors that a provider answers with a JSON body \
are passed on as they came, with the provider's own status, type and code; only a refusal of \
Headgate's own key (401) is replaced, so that nothing of it is quoted. In the table, `…` stands \
for what depends on the request.
"""

_STREAMS = """\
## Within a stream

Once a stream has begun its status is 200, so an error is told as its last event: on chat \
completions as `data: {"error": {…}}` without a `[DONE]`, on responses as an `error` event with \
the next sequence number. The official SDKs raise `APIError` for both. A stream that ends without \
its last event is never made to look complete.
"""

_ELSEWHERE = ("headgate.simulator", "headgate.examples", "headgate.__main__")
"""Modules whose errors are not Headgate's own, or that do something when they are imported."""


class _Known(NamedTuple):
    status: int
    type: str
    code: str
    message: str


def page() -> str:
    """The page's Markdown."""
    found: dict[tuple[int, str], _Known] = {}
    for known in [*_classes(), *_wire(), *_raised()]:
        found.setdefault((known.status, known.code), known)
    rows = [
        [str(known.status), code(known.type), code(known.code), known.message]
        for known in sorted(found.values(), key=lambda known: (known.status, known.code))
    ]
    titles = ["status", "type", "code", "message"]
    return f"{_INTRODUCTION}\n{table(titles, rows)}\n\n{_STREAMS}"


def _classes() -> Iterator[_Known]:
    """Each class of error with its own code and default message."""
    for kind in error_classes().values():
        if kind.code is not None:
            message = inspect.cleandoc(kind.__doc__ or "").partition("\n")[0]
            yield _Known(kind.status, kind.type, kind.code, message)


def _wire() -> Iterator[_Known]:
    """What a client is told when the way to a provider fails."""
    for kind in UPSTREAM_ERROR_KINDS:
        error = broken_error(UpstreamError(kind, ""), "…")
        yield _Known(error.status, error.type, error.code or "", error.message)


def _raised() -> Iterator[_Known]:
    """Each code that is given where an error is raised, with the message beside it."""
    kinds = error_classes()
    for path in sorted(Path(headgate.__path__[0]).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call):
                yield from _in_call(node, kinds)


def _in_call(call: ast.Call, kinds: dict[str, type[HeadgateError]]) -> Iterator[_Known]:
    """`SomeError("…", code="…")`, or a description of an error: `_Refusal(SomeError, "…", "…")`."""
    names = [node.id if isinstance(node, ast.Name) else "" for node in [call.func, *call.args[:1]]]
    given = {keyword.arg: keyword.value for keyword in call.keywords}
    if names[0] in kinds and "code" in given:
        kind, message, named = kinds[names[0]], call.args[:1], given["code"]
    elif len(call.args) == 3 and names[1] in kinds:
        kind, message, named = kinds[names[1]], call.args[1:2], call.args[2]
    else:
        return
    if isinstance(named, ast.Constant) and isinstance(named.value, str):
        default = inspect.cleandoc(kind.__doc__ or "").partition("\n")[0]
        text = _text(message[0]) if message else default
        yield _Known(kind.status, kind.type, named.value, text)


def _text(node: ast.expr) -> str:
    """The text of a literal, with `…` for what is filled in."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(_text(part) for part in parts)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return _text(left) + _text(right)
    return "…"


def error_classes() -> dict[str, type[HeadgateError]]:
    """Every class of error of the package by its name, without those of configuration files."""
    for module in pkgutil.walk_packages(headgate.__path__, "headgate."):
        if not module.name.startswith(_ELSEWHERE):
            importlib.import_module(module.name)
    found: dict[str, type[HeadgateError]] = {}
    waiting: list[type[HeadgateError]] = [HeadgateError]
    while waiting:
        kind = waiting.pop()
        if not issubclass(kind, ConfigError):
            found[kind.__name__] = kind
        waiting += kind.__subclasses__()
    return dict(sorted(found.items()))
