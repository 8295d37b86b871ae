"""Every page in both themes and at phone width: axe finds nothing and nothing sticks out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.request import Request, urlopen

import pytest
from browsing import TIMEOUT_MS, sign_in
from playwright.sync_api import Browser, Page

from consoles import ADMIN_KEY, RunningConsole
from headgate.workflows.tools.tool import Sent

PAGES = (
    "/console?period=1h",
    "/console?period=1h&by=feature",
    "/console/costs?by=feature",
    "/console/runs",
    "/console/runs/RUN",
    "/console/workflows",
    "/console/workflows/ticket-triage",
    "/console/costs",
    "/console/keys",
    "/console/settings",
    "/console/reviews",
    "/console/reviews/rev_axe",
    "/console/reviews/rev_axe?as=json",
    "/console/reviews/rev_axe_action",
    "/console/reviews/rev_axe_unknown",
    "/console/reviews/rev_axe_budget",
    "/console/workflows/ticket-intake",
    "/console/nowhere",
)
_RULES = {
    "light": {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]},
    # The pages are the same in the dark but for their colours.
    "dark": {"runOnly": {"type": "rule", "values": ["color-contrast"]}},
}


@pytest.fixture(scope="module")
def run_path(console: RunningConsole) -> str:
    """A run and a review to look at."""
    console.reviews.add("rev_axe", due_at_us=1)
    _call_for(console, "W" * 64)
    sent = Sent("POST http://127.0.0.1/tickets", {"body": {"title": "Broken", "tags": ["a", "b"]}})
    action: dict[str, Any] = {"kind": "action", "tool": "create_ticket", "sent": sent}
    console.reviews.add("rev_axe_action", title="Send create_ticket?", **action)
    console.reviews.add("rev_axe_unknown", title="Was it done?", unknown=True, **action)
    console.reviews.add("rev_axe_budget", kind="budget", draft=None, title="More?")
    visitor = console.signed_in()
    page = visitor.post(
        "/console/workflows/ticket-triage/runs",
        {"input": '{"subject": "Printer", "body": "It prints upside down."}'},
    )
    assert page.status == 303
    return page.location


@pytest.fixture
def looked_at(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Page]:
    """A page in the theme and width that the test asks for."""
    theme, width = request.param
    context = browser.new_context(
        viewport={"width": width, "height": 844},
        color_scheme=theme,
        # axe is injected, which the pages' own policy rightly forbids.
        bypass_csp=True,
    )
    context.set_default_timeout(TIMEOUT_MS)
    yield context.new_page()
    context.close()


@pytest.mark.parametrize(
    ("looked_at", "rules"),
    [(("light", 1280), _RULES["light"]), (("dark", 1280), _RULES["dark"])],
    indirect=["looked_at"],
    ids=["light", "dark"],
)
def test_axe_finds_nothing(
    looked_at: Page, console: RunningConsole, run_path: str, axe: str, rules: dict[str, Any]
):
    page = looked_at
    page.goto(console.address + "/console/sign-in")
    found = _violations(page, axe, rules)
    sign_in(page, console)
    for path in PAGES:
        _open(page, console, path, run_path)
        found += _violations(page, axe, rules)
    assert found == []


@pytest.mark.parametrize("looked_at", [("dark", 320), ("light", 768)], indirect=True)
def test_no_page_is_wider_than_the_screen(looked_at: Page, console: RunningConsole, run_path: str):
    page = looked_at
    sign_in(page, console)
    for path in PAGES:
        _open(page, console, path, run_path)
        width, room = page.evaluate(
            "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"
        )
        assert width <= room, path
        named = page.evaluate(
            "Math.max(0, ...[...document.querySelectorAll('tbody th')].map((e) => e.clientWidth))"
        )
        assert named <= room, path


def _call_for(console: RunningConsole, feature: str) -> None:
    """A call that is for `feature`, in the ledger."""
    before = console.calls_in_ledger()
    asked = {"model": "gpt-4.1-mini", "messages": [{"role": "user", "content": "Hi"}]}
    request = Request(
        console.address + "/v1/chat/completions", json.dumps(asked).encode(),
        {
            "authorization": f"Bearer {ADMIN_KEY}", "content-type": "application/json",
            "x-headgate-feature": feature,
        },
    )  # fmt: skip
    urlopen(request, timeout=30).close()
    console.until_in_ledger(before + 1)


def _open(page: Page, console: RunningConsole, path: str, run_path: str) -> None:
    """Show a page with all that it can unfold."""
    page.goto(console.address + path.replace("/console/runs/RUN", run_path))
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true })")


def _violations(page: Page, axe: str, rules: dict[str, Any]) -> list[str]:
    page.evaluate(axe)
    result: dict[str, Any] = page.evaluate("(rules) => axe.run(document, rules)", rules)
    return [
        f"{page.url} {violation['id']}: {node['target']} {node['failureSummary'][:300]}"
        for violation in result["violations"]
        for node in violation["nodes"]
    ]
