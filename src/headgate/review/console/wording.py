"""What the buttons and headings of a review say, by what is asked: a draft, an action, a budget."""

from __future__ import annotations

import msgspec

from headgate.review.review import Decision, ReviewKind


class Wording(msgspec.Struct, frozen=True, kw_only=True):
    """The words for one sort of question."""

    approve: str = "Approve"
    reject: str = "Reject"
    edit: str = "Edit it"
    """What opens the editor."""
    send_edited: str = "Send it as edited"
    passes: str = "The edit passes the schema and the rules."
    """What is said of an edit that could be sent."""
    changed: str = "What your edit changes"
    sent: str = "What will be sent"
    both: str = "You changed the draft: send it as edited, or undo the change and approve."
    """To who approves with something in the editor."""
    why: str = ""
    """What a decision means, where the buttons don't say it all."""


_OUTPUT = Wording()
_UNWRITTEN = Wording(edit="Write it", send_edited="Send what is written")
_ACTION = Wording(
    approve="Send",
    reject="Don't send",
    edit="Change it",
    send_edited="Send changed",
    passes="The arguments fit the tool.",
    changed="What you change",
    both="You changed the arguments: send them changed, or undo the change and send.",
    why="Once it is decided, the run goes on by itself and its model is told.",
)
_UNKNOWN = Wording(
    approve="Send again",
    reject="It was not done",
    edit="It was done",
    send_edited="It was done, with this result",
    passes="The model will be told this.",
    changed="What the model will be told",
    sent="What was sent",
    both="You wrote what came of it: say that it was done, or empty the editor and send it again.",
    why="It was sent, and no answer came. Look there whether it was done, then say so: the run"
    " waits, and goes on by itself.",
)
_LEFT_OVER = msgspec.structs.replace(
    _UNKNOWN,
    changed="What is kept of it",
    passes="This is kept as what came of it.",
    why="It was sent for a run that is over, and no answer came. Look there whether it was done,"
    " then say so: nothing is sent any more.",
)
_BUDGET = Wording(approve="Grant more", reject="Refuse")

_DONE: dict[Decision, str] = {
    "approve": "approved", "edit": "sent as edited", "reject": "rejected", "escalate": "escalated",
}  # fmt: skip


def wording_of(
    kind: ReviewKind, *, unknown: bool = False, unwritten: bool = False, over: bool = False
) -> Wording:
    """The words for a review of `kind`.

    `unknown`: of an action that was sent, and nobody knows whether it was done. `unwritten`: of an
    output that no model wrote. `over`: of an action whose run has ended.
    """
    if kind == "action" and unknown:
        return _LEFT_OVER if over else _UNKNOWN
    if kind == "action":
        return _ACTION
    if kind == "budget":
        return _BUDGET
    return _UNWRITTEN if unwritten else _OUTPUT


def done_in_words(decision: str) -> str:
    """What was decided a moment ago, as the next page says it; empty for what is no decision."""
    return next((words for name, words in _DONE.items() if name == decision), "")
