"""The demo's own stage: it waits for a person, who approves a ticket in the browser."""

from __future__ import annotations

import re
import signal
import subprocess
import threading
from pathlib import Path

import pytest
from browsing import TIMEOUT_MS
from playwright.sync_api import Browser, expect

from servers import HEADGATE, environment

_TOOK_AT_MOST_S = 90


def test_a_person_approves_the_ticket_that_waits(browser: Browser, tmp_path: Path):
    demo = subprocess.Popen(
        [HEADGATE, "demo", "--keep"],
        cwd=tmp_path,
        env=environment(tmp_path),
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    overdue = threading.Timer(_TOOK_AT_MOST_S, demo.kill)
    overdue.start()
    context = browser.new_context()
    context.set_default_timeout(TIMEOUT_MS)
    try:
        assert demo.stdout is not None
        said = _until(demo, "Waiting for you")
        review = re.search(r"Your turn: (\S+)", said)
        key = re.search(r"sign in with (hg_\S+)", said)
        assert review, said
        assert key, said
        page = context.new_page()
        page.goto(review[1])
        page.get_by_label("Headgate key").fill(key[1])
        page.get_by_role("button", name="Sign in with a key").click()
        page.wait_for_url("**/console**")
        page.goto(review[1])
        expect(page.get_by_text("create_ticket").first).to_be_visible()
        page.keyboard.press("a")
        after = _until(demo, "You decided")
        assert re.search(r"ticket T-\d+ was opened: the run is completed", after)
    finally:
        overdue.cancel()
        context.close()
        demo.send_signal(signal.SIGINT)  # ended otherwise, it leaves its server and services behind
        demo.wait(20)
        demo.stdout.close()


def _until(demo: subprocess.Popen[str], words: str) -> str:
    """What the demo says until it says `words`."""
    said = ""
    assert demo.stdout is not None
    for line in demo.stdout:
        said += line
        if words in line:
            return said
    pytest.fail(f"it ended without `{words}`: {said[-2000:]}")
