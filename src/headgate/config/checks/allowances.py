"""Whether limits, budgets and alerts make sense: no budget without a window, none out of reach."""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from headgate.config.address import is_http_address
from headgate.config.alerts import AlertSettings
from headgate.config.allowances import FRAME_TOKENS, BudgetSettings, UsageLimitSettings
from headgate.config.yaml_file import YamlFile

_WINDOWS = ("day", "week", "month", "total")
"""The shortest first."""

_LIMITS = ("requests_per_minute", "tokens_per_minute", "tokens_per_day", "concurrent")


def check_allowances(
    document: YamlFile,
    limits: tuple[UsageLimitSettings, ...],
    budgets: tuple[BudgetSettings, ...],
    routes: Collection[str],
) -> None:
    """`ConfigError` with file and line for what makes no sense."""
    seen: set[tuple[object, ...]] = set()
    for index, limit in enumerate(limits):
        _check_limit(document, limit, index)
        for name in _LIMITS:
            if getattr(limit, name) is not None:
                _once(document, (name, *_scope(limit)), seen, "limits", index, name)
    for index, budget in enumerate(budgets):
        _check_budget(document, budget, index, routes)
        if budget.usd is not None:
            key = (budget.window, *_scope(budget))
            _once(document, key, seen, "budgets", index, "usd")
        if budget.max_call_usd is not None:
            _once(document, ("call", *_scope(budget)), seen, "budgets", index, "max_call_usd")
    _check_longer_windows(document, limits, budgets)


def check_alerts(document: YamlFile, alerts: AlertSettings) -> None:
    """`ConfigError` with file and line for a channel that can't work."""
    for kind, channels in (("webhooks", alerts.webhooks), ("slack", alerts.slack)):
        for name, channel in channels.items():
            if not is_http_address(channel.url):
                raise document.error(
                    "write an http:// or https:// address", "alerts", kind, name, "url"
                )
    for name, email in alerts.email.items():
        if (email.username is None) != (email.password is None):
            raise document.error(
                "write both `username` and `password`, or neither", "alerts", "email", name
            )


def _check_limit(document: YamlFile, limit: UsageLimitSettings, index: int) -> None:
    at = ("limits", index)
    _check_scope(document, limit, at)
    if all(getattr(limit, name) is None for name in _LIMITS):
        raise document.error(f"limits nothing; write one of {', '.join(_LIMITS)}", *at)
    for name in ("tokens_per_minute", "tokens_per_day"):
        most = getattr(limit, name)
        if most is not None and most <= FRAME_TOKENS:
            raise document.error(
                f"would refuse every call: each is taken to use more than {FRAME_TOKENS} tokens",
                *at, name,
            )  # fmt: skip


def _check_budget(
    document: YamlFile, budget: BudgetSettings, index: int, routes: Collection[str]
) -> None:
    at = ("budgets", index)
    _check_scope(document, budget, at)
    if budget.usd is None and budget.max_call_usd is None:
        raise document.error("holds no money; write `usd` with a `window`, or `max_call_usd`", *at)
    if budget.usd is not None and budget.window is None:
        raise document.error("a budget needs a `window`: day, week, month or total", *at, "usd")
    if budget.usd is None:
        for name in ("window", "soft_at", "cheaper_route"):
            if getattr(budget, name) is not None:
                raise document.error("means nothing without `usd`", *at, name)
        if budget.at_limit == "ask":
            raise document.error("means nothing without `usd`", *at, "at_limit")
    if budget.soft_at is not None and budget.cheaper_route is None:
        raise document.error(
            "needs a `cheaper_route`, by which calls go from there on; to be told of a percentage,"
            " write it in `alerts_at`",
            *at, "soft_at",
        )  # fmt: skip
    if budget.at_limit == "ask" and budget.cheaper_route is not None:
        raise document.error(
            "either a person is asked or calls go by `cheaper_route`; leave one out",
            *at, "at_limit",
        )  # fmt: skip
    if budget.reviewers is not None and budget.at_limit != "ask":
        raise document.error("means nothing without `at_limit: ask`", *at, "reviewers")
    for name in ("usd", "max_call_usd"):
        amount = getattr(budget, name)
        if amount is not None and not Decimal(amount):
            raise document.error("would refuse every call; write more than 0", *at, name)
    most, cap = budget.usd, budget.max_call_usd
    if most is not None and cap is not None and Decimal(cap) > Decimal(most):
        raise document.error("can never be reached: `usd` is smaller", *at, "max_call_usd")
    if budget.cheaper_route is not None and budget.cheaper_route not in routes:
        known = ", ".join(routes) or "none"
        raise document.error(f"no such route; the file has {known}", *at, "cheaper_route")


def _check_longer_windows(
    document: YamlFile,
    limits: tuple[UsageLimitSettings, ...],
    budgets: tuple[BudgetSettings, ...],
) -> None:
    """Refuse what can never be reached, because the same may use less in a longer window."""
    by_day = {_scope(one): one.tokens_per_day for one in limits if one.tokens_per_day is not None}
    for index, limit in enumerate(limits):
        per_minute, per_day = limit.tokens_per_minute, by_day.get(_scope(limit))
        if per_minute is not None and per_day is not None and per_day < per_minute:
            raise document.error(
                "can never be reached: `tokens_per_day` is smaller",
                "limits", index, "tokens_per_minute",
            )  # fmt: skip
    for index, budget in enumerate(budgets):
        for other in budgets:
            if budget.usd is None or budget.window is None or other.window is None:
                continue
            longer = _WINDOWS.index(other.window) > _WINDOWS.index(budget.window)
            same = longer and _scope(other) == _scope(budget)
            if same and Decimal(other.usd or 0) < Decimal(budget.usd):
                raise document.error(
                    "can never be reached: the budget of the same"
                    f" for the {other.window} is smaller"
                    if other.window != "total"
                    else "can never be reached: the budget of the same in total is smaller",
                    "budgets", index, "usd",
                )  # fmt: skip


def _check_scope(
    document: YamlFile, rule: UsageLimitSettings | BudgetSettings, at: tuple[str, int]
) -> None:
    if not rule.per:
        raise document.error(
            "is empty; write `organisation` for one allowance of the whole server", *at, "per"
        )
    if "organisation" in rule.of:
        raise document.error("there is only one organisation; leave it out", *at, "of")
    try:
        ZoneInfo(rule.time_zone)
    except (ZoneInfoNotFoundError, OSError, ValueError):
        if rule.time_zone != "UTC":
            raise document.error(
                "no such time zone on this machine; write one such as Europe/Berlin, and install"
                " the system's time zones or the package tzdata where there are none",
                *at,
                "time_zone",
            ) from None


def _scope(rule: UsageLimitSettings | BudgetSettings) -> tuple[object, ...]:
    per = (rule.per,) if isinstance(rule.per, str) else rule.per
    return frozenset(per) - {"organisation"}, tuple(sorted(rule.of.items()))


def _once(
    document: YamlFile, key: tuple[object, ...], seen: set[tuple[object, ...]], *at: str | int
) -> None:
    if key in seen:
        raise document.error("stands there twice for the same calls; leave one out", *at)
    seen.add(key)
