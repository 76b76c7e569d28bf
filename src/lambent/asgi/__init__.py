"""ASGI: one conversation each, a table of transitions and a small driver."""
