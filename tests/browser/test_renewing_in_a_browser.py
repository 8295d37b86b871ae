"""Pages that renew themselves: they outlast a server that can't answer, and an empty queue."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from browsing import sign_in
from playwright.sync_api import Browser, Page, Route, expect

from consoles import RunningConsole

_PERIOD_MS = 21_000


pytestmark = pytest.mark.usefixtures("empty_queue")


@pytest.fixture
def patient(browser: Browser, console: RunningConsole) -> Iterator[Page]:
    """A page whose clock is the test's; it may say that a server did not answer."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    sign_in(page, console)
    page.clock.install()
    yield page
    context.close()


@pytest.mark.parametrize(
    ("address", "part"), [("/console/reviews", "#queue"), ("/console", "#live")]
)
@pytest.mark.parametrize("status", [403, 503])
def test_a_page_outlasts_a_server_that_can_not_answer(
    patient: Page, console: RunningConsole, address: str, part: str, status: int
):
    console.reviews.add("rev_before")
    patient.goto(console.address + address)
    patient.evaluate("part => { document.querySelector(part).dataset.old = 'yes' }", part)

    def refuse(route: Route) -> None:
        if "hx-request" not in route.request.headers:
            route.continue_()
            return
        route.fulfill(status=status, content_type="text/html", body="<h1>Not now</h1>")

    patient.route("**/*", refuse)
    with patient.expect_response(lambda answer: answer.status == status):
        patient.clock.run_for(_PERIOD_MS)
    expect(patient.locator(part)).to_have_attribute("data-old", "yes")
    patient.unroute("**/*")
    with patient.expect_response(lambda answer: answer.status == 200):
        patient.clock.run_for(_PERIOD_MS)
    expect(patient.locator(part)).not_to_have_attribute("data-old", "yes")


def test_a_queue_that_was_empty_shows_what_comes_and_one_that_is_done_says_so(
    patient: Page, console: RunningConsole
):
    patient.goto(console.address + "/console/reviews")
    expect(patient.get_by_text("Nothing waits for you")).to_be_visible()
    console.reviews.add("rev_new")
    patient.clock.run_for(_PERIOD_MS)
    expect(patient.locator('a[href="/console/reviews/rev_new"]')).to_be_visible()
    console.reviews.reviews.clear()
    patient.clock.run_for(_PERIOD_MS)
    expect(patient.get_by_text("Nothing waits for you")).to_be_visible()
