"""A database URL is understood or refused with what to write instead."""

from __future__ import annotations

from pathlib import Path

import pytest

from headgate.errors import ConfigError
from headgate.storage import Database


@pytest.mark.parametrize(
    "url",
    ["postgres://u@h/d", "postgresql://u@h/d", "postgresql+psycopg://u@h/d"],
)
def test_postgresql_may_be_written_in_every_usual_way(url: str):
    database = Database(url)
    assert database.url.drivername == "postgresql+psycopg"
    assert not database.is_sqlite
    database.close()


def test_the_folder_of_a_sqlite_file_is_made_for_its_owner_alone(tmp_path: Path):
    database = Database(f"sqlite:///{tmp_path}/data/headgate.db")
    database.ping()
    assert (tmp_path / "data").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "data" / "headgate.db").exists()
    database.close()


@pytest.mark.parametrize(
    "url",
    ["", "nonsense", "mysql://u@h/d", "sqlite://", "sqlite:///:memory:", "/var/lib/headgate.db"],
)
def test_any_other_url_is_refused_with_the_remedy(url: str):
    with pytest.raises(ConfigError, match="sqlite:///PATH"):
        Database(url)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ConfigError, match=r"file/headgate\.db cannot be made"):
        Database(f"sqlite:///{tmp_path}/file/headgate.db")


def test_an_option_that_postgresql_does_not_have_is_named():
    with pytest.raises(ConfigError, match="has no connection option `ssl_mode`"):
        Database("postgresql://u@h/d?ssl_mode=require")
    Database("postgresql://u@h/d?sslmode=require&options=-csearch_path%3Dx").close()
