"""What changes anything is out of reach while doubtful text is in the context."""

from __future__ import annotations

import itertools
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.checks.injection.rights import DOUBTFUL, Effect, ToolRights, Trust, rights

EVERY_TRUST = get_args(Trust)
EVERY_EFFECT = get_args(Effect)
READ = ToolRights("look_up", "read")
WRITE = ToolRights("refund", "write")
OUTWARD = ToolRights("search_the_web", "outward")
UNKNOWN = ToolRights("something")


def test_with_trusted_text_alone_every_tool_is_offered():
    found = rights([READ, WRITE, OUTWARD, UNKNOWN], {"operator", "user"})
    assert found.offered == ("look_up", "refund", "search_the_web", "something")
    assert not found.withheld


@pytest.mark.parametrize("trust", sorted(DOUBTFUL))
def test_with_doubtful_text_only_reading_is_left(trust: Trust):
    found = rights([READ, WRITE, OUTWARD, UNKNOWN], {"operator", "user", trust})
    assert found.offered == ("look_up",)
    assert found.allow("look_up")
    assert not found.allow("refund")
    assert str(found.withheld[0]) == (
        f"refund (write) is withheld while {trust} text is in the context"
    )


def test_a_tool_declared_for_it_stays_and_only_for_that():
    tool = ToolRights("label", "write", frozenset(("untrusted",)))
    assert rights([tool], {"untrusted"}).offered == ("label",)
    found = rights([tool], {"untrusted", "retrieved", "tool"})
    assert not found.offered
    assert found.withheld[0].because_of == ("retrieved", "tool")


def test_a_call_of_a_name_that_nobody_declared_is_not_allowed():
    assert not rights([READ], {"user"}).allow("format_disk")


TOOLS = st.lists(
    st.builds(
        ToolRights,
        st.sampled_from("abcdef"),
        st.sampled_from(EVERY_EFFECT),
        st.frozensets(st.sampled_from(EVERY_TRUST)),
    ),
    unique_by=lambda tool: tool.name,
)


@given(TOOLS, st.frozensets(st.sampled_from(EVERY_TRUST)))
def test_more_text_never_gives_more_rights(tools: list[ToolRights], context: frozenset[Trust]):
    before = set(rights(tools, context).offered)
    for more in EVERY_TRUST:
        after = rights(tools, context | {more})
        assert set(after.offered) <= before
        told = [*after.offered, *(one.name for one in after.withheld)]
        assert sorted(told) == sorted(tool.name for tool in tools)


def test_each_effect_and_trust_is_decided():
    for effect, trust in itertools.product(EVERY_EFFECT, EVERY_TRUST):
        offered = rights([ToolRights("t", effect)], {trust}).offered
        assert bool(offered) == (effect == "read" or trust not in DOUBTFUL)
