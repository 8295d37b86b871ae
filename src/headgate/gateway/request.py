"""A request to a model as far as the gateway reads it: the model, the stream, the end user.

The other fields stay the bytes that the client sent. The body is always written anew from its
top-level fields, so that a field given twice can't mean one thing here and another upstream.
"""

from __future__ import annotations

import msgspec

from headgate.errors import InvalidRequestError
from headgate.gateway.endpoints import Endpoint, Fields
from headgate.gateway.endpoints.endpoint import UNREADABLE
from headgate.gateway.forms import SpooledForm
from headgate.gateway.objects.references import mentions_objects, names_object

_fields = msgspec.json.Decoder(Fields)
_encode = msgspec.json.encode
_string = msgspec.json.Decoder(str)


class _StreamOptions(msgspec.Struct):
    include_usage: bool = False


_options = msgspec.json.Decoder(_StreamOptions | None)


class Request(msgspec.Struct):
    """One request to one endpoint."""

    endpoint: Endpoint
    fields: Fields
    model: str
    """"" where it is left to the provider."""
    streamed: bool
    second_model: str | None = None
    """What is run beside the model; see `Endpoint.second_model`."""
    hide_usage: bool = False
    """Whether Headgate asked for the stream's usage and the client did not."""
    stream_options: msgspec.Raw | None = None
    """What the client sent in their place, while Headgate asks."""
    asks: bool = False

    prompt_cache_key: str | None = None
    """Names what requests have in common, for providers that keep the beginnings of prompts; what
    the client says itself goes before it."""
    names_objects: bool = False
    """Whether it may name objects that a provider keeps; see `objects.references`."""
    form: SpooledForm | None = None
    """Its body where that is a multipart form; `fields` are then its text fields."""

    def end_user(self) -> str | None:
        """Who the application says it acts for, by OpenAI's own fields."""
        for name in ("safety_identifier", "user"):
            if name in self.fields:
                value = _text(self.fields, name)
                if value:
                    return value
        return None

    def previous_response(self) -> str | None:
        """The stored response that this one is to go on from."""
        raw = self.fields.get("previous_response_id")
        if raw is None or bytes(raw) == b"null" or not self._may_go_on():
            return None
        return _text(self.fields, "previous_response_id")

    def input_tokens(self) -> int:
        """About how many tokens it sends: a quarter of its bytes."""
        return sum(memoryview(value).nbytes for value in self.fields.values()) // 4 + 1

    def takes_default_model(self) -> bool:
        """Whether an operator's default may stand in; a stored prompt brings its own model."""
        return not self.model and bytes(self.fields.get("prompt", b""))[:1] != b"{"

    def output_tokens(self) -> int | None:
        """The most tokens that it wants answered; None where it sets no bound."""
        if not self.endpoint.generates:
            return 0
        for name in ("max_output_tokens", "max_completion_tokens", "max_tokens"):
            raw = self.fields.get(name)
            if raw is not None and (text := bytes(raw)).isdigit() and len(text) <= 9:
                return int(text)
        return None

    def usage_shown(self) -> bool:
        """Whether the client asked for a chat's stream to tell what it used."""
        if self.hide_usage:
            return False
        try:
            options = _options.decode(self.fields.get("stream_options", b"null"))
        except UNREADABLE:
            return False
        return options is not None and options.include_usage

    def _may_go_on(self) -> bool:
        return self.endpoint.name.startswith("responses")

    def rewrite(self, name: str, value: object, encoded: bytes) -> None:
        """Ask with another value of the field `name` from now on; `encoded` is it as JSON."""
        self.fields[name] = msgspec.Raw(encoded)
        if self.form is not None:
            values = value if isinstance(value, list) else [value]
            self.form.replace(name, [str(one).encode() for one in values])

    def body_for(self, model: str, *, prompt_cache_key: str | None = None) -> bytes:
        """The request's JSON, asking for `model`."""
        if prompt_cache_key is not None and "prompt_cache_key" not in self.fields:
            named = {"model": model} if model else {}
            return _encode({**self.fields, **named, "prompt_cache_key": prompt_cache_key})
        if model and (model != self.model or "model" not in self.fields):
            return _encode({**self.fields, "model": model})
        return _encode(self.fields)

    def ask_for_usage(self, *, understood: bool = True) -> None:
        """Make the stream tell what it used, where the provider has understood how to ask."""
        if understood and not self.asks:
            self.stream_options = self.fields.get("stream_options")
            self.asks = self.endpoint.prepare_stream(self.fields)
            self.hide_usage = self.hide_usage or self.asks
        elif self.asks and not understood:
            self.asks = False
            if self.stream_options is None:
                del self.fields["stream_options"]
            else:
                self.fields["stream_options"] = self.stream_options


