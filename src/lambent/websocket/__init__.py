"""WebSocket conversations that outlive an invocation."""
