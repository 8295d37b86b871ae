"""The sample services start on free ports, are found, and leave nothing behind."""

from __future__ import annotations

import http.client
import json
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from headgate.cli.init import write_example
from headgate.cli.sample_services import sample_services
from headgate.errors import UnavailableError


def asked(address: str, path: str, bearer: str = "sample-token") -> tuple[int, dict[str, object]]:
    where = urlsplit(address)
    connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=5)
    try:
        connection.request("GET", path, headers={"authorization": f"Bearer {bearer}"})
        response = connection.getresponse()
        return response.status, json.loads(response.read())
    finally:
        connection.close()


def test_they_answer_until_the_block_ends(tmp_path: Path):
    folder = tmp_path / "example"
    write_example(folder)
    with sample_services(folder) as addresses:
        assert "CRM_URL" in addresses
        crm = addresses["CRM_URL"]
        status, found = asked(crm, "/accounts/acc-1001")
        assert (status, found["account"]["id"]) == (200, "acc-1001")  # type: ignore[index]
        assert "notes" not in found["account"]  # type: ignore[operator]
        for path in ("/accounts/acc-9999", "/accounts", "/", "/accounts/acc-1001/x"):
            assert asked(crm, path)[0] == 404
        assert asked(crm, "/accounts/acc-1001", bearer="wrong")[0] == 401
        assert (folder / "services" / "billing.db").exists()
    with pytest.raises(OSError):
        asked(crm, "/accounts/acc-1001")


def test_one_that_can_not_start_says_why(tmp_path: Path):
    (tmp_path / "services").mkdir()
    (tmp_path / "services" / "start.py").write_text("raise SystemExit('the port is taken')\n")
    with pytest.raises(UnavailableError, match="the port is taken"), sample_services(tmp_path):
        pass
