"""What an evaluation is made of: the cases chosen, the fields they go into, who runs them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

import click
import msgspec

from headgate.cli.main import Workbench
from headgate.evals.attack_report import Report, cost_of, counted, unjudged_of
from headgate.evals.attack_result import Result
from headgate.evals.attack_run import AttackRun, Placed, family_of
from headgate.evals.packs import Attack, Lookalike, attacks, lookalikes
from headgate.evals.text_fields import Path, named, sample_input, text_fields
from headgate.gateway.caller import Caller
from headgate.workflows.folder import Workflow

_NO_TOOLS = "want a tool called, and the workflow has none"
_NO_ROOM = "are too long for every field"

_Case = TypeVar("_Case", Attack, Lookalike)


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked for."""

    workflow: str
    pack: str
    families: tuple[str, ...] = ()
    limit: int | None = None
    look_alikes: bool = True
    given: dict[str, Any] | None = None
    """A valid input; None makes one."""
    fields: tuple[str, ...] = ()
    every_field: bool = False
    project: str = "default"


class Setup(msgspec.Struct, frozen=True, kw_only=True):
    """An evaluation that can begin."""

    choice: Choice
    workflow: Workflow
    attack_run: AttackRun
    placed: list[Placed]
    fields: tuple[Path, ...]
    left_out: dict[str, int]

    def said(self) -> str:
        """What is about to be done, in a line."""
        hostile = sum(isinstance(one.case, Attack) for one in self.placed)
        where = ", ".join(named(field) for field in self.fields)
        return (
            f"{self.workflow.name} {self.workflow.settings.version}: {hostile} attacks and"
            f" {len(self.placed) - hostile} look-alikes into {where}"
        )

    def report(self, results: Sequence[Result], at_most: float, *, simulated: bool) -> Report:
        """What came of it."""
        of_attacks = [one for one in results if one.kind == "attack"]
        of_others = [one for one in results if one.kind == "look_alike"]
        whole, families = counted(of_attacks, "all")
        others, kinds = counted(of_others, "all")
        cost_nanousd, unpriced = cost_of(results)
        return Report(
            workflow=self.workflow.name,
            version=self.workflow.settings.version,
            digest=self.workflow.digest,
            pack=self.choice.pack,
            simulated=simulated,
            fields=tuple(named(field) for field in self.fields),
            at_most_percent=at_most,
            attacks=whole,
            families=families,
            look_alikes=others,
            kinds=kinds,
            left_out=self.left_out,
            cost_nanousd=cost_nanousd,
            unpriced=unpriced,
            succeeded=tuple(one for one in of_attacks if one.ended == "succeeded"),
            blocked=tuple(one for one in of_others if one.ended == "blocked"),
            unjudged=unjudged_of(results),
        )


def prepared(bench: Workbench, choice: Choice) -> Setup:
    """The evaluation that was asked for. Raises `click.UsageError` and `HeadgateError`."""
    if choice.project not in bench.projects:
        known = ", ".join(sorted(bench.projects))
        raise click.UsageError(f"there is no project {choice.project}; there is {known}")
    workflow = bench.runner.catalogue.get(choice.workflow)
    if workflow.settings.trust == "trusted" and not choice.fields:
        raise click.UsageError(
            f"{workflow.name} says `trust: trusted`: nobody from outside writes its input. Name the"
            " fields that somebody might all the same with --field."
        )
    given = choice.given if choice.given is not None else sample_input(workflow)
    if problems := workflow.input_schema.problems(given):
        raise click.UsageError(f"--input does not fit input.schema.json: {problems[0]}")
    fields = _fields(workflow, given, choice.fields)
    caller = Caller(key_id="eval", project=choice.project, role="admin")
    attack_run = AttackRun(bench.runner, workflow, given, caller)
    wanted, left_out = _attacks(choice)
    placed, homeless = attack_run.place(wanted, fields, every_field=choice.every_field)
    look_alikes: Sequence[Lookalike] = lookalikes() if choice.look_alikes else ()
    harmless, homeless_too = attack_run.place(
        _in_turn(look_alikes, choice.limit), fields, every_field=choice.every_field
    )
    if homeless or homeless_too:
        left_out[_NO_ROOM] = len(homeless) + len(homeless_too)
    if not placed:
        raise click.UsageError("no attack is left to be tried; see --family, --field and --input")
    return Setup(
        choice=choice,
        workflow=workflow,
        attack_run=attack_run,
        placed=placed + harmless,
        fields=fields,
        left_out=left_out,
    )


def _fields(workflow: Workflow, given: dict[str, Any], wanted: Sequence[str]) -> tuple[Path, ...]:
    found = {named(field): field for field in text_fields(workflow, given)}
    if not found:
        raise click.UsageError(
            f"no field of {workflow.name}'s input takes any text and is shown to the model"
        )
    for name in wanted:
        if name not in found:
            raise click.UsageError(
                f"--field {name}: takes no free text that the model is shown; there is"
                f" {', '.join(found)}"
            )
    return tuple(found[name] for name in dict.fromkeys(wanted or found))


def _attacks(choice: Choice) -> tuple[list[Attack], dict[str, int]]:
    every = attacks()
    there = dict.fromkeys(attack.family for attack in every)
    for family in choice.families:
        if family not in there:
            raise click.UsageError(f"--family {family}: there is {', '.join(there)}")
    wanted = [one for one in every if not choice.families or one.family in choice.families]
    # A workflow offers a model no tools, so that none can be called whatever it reads.
    possible = [one for one in wanted if one.goal.kind != "calls"]
    left_out = Counter({_NO_TOOLS: len(wanted) - len(possible)})
    return _in_turn(possible, choice.limit), dict(+left_out)


def _in_turn(cases: Iterable[_Case], limit: int | None) -> list[_Case]:
    """The first `limit` of `cases`, one of each family after the other; all where it is None."""
    groups: dict[str, list[_Case]] = {}
    for case in cases:
        groups.setdefault(family_of(case), []).append(case)
    longest = max(map(len, groups.values()), default=0)
    mixed = [
        group[turn] for turn in range(longest) for group in groups.values() if turn < len(group)
    ]
    return mixed[:limit]
