"""What a run looked up, and people outside wrote, is as doubtful to guards as what tools answer."""

from __future__ import annotations

from typing import Any

import pytest

from headgate.checks.guards.doubtful import trust_of
from headgate.checks.injection.rights import ToolRights, rights
from headgate.checks.parts import Part
from headgate.gateway.call import Call
from headgate.gateway.guarded_call import guarded_call
from headgate.workflows.gateway_model import GatewayModel
from headgate.workflows.model import ModelRequest
from scripted_workflows import CALLER


class Gateway:
    """Notes the call, and answers nothing."""

    cache = None

    def __init__(self) -> None:
        self.call: Call | None = None

    async def carry(self, call: Call, asked: Any, client: Any) -> None:
        self.call = call


@pytest.mark.parametrize(
    ("untrusted", "retrieved", "vouched", "trust", "trusts", "users"),
    [
        (False, False, True, "trusted", set(), "user"),
        (True, False, False, "untrusted", set(), "untrusted"),
        (True, True, False, "untrusted", {"retrieved"}, "untrusted"),
        (True, False, True, "untrusted", set(), "user"),
    ],
)
async def test_guards_are_told_what_a_run_was_given(
    untrusted, retrieved, vouched, trust, trusts, users
):
    gateway = Gateway()
    await GatewayModel(gateway).complete(  # type: ignore[arg-type]
        ModelRequest(
            body=b'{"model": "m", "messages": [{"role": "user", "content": "x"}]}',
            run_id="run_1",
            workflow="brief",
            caller=CALLER,
            trace_id="0" * 32,
            untrusted=untrusted,
            users_vouched=vouched,
            retrieved=retrieved,
        )
    )
    assert gateway.call is not None
    guarded = guarded_call(gateway.call, "chat/completions", "m")
    assert (guarded.trust, guarded.trusts) == (trust, trusts)
    said = Part({"content": "x"}, "content", path="messages[1].content", role="user")
    assert trust_of(said, guarded) == users
    told = Part({"content": "x"}, "content", path="messages[3].content", role="tool")
    assert trust_of(told, guarded) == "tool"


def test_a_tool_must_be_trusted_with_both():
    among = {"operator", "untrusted", "retrieved"}
    for allowed, offered in (
        (("untrusted",), ()),
        (("retrieved",), ()),
        (("untrusted", "retrieved"), ("refund",)),
    ):
        tool = ToolRights("refund", "write", trusted_with=frozenset(allowed))
        assert rights([tool], among).offered == offered
