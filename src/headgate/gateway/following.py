"""A call follows a route: which of its targets are asked, in which order."""

from __future__ import annotations

from headgate.gateway.call import Call
from headgate.gateway.request import Request
from headgate.gateway.routing import Route
from headgate.gateway.strategies.traits import RequestTraits
from headgate.gateway.target import Target


def follow(call: Call, request: Request, route: Route) -> tuple[Target, ...]:
    """Send the call along `route`; its targets in the order in which they are tried."""
    call.route = route
    call.record.route = route.name
    if route.strategy is None:
        return route.targets
    return route.strategy.order(route.targets, traits_of(call, request))


def traits_of(call: Call, request: Request) -> RequestTraits:
    """What a strategy may look at of the call."""
    record = call.record
    return RequestTraits(
        request,
        workflow=record.workflow,
        feature=record.feature,
        complexity=call.complexity,
        rungs_up=call.rungs_up,
        grade=call.grade,
    )