def read_request(endpoint: Endpoint, body: bytes) -> Request:
    """Read `body`; `InvalidRequestError` names the field that is wrong."""
    try:
        fields = _fields.decode(body)
    except msgspec.ValidationError:
        raise InvalidRequestError("The body must be a JSON object.", code="invalid_json") from None
    except msgspec.DecodeError as error:
        raise InvalidRequestError(
            f"The body is not valid JSON: {error}.", code="invalid_json"
        ) from None
    except UnicodeDecodeError:
        raise _not_text() from None
    except RecursionError:
        raise InvalidRequestError(
            "The body is nested deeper than this server reads.", code="invalid_json"
        ) from None
    request = _request(endpoint, fields)
    looks = endpoint.generates or endpoint.reads_kept
    request.names_objects = looks and mentions_objects(fields)
    return request


def read_form_request(endpoint: Endpoint, form: SpooledForm) -> Request:
    """The request that `form` holds; `InvalidRequestError` names the field that is wrong."""
    fields: Fields = {}
    for name, values in form.reader.texts().items():
        if len(values) > 1 and not name.endswith("[]"):
            # The provider might go by another of them than Headgate does.
            raise InvalidRequestError(
                f"The form has more than one field `{name}`.", param=name, code="invalid_form"
            )
        if names_object(name):
            raise InvalidRequestError(
                f"The field `{name}` can't be given in a form here; send JSON to name an object.",
                param=name,
                code="unsupported_parameter",
            )
        value: object = values if name.endswith("[]") else values[-1]
        plain = name == "stream" and value in ("true", "false")
        fields[name] = msgspec.Raw(str(value).encode() if plain else _encode(value))
    request = _request(endpoint, fields)
    request.form = form
    return request


def _request(endpoint: Endpoint, fields: Fields) -> Request:
    if endpoint.model_optional and "model" in fields and bytes(fields["model"]) == b"null":
        del fields["model"]
    if "model" in fields:
        model = _text(fields, "model")
        if not model:
            raise InvalidRequestError("The field `model` is empty.", param="model")
    elif endpoint.default_model:
        model = endpoint.default_model
    elif endpoint.model_optional:
        model = ""
    else:
        raise InvalidRequestError(
            "The field `model` is missing: name a model, a route or a workflow.",
            param="model",
            code="missing_required_parameter",
        )
    request = Request(endpoint, fields, model, endpoint.is_streamed(fields))
    if endpoint.runs_second_model:
        request.second_model = endpoint.second_model(fields)
    return request


def _text(fields: Fields, name: str) -> str:
    try:
        return _string.decode(fields[name])
    except UnicodeDecodeError:
        raise _not_text(name) from None
    except UNREADABLE:
        raise InvalidRequestError(
            f"The field `{name}` must be a string.", param=name, code="invalid_type"
        ) from None


def _not_text(field: str | None = None) -> InvalidRequestError:
    where = f"field `{field}`" if field else "body"
    return InvalidRequestError(f"The {where} is not UTF-8 text.", param=field, code="invalid_json")
