"""What a server that speaks OpenAI's API is sent."""

from __future__ import annotations

import json

import msgspec

from headgate.config.failures import RetryBudgetSettings
from headgate.config.settings import ProviderSettings
from headgate.gateway.endpoints import ENDPOINTS
from headgate.gateway.provider import Provider
from headgate.gateway.request import Request, read_request


def asked(body: bytes = b'{"model":"m","messages":[]}') -> Request:
    request = read_request(ENDPOINTS["chat/completions"], body)
    request.prompt_cache_key = "hg_1"
    return request


def sent(base_url: str, request: Request) -> dict[str, object]:
    settings = ProviderSettings(base_url=base_url)
    provider = Provider("p", settings, retry_budget=RetryBudgetSettings())
    found: dict[str, object] = json.loads(provider.dialect.outgoing(request, "m2").body)
    return found


async def test_openai_is_told_which_prompts_begin_alike():
    request = asked()
    assert sent("https://api.openai.com/v1", request) == {
        "model": "m2",
        "messages": [],
        "prompt_cache_key": "hg_1",
    }
    assert "prompt_cache_key" not in request.fields, "the next target would see it"


async def test_servers_that_may_not_know_the_field_are_not():
    assert "prompt_cache_key" not in sent("http://127.0.0.1:9/v1", asked())


async def test_what_the_client_says_goes_first():
    request = asked(b'{"model":"m","prompt_cache_key":"mine"}')
    assert sent("https://api.openai.com/v1", request)["prompt_cache_key"] == "mine"
    assert request.fields["prompt_cache_key"] == msgspec.Raw(b'"mine"')
