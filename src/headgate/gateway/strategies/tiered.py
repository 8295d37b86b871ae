"""The first target whose rule fits the request, and the rest of the ladder after it.

A request whose answer failed its workflow's checks begins one rung further up each time.
"""

from __future__ import annotations

from fnmatch import fnmatchcase

from headgate.config.routes import WhenSettings
from headgate.gateway.asked import Asked
from headgate.gateway.target import Target


class Tiered:
    """See `Strategy`; one rule for each target, None fits every request."""

    def __init__(self, rules: tuple[WhenSettings | None, ...]) -> None:
        self._rules = rules

    def order(self, targets: tuple[Target, ...], asked: Asked) -> tuple[Target, ...]:
        """See `Strategy`."""
        for index, rule in enumerate(self._rules):
            if rule is None or fits(rule, asked):
                return targets[min(index + asked.rungs_up, len(targets) - 1) :]
        return targets[-1:]


def fits(rule: WhenSettings, asked: Asked) -> bool:
    """Whether all that `rule` says holds."""
    if rule.complexity and asked.complexity not in rule.complexity:
        return False
    if rule.workflows and not _named(asked.workflow, rule.workflows):
        return False
    if rule.features and not _named(asked.feature, rule.features):
        return False
    if rule.max_input_tokens is not None and asked.input_tokens > rule.max_input_tokens:
        return False
    if rule.needs and not asked.needs.issuperset(rule.needs):
        return False
    return not rule.without or asked.needs.isdisjoint(rule.without)


def _named(name: str | None, patterns: tuple[str, ...]) -> bool:
    return name is not None and any(fnmatchcase(name, pattern) for pattern in patterns)
