"""`headgate init`: writes the example project into a folder of the user's."""

from __future__ import annotations

from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from shlex import quote

import click

from headgate.cli.examples import Command
from headgate.cli.output import json_option, note, print_json
from headgate.errors import ConflictError, HeadgateError

_GITIGNORE = (
    "# Headgate's database, with keys' hashes and what people wrote.\n/data/\n"
    "# What services/start.py makes.\n/services/billing.db\n"
)


@click.command(cls=Command, examples=("headgate init support", "headgate init . --json"))
@click.argument("folder", metavar="DIR", type=click.Path(file_okay=False, path_type=Path))
@json_option
def init(*, folder: Path, as_json: bool) -> None:
    """Write an example project into DIR: a configuration, four finished workflows, their inputs.

    DIR is made if it isn't there; one that has anything in it is left alone.
    """
    written = write_example(folder)
    if as_json:
        print_json({"folder": str(folder), "files": written})
        return
    for name in written:
        click.echo(folder / name)
    typed = quote(str(folder))
    note(
        f"\nWrote {len(written)} files. What to try next:\n"
        f"  headgate check {typed}\n"
        f"  headgate serve {typed}\n"
        "and in another terminal:\n"
        f"  export HEADGATE_API_KEY=$(headgate keys create my-app --dir {typed})\n"
        f"  headgate run ticket-triage --input {quote(str(folder / 'inputs' / 'tickets.jsonl'))}"
    )


def write_example(folder: Path) -> list[str]:
    """Write the example project into `folder`; the files' names within it.

    Raises `ConflictError` where the folder has anything in it.
    """
    try:
        if folder.exists() and any(folder.iterdir()):
            raise ConflictError(
                f"{folder} is not empty; name a new folder, nothing is ever written over"
            )
        folder.mkdir(parents=True, exist_ok=True)
        written = _copy(files("headgate.examples") / "project", folder, "")
        (folder / ".gitignore").write_text(_GITIGNORE, "utf-8")
    except OSError as error:
        raise HeadgateError(f"{folder} can't be written: {error.strerror}") from None
    return sorted([*written, ".gitignore"])


def _copy(source: Traversable, target: Path, name: str) -> list[str]:
    written: list[str] = []
    for child in source.iterdir():
        if child.name.startswith((".", "__pycache__")):
            continue
        inner = f"{name}/{child.name}".lstrip("/")
        if child.is_dir():
            (target / child.name).mkdir()
            written += _copy(child, target / child.name, inner)
        else:
            (target / child.name).write_bytes(child.read_bytes())
            written.append(inner)
    return written
