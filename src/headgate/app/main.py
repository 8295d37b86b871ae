"""The command `headgate`: hands the command line what only the composition knows."""

from __future__ import annotations

from headgate.cli.main import Composition, ServeOptions, run


def main() -> None:
    """Run the command line."""
    run(Composition(serve=_serve))


def _serve(options: ServeOptions) -> None:
    # Imported here: every other command would wait half a second for a server it doesn't start.
    from headgate.app.serving import serve  # noqa: PLC0415

    serve(options)
