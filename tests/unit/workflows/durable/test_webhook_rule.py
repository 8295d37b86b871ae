"""Which addresses may be told of the end of runs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.errors import InvalidRequestError
from headgate.workflows.durable.webhook_rule import WebhookRule

RULE = WebhookRule(["https://hooks.example.com/runs/", "http://10.0.0.7:9000/told"])


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.example.com/runs/",
        "https://HOOKS.example.com:443/runs/triage?token=1",
        "http://10.0.0.7:9000/told",
        "http://10.0.0.7:9000/told/twice",
    ],
)
def test_an_address_below_one_that_is_allowed_may_be_told(url):
    RULE.check(url)
    RULE.check(None)


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example.com/runs/",
        "https://hooks.example.com/",
        "https://hooks.example.com/running",
        "https://hooks.example.com/runs/../admin",
        "https://hooks.example.com/runs/%2e%2e/admin",
        "https://hooks.example.com/runs/..%5cadmin",
        "https://hooks.example.com:8443/runs/",
        "https://hooks.example.com.evil.net/runs/",
        "https://hooks.example.com@evil.net/runs/",
        "https://evil.net/https://hooks.example.com/runs/",
        "https://hooks.example.com\\@evil.net/runs/",
        "http://10.0.0.7:9000/toldtoo",
        "http://169.254.169.254/latest/meta-data/",
        "file:///etc/passwd",
        "https:///runs/",
        "https://hooks.example.com:99999/runs/",
        "https://hooks.example.com/runs/\r\nhost: evil.net",
        "//hooks.example.com/runs/",
        "",
    ],
)
def test_every_other_address_is_refused(url):
    with pytest.raises(InvalidRequestError) as refused:
        RULE.check(url)
    assert refused.value.param == "webhook"


@given(st.text())
def test_no_text_is_more_than_refused(text):
    try:
        RULE.check(text)
    except InvalidRequestError:
        return
    assert text.lower().startswith(("https://hooks.example.com", "http://10.0.0.7:9000/told"))


def test_no_rule_allows_nothing():
    with pytest.raises(InvalidRequestError):
        WebhookRule(()).check("https://hooks.example.com/runs/")
