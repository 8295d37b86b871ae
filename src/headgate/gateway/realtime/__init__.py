"""Realtime sessions: a websocket of an application joined to one of a provider's."""
