"""On what terms a tool is used: whatever is written where, the stricter holds."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.config.reviews import FieldReview
from headgate.config.tools import ApprovalRules, CallerSettings, ToolSettings, ToolTerms
from headgate.gateway.caller import Caller
from headgate.workflows.tools.permission import refusal
from headgate.workflows.tools.terms import joined, terms_problem

HIGH = ApprovalRules(when=(FieldReview(field="priority", one_of=("high",)),))
_written = {
    "effect": st.sampled_from([None, "read", "write"]),
    "approval": st.sampled_from([None, "never", "always", HIGH]),
    "idempotent": st.sampled_from([None, True, False]),
    "needs": st.sampled_from([None, "trusted", "untrusted"]),
    "gives": st.sampled_from([None, "trusted", "untrusted"]),
    "timeout_s": st.sampled_from([None, 1.0, 5.0]),
    "per_run": st.sampled_from([None, 1, 5]),
    "per_hour": st.sampled_from([None, 1, 5]),
    "four_eyes": st.sampled_from([None, True, False]),
    "callers": st.sampled_from([None, CallerSettings(roles=("admin",))]),
}
sources = st.builds(ToolTerms, **_written)
taken = st.builds(ToolSettings, **_written)
ARGUMENTS = {"priority": "high"}


def test_what_nobody_wrote_does_the_least_harm():
    terms = joined(None, ToolSettings())
    assert (terms.effect, terms.approvals, terms.idempotent) == ("write", ("always",), False)
    assert (terms.gives, terms.per_run, terms.timeout_s) == ("untrusted", 10, 10.0)


@given(source=sources, own=taken)
def test_a_workflow_takes_a_tool_on_no_easier_terms_than_its_source_gives_it(
    source: ToolTerms, own: ToolSettings
):
    alone = joined(source, ToolSettings())
    terms = joined(source, own)
    if source.approval is not None and terms_problem(source, own) is None:
        assert not alone.why_approval(ARGUMENTS) or terms.why_approval(ARGUMENTS)
    if terms_problem(source, own) is None:
        assert terms.effect == "write" or source.effect == "read"
    assert not terms.idempotent or source.idempotent
    assert terms.needs == "trusted" or source.needs != "trusted"
    assert source.timeout_s is None or terms.timeout_s <= source.timeout_s
    assert source.per_run is None or terms.per_run <= source.per_run
    assert source.per_hour is None or (terms.per_hour or 0) <= source.per_hour
    assert terms.four_eyes or not source.four_eyes
    assert source.callers is None or source.callers in terms.callers


@given(source=st.none() | sources, own=taken)
def test_nothing_is_written_by_itself_without_a_word_on_trust(
    source: ToolTerms | None, own: ToolSettings
):
    if terms_problem(source, own) is not None:
        return
    terms = joined(source, own)
    said = own.needs is not None or (source is not None and source.needs is not None)
    assert terms.effect == "read" or terms.approvals or said


@pytest.mark.parametrize(
    ("source", "own", "word"),
    [
        (ToolTerms(effect="write"), ToolSettings(effect="read"), "only reads"),
        (ToolTerms(), ToolSettings(effect="read"), "only reads"),
        (ToolTerms(approval="always"), ToolSettings(approval="never"), "approved by a person"),
        (ToolTerms(effect="write"), ToolSettings(approval="never"), "needs: trusted"),
        (None, ToolSettings(effect="write", approval="never"), "needs: trusted"),
    ],
)
def test_what_can_not_be_is_told(source, own, word):
    assert word in (terms_problem(source, own) or "")


@pytest.mark.parametrize(
    ("callers", "fits"),
    [
        (CallerSettings(), True),
        (CallerSettings(roles=("app",)), True),
        (CallerSettings(roles=("admin",)), False),
        (CallerSettings(roles=("app",), projects=("other",)), False),
        (CallerSettings(projects=("mine", "other"), keys=("key_1",)), True),
        (CallerSettings(keys=("key_2",)), False),
    ],
)
def test_who_may_use_a_tool_fits_every_line(callers, fits):
    terms = msgspec.structs.replace(joined(None, ToolSettings()), callers=(callers,))
    caller = Caller(key_id="key_1", project="mine", role="app")
    found = refusal(terms, caller, untrusted=False, used=0)
    assert found == (None if fits else "caller")


@given(untrusted=st.booleans(), used=st.integers(0, 20), own=taken)
def test_trust_and_the_number_of_calls_are_looked_at_each_time(untrusted, used, own):
    terms = msgspec.structs.replace(joined(None, own), callers=())
    caller = Caller(key_id="key_1", project="mine", role="app")
    found = refusal(terms, caller, untrusted=untrusted, used=used)
    if untrusted and terms.needs == "trusted":
        assert found == "untrusted"
    else:
        assert found == ("used_up" if used >= terms.per_run else None)
