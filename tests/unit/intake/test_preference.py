"""What a client says with `Prefer`."""

from __future__ import annotations

import pytest

from headgate.errors import InvalidRequestError
from headgate.intake.http.preference import LONGEST_WAIT_S, Preference, preference


@pytest.mark.parametrize(
    ("header", "wanted"),
    [
        (None, Preference()),
        ("", Preference()),
        ("respond-async", Preference(respond_async=True)),
        ("Respond-Async; foo=bar, wait=10", Preference(respond_async=True, wait_s=10.0)),
        ('wait="10",return=minimal', Preference(wait_s=10.0)),
        ("respond-async, wait=99999", Preference(respond_async=True, wait_s=LONGEST_WAIT_S)),
    ],
)
def test_what_is_known_is_read_and_the_rest_left_aside(header, wanted):
    assert preference(header) == wanted


@pytest.mark.parametrize("header", ["wait", "wait=-1", "wait=1.5", "wait=soon", "wait=²"])
def test_a_wait_that_is_no_number_is_refused(header):
    with pytest.raises(InvalidRequestError) as refused:
        preference(header)
    assert refused.value.param == "Prefer"
