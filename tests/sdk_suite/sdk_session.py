"""A plugin for the SDK's pytest: gives its clients a Headgate key, and keeps what came of tests.

It is loaded by name (`-p sdk_session`) in the SDK's own environment; the variables `SDK_SUITE_KEY`
and `SDK_SUITE_RESULTS` tell it the key and the file.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

_outcomes: dict[str, dict[str, str]] = {}


def pytest_runtest_setup(item: Any) -> None:
    """Set the key that the fixtures of the suite's conftest hand to their clients."""
    del item
    key = os.environ.get("SDK_SUITE_KEY")
    conftest = sys.modules.get("tests.conftest")
    if key and conftest is not None:
        conftest.api_key = conftest.admin_api_key = key


def pytest_runtest_logreport(report: Any) -> None:
    """Keep the worst that happened in a test, with the first line of why."""
    if report.when == "call" or not report.passed:
        message = getattr(getattr(report.longrepr, "reprcrash", None), "message", "") or ""
        if report.nodeid not in _outcomes or report.failed:
            _outcomes[report.nodeid] = {"outcome": report.outcome, "why": message[:1000]}


def pytest_sessionfinish(session: Any) -> None:
    """Write what was kept; in the controller only, where every worker's reports arrive."""
    if not hasattr(session.config, "workerinput"):
        Path(os.environ["SDK_SUITE_RESULTS"]).write_text(json.dumps(_outcomes), "utf-8")
