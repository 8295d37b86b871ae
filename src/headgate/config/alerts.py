"""`alerts` of `headgate.yaml`: who is told that a budget is being used up."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

ChannelName = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9_.-]{0,62}$")]
"""Lower-case letters, digits, `-`, `_` and `.`; at most 63 characters."""

Security = Literal["starttls", "tls", "none"]
"""How a mail server is spoken to: encryption after a greeting, from the start, or not at all."""


class WebhookSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An address that gets each alert as signed JSON."""

    url: Annotated[str, Meta(description="An http:// or https:// address.")]
    secret: Annotated[str, Meta(min_length=16, description="Keys the signature; write `${NAME}`.")]


class SlackSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An address that takes Slack's incoming webhooks, such as Slack's or Mattermost's."""

    url: Annotated[str, Meta(description="The address; it is a secret, so write `${NAME}`.")]


class EmailSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A mail server and whom it shall write to."""

    host: Annotated[str, Meta(min_length=1, description="The mail server.")]
    port: Annotated[int, Meta(ge=1, le=65_535, description="Its port.")] = 587
    security: Annotated[Security, Meta(description="How the connection is encrypted.")] = "starttls"
    username: Annotated[str | None, Meta(description="Where it asks for one.")] = None
    password: Annotated[str | None, Meta(description="Write `${NAME}`.")] = None
    sender: Annotated[str, Meta(pattern=r"^\S+@\S+$", description="The address it comes from.")]
    recipients: Annotated[
        tuple[Annotated[str, Meta(pattern=r"^\S+@\S+$")], ...],
        Meta(min_length=1, description="The addresses it goes to."),
    ]


class AlertSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Channels that each alert goes to. Each alert is a line of the log in any case."""

    webhooks: dict[ChannelName, WebhookSettings] = {}
    slack: dict[ChannelName, SlackSettings] = {}
    email: dict[ChannelName, EmailSettings] = {}
    max_attempts: Annotated[
        int, Meta(ge=1, le=50, description="Deliveries that are tried until one is given up.")
    ] = 8
