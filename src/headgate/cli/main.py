"""`headgate`: the group of all commands, each imported only when it is used.

What only the composed application can do is handed in as a `Composition`.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from headgate import __version__
from headgate.errors import ConfigError, HeadgateError, UnavailableError

if TYPE_CHECKING:
    from headgate.workflows.runner import Runner

COMMANDS: dict[str, tuple[str, str]] = {
    "serve": ("headgate.cli.serve", "Start the gateway."),
    "init": ("headgate.cli.init", "Write an example project with four finished workflows."),
    "check": ("headgate.cli.check", "Check a project's files and show the policy they make."),
    "doctor": ("headgate.cli.doctor", "Say what keeps a server from working here."),
    "run": ("headgate.cli.run", "Run a workflow on an input, through a running server."),
    "eval": ("headgate.cli.eval", "Try a workflow against a pack of attacks."),
    "demo": ("headgate.cli.demo", "See the whole way of a request on example inputs."),
    "runs": ("headgate.cli.runs", "See runs and what they want done, and cancel them."),
    "reviews": ("headgate.cli.reviews", "See what waits for people, and decide it."),
    "keys": ("headgate.cli.keys", "Create, list, rotate and revoke keys."),
    "users": ("headgate.cli.users", "Create, list and disable people who sign in to the console."),
    "projects": ("headgate.cli.projects", "Create, list and archive projects."),
    "usage": ("headgate.cli.usage", "Show what was used and what it cost."),
    "estimate": ("headgate.cli.estimate", "Estimate what a month of work would cost, by model."),
    "budgets": ("headgate.cli.budgets", "Show what is used of limits and budgets."),
    "cache": ("headgate.cli.cache", "See and clear the answers kept to be given again."),
    "simulate": ("headgate.cli.simulate", "Start an OpenAI API that needs no key."),
}
"""Name → module, which has a command of that name, and the line that `headgate --help` shows."""

_ENVIRONMENT = {
    "OPENAI_API_KEY": "The provider's key; without one the simulator answers.",
    "OPENAI_BASE_URL": "The provider's address, up to and including /v1.",
    "HEADGATE_PROJECT": "The folder with headgate.yaml.",
    "HEADGATE_DATABASE_URL": "sqlite:///PATH or postgresql://…; else data/headgate.db.",
    "HEADGATE_ADMIN_KEY": "The administrator's key; else one is made and shown once.",
    "HEADGATE_SECRET_KEY": "What keys the hashes; else one is made and stored.",
}

_DONE, _FAILED, _WRONG_USE, _INTERRUPTED = 0, 1, 2, 130


class ServeOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What `headgate serve` was told."""

    folder: Path | None
    """The project's folder, if it was named."""
    host: str
    port: int
    workers: int


class Workbench(msgspec.Struct, frozen=True, kw_only=True):
    """A project made ready in this process to run its workflows, without a server."""

    runner: Runner
    projects: frozenset[str]
    """The projects that its runs may be of."""
    simulated: frozenset[str]
    """The providers that the simulator stands in for."""


def _no_workbench(_: Path | None) -> AbstractAsyncContextManager[Workbench]:
    raise UnavailableError("This command line has nothing to run workflows with.")


class Composition(msgspec.Struct, frozen=True, kw_only=True):
    """What the application lends to its command line."""

    serve: Callable[[ServeOptions], None]
    """Serves until it is told to stop. Raises `HeadgateError` where it cannot start."""
    workbench: Callable[[Path | None], AbstractAsyncContextManager[Workbench]] = _no_workbench
    """Makes the project in a folder ready; where a provider has no key, a gullible simulator plays
    it. Raises `HeadgateError` where it can't be."""


class _Commands(click.Group):
    """Knows every command's name and summary, and imports the one that is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click calls it so
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - so
        if cmd_name not in COMMANDS:
            return None
        command = getattr(importlib.import_module(COMMANDS[cmd_name][0]), cmd_name)
        if not isinstance(command, click.Command):
            raise TypeError(f"{COMMANDS[cmd_name][0]}.{cmd_name} is no command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - so
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in COMMANDS.items()])
        with formatter.section("Environment"):
            formatter.write_dl(list(_ENVIRONMENT.items()))


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Begin with `headgate serve`, or with `headgate init DIR` for an example project.",
)
@click.version_option(__version__, message="headgate %(version)s")
def headgate() -> None:
    """Headgate stands between your applications and the OpenAI API."""


def run(composition: Composition, arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit: 0 done, 1 the thing asked about failed, 2 wrong use."""
    sys.exit(_exit_code(composition, arguments))


def _exit_code(composition: Composition, arguments: Sequence[str] | None) -> int:
    try:
        outcome = headgate.main(
            args=None if arguments is None else list(arguments),
            prog_name="headgate",
            standalone_mode=False,
            obj=composition,
        )
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except ConfigError as error:
        for problem in error.problems:
            click.echo(f"headgate: {problem}", err=True)
        return _FAILED
    except HeadgateError as error:
        click.echo(f"headgate: {error.message}", err=True)
        return _FAILED
    except (click.Abort, KeyboardInterrupt) as error:
        click.echo("headgate: stopped", err=True)
        # click makes both a declined question and Ctrl-C an Abort.
        return _FAILED if isinstance(error, click.Abort) and not error.__cause__ else _INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has enough of it; Python would complain again at its exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _DONE
    return outcome if isinstance(outcome, int) else _DONE
