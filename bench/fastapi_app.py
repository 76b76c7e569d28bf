"""`bench.fastapi_app:app`, for whoever loads an application by its name."""

from __future__ import annotations

from bench.apps import fastapi

app = fastapi()
