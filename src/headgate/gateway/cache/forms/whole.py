"""The form of answers that are never streamed: embeddings and moderations."""

from __future__ import annotations

from headgate.gateway.cache.forms.form import AnswerForm, Scribe


class WholeForm(AnswerForm):
    """Bytes that are kept and given as they are."""

    def complete(self, body: bytes) -> bool:  # noqa: ARG002 - such an answer is there or is not
        """See `AnswerForm`."""
        return True

    def scribe(self, limit_bytes: int) -> Scribe | None:  # noqa: ARG002 - nothing is streamed
        """See `AnswerForm`."""
        return None

    def events(self, body: bytes, *, include_usage: bool) -> bytes:
        """See `AnswerForm`."""
        raise NotImplementedError("such an endpoint has no streams")
