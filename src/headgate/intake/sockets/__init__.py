"""Websockets of applications: `/v1/responses` and `/v1/realtime`."""
