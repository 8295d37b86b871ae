"""A file of Python that a workflow's owner wrote: executed once, and where in it something failed.

It is the operator's own code and runs with the server's rights.
"""

from __future__ import annotations

import sys
import traceback
from pathlib import Path
from types import ModuleType

from headgate.errors import ConfigError


def executed(path: Path, content: bytes, name: str) -> ModuleType:
    """The file as a module called `name`; `ConfigError` with its line where it can't be had."""
    module = ModuleType(name)
    module.__file__ = str(path)
    # Dataclasses and the like look their module up by its name.
    sys.modules[name] = module
    try:
        exec(compile(content, str(path), "exec"), module.__dict__)  # noqa: S102 - the operator's own code
    except SyntaxError as error:
        del sys.modules[name]
        raise ConfigError(f"{path}:{error.lineno or 1}: not valid Python: {error.msg}") from None
    except BaseException as error:
        del sys.modules[name]
        if not isinstance(error, Exception | SystemExit):
            raise
        line = line_in(error, str(path)) or 1
        raise ConfigError(
            f"{path}:{line}: raised {type(error).__name__} when loaded: {error}"
        ) from None
    return module


def line_in(error: BaseException, file: str) -> int | None:
    """The line of the file, whose name ends in `file`, from which `error` came; None: of none."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename.endswith(file)]
    return frames[-1].lineno if frames else None


def raised(error: BaseException, file: str) -> str:
    """What to tell of `error`: `raised KeyError at line 3`.

    Never its text, which may quote a customer; its type and line tell its author enough.
    """
    line = line_in(error, file)
    return f"raised {type(error).__name__}" + (f" at line {line}" if line else "")
