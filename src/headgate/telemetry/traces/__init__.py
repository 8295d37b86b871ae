"""Traces: what was called, tried and run, told as OpenTelemetry spans after it has ended."""
