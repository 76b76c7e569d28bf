"""`bench.waiting_handler.handler`: the same application for AWS's own client, through Mangum."""

from __future__ import annotations

from mangum import Mangum

from bench.waiting_app import app

handler = Mangum(app, lifespan="off")
