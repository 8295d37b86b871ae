"""The forms an endpoint's answers have: whole or streamed, and each made from the other.

To add one: write a file with a subclass of `AnswerForm` and list it here.
"""

from headgate.gateway.cache.forms.chat import ChatForm
from headgate.gateway.cache.forms.form import AnswerForm, Scribe
from headgate.gateway.cache.forms.responses import ResponsesForm
from headgate.gateway.cache.forms.whole import WholeForm

_WHOLE = WholeForm()
_FORMS: dict[str, AnswerForm] = {"chat/completions": ChatForm(), "responses": ResponsesForm()}


def form_of(endpoint: str) -> AnswerForm:
    """The form of an endpoint's answers."""
    return _FORMS.get(endpoint, _WHOLE)


__all__ = ["AnswerForm", "Scribe", "form_of"]
