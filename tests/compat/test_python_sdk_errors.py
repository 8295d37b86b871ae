"""Every failure reaches the Python SDK as the exception that its documentation promises."""

from __future__ import annotations

import time
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI, OpenAI

from servers import ADMIN_KEY, RunningServer, StartServer
from upstreams import Upstream, completion, error, reply

STATUSES = {
    400: openai.BadRequestError,
    403: openai.PermissionDeniedError,
    404: openai.NotFoundError,
    409: openai.ConflictError,
    422: openai.UnprocessableEntityError,
    429: openai.RateLimitError,
    500: openai.InternalServerError,
    503: openai.InternalServerError,
}

HELLO: Any = [{"role": "user", "content": "Hello"}]


@pytest.mark.parametrize(("status", "kind"), STATUSES.items())
@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
def test_a_providers_error_is_the_sdks_exception_for_it(
    scripted: OpenAI,
    upstream: Upstream,
    model: str,
    status: int,
    kind: type[openai.APIStatusError],
    streamed: bool,
):
    upstream.answers(model, error(status, "the_code", headers=[("retry-after", "99")]))
    with pytest.raises(kind) as raised:
        scripted.chat.completions.create(model=model, messages=HELLO, stream=streamed)
    assert raised.value.status_code == status
    assert raised.value.code == "the_code"
    assert "the_code it is" in raised.value.message
    assert raised.value.request_id


async def test_an_error_raised_asynchronously(
    async_scripted: AsyncOpenAI, upstream: Upstream, model: str
):
    upstream.answers(model, error(404, "model_not_found"))
    with pytest.raises(openai.NotFoundError):
        await async_scripted.responses.create(model=model, input="x")


def test_a_wrong_key(scripted: OpenAI):
    wrong = scripted.with_options(api_key="hg_wrong")
    for ask in (
        lambda: wrong.chat.completions.create(model="m", messages=HELLO),
        lambda: wrong.responses.create(model="m", input="x"),
        lambda: wrong.embeddings.create(model="m", input="x"),
        lambda: wrong.moderations.create(input="x"),
        wrong.models.list,
    ):
        with pytest.raises(openai.AuthenticationError) as raised:
            ask()
        assert raised.value.code == "invalid_api_key"


def test_a_forbidden_model(gateway: RunningServer, scripted: OpenAI):
    limited = scripted.with_options(api_key=gateway.new_key(models=["allowed"]))
    with pytest.raises(openai.PermissionDeniedError) as raised:
        limited.chat.completions.create(model="another", messages=HELLO)
    assert raised.value.code == "model_not_allowed"
    assert raised.value.param == "model"


def test_a_wrong_parameter_names_its_field(client: OpenAI):
    with pytest.raises(openai.BadRequestError) as raised:
        client.chat.completions.create(
            model="gpt-4.1-mini",
            messages=HELLO,
            temperature="hot",  # type: ignore[arg-type]
        )
    assert raised.value.param == "temperature"


def test_an_unknown_model(client: OpenAI):
    with pytest.raises(openai.NotFoundError) as raised:
        client.responses.create(model="gpt-nowhere", input="x")
    assert raised.value.code == "model_not_found"


def test_a_body_beyond_the_limit(server_with: StartServer, upstream: Upstream):
    server = server_with(upstream=upstream, settings="server: {max_body_bytes: 65536}")
    with OpenAI(base_url=server.base_url, api_key=ADMIN_KEY, max_retries=0) as client:
        with pytest.raises(openai.APIStatusError) as raised:
            client.embeddings.create(model="m", input="a" * 70_000)
        assert raised.value.status_code == 413
        assert raised.value.code == "payload_too_large"


def test_how_long_a_provider_asks_to_be_left_alone_is_told_to_the_sdk(
    scripted: OpenAI, upstream: Upstream, model: str
):
    told = {"retry-after": "9", "retry-after-ms": "9000", "x-should-retry": "true"}
    upstream.answers(model, error(429, "rate_limit_exceeded", headers=list(told.items())))
    with pytest.raises(openai.RateLimitError) as raised:
        scripted.chat.completions.create(model=model, messages=HELLO)
    assert told.items() <= dict(raised.value.response.headers).items()


def test_the_sdks_own_retries_honour_headgates_word(
    server_with: StartServer, upstream: Upstream, model: str
):
    server = server_with(upstream=upstream, settings="retries: {max_attempts: 1, max_delay_s: 0}")
    told = [("retry-after-ms", "700")]
    upstream.answers(model, error(429, "busy", headers=told), reply(completion(model)))
    with OpenAI(base_url=server.base_url, api_key=ADMIN_KEY, max_retries=2) as client:
        began_s = time.monotonic()
        assert client.chat.completions.create(model=model, messages=HELLO).choices
        assert time.monotonic() - began_s >= 0.7
        assert len(upstream.requests(model)) == 2
        never = f"{model}-never"
        upstream.answers(never, error(500, "no", headers=[("x-should-retry", "false")]))
        with pytest.raises(openai.InternalServerError):
            client.chat.completions.create(model=never, messages=HELLO)
        assert len(upstream.requests(never)) == 1
        with pytest.raises(openai.RateLimitError):
            client.with_options(max_retries=0).chat.completions.create(
                model=_busy(upstream, f"{model}-once"), messages=HELLO
            )
        assert len(upstream.requests(f"{model}-once")) == 1


def _busy(upstream: Upstream, model: str) -> str:
    upstream.answers(model, error(429, "busy"))
    return model


def test_a_timeout_of_the_application_is_told_before_it_passes(
    scripted: OpenAI, upstream: Upstream, model: str
):
    upstream.answers(model, [20.0])
    with pytest.raises(openai.InternalServerError) as raised:
        scripted.with_options(timeout=1.5).chat.completions.create(model=model, messages=HELLO)
    assert (raised.value.status_code, raised.value.code) == (504, "deadline_exceeded")
    assert upstream.wait_for(model).left.wait(3), "the call went on upstream"


def test_a_timeout_that_headgate_is_not_told_of_is_the_sdks_own(
    scripted: OpenAI, upstream: Upstream, model: str
):
    upstream.answers(model, [20.0])
    with pytest.raises(openai.APITimeoutError):
        scripted.with_options(timeout=0.3).chat.completions.create(
            model=model, messages=HELLO, extra_headers={"x-stainless-read-timeout": "60"}
        )
    assert upstream.wait_for(model).left.wait(3), "the call went on upstream"


def test_a_timeout_of_headgate_is_an_error_of_the_server(
    server_with: StartServer, upstream: Upstream, model: str
):
    server = server_with(
        settings=f"""
providers:
  here: {{base_url: "{upstream.base_url}", api_key: sk-h, timeouts: {{total_s: 0.3}}}}
"""
    )
    upstream.answers(model, [20.0])
    with (
        OpenAI(base_url=server.base_url, api_key=ADMIN_KEY, max_retries=0) as client,
        pytest.raises(openai.InternalServerError) as raised,
    ):
        client.responses.create(model=model, input="x")
    assert raised.value.status_code == 504
    assert raised.value.code in ("upstream_first_byte_timeout", "upstream_total_timeout")
