"""Composes the application; the only place where everything is known."""

from headgate.app.main import main

__all__ = ["main"]
