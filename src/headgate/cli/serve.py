"""`headgate serve`: start the gateway."""

from __future__ import annotations

from pathlib import Path

import click

from headgate.cli.examples import Command
from headgate.cli.main import Composition, ServeOptions


@click.command(
    cls=Command,
    examples=(
        "headgate serve",
        "headgate serve ./support --port 8080 --workers 4",
        "HEADGATE_DATABASE_URL=postgresql://db/headgate headgate serve --host 0.0.0.0",
    ),
)
@click.argument(
    "folder", metavar="[DIR]", required=False, type=click.Path(file_okay=False, path_type=Path)
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", type=click.IntRange(0, 65_535), default=8800, show_default=True,
    help="Port to listen on; 0 takes a free one.",
)  # fmt: skip
@click.option(
    "--workers", type=click.IntRange(1, 256), default=1, show_default=True,
    help="Processes that share the port.",
)  # fmt: skip
@click.pass_obj
def serve(
    composition: Composition, *, folder: Path | None, host: str, port: int, workers: int
) -> None:
    """Start the gateway for the project in DIR.

    DIR is the folder with headgate.yaml; by default HEADGATE_PROJECT, or this one if it has that
    file or a workflow. Without any, the defaults hold: SQLite in data/, OpenAI from OPENAI_API_KEY,
    or else the simulator.
    """
    composition.serve(ServeOptions(folder=folder, host=host, port=port, workers=workers))
