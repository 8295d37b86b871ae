"""A finding cites a field of the context that its run really had; a made-up source fails."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.checks.declared_rules import DeclaredRules
from headgate.config.output_rules import OutputRuleSettings

CONTEXT = {
    "crm": {"renewal_date": "2027-01-31", "segment": None},
    "issues": [
        {"subject": "It is slow", "severity": "low"},
        {"subject": None, "severity": "high"},
    ],
    "notes": [],
}


def rules(context: Any = "any", **more: Any) -> DeclaredRules:
    rule = {"field": "risks[].source", "must_cite": {"context": context, **more}}
    return DeclaredRules([msgspec.convert(rule, OutputRuleSettings)])


def refused(*sources: Any, context: Any = "any", had: Any = CONTEXT, **more: Any) -> list[str]:
    output = {"risks": [{"source": source} for source in sources]}
    return [problem.path for problem in rules(context, **more).check(output, {}, had).problems]


@pytest.mark.parametrize(
    "source",
    ["crm.renewal_date", "issues[0].subject", "issues[1].severity", "issues.subject"],
)
def test_a_field_that_is_there_is_a_source(source: str):
    assert refused(source) == []


@pytest.mark.parametrize(
    "source",
    [
        "crm.segment",  # null
        "crm.discount",  # no such field
        "crm",
        "crm.",
        "crm.renewal_date ",
        "CRM.renewal_date",
        "[crm.renewal_date]",
        "issues[1].subject",  # null in that record
        "issues[2].severity",  # no such record
        "issues[-1].severity",
        "notes[0].text",
        "notes.text",
        "input.account_id",
        "",
        None,
    ],
)
def test_anything_else_is_none(source: str | None):
    assert refused(source) == ["risks[0].source"]


def test_only_the_named_parts_may_be_cited():
    assert refused("crm.renewal_date", context=["issues"]) == ["risks[0].source"]
    assert refused("issues[0].subject", context=["issues"]) == []


def test_no_finding_needs_no_source_and_a_run_without_context_has_none():
    assert refused() == []
    assert refused("crm.renewal_date", had=None) == ["risks[0].source"]
    assert refused("crm.renewal_date", had={}) == ["risks[0].source"]


def test_a_source_may_be_left_out_where_the_rule_says_so():
    assert refused(None, "", optional=True) == []
    assert refused("made.up", optional=True) == ["risks[0].source"]


def test_labels_within_a_text_are_found_by_a_pattern():
    text = "It ends soon [crm.renewal_date], and is slow [issues[0].subject]."
    pattern = r"\[([a-z_]+(?:\[\d+\])?\.[a-z_]+)\]"
    assert refused(text, pattern=pattern) == []
    assert refused("It is dear [crm.price].", pattern=pattern) == ["risks[0].source"]
    assert refused("It is dear.", pattern=pattern) == ["risks[0].source"]


def test_the_model_is_told_what_it_may_cite_once_and_nothing_of_what_stands_there():
    output = {"risks": [{"source": "made.up"}, {"source": "made.up"}]}
    first, second = rules().check(output, {}, CONTEXT).problems
    assert "crm.renewal_date, issues[0].subject" in first.message
    assert "2027" not in first.message
    assert "slow" not in first.message
    assert len(second.message) < 60


names = st.from_regex(r"[a-z][a-z0-9_]{0,6}", fullmatch=True)
records = st.dictionaries(names, st.none() | st.integers() | st.text(max_size=5), max_size=4)


@given(context=st.dictionaries(names, records | st.lists(records, max_size=3)), data=st.data())
def test_of_any_context_just_what_is_there_and_not_null_can_be_cited(context, data):
    there, absent = [], []
    for name, part in context.items():
        places = [(name, part)] if isinstance(part, dict) else [
            (f"{name}[{n}]", record) for n, record in enumerate(part)
        ]  # fmt: skip
        for place, record in places:
            for field, value in record.items():
                (absent if value is None else there).append(f"{place}.{field}")
    for source in there:
        assert refused(source, had=context) == []
    made_up = data.draw(st.text(max_size=20))
    for source in [*absent, f"{made_up} "]:
        assert refused(source, had=context) == ["risks[0].source"]
