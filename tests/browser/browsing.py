"""How tests browse: how long they wait, and how they sign in."""

from __future__ import annotations

from playwright.sync_api import Page

from consoles import ADMIN_KEY, RunningConsole

TIMEOUT_MS = 10_000


def sign_in(page: Page, console: RunningConsole, key: str = ADMIN_KEY) -> None:
    """Sign in with a key, as a person does."""
    page.goto(console.address + "/console")
    page.get_by_label("Headgate key").fill(key)
    page.get_by_role("button", name="Sign in with a key").click()
    page.wait_for_url("**/console")
