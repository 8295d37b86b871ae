"""What commands print: results on standard output, as a table or as JSON; notes on the other."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple, TypeVar

import click
import msgspec

T = TypeVar("T")

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")


class Column(NamedTuple):
    """A column of a table."""

    title: str
    align: Literal["left", "right"] = "left"


def print_json(value: Any) -> None:
    """Print `value`, of anything that msgspec encodes, as indented JSON."""
    click.echo(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


def print_page(
    page: dict[str, Any],
    show: Callable[[list[dict[str, Any]]], None],
    *,
    as_json: bool,
    none: str = "There are none.",
) -> None:
    """Print a page of a list as the API gives it: as JSON, or its entries as `show` prints them."""
    if as_json:
        print_json(page)
    elif not page["data"]:
        note(none)
    else:
        show(page["data"])
        if page["has_more"]:
            note(f"There are more: --after {page['data'][-1]['id']}")


def print_table(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> None:
    """Print `rows` under `columns`; control characters in a cell are shown as such."""
    from headgate.cli import table  # noqa: PLC0415 - 60 ms that other commands need not pay

    table.print_table(
        columns,
        [[printable(cell) for cell in row] for row in rows],
    )


def note(message: str) -> None:
    """Tell a person something that is not the result."""
    click.echo(message, err=True)


def printable(text: str) -> str:
    """`text` without control characters, which could make a terminal show what isn't there."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def when(microseconds: int | None) -> str:
    """A time, of microseconds since 1970, as people read it, in UTC; nothing for None."""
    if microseconds is None:
        return ""
    return datetime.fromtimestamp(microseconds / 1e6, UTC).strftime("%Y-%m-%d %H:%M")


def progress(results: Iterator[T], total: int) -> Iterator[T]:
    """`results`, with a bar that tells how many are there, where somebody watches a terminal."""
    if total < 2 or not sys.stderr.isatty():
        yield from results
        return
    with click.progressbar(results, length=total, label="Running", file=sys.stderr) as bar:
        yield from bar
