"""Headgate: one self-hosted server between a business's applications and the OpenAI API."""

__version__ = "0.1.0"

__all__ = ["__version__"]
