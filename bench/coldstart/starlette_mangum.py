"""The same behind Mangum."""

from mangum import Mangum

from bench.coldstart.starlette_app import app

handler = Mangum(app)
