"""The tools that the how-to shows are loaded, built and called, and do what the page says."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
import yaml
from pages import samples

from headgate.cli.check import check_project
from headgate.config.load import load_settings
from headgate.config.tools import ToolName, ToolSettings
from headgate.workflows.tools.python_tools import load_python_tools
from headgate.workflows.tools.shelf import ToolShelf, build_tools
from headgate.workflows.tools.tool import ToolCall


def shown(name: str, language: str) -> str:
    (sample,) = samples(language, f"tool: {name}")
    return sample.text


@pytest.fixture
def functions():
    named = msgspec.convert(
        yaml.safe_load(shown("workflow.yaml", "yaml"))["tools"], dict[ToolName, ToolSettings]
    )
    content = shown("tools.py", "python").encode()
    return load_python_tools(Path("tools.py"), content, "tools_of_the_how_to", list(named))


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch) -> ToolShelf:
    monkeypatch.setenv("SHOP_TOKEN", "s3cret")
    for name in ("headgate.yaml", "billing.yaml"):
        (tmp_path / name).write_text(shown(name, "yaml"), "utf-8")
    assert check_project(tmp_path).problems == ()
    return build_tools(load_settings(tmp_path).tools, tmp_path)


async def test_the_functions_that_are_shown_do_what_the_page_says(functions):
    call = ToolCall(key="key-1", timeout_s=5, run_id="run")
    look_up, refund = functions["look_up_order"], functions["refund"]
    assert (await look_up.spec()).description.endswith("and where it is.")
    assert (await look_up.call({"order": "O-17"}, call)).content["state"] == "shipped"
    failed = await look_up.call({"order": "O-18"}, call)
    assert (failed.outcome, failed.content) == ("failed", "There is no order O-18.")
    assert (await refund.spec()).parameters["required"] == ["order", "cents"]
    for cents in (100, 999):
        # The same key: done once.
        answer = await refund.call({"order": "O-17", "cents": cents}, call)
        assert answer.content == {"refunded": 100}
    wrong = await refund.call({"order": "O-17", "cents": "3"}, call)
    assert wrong.code == "invalid_arguments"


def test_the_services_that_are_shown_are_asked_as_the_page_says(shelf):
    assert shelf.names() == (
        "shop/cancel_order", "billing/list_invoices", "billing/sendReminder",
    )  # fmt: skip
    cancel = shelf.get("shop/cancel_order").sent(
        {"order": "O-1", "why": "late", "notify": True}, "k"
    )
    assert cancel.details == {
        "method": "POST",
        "url": "http://127.0.0.1:9000/api/orders/O-1/cancel?notify=true",
        "headers": {
            "Authorization": "set",
            "Idempotency-Key": "k",
            "Content-Type": "application/json",
        },
        "body": {"why": "late"},
    }
    invoices = shelf.get("billing/list_invoices").sent({"customer": "C/1", "open": True}, "k")
    assert invoices.details["url"] == "http://127.0.0.1:9001/customers/C%2F1/invoices?open=true"
    assert "Idempotency-Key" not in invoices.details["headers"]


async def test_the_document_that_is_shown_has_its_body_as_arguments(shelf):
    spec = await shelf.get("billing/sendReminder").spec()
    assert spec.parameters == {
        "type": "object",
        "properties": {"invoice": {"type": "string"}, "note": {"type": ["string", "null"]}},
        "required": ["invoice"],
        "additionalProperties": False,
    }
