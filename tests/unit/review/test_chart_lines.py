"""A chart's lines as SVG: broken where nothing is known, and seen where one point stands alone."""

from __future__ import annotations

import pytest

from headgate.review.console.charts import Chart, Series


@pytest.mark.parametrize(
    ("values", "path"),
    [
        ([1.0, 2.0, 1.0], "M0.0 60.0L300.0 2.0L600.0 60.0"),
        ([None, 1.0, None], "M297.0 2.0h6"),
        ([1.0, None, 1.0], "M-3.0 2.0h6M597.0 2.0h6"),
        ([1.0, 1.0, None], "M0.0 2.0L300.0 2.0"),
        ([None, None, None], ""),
    ],
)
def test_a_line_is_broken_where_nothing_is_known_and_a_point_alone_is_a_dash(
    values: list[float | None], path: str
):
    chart = Chart(id="x", title="X", unit="ms", at_s=[0, 60, 120], series=[Series("p50", values)])
    assert chart.paths == [path]
