"""Which shares a process has, and which of them the calls of one caller spend."""

from __future__ import annotations

from collections.abc import Iterator

from headgate.ledger.allowances import refusal
from headgate.ledger.allowances.applied import Applied, applied_of
from headgate.ledger.allowances.rule import Rule, Rules, Who
from headgate.ledger.allowances.share import Share

_MAX_REMEMBERED = 10_000
"""Callers whose rules are remembered; when full all are forgotten and looked up anew."""

_MAX_SHARES = 20_000
"""Allowances that one process has shares of; beyond, those that nobody uses are let go."""


class Shares:
    """The shares of one process, each made when the first call needs it."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._applied: dict[Who, Applied] = {}
        self._shares: dict[tuple[str, str], Share] = {}

    def __iter__(self) -> Iterator[Share]:
        return iter(self._shares.values())

    def of(self, who: Who) -> Applied:
        """What holds for calls of `who`. Raises `UnavailableError` where there is no room."""
        found = self._applied.get(who)
        if found is None:
            if len(self._applied) >= _MAX_REMEMBERED:
                self._applied.clear()
            found = self._applied[who] = self._find(who)
        return found

    def _find(self, who: Who) -> Applied:
        shares = []
        for rule in self._rules.rules:
            subject = rule.subject(who)
            if subject is not None:
                shares.append(self._share(rule, subject))
        caps = tuple(cap for cap in self._rules.caps if cap.applies_to(who))
        return applied_of(tuple(shares), caps)

    def _share(self, rule: Rule, subject: str) -> Share:
        key = (rule.name, subject)
        share = self._shares.get(key)
        if share is None:
            if len(self._shares) >= _MAX_SHARES:
                self._let_go()
            share = self._shares[key] = Share(rule, subject)
        return share

    def _let_go(self) -> None:
        # Who was remembered may hold on to a share that is let go, so all is looked up anew.
        self._applied.clear()
        self._shares = {key: share for key, share in self._shares.items() if not share.quiet}
        if len(self._shares) >= _MAX_SHARES:
            raise refusal.too_many()
