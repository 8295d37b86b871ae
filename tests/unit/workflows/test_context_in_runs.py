"""A run's context: gathered at once before its prompt, scoped, kept, and held to when it fails."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest

from headgate.config.connectors import ConnectorSettings
from headgate.context.connector import Arguments, ConnectorError, NoRecordError
from headgate.context.connectors import Connectors
from headgate.errors import DatabaseUnavailableError, PermissionDeniedError
from headgate.gateway.caller import Caller
from headgate.workflows.catalogue import Catalogue
from headgate.workflows.durable.orders import Terms
from headgate.workflows.errand import Errand
from headgate.workflows.repository import RunRepository
from headgate.workflows.run import Run
from headgate.workflows.runner import Runner
from headgate.workflows.steps import Trail
from headgate.workflows.tools.talk import Talk
from scripted_workflows import GOOD, Kept, ScriptedModel, order

CONNECTORS = {
    "crm": msgspec.convert(
        {
            "http": {
                "base_url": "http://127.0.0.1:1",
                "operations": {
                    "account": {"path": "/a/{id}", "fields": {"name": "text", "plan": "text"}},
                    "notes": {"path": "/n/{id}", "fields": {"text": "text"}, "many": 3},
                },
            }
        },
        ConnectorSettings,
    )
}
CONTEXT = """
context:
  crm:
    from: crm.account
    arguments: {id: input.text}
    trust: trusted
  notes:
    from: crm.notes
    arguments: {id: input.text}
    required: false
"""
NOTES_TRUSTED = CONTEXT[CONTEXT.index("  notes:") :] + "    trust: trusted\n"
PROMPT = """\
# system

Label the text.

# user

