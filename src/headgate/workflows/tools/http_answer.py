"""What a service's answer says of a tool's call: done, failed, or nobody knows. Pure.

2xx                                  done
3xx to a GET, 307, 308               failed: nothing is followed
3xx to anything else                 unknown: many services answer so when they have done it
4xx, 503                             failed; the text of a 4xx is for the model
other 5xx                            unknown; its text is for nobody, it may tell of the inside
no whole answer                      unknown, or failed where the request never went out
"""

from __future__ import annotations

import codecs
from typing import Any

import msgspec

from headgate.context.service import ServiceError, ServiceReply
from headgate.workflows.tools.tool import ToolAnswer, ToolOutcome

REFUSAL_CHARACTERS_AT_MOST = 2000
"""Of a service's refusal, what the model is given."""

_NOT_DONE_REDIRECTS = (307, 308)
"""Those that ask for the same request at another address."""

_UNREACHABLE = frozenset({"connect", "dns", "tls", "connect_timeout"})


def answer_of_reply(method: str, reply: ServiceReply) -> ToolAnswer:
    """What came of a call that `reply` answers."""
    return _by_status(method, reply.status, reply)


def answer_of_error(method: str, error: ServiceError) -> ToolAnswer:
    """What came of a call that no whole answer came to."""
    if error.status is not None:
        answer = _by_status(method, error.status, None)
        # A refusal is one even where its text breaks off; of a success, not all is known then.
        if error.kind == "too_large" or answer.outcome == "failed":
            return answer
    code = "no_answer"
    if error.kind == "pool_timeout":
        code = "busy"
    elif error.kind in _UNREACHABLE and not error.may_have_arrived:
        code = "unreachable"
    elif error.kind.endswith("timeout"):
        code = "timeout"
    if not error.may_have_arrived:
        said = "Nothing was done: the service could not be reached."
        return ToolAnswer(outcome="failed", content=said, code=code)
    said = "Nobody knows whether it was done: the service gave no whole answer."
    return ToolAnswer(outcome="unknown", content=said, code=code)


def _by_status(method: str, status: int, reply: ServiceReply | None) -> ToolAnswer:
    """`reply` is None where its body was too large to be read."""
    if 200 <= status < 300:
        return ToolAnswer(outcome="done", content=_content(status, reply))
    outcome: ToolOutcome = "unknown"
    if status < 400:
        what = "leads elsewhere, and is not followed"
        if method == "GET" or status in _NOT_DONE_REDIRECTS:
            outcome = "failed"
    elif status < 500:
        outcome = "failed"
        said = _refusal(reply)
        what = f"refused. {said}" if said else "refused"
    elif status == 503:
        outcome = "failed"
        what = "is not available at the moment"
    else:
        what = "broke"
    content = f"The service answered {status}: it {what}"
    if outcome == "unknown":
        content += "; nobody knows whether it was done"
    return ToolAnswer(outcome=outcome, content=content, code=f"http_{status}")


def _content(status: int, reply: ServiceReply | None) -> Any:
    if reply is None:
        return "It was done. The service's answer was too large and is left out."
    if not reply.body:
        return f"It was done. The service answered {status}, without more."
    if _is_text(reply.media_type):
        return _decoded(reply.body)
    if _is_json(reply.media_type):
        try:
            return msgspec.json.decode(reply.body.removeprefix(codecs.BOM_UTF8))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return "It was done. The service's answer can't be read as JSON and is left out."
    return (
        f"It was done. The service's answer, {len(reply.body):,} bytes of"
        f" {reply.media_type[:100]}, can't be shown."
    )


def _refusal(reply: ServiceReply | None) -> str:
    if reply is None or not (_is_text(reply.media_type) or _is_json(reply.media_type)):
        return ""
    return _decoded(reply.body).strip()[:REFUSAL_CHARACTERS_AT_MOST]


def _is_text(media_type: str) -> bool:
    return media_type.startswith("text/")


def _is_json(media_type: str) -> bool:
    """Where nothing is said it may be."""
    return media_type in ("application/json", "") or media_type.endswith("+json")


def _decoded(body: bytes) -> str:
    return body.removeprefix(codecs.BOM_UTF8).decode("utf-8", "replace")
