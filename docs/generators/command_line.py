"""docs/reference/cli.md: every command, argument and option, as click knows them."""

from __future__ import annotations

import importlib.util
import inspect
from collections.abc import Iterator

import click

from docs.generators.markdown import code, table
from headgate.cli import main as cli
from headgate.cli.main import headgate

_INTRODUCTION = """\
# The command line

Results go to standard output, everything else to standard error. With `--json` a command prints \
JSON, for programs. The exit code is 0 when it is done, 1 when the thing asked about failed, 2 for \
wrong use, 130 when it was interrupted.

Commands that work on the database find it as the server does: `HEADGATE_DATABASE_URL`, then \
`database_url` in `headgate.yaml`, then `data/headgate.db` in the project's folder.
"""


def page() -> str:
    """The page's Markdown."""
    with click.Context(headgate, info_name="headgate") as context:
        sections = [
            section
            for name in _there()
            if (command := headgate.get_command(context, name)) is not None
            for section in _sections(command, context, name, "##")
        ]
        listed = table(
            ["command", "what it does"],
            [
                [f"[{code(f'headgate {name}')}](#headgate-{name})", summary]
                for name in _there()
                for summary in [cli.COMMANDS[name][1]]
            ],
        )
    return "\n\n".join([_INTRODUCTION.strip(), listed, *sections])


def _there() -> list[str]:
    """The commands that this version has, in the order of `headgate --help`."""
    return [name for name, (module, _) in cli.COMMANDS.items() if importlib.util.find_spec(module)]


def _sections(
    command: click.Command, parent: click.Context, name: str, level: str
) -> Iterator[str]:
    """The section of `command`, then those of the commands below it."""
    with click.Context(command, info_name=name, parent=parent) as context:
        usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
        help_text = inspect.cleandoc(command.help or "").replace("\b", "")
        yield f"{level} `{context.command_path}`"
        yield f"```text\n{usage}\n```"
        yield help_text
        options = [
            [_spelled(parameter), _told(parameter, context)]
            for parameter in command.params
            if isinstance(parameter, click.Option)
        ]
        if options:
            yield table(["option", "what it does"], options)
        if examples := _examples(command, context):
            yield "```sh\n" + "\n".join(examples) + "\n```"
        if isinstance(command, click.Group):
            for below in command.list_commands(context):
                found = command.get_command(context, below)
                if found is not None:
                    yield from _sections(found, context, below, f"{level}#")


def _examples(command: click.Command, context: click.Context) -> list[str]:
    """What stands under `Examples:` at the end of the command's help."""
    formatter = click.HelpFormatter(width=1000)
    command.format_epilog(context, formatter)
    _, _, lines = formatter.getvalue().partition("Examples:\n")
    return [line.strip() for line in lines.splitlines() if line.strip()]


def _spelled(option: click.Option) -> str:
    names = "/".join([*option.opts, *option.secondary_opts])
    if option.is_flag:
        return code(names)
    return code(f"{names} {option.make_metavar(click.Context(click.Command('')))}")


def _told(option: click.Option, context: click.Context) -> str:
    text = option.help or ""
    default = option.get_default(context, call=False)
    if isinstance(option.show_default, str):
        text += f" Default: {option.show_default}."
    elif option.show_default and default is not None and not callable(default):
        text += f" Default: {code(str(default))}."
    if option.multiple:
        text += " May be given more than once." if "repeatable" not in text else ""
    return text
