"""A call's line in the log says where its tokens are a guess."""

from __future__ import annotations

import json

from call_records import a_call
from headgate.telemetry.logs import CallLog


def test_a_line_says_that_its_usage_is_estimated_and_else_nothing_of_it(capfd):
    log = CallLog("all", "info")
    log.write([a_call(tokens_estimated=True), a_call()])
    guessed, told = map(json.loads, capfd.readouterr().err.splitlines())
    assert guessed["usage"] == "estimated"
    assert "usage" not in told
