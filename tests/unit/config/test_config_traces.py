"""When a server traces, where to and how much, from its file and OpenTelemetry's variables."""

from __future__ import annotations

from pathlib import Path

import pytest

from headgate.config.load import load_settings
from headgate.config.policy import effective_policy
from headgate.config.trace_plan import trace_plan
from headgate.config.traces import TraceSettings
from headgate.errors import ConfigError

ON = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}


def test_nothing_is_traced_unless_something_asks_for_it():
    assert trace_plan(None, {}) is None
    assert trace_plan(None, {"OTEL_TRACES_SAMPLER": "always_on"}) is None
    assert trace_plan(None, ON) is not None
    assert trace_plan(TraceSettings(), {}) is not None


def test_the_environment_can_turn_them_off():
    assert trace_plan(TraceSettings(), {"OTEL_SDK_DISABLED": "true"}) is None
    assert trace_plan(None, {**ON, "OTEL_SDK_DISABLED": "TRUE"}) is None
    assert trace_plan(None, {**ON, "OTEL_TRACES_EXPORTER": "none"}) is None


@pytest.mark.parametrize("written", ["http://c:4318", "http://c:4318/", "http://c:4318/v1/traces"])
def test_an_endpoint_may_be_written_with_its_path_and_without(written):
    plan = trace_plan(TraceSettings(endpoint=written), ON)
    assert plan.url == "http://c:4318/v1/traces"


def test_the_endpoint_for_traces_is_taken_as_it_is():
    variables = {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://c:4318/own", **ON}
    assert trace_plan(None, variables).url == "http://c:4318/own"
    assert trace_plan(None, ON).url == "http://collector:4318/v1/traces"
    assert trace_plan(TraceSettings(), {}).url == "http://localhost:4318/v1/traces"


def test_a_timeout_is_in_milliseconds_in_the_environment():
    plan = trace_plan(None, {**ON, "OTEL_EXPORTER_OTLP_TIMEOUT": "2500"})
    assert plan.timeout_s == 2.5


@pytest.mark.parametrize(
    ("sampler", "argument", "share", "follows"),
    [
        (None, None, 1.0, True),
        ("always_on", None, 1.0, False),
        ("always_off", None, 0.0, False),
        ("traceidratio", "0.25", 0.25, False),
        ("parentbased_traceidratio", "0.5", 0.5, True),
        ("parentbased_traceidratio", None, 1.0, True),
        ("parentbased_always_off", "0.5", 0.0, True),
    ],
)
def test_the_sampler_of_the_environment_is_followed(sampler, argument, share, follows):
    variables = dict(ON)
    if sampler:
        variables["OTEL_TRACES_SAMPLER"] = sampler
    if argument:
        variables["OTEL_TRACES_SAMPLER_ARG"] = argument
    plan = trace_plan(None, variables)
    assert (plan.share, plan.follow_parent) == (share, follows)


def test_what_the_file_says_goes_before_the_environment():
    variables = {**ON, "OTEL_TRACES_SAMPLER": "always_off"}
    plan = trace_plan(TraceSettings(share=0.5, follow_parent=True), variables)
    assert (plan.share, plan.follow_parent) == (0.5, True)


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, "http/protobuf"),
        ({"OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "http/json"}, "http/protobuf"),
        ({"OTEL_EXPORTER_OTLP_TIMEOUT": "10s"}, "whole milliseconds"),
        ({"OTEL_EXPORTER_OTLP_COMPRESSION": "zstd"}, "gzip or none"),
        ({"OTEL_EXPORTER_OTLP_CERTIFICATE": "/nowhere.pem"}, "there is no file"),
        ({"OTEL_EXPORTER_OTLP_HEADERS": "token"}, "name=value"),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "collector:4318"}, "https://"),
        ({"OTEL_TRACES_SAMPLER": "jaeger_remote"}, "parentbased_traceidratio"),
        ({"OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": "7"}, "from 0 to 1"),
        ({"OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": "x"}, "from 0 to 1"),
        ({"OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": "nan"}, "from 0 to 1"),
    ],
)
def test_a_variable_that_asks_for_what_cannot_be_done_is_an_error(variables, said):
    with pytest.raises(ConfigError, match=said):
        trace_plan(None, {**ON, **variables})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("traces: {endpiont: x}", "headgate.yaml:1: traces.endpiont: unknown field"),
        ("traces:\n  endpoint: collector:4318", "headgate.yaml:2: traces.endpoint: write an http"),
        ("traces:\n  share: 2", "headgate.yaml:2: traces.share"),
        (
            "providers: {here: {}}\ntraces:\n  propagate_to: [there]",
            "headgate.yaml:3: traces.propagate_to[0]: no such provider; there is here",
        ),
        (
            'traces:\n  headers:\n    "a b": c',
            "headgate.yaml:3: traces.headers.a b: is not a header",
        ),
    ],
)
def test_a_mistake_in_the_file_is_named_with_its_line(text, said, tmp_path: Path):
    (tmp_path / "headgate.yaml").write_text(text)
    with pytest.raises(ConfigError) as told:
        load_settings(tmp_path, {})
    assert said in str(told.value)


def test_the_policy_says_that_headers_are_set_and_not_to_what(tmp_path: Path):
    (tmp_path / "headgate.yaml").write_text("traces: {headers: {authorization: Basic-abc}}")
    settings = load_settings(tmp_path, {})
    policy = effective_policy(settings, providers={}, simulated=(), database_url="sqlite://")
    assert policy["traces"]["headers"] == {"authorization": "set"}
