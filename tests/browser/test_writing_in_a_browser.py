"""A person who writes in the console: nothing that happens meanwhile takes their words away."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from browsing import sign_in
from playwright.sync_api import Browser, Page, expect

from consoles import RunningConsole
from headgate.storage.console_tables import sessions

LETTER = "Dear customer, your money is on its way."


pytestmark = pytest.mark.usefixtures("empty_queue")


@pytest.fixture
def quiet_page(browser: Browser, console: RunningConsole) -> Iterator[Page]:
    """A page of someone who is signed in; it may say that something was refused."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    sign_in(page, console)
    yield page
    context.close()


def _write(page: Page, console: RunningConsole, review_id: str) -> None:
    console.reviews.add(review_id)
    page.goto(f"{console.address}/console/reviews/{review_id}")
    page.keyboard.press("e")
    page.get_by_label("reply").fill(LETTER)
    expect(page.locator("#edit")).to_contain_text("passes the schema")


def test_an_edit_outlives_the_session_in_which_it_was_begun(
    quiet_page: Page, console: RunningConsole
):
    page = quiet_page
    _write(page, console, "rev_session")
    with console.database.begin() as connection:
        connection.execute(sessions.delete())
    page.get_by_label("reply").press_sequentially(" Yours")
    expect(page.locator("#edit")).to_contain_text("Your session has ended")
    page.locator("[data-submit]").click()
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Sign in, in another tab").click()
    sign_in(opened.value, console)
    page.get_by_role("button", name="Show what I wrote").click()
    expect(page.get_by_role("alert")).to_contain_text("nothing was done")
    expect(page.get_by_label("reply")).to_have_value(LETTER + " Yours")
    assert console.reviews.reviews["rev_session"].status == "open"
    page.locator("[data-submit]").click()
    page.wait_for_url("**said=edit")
    assert console.reviews.reviews["rev_session"].output == {"reply": LETTER + " Yours"}


def test_who_would_leave_an_edit_behind_is_asked(page: Page, console: RunningConsole):
    asked: list[str] = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    _write(page, console, "rev_left")
    page.get_by_role("link", name="Runs", exact=True).click()
    expect(page.get_by_label("reply")).to_have_value(LETTER)
    page.get_by_role("link", name="Edit all of it as JSON").click()
    expect(page.get_by_label("reply")).to_have_value(LETTER)
    assert asked == ["beforeunload", "beforeunload"]
    page.locator("[data-submit]").click()
    page.wait_for_url("**said=edit")
    page.get_by_role("link", name="Runs", exact=True).click()
    page.wait_for_url("**/console/runs")
    assert len(asked) == 2, "what was sent is not left behind"


def test_an_edit_stays_while_its_review_is_claimed(page: Page, console: RunningConsole):
    _write(page, console, "rev_mine")
    page.get_by_role("button", name="Claim it").click()
    expect(page.get_by_role("button", name="Give it back")).to_be_visible()
    expect(page.get_by_label("reply")).to_have_value(LETTER)
    page.locator("[data-submit]").click()
    page.wait_for_url("**said=edit")
    assert console.reviews.reviews["rev_mine"].output == {"reply": LETTER}


def test_after_a_refusal_the_switch_of_the_theme_leads_back_to_the_review(
    quiet_page: Page, console: RunningConsole
):
    page = quiet_page
    console.reviews.add("rev_theme", revision=2)
    page.goto(console.address + "/console/reviews/rev_theme")
    console.reviews.add("rev_theme", revision=3)
    page.keyboard.press("a")
    expect(page.get_by_role("alert")).to_be_visible()
    page.get_by_role("button", name="Dark").click()
    page.wait_for_url("**/console/reviews/rev_theme")
    page.keyboard.press("a")
    page.wait_for_url("**said=approve")
