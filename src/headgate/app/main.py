"""The command `headgate`: hands the command line what only the composition knows."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from pathlib import Path

from headgate.app.garbage import look_seldom
from headgate.cli.main import Composition, ServeOptions, Workbench, run


def main() -> None:
    """Run the command line."""
    run(Composition(serve=_serve, workbench=_workbench))


def _serve(options: ServeOptions) -> None:
    look_seldom()
    # Imported here: every other command would wait half a second for a server it doesn't start.
    from headgate.app.serving import serve  # noqa: PLC0415

    serve(options)


def _workbench(folder: Path | None) -> AbstractAsyncContextManager[Workbench]:
    from headgate.app.workbench import workbench  # noqa: PLC0415 - as above

    return workbench(folder)
