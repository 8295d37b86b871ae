"""What docs/how-to/websockets.md shows works as it stands, against a running server."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from servers import ADMIN_KEY, RunningServer

_PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "websockets.md"
_SAMPLES = re.findall(
    r"^<!-- runs: websockets -->\n```python\n(.*?)^```",
    _PAGE.read_text("utf-8"),
    re.MULTILINE | re.DOTALL,
)


@pytest.mark.parametrize("code", _SAMPLES, ids=("responses", "realtime", "client_secret"))
def test_a_sample_of_the_page_runs(code: str, simulated: RunningServer, capsys):
    written = code.replace("http://127.0.0.1:8800", simulated.address).replace("hg_…", ADMIN_KEY)
    names: dict[str, object] = {}
    exec(compile(written, str(_PAGE), "exec"), names)  # noqa: S102 - the page's own sample
    names["client"].close()
    assert len(capsys.readouterr().out) > 20
