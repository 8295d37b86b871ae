"""The families of attacks that are told apart."""

from __future__ import annotations

from typing import Literal

Family = Literal[
    "override", "persona", "extraction", "template_forging", "tool_abuse", "exfiltration",
    "encoding", "payload_splitting", "refusal_suppression", "authority", "indirect",
    "few_shot", "hidden_text", "many_shot", "output_hijack", "concealment",
]  # fmt: skip
"""How an attack goes about it.

`override`: earlier instructions no longer count. `persona`: the model is somebody who may do
anything. `extraction`: its own instructions are asked for. `template_forging`: text poses as
another role, or as the end of the data. `tool_abuse`: a tool is to do harm. `exfiltration`: data is
to leave. `encoding`: the instruction is encoded. `payload_splitting`: it comes in pieces.
`refusal_suppression`: no refusal is allowed. `authority`: somebody important, or urgent, says so.
`indirect`: a document speaks to the model that reads it. `few_shot`: wrong examples teach a wrong
answer. `hidden_text`: people don't see it. `many_shot`: a long made-up dialogue shows obedience.
`output_hijack`: the answer is dictated. `concealment`: nobody is to be told.
"""
