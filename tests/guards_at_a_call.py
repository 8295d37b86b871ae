"""Guards as their settings make them, at one call, without a server."""

from __future__ import annotations

from headgate.checks.guards.building import Means, build_policies
from headgate.checks.guards.guard import Guarded
from headgate.checks.guards.guarding import Guarding
from headgate.checks.guards.moderation import Moderator
from headgate.config.guards import GuardPolicySettings, GuardSettings
from headgate.config.workflow import Trust


def guards_at(
    endpoint: str,
    *,
    trust: Trust = "trusted",
    moderator: Moderator | None = None,
    **guards: GuardSettings,
) -> Guarding:
    """`guards`, in their order, at a call of `endpoint`."""
    policy = GuardPolicySettings(guards=tuple(guards))
    policies = build_policies(guards, {"all": policy}, Means(b"k" * 32, moderator=moderator))
    assert policies is not None
    call = Guarded(project="p", key_id="k", endpoint=endpoint, trust=trust)
    standing = policies.standing(call)
    assert standing is not None
    return Guarding(standing, call)
