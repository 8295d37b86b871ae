"""A tool's terms as an officer reads them."""

from __future__ import annotations

import msgspec
import pytest

from headgate.config.tools import ToolSettings
from headgate.workflows.tools.terms import Terms, joined
from headgate.workflows.tools.terms_in_words import (
    approval_in_words,
    callers_in_words,
    limits_in_words,
    reviewers_in_words,
    trust_in_words,
)


def terms(**written) -> Terms:
    return joined(None, msgspec.convert(written, ToolSettings))


@pytest.mark.parametrize(
    ("approval", "said"),
    [
        ("always", "each call"),
        ("never", "never"),
        ({"when": [{"field": "cents", "above": 2000}]}, "cents above 2000"),
        ({"when": [{"field": "sure", "below": 0.5}]}, "sure below 0.5"),
        (
            {"when": [{"field": "to", "one_of": ["a", True]}, {"field": "n", "above": 1}]},
            'to is "a", true or n above 1',
        ),
        (
            {"when": [{"field": "n", "one_of": list(range(9))}]},
            "n is 0, 1, 2, 3, 4 or 4 others",
        ),
    ],
)
def test_when_a_person_approves_is_said(approval, said):
    assert approval_in_words(terms(effect="write", approval=approval, needs="trusted")) == said


def test_what_nobody_wrote_is_said_as_it_holds():
    plain = terms(effect="write")
    assert approval_in_words(plain) == "each call"
    assert callers_in_words(plain) == "any key"
    assert limits_in_words(plain) == "10 a run, 10 s each"
    assert trust_in_words(plain) == "after any text; answers untrusted"
    assert reviewers_in_words(plain) == "reviewer, admin"


def test_bounds_callers_and_reviewers_are_named():
    bounded = terms(
        effect="write", needs="trusted", gives="trusted", per_run=1, per_hour=1500, per_day=9,
        timeout_s=2.5, reviewers="leads", four_eyes=True,
        callers={"roles": ["app", "developer"], "projects": ["support"], "keys": ["key_1"]},
    )  # fmt: skip
    assert limits_in_words(bounded) == "1 a run, 1,500 an hour, 9 a day, 2.5 s each"
    assert trust_in_words(bounded) == "after trusted texts only; answers trusted"
    assert reviewers_in_words(bounded) == "leads, not whoever asked"
    assert callers_in_words(bounded) == "role app or developer, project support, key key_1"


def test_a_long_value_is_cut():
    rule = {"when": [{"field": "to", "one_of": ["x" * 500]}]}
    assert len(approval_in_words(terms(effect="write", approval=rule, needs="trusted"))) < 80
