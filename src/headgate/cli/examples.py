"""Commands whose help ends with examples, one a line, as they are typed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click


def _write(formatter: click.HelpFormatter, examples: Sequence[str]) -> None:
    if examples:
        with formatter.section("Examples"):
            for example in examples:
                formatter.write(f"{'':>{formatter.current_indent}}{example}\n")


class Command(click.Command):
    """A command; `examples` are shown at the end of its help."""

    def __init__(self, *args: Any, examples: Sequence[str] = (), **kwargs: Any) -> None:
        self._examples = examples
        super().__init__(*args, **kwargs)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples, then the epilog."""
        _write(formatter, self._examples)
        super().format_epilog(ctx, formatter)


class Group(click.Group):
    """A group; `examples` are shown at the end of its help. Its commands take them too."""

    command_class = Command

    def __init__(self, *args: Any, examples: Sequence[str] = (), **kwargs: Any) -> None:
        self._examples = examples
        super().__init__(*args, **kwargs)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples, then the epilog."""
        _write(formatter, self._examples)
        super().format_epilog(ctx, formatter)
