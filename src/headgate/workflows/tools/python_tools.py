"""Tools that are functions of a workflow's own `tools.py`.

A plain function runs in a thread, an `async def` on the event loop, each for as long as its call
may take. What a function returned, it has done. `ToolError` says that it has certainly done
nothing; of any other exception, of a function that takes too long and of a result that is no JSON,
nobody knows how far it had come.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from types import CodeType
from typing import Any

import msgspec

from headgate.checks.bounded_thread import BoundedThreads, NoThreadFreeError
from headgate.checks.python_file import executed, raised
from headgate.checks.schema import plain_json
from headgate.errors import ConfigError
from headgate.tools import ToolError
from headgate.workflows.tools.signature import (
    IDEMPOTENCY_KEY,
    Arguments,
    SignatureError,
    arguments_of,
    description_of,
)
from headgate.workflows.tools.stoppable import (
    CancelledItselfError,
    NotFreeError,
    StoppableTasks,
)
from headgate.workflows.tools.tool import Sent, Tool, ToolAnswer, ToolCall, ToolSpec

FILE_NAME = "tools.py"

_RESULT_BYTES_AT_MOST = 256 * 1024
_ERROR_CHARACTERS_AT_MOST = 2000

_threads = BoundedThreads("headgate-tools", 32)
"""A tool may take seconds; rules, which have threads of their own, may not wait for it."""


def load_python_tools(
    path: Path, content: bytes, module_name: str, names: Sequence[str]
) -> dict[str, Tool]:
    """The functions called `names` of the file at `path`, which is executed as `module_name`.

    Raises `ConfigError` with all that is wrong with them, each `file:line: function: what`.
    """
    module = executed(path, content, module_name)
    tools: dict[str, Tool] = {}
    problems: list[str] = []
    for name in names:
        function = getattr(module, name, None)
        try:
            tools[name] = _tool(name, function)
        except SignatureError as error:
            problems.append(f"{path}:{_line(function, path)}: {name}: {error}")
    if problems:
        raise ConfigError(problems[0], problems=tuple(problems))
    return tools


def _tool(name: str, function: Any) -> Tool:
    if function is None:
        raise SignatureError("there is no such function, but workflow.yaml names it as a tool")
    if not inspect.isfunction(function):
        raise SignatureError("is no function; write `def` or `async def`")
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        raise SignatureError("must return its result, not yield it")
    return PythonTool(name, function, arguments_of(function), description_of(function))


def _line(function: Any, path: Path) -> int:
    """Where the function stands; the first line, where it stands in another file."""
    code: CodeType | None = getattr(
        inspect.unwrap(function) if callable(function) else None, "__code__", None
    )
    return code.co_firstlineno if code is not None and code.co_filename == str(path) else 1


class PythonTool:
    """One function; see `Tool`."""

    def __init__(
        self, name: str, function: Callable[..., Any], arguments: Arguments, description: str
    ) -> None:
        self._name = name
        self._function = function
        self._arguments = arguments
        self._spec = ToolSpec(description, arguments.schema)
        self._tasks = StoppableTasks()

    @property
    def known(self) -> ToolSpec | None:
        """As `spec`."""
        return self._spec

    async def spec(self) -> ToolSpec:
        """What its docstring and its signature say."""
        return self._spec

    def sent(self, arguments: dict[str, Any], key: str) -> Sent:
        """The call."""
        details: dict[str, Any] = {"function": self._name, "arguments": arguments}
        if self._arguments.takes_key:
            details[IDEMPOTENCY_KEY] = key
        try:
            self._arguments.converted(arguments)
        except msgspec.ValidationError as error:
            details["refused"] = str(error)
        return Sent(f"{self._name}(…) of {FILE_NAME}", details)

    async def call(self, arguments: dict[str, Any], call: ToolCall) -> ToolAnswer:
        """Call it, in a thread or on the loop."""
        try:
            converted = self._arguments.converted(arguments)
        except msgspec.ValidationError as error:
            return ToolAnswer(
                outcome="failed", content=f"Wrong arguments: {error}", code="invalid_arguments"
            )
        if self._arguments.takes_key:
            converted[IDEMPOTENCY_KEY] = call.key
        try:
            if inspect.iscoroutinefunction(self._function):
                return await self._tasks.run(self._awaited(converted), call.timeout_s)
            return await _threads.call(lambda: self._returned(converted), call.timeout_s)
        except TimeoutError:
            return self._unknown(f"took longer than {call.timeout_s:g} s", "timeout")
        except CancelledItselfError:
            return self._unknown("cancelled itself", "raised")
        except (NoThreadFreeError, NotFreeError):
            return ToolAnswer(
                outcome="failed",
                content=f"`{self._name}` was not called: earlier calls have not returned.",
                code="busy",
            )

    async def close(self) -> None:
        """End what is still running on the loop; a thread can't be ended."""
        await self._tasks.close()

    def _returned(self, arguments: dict[str, Any]) -> ToolAnswer:
        try:
            return self._done(self._function(**arguments))
        except BaseException as error:  # noqa: BLE001 - whatever it raises is its answer
            return self._failed(error)

    def _awaited(self, arguments: dict[str, Any]) -> Coroutine[Any, Any, ToolAnswer]:
        async def awaited() -> ToolAnswer:
            try:
                return self._done(await self._function(**arguments))
            except asyncio.CancelledError:
                raise
            except BaseException as error:  # noqa: BLE001 - SystemExit would end the event loop
                return self._failed(error)

        return awaited()

    def _done(self, result: Any) -> ToolAnswer:
        if inspect.iscoroutine(result):
            result.close()
            return self._unknown("returned a coroutine; it must be `async def`", "invalid_result")
        try:
            content = plain_json(msgspec.to_builtins(result, str_keys=True))
            size_bytes = len(msgspec.json.encode(content))
        except Exception as error:  # noqa: BLE001 - whatever a foreign class does
            # Not the error's text: it may quote what it choked on.
            what = "what is no JSON" if isinstance(error, TypeError) else "what can't be JSON"
            return self._unknown(f"returned {what} ({type(result).__name__})", "invalid_result")
        if size_bytes > _RESULT_BYTES_AT_MOST:
            content = (
                f"`{self._name}` was done. Its result of {size_bytes:,} bytes is left out: it may"
                f" have {_RESULT_BYTES_AT_MOST:,}."
            )
        return ToolAnswer(outcome="done", content=content)

    def _failed(self, error: BaseException) -> ToolAnswer:
        if isinstance(error, ToolError):
            # Half a character could neither be stored nor sent.
            said = str(error)[:_ERROR_CHARACTERS_AT_MOST].encode("utf-8", "replace").decode()
            text = said or f"`{self._name}` did nothing."
            return ToolAnswer(outcome="failed", content=text, code="refused")
        return self._unknown(raised(error, FILE_NAME), "raised")

    def _unknown(self, what: str, code: str) -> ToolAnswer:
        return ToolAnswer(
            outcome="unknown",
            content=f"`{self._name}` in {FILE_NAME} {what}; nobody knows whether it was done.",
            code=code,
        )
