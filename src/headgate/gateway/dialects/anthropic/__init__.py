"""Anthropic's Messages API, spoken in place of OpenAI's: one file a direction and an endpoint."""

from headgate.gateway.dialects.anthropic.dialect import AnthropicDialect

__all__ = ["AnthropicDialect"]
