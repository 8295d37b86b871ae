"""Routes with two targets each, and which of them has answered."""

from __future__ import annotations

from collections.abc import Iterable

from servers.replies import Reply
from servers.starting import PROVIDER_KEY
from upstreams import Upstream


def ladders(upstream: Upstream, routes: Iterable[str], more: str = "") -> str:
    """Settings in which each route asks the model `ROUTE-1`, then `ROUTE-2`, once each.

    `more` is a line of each route.
    """
    written = "".join(
        f"""
  {route}:
    {more}
    targets:
      - {{provider: here, model: {route}-1}}
      - {{provider: here, model: {route}-2}}"""
        for route in routes
    )
    return f"""
providers:
  here: {{base_url: "{upstream.base_url}", api_key: {PROVIDER_KEY}}}
retries: {{max_attempts: 1}}
routes:{written}
"""


def target_of(answer: Reply) -> str:
    """The model at the provider `here` that gave this answer."""
    assert answer.status == 200, answer.body
    return answer.headers["x-headgate-target"].removeprefix("here/")
