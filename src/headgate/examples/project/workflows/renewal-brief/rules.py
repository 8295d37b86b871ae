"""Business rules for renewal briefs: short, nothing promised; the facts where no model answers."""

import re
from typing import Any

Values = dict[str, Any]

SUMMARY_WORDS_AT_MOST = 80
_PROMISES = re.compile(
    r"\b\d{1,3} ?(?:%|per ?cent) (?:off|discount)|\bdiscount of \d", re.IGNORECASE
)


def check(output: Values, asked: Values, context: Values) -> list[str]:
    """Every reason for which this brief must not even become a draft."""
    problems = []
    words = len(output["summary"].split())
    if not 0 < words <= SUMMARY_WORDS_AT_MOST:
        problems.append(f"summary: must have 1 to {SUMMARY_WORDS_AT_MOST} words")
    for field, name in (("risks", "risk"), ("next_steps", "step")):
        for index, one in enumerate(output[field]):
            if not one[name].strip():
                problems.append(f"{field}[{index}].{name}: must not be empty")
    for index, one in enumerate(output["next_steps"]):
        if _PROMISES.search(one["step"]):
            problems.append(
                f"next_steps[{index}].step: promises a discount; leave that to the owner"
            )
    return problems


def fallback(asked: Values, context: Values) -> Values:
    """What the fields say by themselves, for when no model's brief can be had."""
    crm, usage = context.get("crm", {}), context.get("usage", {})
    risks = []
    now, before = usage.get("active_users"), usage.get("active_users_before")
    if now is not None and before is not None and now < before:
        risks.append(
            _risk(f"{now} people used the product, {before} before.", "usage.active_users")
        )
    for index, invoice in enumerate(context.get("invoices", [])):
        if invoice["status"] == "overdue":
            told = f"Invoice {invoice['number']} is overdue since {invoice['due_on']}."
            risks.append(_risk(told, f"invoices[{index}].status"))
    for index, issue in enumerate(context.get("issues", [])):
        if issue["severity"] in ("urgent", "high"):
            told = f"The issue {issue['number']} ({issue['severity']}) is still open."
            risks.append(_risk(told, f"issues[{index}].severity"))
    return {
        "summary": f"{crm['name']}: {crm['seats']} seats, {crm['annual_value']} US dollars a year;"
        f" the contract ends on {crm['renewal_date']}. No model has read the notes.",
        "risks": risks[:5],
        "open_questions": ["What do the notes and tickets say? They were not read."],
        "next_steps": [
            {
                "step": f"Talk to the customer more than {crm['notice_days']} days before"
                f" {crm['renewal_date']}.",
                "source": "crm.renewal_date",
            }
        ],
    }


def _risk(text: str, source: str) -> Values:
    return {"risk": text, "source": source}
