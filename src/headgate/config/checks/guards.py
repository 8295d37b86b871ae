"""Whether guards and their policies make sense: one kind each, no policy without its guards."""

from __future__ import annotations

from collections.abc import Mapping

from headgate.config.asked_model import OWN_FIELDS
from headgate.config.detection import check_detection, pattern_problem
from headgate.config.guards import (
    GUARD_KINDS,
    GuardPolicySettings,
    GuardSettings,
    InjectionSettings,
    JudgeSettings,
    RedactSettings,
)
from headgate.config.yaml_file import YamlFile


def check_guards(
    document: YamlFile,
    guards: Mapping[str, GuardSettings],
    policies: Mapping[str, GuardPolicySettings],
) -> None:
    """`ConfigError` with file and line for what makes no sense."""
    for name, guard in guards.items():
        at = ("guards", name)
        kinds = [kind for kind in GUARD_KINDS if getattr(guard, kind) is not None]
        if len(kinds) != 1:
            raise document.error(f"write exactly one of {', '.join(GUARD_KINDS)}", *at)
        if guard.redact is not None:
            _check_redact(document, guard.redact, *at, "redact")
        if guard.injection is not None and guard.injection.judge is not None:
            _check_judge(document, guard, guard.injection, guard.injection.judge, name)
        if guard.words is not None:
            if not guard.words.words and not guard.words.patterns:
                raise document.error("looks for nothing; write `words` or `patterns`", *at, "words")
            for index, pattern in enumerate(guard.words.patterns):
                if problem := pattern_problem(pattern):
                    raise document.error(problem, *at, "words", "patterns", index)
    for name, policy in policies.items():
        for index, guard_name in enumerate(policy.guards):
            if guard_name not in guards:
                known = ", ".join(guards) or "none"
                raise document.error(
                    f"no such guard; the file has {known}", "guard_policies", name, "guards", index
                )
        trust = policy.of.get("trust")
        if trust is not None and trust not in ("trusted", "untrusted"):
            raise document.error(
                "write trusted or untrusted", "guard_policies", name, "of", "trust"
            )
    used = {guard for policy in policies.values() for guard in policy.guards}
    for name in guards:
        if name not in used:
            # A guard that nobody asks would be taken for protection.
            raise document.error("stands in no policy, so it guards nothing", "guards", name)


def _check_judge(
    document: YamlFile,
    guard: GuardSettings,
    injection: InjectionSettings,
    judge: JudgeSettings,
    name: str,
) -> None:
    at = ("guards", name, "injection", "judge")
    if judge.timeout_s >= guard.timeout_s:
        raise document.error(
            f"must be less than the guard's own, {guard.timeout_s:g} s, or raise that",
            *at,
            "timeout_s",
        )
    below = injection.threshold if judge.below_score is None else judge.below_score
    if judge.from_score >= below:
        raise document.error(f"must be below {below}, or it is never asked", *at, "from_score")
    if below < injection.threshold:
        raise document.error(
            f"must be at least the guard's threshold, {injection.threshold}: what lies between"
            " would be let by unjudged",
            *(*at, "below_score"),
        )
    for field in OWN_FIELDS:
        if field in judge.parameters:
            raise document.error("is set by the judge itself", *at, "parameters", field)


def _check_redact(document: YamlFile, redact: RedactSettings, *at: str | int) -> None:
    check_detection(document, redact.find, *at, "find")
    known = {*redact.find.kinds, *(own.name for own in redact.find.own)}
    for kind in redact.modes:
        if kind not in known:
            raise document.error("is not looked for; add it to `find`", *at, "modes", kind)
