"""Decoded values → what annotations say: of records, and of requests. Pure; loaded where an annotation asks for it."""