{{ input.text }} is {{ context.crm.name }}.
{% for note in context.notes | default([]) %}
Note: {{ note.text }}
{% endfor %}
"""
ACCOUNT = {"name": "Orrin", "plan": "basic-plan", "rating": "C"}


class Scripted(Connectors):
    """Connectors whose sources a test plays."""

    def __init__(self, **answers: Any) -> None:
        super().__init__(CONNECTORS)
        self.answers = {"account": [ACCOUNT], "notes": [{"text": "content"}]} | answers
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.under_way = self.most_under_way = 0

    def _connector(self, name: str) -> Any:
        return self

    async def records(self, operation: str, arguments: Arguments) -> Any:
        self.asked.append((operation, dict(arguments)))
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            await asyncio.sleep(0.01)
            answer = self.answers[operation]
            answer = answer.pop(0) if isinstance(answer, tuple_list) else answer
            if isinstance(answer, BaseException):
                raise answer
            if isinstance(answer, float):
                await asyncio.sleep(answer)
            return answer
        finally:
            self.under_way -= 1


class tuple_list(list):  # noqa: N801 - answers, one after the other
    pass


@pytest.fixture
def make(project: Path, labels: Path, repository: RunRepository):
    """A runner of `labels` with a context, and what it asks."""

    def build(
        *model: Any, connectors: Connectors | None = None, context: str = CONTEXT, more: str = ""
    ) -> Runner:
        (labels / "prompt.md").write_text(PROMPT)
        settings = (labels / "workflow.yaml").read_text().split("trust:")[0]
        (labels / "workflow.yaml").write_text(f"{settings}trust: trusted\n{context}{more}")
        return Runner(
            Catalogue.load(project, CONNECTORS),
            ScriptedModel(*(model or (GOOD,))),
            repository,
            str,
            connectors=connectors or Scripted(),
        )

    return build


def said(runner: Runner) -> str:
    return str(runner.model.bodies[0]["messages"][-1]["content"])


def the_step(run: Run) -> Any:
    return next(step for step in run.steps if step.kind == "context")


async def test_what_was_declared_is_gathered_at_once_and_shown_to_the_model(make):
    connectors = Scripted()
    runner = make(connectors=connectors)
    run = await runner.run(order("a1"))
    assert run.status == "completed"
    assert connectors.most_under_way == 2
    assert sorted(connectors.asked) == [("account", {"id": "a1"}), ("notes", {"id": "a1"})]
    assert run.context == {
        "crm": {"name": "Orrin", "plan": "basic-plan"},
        "notes": [{"text": "content"}],
    }
    assert said(runner) == "a1 is Orrin.\nNote: content"
    assert [step.kind for step in run.steps][:3] == ["input", "context", "render"]


async def test_nothing_that_was_not_approved_reaches_the_run(make, repository):
    narrow = CONTEXT.replace("trust: trusted", "fields: [name]\n    trust: trusted")
    runner = make(context=narrow)
    run = await runner.run(order("a1"))
    assert run.context["crm"] == {"name": "Orrin"}
    assert "basic-plan" not in str(runner.model.bodies)
    assert "rating" not in msgspec.json.encode(repository.get(run.id)).decode()


async def test_the_context_is_kept_with_the_contents_and_the_step_holds_none(make, repository):
    run = await make().run(order("a1"))
    kept = repository.get(run.id)
    assert kept.context == run.context
    assert repository.get(run.id, contents=False).context is None
    step = the_step(kept)
    assert [(p.name, p.source, p.records, p.absent) for p in step.parts] == [
        ("crm", "crm.account", 1, None), ("notes", "crm.notes", 1, None),
    ]  # fmt: skip
    assert b"Orrin" not in msgspec.json.encode(step)


async def test_an_optional_part_that_can_not_be_had_is_absent_and_the_step_says_so(make):
    failing = ConnectorError("the service answered 500")
    run = await make(connectors=Scripted(notes=failing)).run(order("a1"))
    assert (run.status, "notes" in run.context) == ("completed", False)
    step = the_step(run)
    assert (step.verdict, step.parts[1].absent) == ("passed", "unavailable")
    assert [str(one) for one in step.problems] == ["context.notes: the service answered 500"]


@pytest.mark.parametrize(
    ("failure", "status", "code", "retryable"),
    [
        (
            ConnectorError("the service answered 500", retryable=True),
            503,
            "context_unavailable",
            True,
        ),
        (ConnectorError("is not JSON"), 502, "context_unavailable", False),
        (NoRecordError("there is no such record"), 404, "context_not_found", None),
        ([{"name": "Orrin"}], 502, "context_unavailable", False),
        ([{"name": "Orrin", "plan": 3}], 502, "context_unavailable", False),
        (RuntimeError("a fault of ours"), 502, "context_unavailable", False),
    ],
)
async def test_a_required_part_that_can_not_be_had_fails_the_run(
    make, repository, failure, status, code, retryable
):
    runner = make(connectors=Scripted(account=failure), more="fallback: review\n")
    run = await runner.run(order("a1"))
    assert (run.status, run.error.status, run.error.code) == ("failed", status, code)
    assert (run.error.retryable, run.error.param) == (retryable, "context.crm")
    assert "crm.account" in run.error.message
    assert "fault of ours" not in run.error.message
    assert runner.model.requests == [], "no model is asked without it"
    kept = repository.get(run.id)
    assert (kept.status, kept.context, the_step(kept).verdict) == ("failed", None, "failed")


async def test_a_field_that_does_not_fit_is_named_and_its_value_is_not(make):
    wrong = [{"name": ["secret"], "plan": "p"}]
    run = await make(connectors=Scripted(account=wrong)).run(order("a1"))
    assert "the field `name` is no text" in run.error.message
    assert "secret" not in run.error.message


async def test_what_may_go_well_later_is_tried_once_more(make):
    answers = tuple_list([ConnectorError("not now", retryable=True), [ACCOUNT]])
    connectors = Scripted(account=answers)
    assert (await make(connectors=connectors).run(order("a1"))).status == "completed"
    gone = tuple_list([ConnectorError("never", retryable=False), [ACCOUNT]])
    connectors = Scripted(account=gone)
    assert (await make(connectors=connectors).run(order("a1"))).status == "failed"


async def test_each_part_has_its_own_time(make):
    slow = CONTEXT.replace("required: false", "required: false\n    timeout_s: 0.05")
    run = await make(connectors=Scripted(notes=5.0), context=slow).run(order("a1"))
    assert (run.status, the_step(run).parts[1].absent) == ("completed", "unavailable")
    assert "no answer within 0.05 s" in str(the_step(run).problems[0])


async def test_a_hostile_argument_is_the_callers_error_and_asks_nobody(make):
    connectors = Scripted()
    run = await make(connectors=connectors).run(order("a\nb"))
    assert (run.error.status, run.error.code) == (400, "context_argument")
    assert run.error.param == "input.text"
    assert connectors.asked == []


async def test_a_context_that_is_too_large_fails_the_run(make):
    long = [{"name": "x" * 300, "plan": "p"}]
    runner = make(connectors=Scripted(account=long), more="limits: {context_max_bytes: 256}\n")
    run = await runner.run(order("a1"))
    assert (run.error.code, run.error.param) == ("context_unavailable", "context")
    assert "limits.context_max_bytes" in run.error.message


APP = Caller(key_id="key_1", project="default", role="app")
DEVELOPER = Caller(key_id="key_2", project="default", role="developer")
OTHERS = Caller(key_id="key_3", project="others", role="developer")


async def test_a_part_that_is_not_for_the_caller_is_left_out(make):
    scoped = CONTEXT.replace(
        "required: false", "required: false\n    roles: [developer]\n    projects: [default]"
    )
    connectors = Scripted()
    runner = make(connectors=connectors, context=scoped)
    for caller, gets in ((DEVELOPER, True), (APP, False), (OTHERS, False)):
        connectors.asked.clear()
        run = await runner.run(order("a1", caller=caller))
        assert run.status == "completed"
        assert ("notes" in run.context) is gets
        assert (("notes", {"id": "a1"}) in connectors.asked) is gets
        assert the_step(run).parts[1].absent == (None if gets else "not_allowed")


async def test_a_required_part_that_is_not_for_the_caller_refuses_it(make, repository):
    scoped = CONTEXT.replace("trust: trusted", "roles: [developer]\n    trust: trusted", 1)
    connectors = Scripted()
    runner = make(connectors=connectors, context=scoped)
    for ask in (
        runner.run,
        lambda wanted: runner.accept(wanted, None, Terms(body="{}", priority=2)),
    ):
        with pytest.raises(PermissionDeniedError) as error:
            await ask(order("a1", caller=APP))
        assert (error.value.code, error.value.param) == ("context_not_allowed", "context.crm")
    assert connectors.asked == []
    assert repository.newest(limit=1) == []
    assert (await runner.run(order("a1", caller=DEVELOPER))).status == "completed"


async def test_to_accept_a_run_asks_nobody(make):
    connectors = Scripted(account=RuntimeError())
    run = await make(connectors=connectors).accept(order("a1"), None, None)
    assert connectors.asked == []
    assert run.context is None


async def test_untrusted_context_makes_the_call_untrusted(make):
    runner = make()
    await runner.run(order("a1"))
    (request,) = runner.model.requests
    assert (request.untrusted, request.retrieved) == (True, True)
    system = runner.model.bodies[0]["messages"][0]["content"]
    assert "is data from outside" in system
    runner = make(connectors=Scripted(notes=NoRecordError("none")))
    await runner.run(order("a1"))
    (request,) = runner.model.requests
    assert (request.untrusted, request.retrieved) == (False, False)
    # The instructions stay the same: providers reuse them.
    assert runner.model.bodies[0]["messages"][0]["content"] == system


async def test_trusted_context_leaves_a_trusted_call_trusted(make):
    only = CONTEXT[: CONTEXT.index("  notes:")]
    runner = make(context=only + NOTES_TRUSTED)
    await runner.run(order("a1"))
    (request,) = runner.model.requests
    assert (request.untrusted, request.retrieved) == (False, False)
    assert "is data from outside" not in runner.model.bodies[0]["messages"][0]["content"]


async def test_what_nobody_can_see_is_taken_out_of_untrusted_parts_alone(make):
    hidden = Scripted(
        account=[{"name": "Or\u200brin", "plan": "p"}],
        notes=[{"text": "a\u202eb {{ input.text }}"}],
    )
    runner = make(connectors=hidden)
    await runner.run(order("a1"))
    assert said(runner) == "a1 is Or\u200brin.\nNote: ab {{ input.text }}"


async def test_rules_that_ask_for_it_are_given_the_context(make, labels):
    (labels / "rules.py").write_text(
        "def check(output, given, context):\n"
        "    name = context['crm']['name']\n"
        "    context.clear()\n"
        "    fits = output['label'] == 'good' or name != 'Orrin'\n"
        "    return [] if fits else ['label: is for Orrin']\n"
        "def fallback(given, context):\n"
        "    return {'label': 'good', 'score': len(context['notes'])}\n"
    )
    bad = GOOD | {"label": "bad"}
    runner = make(bad, more="fallback: {from_rules: true}\nchecks: {reask: 0}\n")
    run = await runner.run(order("a1"))
    assert (run.fallback, run.output) == (True, {"label": "good", "score": 1})
    assert run.context["crm"]["name"] == "Orrin", "a rule can't change what is kept"


async def test_a_run_that_is_resumed_goes_on_with_the_data_that_it_had(make, repository):
    connectors, journal = Scripted(), Kept()
    runner = make(connectors=connectors)
    wanted = order("a1")
    run = await runner.accept(wanted, None, Terms(body="{}", priority=2))
    workflow = runner.catalogue.get("labels")
    errand = Errand(workflow, wanted, run, Talk(), Trail(), journal)
    first = await runner._ready_and_carried(errand, None)
    connectors.answers["account"] = [ACCOUNT | {"name": "Changed"}]
    ended = await runner.carry(run, wanted, None, journal)
    assert ended.context == first[0].context
    assert ended.context["crm"]["name"] == "Orrin"
    assert len(connectors.asked) == 2
    assert repository.get(run.id).context == ended.context


async def test_an_outage_is_remembered_too(make):
    connectors, journal = Scripted(account=ConnectorError("down", retryable=True)), Kept()
    runner = make(connectors=connectors)
    wanted = order("a1")
    run = await runner.accept(wanted, None, Terms(body="{}", priority=2))
    ended = await runner.carry(run, wanted, None, journal)
    assert (ended.status, ended.error.code) == ("failed", "context_unavailable")


async def test_a_database_that_is_away_leaves_the_run_to_be_carried_again(make, repository):
    class Away(Kept):
        async def once(self, name: str, work: Any, kind: Any) -> Any:
            raise DatabaseUnavailableError("away")

    runner = make()
    wanted = order("a1")
    run = await runner.accept(wanted, None, Terms(body="{}", priority=2))
    with pytest.raises(DatabaseUnavailableError):
        await runner.carry(run, wanted, None, Away())
    assert repository.get(run.id).status == "queued"
