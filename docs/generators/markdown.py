"""The few forms of Markdown that the reference pages are made of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; line ends and bars within a cell are made harmless."""
    lines = [_row(titles), "|" + "---|" * len(titles)]
    lines += [_row(row) for row in rows]
    return "\n".join(lines)


def code(text: str) -> str:
    """`text` as code, also where it holds backticks."""
    fence = "``" if "`" in text else "`"
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(_cell(cell) for cell in cells) + " |"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
