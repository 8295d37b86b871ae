"""`headgate …` as typed, in this process: how it ends and what it prints."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import msgspec
import pytest

from headgate.cli.main import Composition, ServeOptions, run


class Ran(NamedTuple):
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        return msgspec.json.decode(self.out)


def ran(
    capsys: pytest.CaptureFixture[str],
    arguments: Iterable[Any],
    serve: Callable[[ServeOptions], None] = lambda _: None,
) -> Ran:
    """What came of that command line."""
    with pytest.raises(SystemExit) as ended:
        run(Composition(serve=serve), [str(argument) for argument in arguments])
    return Ran(int(ended.value.code or 0), *capsys.readouterr())
