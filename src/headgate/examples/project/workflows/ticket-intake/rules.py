"""What must hold of the answer, whatever the model says."""

from typing import Any

Values = dict[str, Any]


def check(output: Values, given: Values) -> list[str]:
    """A summary says something; an id looks like one."""
    problems = []
    if not output["summary"].strip():
        problems.append("summary: say what was done, and why")
    ticket_id = output["ticket_id"]
    if ticket_id is not None and not ticket_id.strip():
        problems.append("ticket_id: write the id that create_ticket answered, or null")
    return problems
