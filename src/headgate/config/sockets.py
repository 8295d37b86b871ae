"""`sockets:` in `headgate.yaml`: what bounds websockets (`/v1/responses`, `/v1/realtime`)."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from headgate.config.table import Table


class SocketSettings(Table, frozen=True):
    """How many websockets a process has, how large their messages and how long they may be."""

    max_sessions: Annotated[
        int,
        Meta(ge=0, description="Websockets that a process has open; beyond it 503. 0: none."),
    ] = 500
    max_message_bytes: Annotated[
        int,
        Meta(ge=1024, description="Largest message of a client or a provider; beyond it 1009."),
    ] = 16 * 1024 * 1024
    max_waiting_messages: Annotated[
        int,
        Meta(
            ge=1,
            le=1000,
            description="Messages that wait to be carried, in each direction; beyond it the"
            " sender is not read from.",
        ),
    ] = 16
    idle_s: Annotated[
        float,
        Meta(gt=0, le=86_400, description="How long neither side may say anything."),
    ] = 600.0
    max_session_s: Annotated[
        float,
        Meta(gt=0, le=86_400, description="How long a websocket lasts at most; OpenAI's, an hour."),
    ] = 3600.0
    client_secrets: Annotated[
        Literal["headgate", "provider"],
        Meta(
            description="Whose secrets `/v1/realtime/client_secrets` gives: `headgate`: a client"
            " opens its session here, and all holds that holds for keys. `provider`: it speaks to"
            " the provider by itself, past limits, budgets and the ledger."
        ),
    ] = "headgate"
    client_secret_s: Annotated[
        int,
        Meta(
            ge=10,
            le=7200,
            description="How long a realtime client secret is good where its request doesn't say.",
        ),
    ] = 600
