"""The dialect that the how-to shows is one: it is asked as the gateway asks."""

from __future__ import annotations

from typing import Any

from pages import samples

from headgate.gateway.dialects import Dialect
from headgate.gateway.endpoints import ENDPOINTS
from headgate.gateway.request import read_request


def test_the_dialect_that_is_shown_works():
    (sample,) = samples("python", "runs: dialect")
    names: dict[str, Any] = {}
    exec(compile(sample.text, str(sample), "exec"), names)  # noqa: S102 - the page's own sample
    shown: Dialect = names["ModelPathDialect"](b"/base")
    assert shown.headers("k") == ("x-vendor-key: k",)
    body = b'{"model":"route","messages":[]}'
    outgoing = shown.outgoing(read_request(ENDPOINTS["chat/completions"], body), "m1")
    assert outgoing.target == b"/base/models/m1/chat/completions"
    assert b'"m1"' in outgoing.body
    assert shown.models(b'{"data":[{"id":"m1"}]}') == [{"id": "m1"}]
