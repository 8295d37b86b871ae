"""`console:` in `headgate.yaml`: the pages at `/console`, and how long one stays signed in."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from headgate.config.table import Table


class ConsoleSettings(Table, frozen=True):
    """The pages for people at `/console`."""

    enabled: Annotated[bool, Meta(description="Whether `/console` is served at all.")] = True
    session_s: Annotated[
        int,
        Meta(ge=300, le=30 * 86_400, description="How long one stays signed in at most."),
    ] = 12 * 3600
    idle_s: Annotated[
        int,
        Meta(ge=300, le=30 * 86_400, description="How long one stays signed in without a page."),
    ] = 2 * 3600
    password_sign_in: Annotated[
        bool,
        Meta(description="Whether users of `headgate users` may sign in; keys may in any case."),
    ] = True
    sign_in_attempts: Annotated[
        int,
        Meta(
            ge=3,
            le=1000,
            description="Attempts that may fail from one address within 15 minutes before it has to"
            " wait; five times as many for one name.",
        ),
    ] = 10
