"""A person at the console: triages the queue by keyboard, edits, runs, and sees the charts move."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from consoles import ADMIN_KEY, RunningConsole
from headgate.workflows.tools.tool import Sent

pytestmark = pytest.mark.usefixtures("empty_queue")


def test_a_workflow_is_tried_and_the_chart_moves(page: Page, console: RunningConsole):
    before = console.calls_in_ledger()
    page.get_by_role("link", name="Workflows").first.click()
    page.get_by_role("link", name="ticket-triage").click()
    editor = page.get_by_label("Input, as JSON")
    editor.fill('{"subject": 5}')
    expect(page.locator("#input-problems")).to_contain_text("subject")
    editor.fill('{"subject": "Login", "body": "I cannot log in since the update."}')
    expect(page.locator("#input-problems")).to_contain_text("fits the schema")
    page.get_by_role("button", name="Run it").click()
    page.wait_for_url("**/console/runs/run_*")
    expect(page.get_by_text("I cannot log in since the update.").first).to_be_visible()
    expect(page.locator(".status-completed")).to_be_visible()
    console.until_in_ledger(before + 1)
    page.get_by_role("link", name="Overview").click()
    chart = page.locator('[data-chart="calls"]')
    expect(chart.locator(".uplot canvas")).to_be_visible()
    expect(chart).to_contain_text("ticket-triage")
    drawn = _pixels(page)
    for _ in range(2):
        _run(console)
    console.until_in_ledger(before + 3)
    page.reload()
    expect(page.locator(".stats dd").first).to_have_text(str(console.calls_in_ledger()))
    assert _pixels(page) != drawn, "the chart has moved"


def _run(console: RunningConsole) -> None:
    answer = console.signed_in().post(
        "/console/workflows/ticket-triage/runs", {"input": '{"subject": "a", "body": "b"}'}
    )
    assert answer.status == 303


def _pixels(page: Page) -> str:
    picture: str = page.evaluate(
        """async () => {
            await new Promise(requestAnimationFrame);
            await new Promise(requestAnimationFrame);
            return document.querySelector('[data-chart="calls"] canvas').toDataURL();
        }"""
    )
    return picture


def test_a_time_with_nothing_before_and_after_it_is_seen_in_a_chart(
    page: Page, console: RunningConsole
):
    before = console.calls_in_ledger()
    _run(console)
    console.until_in_ledger(before + 1)
    page.goto(console.address + "/console?period=90d")
    canvas = page.locator('[data-chart="latency"] canvas')
    expect(canvas).to_be_visible()
    coloured = canvas.evaluate(
        """async (canvas) => {
            await new Promise(requestAnimationFrame);
            await new Promise(requestAnimationFrame);
            const { width, height } = canvas;
            const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
            const isColour = (i) => data[i + 3] > 99
                && Math.max(...data.slice(i, i + 3)) - Math.min(...data.slice(i, i + 3)) > 60;
            return data.some((_, i) => i % 4 === 0 && isColour(i));
        }"""
    )
    assert coloured, "only grey lines are drawn"


def test_runs_are_filtered_without_loading_the_page_and_the_address_follows(
    page: Page, console: RunningConsole
):
    _run(console)
    page.get_by_role("link", name="Runs", exact=True).click()
    page.evaluate("window.same = true")
    page.get_by_label("Status").select_option("failed")
    page.wait_for_url("**status=failed**")
    expect(page.get_by_text("No run fits these filters")).to_be_visible()
    page.get_by_label("Status").select_option("")
    expect(page.locator("#found table")).to_be_visible()
    assert page.evaluate("window.same") is True


def test_the_queue_is_triaged_by_keyboard(page: Page, console: RunningConsole):
    for number in range(4):
        console.reviews.add(f"rev_{number}", due_at_us=1_000_000 * (number + 1))
    page.get_by_role("link", name=re.compile("Reviews")).first.click()
    expect(page.locator("tbody tr")).to_have_count(4)
    page.keyboard.press("n")
    page.wait_for_url("**/rev_0")
    page.keyboard.press("a")
    page.wait_for_url("**/rev_1?said=approve")
    assert console.reviews.reviews["rev_0"].decision == "approve"

    page.keyboard.press("r")  # asks why first
    expect(page.get_by_label("Note")).to_be_focused()
    page.keyboard.type("It is not a refund; keys such as a, e and x are text here.")
    page.keyboard.press("Control+Enter")
    page.wait_for_url("**/rev_2?said=reject")
    assert console.reviews.reviews["rev_1"].decision == "reject"

    page.keyboard.press("e")
    field = page.get_by_label("reply")
    expect(field).to_be_focused()
    field.fill("no")
    expect(page.locator("#edit")).to_contain_text("Not yet")
    field.fill("Dear customer, your money is on its way.")
    expect(page.locator("#edit")).to_contain_text("passes the schema and the rules")
    expect(page.locator("#edit ins").first).to_be_visible()
    page.keyboard.press("Control+Enter")
    page.wait_for_url("**/rev_3?said=edit")
    edited = console.reviews.reviews["rev_2"]
    assert edited.output == {"reply": "Dear customer, your money is on its way."}

    page.keyboard.press("x")
    page.keyboard.type("A lead must see it.")
    page.keyboard.press("Control+Enter")
    page.wait_for_url("**said=escalate")
    assert console.reviews.reviews["rev_3"].group == "leads"


def test_actions_are_decided_by_keyboard_with_a_look_at_what_would_be_sent(
    page: Page, console: RunningConsole
):
    sent = Sent("POST http://127.0.0.1/tickets", {"body": {"reply": "A ticket."}})
    for number in range(4):
        console.reviews.add(
            f"rev_{number}", due_at_us=1_000_000 * (number + 1), kind="action",
            tool="create_ticket", title="Send create_ticket?", draft={"reply": "A ticket."},
            sent=sent, unknown=number == 3,
        )  # fmt: skip
    page.goto(console.address + "/console/reviews")
    expect(page.locator("tbody tr").first).to_contain_text("action")
    page.keyboard.press("n")
    page.wait_for_url("**/rev_0")
    expect(page.locator(".sent").first).to_contain_text("POST http://127.0.0.1/tickets")
    expect(page.get_by_role("button", name="Don't send")).to_be_visible()
    page.keyboard.press("a")
    page.wait_for_url("**/rev_1?said=approve")

    page.keyboard.press("e")
    field = page.get_by_label("reply")
    expect(field).to_be_focused()
    field.fill("no")
    expect(page.locator("#edit")).to_contain_text("Not yet")
    field.fill("Another ticket.")
    expect(page.locator("#edit")).to_contain_text("What would be sent then")
    expect(page.locator("#edit .sent")).to_contain_text("Another ticket.")
    page.keyboard.press("Control+Enter")
    page.wait_for_url("**/rev_2?said=edit")
    assert console.reviews.reviews["rev_1"].output == {"reply": "Another ticket."}

    page.keyboard.press("r")
    page.keyboard.type("A duplicate.")
    page.keyboard.press("Control+Enter")
    page.wait_for_url("**/rev_3?said=reject")

    expect(page.get_by_role("button", name="Send again")).to_be_visible()
    page.keyboard.press("e")
    result = page.get_by_label("What came of it, as JSON")
    expect(result).to_be_focused()
    result.fill('{"reply": "It was opened."}')
    expect(page.locator("#edit")).to_contain_text("The model will be told this.")
    page.keyboard.press("Control+Enter")
    page.wait_for_url("**said=edit")
    assert console.reviews.reviews["rev_3"].output == {"reply": "It was opened."}


def test_on_a_phone_nobody_sends_what_is_hidden_below_an_edge(page: Page, console: RunningConsole):
    body = {f"line {number}": "Something." for number in range(60)}
    console.reviews.add(
        "rev_0", kind="action", tool="create_ticket", title="Send create_ticket?",
        draft={"reply": "A ticket."}, sent=Sent("POST http://127.0.0.1/tickets", {"body": body}),
    )  # fmt: skip
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto(console.address + "/console/reviews/rev_0")
    whole = "e => e.scrollHeight <= e.clientHeight"
    assert page.locator(".sent").first.evaluate(whole), "a phone shows no bar beside it"
    send = page.get_by_role("button", name="Send", exact=True).bounding_box()
    last = page.get_by_text("line 59").first.bounding_box()
    assert send
    assert last
    assert send["y"] > last["y"]


def test_a_long_draft_is_decided_without_a_way_to_its_end(page: Page, console: RunningConsole):
    console.reviews.add("rev_long", draft={"reply": "One line of a long letter.\n" * 300})
    page.set_viewport_size({"width": 390, "height": 780})
    page.goto(console.address + "/console/reviews/rev_long")
    expect(page.get_by_role("button", name="Approve")).to_be_in_viewport(ratio=1)
    page.get_by_role("button", name="Reject").click()  # asks why first
    note = page.get_by_label("Note")
    expect(note).to_be_focused()
    assert _box(page, "#note")["bottom"] <= _box(page, ".decisions")["top"], "nothing covers it"
    note.fill("Too long.")
    page.get_by_role("button", name="Reject").click()
    page.wait_for_url("**said=reject")
    assert console.reviews.reviews["rev_long"].decision == "reject"


def _box(page: Page, selector: str) -> dict[str, float]:
    box: dict[str, float] = page.evaluate(
        "(one) => document.querySelector(one).getBoundingClientRect().toJSON()", selector
    )
    return box


def test_a_clock_counts_down_and_turns_red(page: Page, console: RunningConsole):
    page.clock.install()
    due_at_us = page.evaluate("Date.now()") * 1000 + 5_000_000
    console.reviews.add("rev_clock", due_at_us=due_at_us)
    page.goto(console.address + "/console/reviews/rev_clock")
    clock = page.locator("time.due")
    page.clock.run_for(1000)
    expect(clock).to_contain_text("due in")
    page.clock.run_for(10_000)
    expect(clock).to_contain_text("late by")
    expect(clock).to_have_class(re.compile("bad"))


def test_hostile_text_does_nothing_in_a_real_browser(page: Page, console: RunningConsole):
    dialogs: list[str] = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    hostile = (
        '<img src="https://evil.example/x" onerror="alert(1)"><script>alert(2)</script>'
        "<div hx-get='/console/keys' hx-trigger='load'></div>"
    )
    console.reviews.add("rev_x", draft={"reply": hostile}, reasons=(hostile,), title=hostile)
    page.goto(console.address + "/console/reviews")
    page.goto(console.address + "/console/reviews/rev_x")
    page.keyboard.press("e")
    page.get_by_label("reply").fill(hostile + " more")
    expect(page.locator("#edit ins")).to_be_visible()
    assert dialogs == []
    assert all(url.startswith(console.address) for url in requests), requests
    assert not any(url.endswith("/console/keys") for url in requests)


def test_text_that_runs_from_right_to_left_is_read_and_edited_so(
    page: Page, console: RunningConsole
):
    sentence = "\u05e9\u05dc\u05d5\u05dd, \u05e2\u05d5\u05dc\u05dd."
    console.reviews.add("rev_rtl", draft={"reply": sentence})
    page.goto(console.address + "/console/reviews/rev_rtl")
    first, last = page.locator(".panel .said").evaluate(
        """(said) => {
            const text = said.firstChild;
            return [0, text.length - 1].map((at) => {
                const range = document.createRange();
                range.setStart(text, at);
                range.setEnd(text, at + 1);
                return range.getBoundingClientRect().x;
            });
        }"""
    )
    assert last < first, "its full stop stands at its end, which is the left"
    page.keyboard.press("e")
    expect(page.get_by_label("reply")).to_have_css("unicode-bidi", "plaintext")


def test_the_queue_renews_itself_and_leaves_the_focus_where_it_is(
    page: Page, console: RunningConsole
):
    console.reviews.add("rev_first", due_at_us=1)
    page.clock.install()
    page.goto(console.address + "/console/reviews")
    page.locator('a[href="/console/reviews/rev_first"]').focus()
    console.reviews.add("rev_second", due_at_us=2)
    page.clock.run_for(21_000)
    expect(page.locator("tbody tr")).to_have_count(2)
    expect(page.locator('a[href="/console/reviews/rev_first"]')).to_be_focused()


def test_a_new_key_can_be_copied_and_is_shown_once(page: Page, console: RunningConsole):
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(console.address + "/console/keys")
    page.get_by_text("Create a key").click()
    page.get_by_label("Name").fill("from the browser")
    page.get_by_role("button", name="Create").click()
    secret = page.locator("#secret").inner_text()
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == secret
    page.goto(console.address + "/console/keys")
    assert secret not in page.content()


def test_deciding_works_without_scripts(browser: Browser, console: RunningConsole):
    console.reviews.add("rev_plain")
    before = console.calls_in_ledger()
    console.signed_in().post(
        "/console/workflows/ticket-triage/runs", {"input": '{"subject": "a", "body": "b"}'}
    )
    console.until_in_ledger(before + 1)
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(console.address + "/console/reviews/rev_plain")
    page.locator("#key").fill(ADMIN_KEY)
    page.locator("text=Sign in with a key").click()
    page.wait_for_url("**/rev_plain")
    page.locator("button[value=approve]").click()
    page.wait_for_url("**said=approve")
    assert console.reviews.reviews["rev_plain"].decision == "approve"
    page.goto(console.address + "/console")
    assert page.locator(".chart svg path").count() > 0, "a chart is there without scripts too"
    context.close()
