"""Chromium, as Debian has it, driven by Playwright; and a console for it to look at."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe import axe_source
from benchmarks.console.chromium import ARGUMENTS
from browsing import TIMEOUT_MS, sign_in
from playwright.sync_api import Browser, Page, sync_playwright

import headgate.examples
from consoles import RunningConsole, running_console
from databases import SqliteFiles, skip_without

_WORKFLOWS = Path(headgate.examples.__file__).parent / "project" / "workflows"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser; skips where there is none.

    Playwright keeps an event loop running in this thread until it is stopped, in which no test
    of another kind could run one of its own: so it ends with the module.
    """
    path = os.environ.get("HEADGATE_TEST_CHROMIUM") or shutil.which("chromium")
    if path is None:
        skip_without("chromium is not installed (apt-get install chromium)")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield started
        started.close()


@pytest.fixture(scope="session")
def axe() -> str:
    """The source of axe-core; skips where npm has none."""
    source = axe_source()
    if source is None:
        skip_without("axe-core can't be had: npm is missing or has no registry")
    return source


@pytest.fixture(scope="module")
def console(
    sqlite_files: SqliteFiles, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningConsole]:
    """A console with the example workflows."""
    folder = tmp_path_factory.mktemp("browser")
    with running_console(folder / "p", sqlite_files.copy_to(folder), workflows=_WORKFLOWS) as made:
        yield made


@pytest.fixture
def empty_queue(console: RunningConsole) -> Iterator[None]:
    """Has a test begin, and leave the console, with no review."""
    console.reviews.reviews.clear()
    yield
    console.reviews.reviews.clear()


@pytest.fixture
def page(browser: Browser, console: RunningConsole) -> Iterator[Page]:
    """A page of someone who is signed in; whatever its console says fails the test."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    context.set_default_timeout(TIMEOUT_MS)
    opened = context.new_page()
    said: list[str] = []
    opened.on("console", lambda message: said.append(message.text))
    opened.on("pageerror", lambda error: said.append(str(error)))
    sign_in(opened, console)
    yield opened
    context.close()
    assert said == []
