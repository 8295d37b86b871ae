"""SQLite and PostgreSQL behind one interface, their schema and its migrations."""

from headgate.storage.database import Database
from headgate.storage.migrate import migrate

__all__ = ["Database", "migrate"]
