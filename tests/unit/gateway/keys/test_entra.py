"""A token is fetched once for all who wait, renewed while it still holds, and never used after."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from headgate.config.providers import AzureADSettings
from headgate.errors import UpstreamFailedError, UpstreamRefusedKeyError
from headgate.gateway.keys.entra import EntraTokens
from upstreams import CUT, Upstream, reply, upstream_running


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture(scope="module")
def issuer() -> Iterator[Upstream]:
    with upstream_running() as running:
        yield running


def tokens_of(issuer: Upstream, tenant: str, clock: Clock) -> EntraTokens:
    return EntraTokens(
        "azure",
        AzureADSettings(
            tenant_id=tenant,
            client_id="app",
            client_secret="s",
            authority=f"http://127.0.0.1:{issuer.port}",
        ),
        clock=clock,
    )


def target(tenant: str) -> str:
    return f"/{tenant}/oauth2/v2.0/token"


def token(secret: str, lives_s: Any = 3600) -> Any:
    return reply({"access_token": secret, "expires_in": lives_s, "token_type": "Bearer"})


async def settled(tokens: EntraTokens) -> None:
    """Let a renewal in the background come to its end."""
    while tokens._renewal is not None:
        await asyncio.sleep(0.005)


async def test_a_hundred_calls_fetch_one_token(issuer: Upstream):
    issuer.answers(target("many"), [0.05, *token("one")])
    tokens = tokens_of(issuer, "many", Clock())
    assert tokens.current() is None
    found = await asyncio.gather(*(tokens.fetch() for _ in range(100)))
    assert {each.header for each in found} == {b"authorization: Bearer one\r\n"}
    assert len(issuer.requests(target("many"))) == 1
    assert tokens.current() is found[0]
    await tokens.close()


async def test_a_token_is_renewed_while_it_still_holds(issuer: Upstream):
    issuer.answers(target("renew"), token("one", "3600"), token("two", 3600))
    clock = Clock()
    tokens = tokens_of(issuer, "renew", clock)
    await tokens.fetch()
    clock.now_s += 3299
    assert tokens.current() is not None
    assert len(issuer.requests(target("renew"))) == 1
    clock.now_s += 2
    old = tokens.current()
    assert old is not None
    assert old.secret == b"one"
    await settled(tokens)
    new = tokens.current()
    assert new is not None
    assert new.secret == b"two"
    assert len(issuer.requests(target("renew"))) == 2
    await tokens.close()


async def test_a_renewal_that_fails_leaves_the_old_token_until_it_expires(issuer: Upstream):
    issuer.answers(target("fail"), token("one"), reply({}, status=503))
    clock = Clock()
    tokens = tokens_of(issuer, "fail", clock)
    await tokens.fetch()
    clock.now_s += 3400
    assert tokens.current() is not None
    await settled(tokens)
    for _ in range(20):
        assert tokens.current() is not None
    assert len(issuer.requests(target("fail"))) == 2, "it was asked again without a pause"
    clock.now_s += 200
    assert tokens.current() is None
    with pytest.raises(UpstreamFailedError):
        await tokens.fetch()
    await tokens.close()


async def test_a_failing_issuer_is_left_alone_for_a_moment(issuer: Upstream):
    issuer.answers(target("pause"), reply({}, status=500), token("one"))
    clock = Clock()
    tokens = tokens_of(issuer, "pause", clock)
    for _ in range(5):
        with pytest.raises(UpstreamFailedError):
            await tokens.fetch()
    assert len(issuer.requests(target("pause"))) == 1
    clock.now_s += 5
    assert (await tokens.fetch()).secret == b"one"
    await tokens.close()


async def test_a_caller_that_leaves_does_not_take_the_token_along(issuer: Upstream):
    issuer.answers(target("leave"), [0.1, *token("one")])
    tokens = tokens_of(issuer, "leave", Clock())
    leaver = asyncio.create_task(tokens.fetch())
    stayer = asyncio.create_task(tokens.fetch())
    await asyncio.sleep(0.02)
    leaver.cancel()
    assert (await stayer).secret == b"one"
    await tokens.close()


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (reply({"error": "invalid_client"}, status=400), UpstreamRefusedKeyError),
        (reply({"error": "invalid_client"}, status=401), UpstreamRefusedKeyError),
        (reply({}, status=429), UpstreamFailedError),
        (reply(b"<html>"), UpstreamFailedError),
        (reply({"access_token": "a\r\nx-evil: 1"}), UpstreamFailedError),
        (reply({"access_token": "a", "expires_in": "soon"}), UpstreamFailedError),
        ([CUT], UpstreamFailedError),
    ],
    ids=["refused", "unauthorized", "throttled", "no json", "evil", "no number", "cut"],
)
async def test_what_is_no_token_is_an_error(
    issuer: Upstream, request: pytest.FixtureRequest, answer: Any, error: type[Exception]
):
    tenant = f"odd-{abs(hash(request.node.nodeid))}"
    issuer.answers(target(tenant), answer)
    tokens = tokens_of(issuer, tenant, Clock())
    with pytest.raises(error) as raised:
        await tokens.fetch()
    assert type(raised.value) is error
    await tokens.close()


async def test_a_machines_own_identity_is_asked_of_its_metadata(issuer: Upstream):
    settings = AzureADSettings(
        managed_identity=True, client_id="mine", authority=f"http://127.0.0.1:{issuer.port}"
    )
    asked = (
        "/metadata/identity/oauth2/token?api-version=2018-02-01"
        "&resource=https%3A%2F%2Fcognitiveservices.azure.com&client_id=mine"
    )
    issuer.answers(asked, token("own", "86399"))
    tokens = EntraTokens("azure", settings)
    assert (await tokens.fetch()).secret == b"own"
    seen = issuer.requests(asked)[0]
    assert (seen.method, seen.header("metadata")) == ("GET", "true")
    await tokens.close()


async def test_a_token_that_is_refused_is_fetched_anew_once_a_minute(issuer: Upstream):
    issuer.answers(target("refused"), token("one"), token("two"), token("three"))
    clock = Clock()
    tokens = tokens_of(issuer, "refused", clock)
    await tokens.fetch()
    assert tokens.refused(b"one")
    assert tokens.refused(b"one"), "a call that was under way may go on with the next"
    assert (await tokens.fetch()).secret == b"two"
    assert tokens.refused(b"one")
    assert not tokens.refused(b"two")
    assert (await tokens.fetch()).secret == b"two"
    clock.now_s += 61
    assert tokens.refused(b"two")
    assert (await tokens.fetch()).secret == b"three"
    await tokens.close()
