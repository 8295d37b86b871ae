"""What is wrong with the routes of a configuration beyond the type of each field."""

from __future__ import annotations

from fnmatch import fnmatchcase

from headgate.config.asked_model import OWN_FIELDS
from headgate.config.grading import ClassifierSettings
from headgate.config.routes import RouteSettings
from headgate.config.settings import Settings
from headgate.config.yaml_file import YamlFile


def check_route(document: YamlFile, name: str, route: RouteSettings, settings: Settings) -> None:
    """Raise `ConfigError` for the first thing that is wrong with the route `name`."""
    known = ", ".join(settings.provider_names)
    rungs: set[tuple[str, str]] = set()
    for index, target in enumerate(route.targets):
        where = ("routes", name, "targets", index)
        if target.provider not in settings.provider_names:
            raise document.error(f"no such provider; there is {known}", *where, "provider")
        if (target.provider, target.model) in rungs:
            raise document.error(
                "this target stands in the ladder already; it would loop", *where, "model"
            )
        rungs.add((target.provider, target.model))
        if target.weight is not None and route.strategy != "weighted":
            raise document.error("needs `strategy: weighted`", *where, "weight")
        if target.when is not None and route.strategy != "tiered":
            raise document.error("needs `strategy: tiered`", *where, "when")
        if target.when is not None and (both := {*target.when.needs} & {*target.when.without}):
            raise document.error(
                f"no request fits: `needs` asks for {', '.join(sorted(both))} too",
                *where, "when", "without",
            )  # fmt: skip
    if "explore_share" in document.data["routes"][name] and route.strategy != "fastest":
        raise document.error("needs `strategy: fastest`", "routes", name, "explore_share")
    last = len(route.targets) - 1
    if route.targets[last].when is not None:
        raise document.error(
            "the last target of a tiered route takes what fits no other; leave its `when` out",
            "routes", name, "targets", last, "when",
        )  # fmt: skip
    larger = route.larger_context
    if larger is not None and larger.provider not in settings.provider_names:
        raise document.error(
            f"no such provider; there is {known}", "routes", name, "larger_context", "provider"
        )
    if larger is not None and rungs == {(larger.provider, larger.model)}:
        raise document.error(
            "is the route's only target, which would be asked the same again",
            "routes", name, "larger_context", "model",
        )  # fmt: skip
    if route.hedge is not None and len(route.targets) < 2:
        raise document.error("needs a second target to ask", "routes", name, "hedge")
    _check_grades(document, name, route)
    if route.classifier is not None:
        _check_classifier(document, name, route.classifier, settings)


def _check_grades(document: YamlFile, name: str, route: RouteSettings) -> None:
    """A rule that asks for a grade has one that can come, and a classifier a rule that asks."""
    classifier = route.classifier
    grades = () if classifier is None else tuple(classifier.grades)
    asked = False
    for index, target in enumerate(route.targets):
        for grade in target.when.grades if target.when is not None else ():
            asked = True
            rule = ("routes", name, "targets", index, "when", "grades")
            if classifier is None:
                raise document.error("needs a `classifier` that grades the requests", *rule)
            if grade not in grades:
                raise document.error(
                    f"the classifier knows no grade `{grade}`; it knows {', '.join(grades)}", *rule
                )
    if classifier is None:
        return
    where = ("routes", name, "classifier")
    if route.strategy != "tiered":
        raise document.error("needs `strategy: tiered`", *where)
    if not asked:
        raise document.error(
            "no target asks for a grade; write `when: {grades: […]}`, or leave this out", *where
        )
    if classifier.otherwise not in grades:
        raise document.error(f"write one of {', '.join(grades)}", *where, "otherwise")


def _check_classifier(
    document: YamlFile, name: str, classifier: ClassifierSettings, settings: Settings
) -> None:
    """What it asks is there and does not lead back to where a grade is needed."""
    where = ("routes", name, "classifier")
    leads_to = settings.routes.get(classifier.model)
    if leads_to is not None and leads_to.strategy == "tiered":
        raise document.error(
            "is a tiered route, which might need a grade itself; name a model, or a route of"
            " another strategy",
            *where, "model",
        )  # fmt: skip
    patterns = [p for provider in settings.providers.values() for p in provider.models]
    served = not patterns or any(fnmatchcase(classifier.model, p) for p in patterns)
    if leads_to is None and not served:
        raise document.error(
            "is neither a route nor a model that a provider serves", *where, "model"
        )
    for field in OWN_FIELDS:
        if field in classifier.parameters:
            raise document.error(
                "is not for you to set: Headgate asks in its own way", *where, "parameters", field
            )
