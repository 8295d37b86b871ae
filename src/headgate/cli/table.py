"""A table of text for the terminal, by rich; imported only when one is printed."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Literal

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

_PIPED_WIDTH = 10_000
"""Columns of a table that no terminal cuts, so that a program reading it misses nothing."""


def print_table(
    columns: Sequence[tuple[str, Literal["left", "right"]]], rows: Sequence[Sequence[str]]
) -> None:
    """Print `rows` under `columns` on standard output; cells are text as it is, no markup.

    A column is its title and how its cells are aligned.
    """
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for title, align in columns:
        table.add_column(title, justify=align, overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    width = None if sys.stdout.isatty() else _PIPED_WIDTH
    Console(file=sys.stdout, width=width, highlight=False).print(table)
