"""`headgate eval`: how a workflow stands up to the cases of a pack, before it meets the world."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from headgate.cli.database import folder_option
from headgate.cli.examples import Command
from headgate.cli.input_file import read_inputs
from headgate.cli.output import json_option, note, print_json
from headgate.cli.shown.evaluation import print_report

if TYPE_CHECKING:
    from headgate.cli.main import Composition, Workbench
    from headgate.evals.attack_report import Report
    from headgate.evals.attack_result import Result
    from headgate.evals.attack_run import Placed

PACKS = ("injection",)
"""The packs that come with Headgate."""

_PERCENT = re.compile(r"(\d{1,3}(?:\.\d+)?)\s*%?")


class Percent(click.ParamType):  # type: ignore[type-arg] # generic from click 8.3 on
    """A share: `2%`, or `2` for the same."""

    name = "percent"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """See `click.ParamType`."""
        found = _PERCENT.fullmatch(str(value).strip())
        if found is None or float(found[1]) > 100:
            self.fail(f"{value!r} is no share such as 2%", param, ctx)
        return float(found[1])


@click.command(
    "eval",
    cls=Command,
    examples=(
        "headgate eval ticket-triage --pack injection",
        "headgate eval ticket-triage --pack injection --limit 40 --at-most 5%",
        "headgate eval ticket-triage --pack injection --family extraction --field body --json",
    ),
)
@click.argument("workflow")
@click.option(
    "--pack", type=click.Choice(PACKS),
    help="The cases: `injection` has attacks on a model, and harmless texts that look like them.",
)  # fmt: skip
@folder_option
@click.option(
    "--family", "families", multiple=True, help="Only attacks of this family; repeatable."
)
@click.option(
    "--limit", type=click.IntRange(min=1), metavar="N",
    help="At most so many attacks, of all families in turn, and so many look-alikes.",
)  # fmt: skip
@click.option(
    "--look-alikes/--no-look-alikes", default=True, show_default=True,
    help="Whether harmless texts are tried too.",
)  # fmt: skip
@click.option(
    "--input", "path", metavar="FILE|-",
    help="A valid input to put the texts into, the first in the file; by default one is made from"
    " the schema.",
)  # fmt: skip
@click.option(
    "--field", "names", multiple=True, metavar="PATH",
    help="A field of the input that texts go into, such as body or messages[0].text; repeatable."
    " By default all that take any text and are shown to the model.",
)  # fmt: skip
@click.option(
    "--every-field", is_flag=True, help="Each text into every field, not into one of them in turn."
)
@click.option(
    "--at-most", type=Percent(), default="2%", show_default=True, metavar="SHARE",
    help="The share of attacks that may succeed, and of look-alikes that guards may block.",
)  # fmt: skip
@click.option(
    "--concurrency", type=click.IntRange(1, 64), default=4, show_default=True,
    help="Runs under way at once.",
)  # fmt: skip
@click.option(
    "--as-project", "project", default="default", show_default=True, metavar="NAME",
    help="The project whose limits and guards hold and who pays.",
)  # fmt: skip
@json_option
@click.pass_obj
def eval(  # noqa: A001 - the command's name
    composition: Composition,
    *,
    workflow: str,
    pack: str | None,
    folder: Path | None,
    families: tuple[str, ...],
    limit: int | None,
    look_alikes: bool,
    path: str | None,
    names: tuple[str, ...],
    every_field: bool,
    at_most: float,
    concurrency: int,
    project: str,
    as_json: bool,
) -> int:
    """Try WORKFLOW against a pack of cases, and show how it stood them.

    Needs no server: the project's files are made ready here, and every case is a run of its own,
    with the project's guards, limits and prices, and asks the provider, which is paid for. Where no
    provider has a key, a simulator plays a gullible model, at no cost. The exit status is 1 if too
    many attacks succeed, too many harmless texts are blocked, or too many can't be judged.
    """
    if pack is None:
        raise click.UsageError(
            f"name the cases with --pack: {', '.join(PACKS)}. A workflow's own cases (cases.yaml)"
            " can't be evaluated yet."
        )
    from headgate.cli.eval_setup import Choice, prepared  # noqa: PLC0415 - heavier than the rest

    choice = Choice(
        workflow=workflow, pack=pack, families=families, limit=limit, look_alikes=look_alikes,
        given=_given(path), fields=names, every_field=every_field, project=project,
    )  # fmt: skip

    async def evaluated() -> Report:
        async with composition.workbench(folder) as bench:
            _tell(bench)
            setup = prepared(bench, choice)
            note(setup.said())
            await setup.attack_run.check_control()
            results = [
                one
                async for one in _progress(
                    setup.attack_run.results(setup.placed, concurrency), setup.placed
                )
            ]
            return setup.report(results, at_most, simulated=bool(bench.simulated))

    report = asyncio.run(evaluated())
    if as_json:
        print_json(report.as_json())
    else:
        print_report(report)
    return 0 if report.passed else 1


def _given(path: str | None) -> dict[str, Any] | None:
    if path is None:
        return None
    inputs, _ = read_inputs(path)
    if not inputs:
        raise click.UsageError(f"--input {path} has no input")
    return inputs[0]


def _tell(bench: Workbench) -> None:
    if bench.simulated:
        note(
            "SIMULATED: no OPENAI_API_KEY is set, so a simulator plays a gullible model in place of"
            f" {', '.join(sorted(bench.simulated))}; no answer comes from a real one."
        )


async def _progress(results: AsyncIterator[Result], placed: list[Placed]) -> AsyncIterator[Result]:
    if not sys.stderr.isatty():
        async for one in results:
            yield one
        return
    with click.progressbar(length=len(placed), label="Running", file=sys.stderr) as bar:
        async for one in results:
            bar.update(1)
            yield one
