"""A workflow's `rules.py`: what its owner demands of an output beyond its schema.

It may define `check(output, input)`, which returns a list of problems (None or empty: it passes) or
`hold` for a person to look, `amend(output, input)`, which returns the output put right, and
`fallback(input)`, which answers without a model. Each is given what was gathered for the run, too,
where it has one more parameter called `context`. A rule that raises, hangs or returns nonsense has
failed: nothing passes unseen.
"""

from __future__ import annotations

import copy
import inspect
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from headgate.checks.bounded_thread import NoThreadFreeError, call_bounded
from headgate.checks.problem import Problem
from headgate.checks.python_file import executed, raised
from headgate.checks.ruling import PASSED, Hold, Ruling
from headgate.checks.schema import plain_json
from headgate.errors import ConfigError

_PROBLEMS_AT_MOST = 20
_MESSAGE_CHARACTERS_AT_MOST = 500
_FUNCTIONS = {"check": 2, "amend": 2, "fallback": 1}
_CONTEXT = "context"
"""The parameter that asks for what was gathered."""

_FIELD = re.compile(r"^(?P<path>[A-Za-z_][\w.\[\]-]{0,120}): (?P<rest>.+)$", re.DOTALL)


Context = dict[str, Any] | None
"""What was gathered for a run."""


class RulesError(Exception):
    """A rule could not be run; the message says which and why, without contents."""


class Rules:
    """The functions of one `rules.py`, each bounded by `timeout_s`."""

    def __init__(self, functions: dict[str, Callable[..., Any]], timeout_s: float) -> None:
        self._functions = functions
        self._with_context = frozenset(
            name for name, function in functions.items() if _takes_context(function)
        )
        self._timeout_s = timeout_s

    @classmethod
    def load(cls, path: Path, content: bytes, name: str, timeout_s: float) -> Rules:
        """Execute the file; `ConfigError` with its line where it fails or defines none of them."""
        module = executed(path, content, name)
        functions = {}
        for function, arguments in _FUNCTIONS.items():
            found = getattr(module, function, None)
            if found is None:
                continue
            _check_signature(path, function, found, arguments)
            functions[function] = found
        if not functions:
            raise ConfigError(f"{path}:1: defines none of check, amend, fallback")
        return cls(functions, timeout_s)

    @property
    def functions(self) -> tuple[str, ...]:
        """The names of those that it defines."""
        return tuple(self._functions)

    def has(self, function: str) -> bool:
        """Whether the file defines `function`."""
        return function in self._functions

    async def check(
        self, output: dict[str, Any], given: dict[str, Any], context: Context = None
    ) -> Ruling:
        """What `check` says, at most 20 problems and 20 holds; a problem of its own if it fails."""
        if not self.has("check"):
            return PASSED
        try:
            found = await self._call("check", output, given, context=context)
            return _as_ruling(found)
        except RulesError as error:
            return Ruling(problems=(Problem("", "rules", str(error)),))

    async def amend(
        self, output: dict[str, Any], given: dict[str, Any], context: Context = None
    ) -> dict[str, Any]:
        """The output as `amend` returns it; `RulesError` where it fails."""
        if not self.has("amend"):
            return output
        return _as_object("amend", await self._call("amend", output, given, context=context))

    async def fallback(self, given: dict[str, Any], context: Context = None) -> dict[str, Any]:
        """What `fallback` answers; `RulesError` where it fails."""
        return _as_object("fallback", await self._call("fallback", given, context=context))

    async def _call(self, function: str, *arguments: dict[str, Any], context: Context) -> Any:
        # Copies: a rule that changes what it was shown must not change what is stored.
        copies = [copy.deepcopy(argument) for argument in arguments]
        more: dict[str, Any] = {}
        if function in self._with_context:
            more[_CONTEXT] = copy.deepcopy(context or {})
        try:
            return await call_bounded(
                lambda: self._functions[function](*copies, **more), self._timeout_s
            )
        except TimeoutError:
            raise RulesError(
                f"`{function}` in rules.py took longer than {self._timeout_s:g} s"
            ) from None
        except NoThreadFreeError:
            raise RulesError(
                f"`{function}` in rules.py could not be run: earlier rules never returned"
            ) from None
        except Exception as error:
            raise RulesError(f"`{function}` in rules.py {raised(error, 'rules.py')}") from error


def _takes_context(function: Callable[..., Any]) -> bool:
    return _CONTEXT in inspect.signature(function).parameters


def _check_signature(path: Path, name: str, found: object, arguments: int) -> None:
    line = getattr(getattr(found, "__code__", None), "co_firstlineno", 1)
    wanted = "(input)" if arguments == 1 else "(output, input)"
    if not callable(found) or inspect.iscoroutinefunction(found):
        raise ConfigError(f"{path}:{line}: {name}: must be a plain function {name}{wanted}")
    try:
        more: dict[str, Any] = {_CONTEXT: {}} if _takes_context(found) else {}
        inspect.signature(found).bind(*range(arguments), **more)
    except TypeError:
        raise ConfigError(f"{path}:{line}: {name}: must be called as {name}{wanted}") from None
    # They are given by their places: swapped, every rule would be judged of the wrong one.
    if arguments > 1 and next(iter(inspect.signature(found).parameters), None) == "input":
        raise ConfigError(f"{path}:{line}: {name}: takes the output first, {name}{wanted}")


def _as_ruling(found: Any) -> Ruling:
    if found is None:
        return PASSED
    said = [found] if isinstance(found, Hold) else found
    if not isinstance(said, list | tuple) or not all(isinstance(one, str | Hold) for one in said):
        raise RulesError("`check` in rules.py must return a list of texts, `hold(…)`, or None")
    problems = [one for one in said if isinstance(one, str)]
    holds = [reason for one in said if isinstance(one, Hold) for reason in one.reasons]
    if not all(isinstance(reason, str) for reason in holds):
        raise RulesError("`hold` in rules.py takes a text")
    return Ruling(
        problems=tuple(_as_problem(text) for text in problems[:_PROBLEMS_AT_MOST]),
        holds=tuple(_as_problem(text) for text in holds[:_PROBLEMS_AT_MOST]),
    )


def _as_problem(text: str) -> Problem:
    text = text.strip()[:_MESSAGE_CHARACTERS_AT_MOST] or "is not accepted"
    if found := _FIELD.match(text):
        return Problem(found["path"], "rules", found["rest"])
    return Problem("", "rules", text)


def _as_object(function: str, found: Any) -> dict[str, Any]:
    if not isinstance(found, dict):
        raise RulesError(f"`{function}` in rules.py must return an object (a dict)")
    try:
        plain: dict[str, Any] = plain_json(found)
    except ValueError as error:
        raise RulesError(f"`{function}` in rules.py returned {error}") from None
    return plain
