"""The simulator over websockets: Responses and Realtime."""
