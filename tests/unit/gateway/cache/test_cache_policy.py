"""Which calls may be answered from the cache."""

from __future__ import annotations

import pytest
from kept_answers import fields_of

from headgate.config.caching import CacheSettings, RouteCacheSettings, WorkflowCacheSettings
from headgate.gateway.cache.policy import CachePolicy, Terms

CHAT = "chat/completions"
COLD = b'{"temperature":0,"messages":[]}'
WARM = b'{"messages":[]}'


def policy(when: str = "deterministic") -> CachePolicy:
    return CachePolicy(
        CacheSettings(when=when, ttl_s=60),
        {
            "cold": RouteCacheSettings(stale_if_error_s=5),
            "any": RouteCacheSettings(calls="all", ttl_s=10, tags=("faq",)),
        },
        {"triage": WorkflowCacheSettings(ttl_s=30, tags=("t",))},
    )


def terms(body: bytes, *, when: str = "deterministic", endpoint: str = CHAT, **of: str):
    route, workflow = of.get("route"), of.get("workflow")
    return policy(when).terms(
        endpoint=endpoint, fields=fields_of(body), route=route, workflow=workflow
    )


@pytest.mark.parametrize("zero", [b"0", b"0.0", b"-0", b"0e5"])
def test_temperature_zero_is_deterministic(zero: bytes):
    assert terms(b'{"temperature":' + zero + b"}") == Terms(60)


@pytest.mark.parametrize("body", [WARM, b'{"temperature":0.1}', b'{"temperature":null}'])
def test_a_temperature_that_is_not_said_is_not_guessed(body: bytes):
    assert terms(body) is None


@pytest.mark.parametrize("endpoint", ["embeddings", "moderations"])
def test_embeddings_and_moderations_are_deterministic(endpoint: str):
    assert terms(b'{"input":"x"}', endpoint=endpoint) == Terms(60)


def test_where_only_declared_calls_are_answered_others_are_not():
    assert terms(COLD, when="declared") is None
    assert terms(COLD, when="declared", route="cold") == Terms(60, 5)
    assert terms(WARM, when="declared", route="cold") is None
    assert terms(WARM, when="declared", route="any") == Terms(10, 0, ("faq",))


def test_a_workflow_that_says_cache_is_answered_at_any_temperature():
    assert terms(WARM, when="declared", workflow="triage") == Terms(30, 0, ("t",))
    assert terms(WARM, when="declared", workflow="other") is None


def test_endpoints_whose_answers_are_not_known_are_left_alone():
    assert terms(COLD, endpoint="audio/speech", route="any") is None


def test_never_means_never():
    assert terms(COLD, when="never", route="any", workflow="triage") is None


@pytest.mark.parametrize(
    "more",
    [
        b'"previous_response_id":"resp_1"',
        b'"conversation":"conv_1"',
        b'"prompt":{"id":"pmpt_1"}',
        b'"web_search_options":{}',
        b'"tools":[{"type":"web_search"}]',
        b'"tools":[{"type":"function"},{"type":"mcp"}]',
        b'"tools":[{}]',
        b'"tools":17',
        b'"store":true',
    ],
)
def test_calls_that_reach_out_are_never_answered_from_the_cache(more: bytes):
    assert terms(b'{"temperature":0,' + more + b"}", route="any") is None


@pytest.mark.parametrize(
    "more",
    [b'"tools":[{"type":"function"}]', b'"tools":null', b'"tools":[]', b'"conversation":null'],
)
def test_tools_that_the_application_runs_do_no_harm(more: bytes):
    assert terms(b'{"temperature":0,' + more + b"}") == Terms(60)
