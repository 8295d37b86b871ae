"""The first target whose rule fits the request, and the rest of the ladder after it.

A request whose answer failed its workflow's checks begins one rung further up each time.
"""

from __future__ import annotations

from fnmatch import fnmatchcase

from headgate.config.grading import ClassifierSettings
from headgate.config.routes import WhenSettings
from headgate.gateway.strategies.traits import RequestTraits
from headgate.gateway.target import Target


class Tiered:
    """See `Strategy`; one rule for each target, None fits every request.

    `classifier` says which grades there are, and which one a request has that was not graded.
    """

    def __init__(
        self,
        rules: tuple[WhenSettings | None, ...],
        classifier: ClassifierSettings | None = None,
    ) -> None:
        self._rules = rules
        self._classifier = classifier

    def order(self, targets: tuple[Target, ...], traits: RequestTraits) -> tuple[Target, ...]:
        """See `Strategy`."""
        grade = self._grade(traits)
        for index, rule in enumerate(self._rules):
            if rule is None or (fits(rule, traits) and _of_grade(rule, grade)):
                return targets[min(index + traits.rungs_up, len(targets) - 1) :]
        return targets[-1:]

    def waits_for_grade(self, traits: RequestTraits) -> bool:
        """Whether which target is first hangs on a grade that the request does not have yet."""
        if traits.grade is not None:
            return False
        for rule in self._rules:
            if rule is None:
                return False
            if fits(rule, traits):
                return bool(rule.grades)
        return False

    def _grade(self, traits: RequestTraits) -> str | None:
        if self._classifier is None:
            return None
        # A budget may have sent it here from a route that has other grades.
        return (
            traits.grade if traits.grade in self._classifier.grades else self._classifier.otherwise
        )


def fits(rule: WhenSettings, traits: RequestTraits) -> bool:
    """Whether all that `rule` says holds, its grades aside."""
    if rule.complexity and traits.complexity not in rule.complexity:
        return False
    if rule.workflows and not _named(traits.workflow, rule.workflows):
        return False
    if rule.features and not _named(traits.feature, rule.features):
        return False
    if rule.max_input_tokens is not None and traits.input_tokens > rule.max_input_tokens:
        return False
    if rule.needs and not traits.needs.issuperset(rule.needs):
        return False
    return not rule.without or traits.needs.isdisjoint(rule.without)


def _of_grade(rule: WhenSettings, grade: str | None) -> bool:
    return not rule.grades or grade in rule.grades


def _named(name: str | None, patterns: tuple[str, ...]) -> bool:
    return name is not None and any(fnmatchcase(name, pattern) for pattern in patterns)
