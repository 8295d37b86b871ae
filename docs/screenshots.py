"""Takes the pictures of docs/how-to/console.md: `python -m docs.screenshots`.

Makes a month of history, starts a server on it, and has Chromium look at its pages. The pictures
are kept small; they are not compared with anything.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from benchmarks.console.chromium import ARGUMENTS
from benchmarks.console.history import fill
from benchmarks.console.visitor import ADMIN_KEY, serving

from headgate.cli.api_client import ApiClient
from headgate.cli.init import write_example
from headgate.cli.sample_services import sample_services
from headgate.ledger.rollups.roller import Roller
from headgate.storage import Database, migrate

_FOLDER = Path(__file__).parent / "how-to" / "console"
_RUNS = 20_000
_DAYS = 30
_QUALITY = 62
_WAIT_MS = 600


class _Picture(NamedTuple):
    name: str
    path: str
    theme: str
    width: int
    height: int


_PICTURES = (
    _Picture("overview", "/console?period=7d", "light", 1180, 860),
    _Picture("run", "RUN", "dark", 1180, 700),
    _Picture("queue", "/console/reviews", "light", 1180, 460),
    _Picture("review", "renewal-brief", "light", 1180, 900),
    _Picture("action", "ticket-intake", "dark", 1180, 860),
    _Picture("workflow", "/console/workflows/ticket-triage", "light", 1180, 700),
    _Picture("phone", "/console?period=7d", "dark", 390, 780),
)


_ASK_A_PERSON: dict[str, dict[str, str]] = {
    "renewal-brief": {"account_id": "acc-1001"},
    "ticket-intake": {
        "customer_id": "C-1042",
        "message": "Since 8 this morning the login page answers 503 for everybody in our office."
        " Nobody can work. Please help at once! Anna Lindqvist",
    },
}
"""What has a person look: a draft with its evidence, and an action before it is done."""


def main() -> None:
    """Take them all."""
    parser = argparse.ArgumentParser(prog="python -m docs.screenshots", description=__doc__)
    parser.add_argument("--chromium", default=shutil.which("chromium"))
    options = parser.parse_args()
    if options.chromium is None:
        parser.error("chromium is not installed; name it with --chromium")
    _FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as made:
        url = f"sqlite:///{made}/history.db"
        database = Database(url)
        migrate(database)
        fill(database, count=_RUNS, days=_DAYS, now_us=time.time_ns() // 1000)
        roller = Roller(database)
        while roller.turn(int(time.time())):
            pass
        database.close()
        write_example(Path(made) / "project")
        with (
            sample_services(Path(made) / "project") as addresses,
            serving(Path(made), url, addresses) as address,
        ):
            _take(address, options.chromium)
    for picture in sorted(_FOLDER.iterdir()):
        print(f"{picture.name} {picture.stat().st_size / 1024:.0f} KiB")  # noqa: T201


def _waiting(address: str) -> dict[str, str]:
    """The pages of reviews that wait, by their workflow."""
    client = ApiClient(address, {"HEADGATE_API_KEY": ADMIN_KEY})
    found = {}
    for workflow, given in _ASK_A_PERSON.items():
        _, run, _ = client.post(f"/api/workflows/{workflow}/runs", {"input": given}, {})
        found[workflow] = f"/console/reviews/{run['review_id']}"
    client.close()
    return found


def _take(address: str, chromium: str) -> None:
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - only here is it needed

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        waiting = _waiting(address)
        for picture in _PICTURES:
            context = browser.new_context(
                viewport={"width": picture.width, "height": picture.height},
                color_scheme="dark" if picture.theme == "dark" else "light",
            )
            page = context.new_page()
            page.goto(f"{address}/console/sign-in")
            page.get_by_label("Headgate key").fill(ADMIN_KEY)
            page.get_by_role("button", name="Sign in with a key").click()
            page.wait_for_url("**/console")
            if picture.path == "RUN":
                page.goto(f"{address}/console/workflows/ticket-triage")
                page.get_by_label("Input, as JSON").fill(
                    '{"subject": "Printer", "body": "It prints upside down since Monday."}'
                )
                page.get_by_role("button", name="Run it").click()
                page.wait_for_url("**/runs/run_*")
                page.wait_for_timeout(_WAIT_MS)
                page.reload()
            else:
                page.goto(address + waiting.get(picture.path, picture.path))
            page.wait_for_timeout(_WAIT_MS)
            page.screenshot(path=_FOLDER / f"{picture.name}.jpg", type="jpeg", quality=_QUALITY)
            context.close()
        browser.close()


if __name__ == "__main__":
    main()
