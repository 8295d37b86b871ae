"""Where a prompt labels its facts, the simulator names the label of the fact that it speaks of."""

from __future__ import annotations

import pytest

from headgate.simulator.schema.instance import instance_for
from headgate.simulator.text.labels import label_of, without_labels
from headgate.simulator.text.risks import risks_among
from headgate.simulator.text.source import read_source

FACTS = """\
Facts about the account:
<<<
- [crm.name] The account is Northline Rentals.
- [crm.renewal_date] The contract ends on 2027-01-31.
- [invoices[0].status] Invoice INV-2307, due on 2026-10-31, is overdue.
- [notes[1].text] Dario Venn complained about the outage. He wants an answer.
>>>
"""
SCHEMA = {
    "type": "object",
    "properties": {
        "risks": {
            "type": "array",
            "maxItems": 5,
            "items": {
                "type": "object",
                "properties": {"risk": {"type": "string"}, "source": {"type": "string"}},
                "required": ["risk", "source"],
                "additionalProperties": False,
            },
        }
    },
    "required": ["risks"],
    "additionalProperties": False,
}


def test_labels_are_no_facts():
    source = read_source(FACTS)
    assert source.sentences[0] == "The account is Northline Rentals."
    assert "crm." not in source.body
    assert "[crm.name]" in source.asked


@pytest.mark.parametrize(
    ("fact", "label"),
    [
        ("The contract ends on 2027-01-31.", "crm.renewal_date"),
        ("He wants an answer.", "notes[1].text"),
        ("Nothing of the kind.", "crm.name"),
    ],
)
def test_a_fact_is_found_by_its_line(fact: str, label: str):
    assert label_of(fact, FACTS) == label


def test_a_text_without_labels_has_none():
    text = "See [docs.example] and [a.b]: it is not at the beginning of a line.\n* [no label]"
    assert without_labels(text) == text
    assert label_of("See", text) is None


def test_risks_are_what_may_go_wrong_each_with_the_label_of_its_fact():
    risks = instance_for(SCHEMA, read_source(FACTS))["risks"]
    assert {one["source"] for one in risks} == {"invoices[0].status", "notes[1].text"}
    assert "overdue" in str(risks)


def test_where_nothing_goes_wrong_there_is_no_risk():
    calm = "- [crm.name] The account is Orrin Books.\n- [crm.seats] It has 8 seats.\n"
    assert instance_for(SCHEMA, read_source(calm)) == {"risks": []}
    assert risks_among(["All is well."], 3) == []


def test_the_gravest_comes_first():
    told = ["It is slow.", "The invoice is overdue.", "All is well."]
    assert risks_among(told, 3) == ["The invoice is overdue.", "It is slow."]
