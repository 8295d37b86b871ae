"""`headgate simulate`: an OpenAI API that needs no key, for demos, tests and a user's own CI."""

from __future__ import annotations

from pathlib import Path

import click

from headgate.cli.examples import Command
from headgate.cli.output import note
from headgate.errors import ConfigError


@click.command(
    cls=Command,
    examples=(
        "headgate simulate --port 8801",
        "headgate simulate --faults '429;retry-after=1 first'",
        "headgate simulate --gullible",
        "OPENAI_BASE_URL=http://127.0.0.1:8801/v1 OPENAI_API_KEY=any headgate serve",
    ),
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", type=click.IntRange(0, 65_535), default=8801, show_default=True,
    help="Port to listen on; 0 takes a free one.",
)  # fmt: skip
@click.option(
    "--script", type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A YAML file of requests to match and what to reply.",
)  # fmt: skip
@click.option("--faults", help="What goes wrong, such as '429 first' or 'cut;after=3 rate=0.1'.")
@click.option(
    "--gullible", is_flag=False, flag_value="pack", metavar="[FILE]",
    help="Obey the attacks in a JSONL file, or without one those that come with Headgate.",
)  # fmt: skip
@click.option(
    "--tokens-per-s", type=click.FloatRange(min=0), help="Rate of streams; 0 is without pauses."
)
@click.option(
    "--first-token-s", type=click.FloatRange(min=0, max=600), default=0.0, show_default=True,
    help="How long each answer is thought about.",
)  # fmt: skip
def simulate(
    *,
    host: str,
    port: int,
    script: Path | None,
    faults: str | None,
    gullible: str | None,
    tokens_per_s: float | None,
    first_token_s: float,
) -> None:
    """Start an OpenAI API that runs here and needs no key.

    The same request always gets the same answer; none leaves this machine.
    """
    from headgate.evals.packs import ATTACKS  # noqa: PLC0415 - heavier than the rest
    from headgate.simulator import SimulatorConfig, run  # noqa: PLC0415

    config = SimulatorConfig(
        host=host,
        port=port,
        script=None if script is None else str(script),
        faults=faults,
        gullible=str(ATTACKS) if gullible == "pack" else gullible,
        tokens_per_s=tokens_per_s,
        first_token_s=first_token_s,
    )
    try:
        run(config, on_ready=lambda base_url: note(f"The simulator answers at {base_url}"))
    except ValueError as error:
        raise ConfigError(str(error)) from None
    except OSError as error:
        raise ConfigError(f"cannot listen on {host}:{port}: {error.strerror or error}") from None
