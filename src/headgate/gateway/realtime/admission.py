"""What a client's event in a realtime session may not ask for, whatever it costs. Pure."""

from __future__ import annotations

import msgspec

from headgate.errors import InvalidRequestError, PermissionDeniedError
from headgate.gateway.call import Call
from headgate.gateway.endpoints import Fields
from headgate.gateway.endpoints.endpoint import UNREADABLE
from headgate.gateway.objects.references import mentions_objects, named_in
from headgate.gateway.realtime.events import ClientEvent, text_of

_MAY_NAME_OBJECTS = frozenset({"conversation.item.create", "response.create", "session.update"})

_OWN_CONVERSATION = ("auto", "none")
"""What `response.conversation` says of the session's own conversation."""

_fields = msgspec.json.Decoder(Fields)


def check_event(event: ClientEvent, opened: Call) -> None:
    """Refuse what the key behind `opened`, the session's call, may not have.

    Raises `InvalidRequestError` and `PermissionDeniedError`; in a session's change it puts the
    target's name for the model in the place of the one that was asked for.
    """
    if event.type in _MAY_NAME_OBJECTS and mentions_objects(event.fields):
        _check_objects(event)
    if event.type == "session.update":
        _check_session(event, opened)


def _check_objects(event: ClientEvent) -> None:
    """Objects belong to projects, and a provider shows a session those of all."""
    try:
        value = msgspec.json.decode(event.written())
    except UNREADABLE:
        raise InvalidRequestError(
            "The event is not JSON that this server reads.", code="invalid_json"
        ) from None
    for named in named_in(value).objects:
        if named.kind != "conversation" or named.id not in _OWN_CONVERSATION:
            raise InvalidRequestError(
                f"A realtime session can't name a {named.kind.replace('_', ' ')} that the provider"
                " keeps; send its content.",
                param=named.field,
                code="unsupported_parameter",
            )


def _check_session(event: ClientEvent, opened: Call) -> None:
    """Keep a session at its model, and its transcripts at those that the key may use."""
    try:
        session = _fields.decode(event.fields.get("session", b"{}"))
        audio = _inner(session, "audio")
        writers = (
            _inner(_inner(audio, "input"), "transcription"),
            _inner(session, "input_audio_transcription"),
        )
    except UNREADABLE:
        raise InvalidRequestError(
            "The field `session` must be an object of objects.", param="session"
        ) from None
    for writer in writers:
        model = text_of(writer, "model")
        if model is not None and not opened.caller.may_use_model(model):
            raise PermissionDeniedError(
                f"This key may not use the model `{model[:64]}`, which was to write down what is"
                " heard.",
                param="session.audio.input.transcription.model",
                code="model_not_allowed",
            )
    asked, target = text_of(session, "model"), opened.target
    if asked is None or target is None:
        return
    if asked not in (target.model, opened.record.model_requested):
        raise InvalidRequestError(
            "A session stays at the model that it was opened with; open another one.",
            param="session.model",
            code="model_can_not_change",
        )
    session["model"] = msgspec.Raw(msgspec.json.encode(target.model))
    event.fields["session"] = msgspec.Raw(msgspec.json.encode(session))


def _inner(fields: Fields, name: str) -> Fields:
    """The object under `name`; empty where there is none."""
    raw = fields.get(name)
    return {} if raw is None or bytes(raw) == b"null" else _fields.decode(raw)
