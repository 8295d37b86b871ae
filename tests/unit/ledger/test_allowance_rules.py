"""Which allowance a call spends, by whose it is and what for."""

from __future__ import annotations

from headgate.config.allowances import BudgetSettings, UsageLimitSettings
from headgate.ledger.allowances.claim import Claim, Used, unknown_amount
from headgate.ledger.allowances.rule import Rule, Who, rules_of

ANNA = Who("support", "key_1", "triage", "hash-of-anna", None)


def rule(**fields) -> Rule:
    (only,) = rules_of([UsageLimitSettings(requests_per_minute=5, **fields)], []).rules
    return only


def test_each_project_has_an_allowance_of_its_own():
    assert rule(per="project").subject(ANNA) == "project=support"
    assert rule(per="project").subject(ANNA._replace(project="sales")) == "project=sales"


def test_the_whole_server_shares_one():
    assert rule(per="organisation").subject(ANNA) == "organisation"


def test_dimensions_combine_in_any_order():
    one, other = rule(per=("user", "project")), rule(per=("project", "user"))
    assert one.subject(ANNA) == other.subject(ANNA) == "project=support,user=hash-of-anna"
    assert one.name == other.name == "requests/minute per project+user"


def test_a_rule_may_be_about_some_only():
    only_triage = rule(per="project", of={"feature": "tri*"})
    assert only_triage.subject(ANNA) == "project=support"
    assert only_triage.subject(ANNA._replace(feature="chat")) is None
    assert only_triage.subject(ANNA._replace(feature=None)) is None


def test_who_names_no_user_does_not_get_around_a_limit_per_user():
    nobody = ANNA._replace(user=None)
    assert rule(per="user").subject(nobody) == "user=(none)"
    assert rule(per="feature").subject(nobody._replace(feature=None)) == "feature=(none)"


def test_a_limit_per_workflow_is_about_runs_only():
    assert rule(per="workflow").subject(ANNA) is None
    assert rule(per="workflow").subject(ANNA._replace(workflow="triage")) == "workflow=triage"


def test_a_limit_comes_down_to_one_rule_for_each_measure():
    limit = UsageLimitSettings(
        per="key", requests_per_minute=1, tokens_per_minute=2, tokens_per_day=3, concurrent=4
    )
    names = [rule.name for rule in rules_of([limit], []).rules]
    assert names == [
        "requests/minute per key",
        "tokens/minute per key",
        "tokens/day per key",
        "concurrent per key",
    ]


def test_money_is_whole_nano_dollars():
    budget = BudgetSettings(per="project", usd="100.000000001", window="month", soft_at=80)
    (rule,) = rules_of([], [budget]).rules
    assert rule.limit == 100_000_000_001
    assert rule.soft == 80_000_000_000
    assert rule.alerts_at == (50, 75, 80, 90, 100)


def test_a_cap_on_calls_stands_beside_the_budget():
    rules = rules_of([], [BudgetSettings(per="project", of={"project": "a"}, max_call_usd="0.5")])
    assert not rules.rules
    (cap,) = rules.caps
    assert cap.limit == 500_000_000
    assert not cap.applies_to(ANNA)
    assert cap.applies_to(ANNA._replace(project="a"))


def test_an_assumed_output_does_not_keep_every_call_out_of_a_small_limit():
    claim = Claim(model="m", input_tokens=10, output_tokens=4096, output_stated=False, nanousd=None)
    (small,) = rules_of([UsageLimitSettings(per="key", tokens_per_minute=1000)], []).rules
    assert claim.amount(small) == 260


def test_what_costs_nobody_knows_what_is_settled_as_it_was_reserved():
    (strict,) = rules_of([], [BudgetSettings(per="key", usd="1", window="day")]).rules
    (open_,) = rules_of(
        [], [BudgetSettings(per="key", usd="1", window="day", unpriced="allow")]
    ).rules
    assert Used(requests=1, tokens=5, nanousd=None).by_measure()["nanousd"] is None
    assert unknown_amount(strict, 700) == 700
    assert unknown_amount(open_, 700) == 0
    assert Used(requests=1, tokens=5, nanousd=-3).by_measure()["nanousd"] == 0
