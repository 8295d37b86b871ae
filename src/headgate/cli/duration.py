"""A length of time on the command line, such as `90d`, `24h`, `30m` or `10s`."""

from __future__ import annotations

import re

import click

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_FORM = re.compile(r"(?P<count>\d{1,6})(?P<unit>[smhdw])")


class Duration(click.ParamType[int]):
    """Turns such a text into whole seconds."""

    name = "duration"

    def convert(
        self, value: str | int, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        """The seconds that `value` stands for."""
        if isinstance(value, int):
            return value
        found = _FORM.fullmatch(value.strip())
        if found is None:
            self.fail(f"{value!r} is no duration; write 90d, 24h, 30m or 10s", param, ctx)
        return int(found["count"]) * _SECONDS[found["unit"]]
