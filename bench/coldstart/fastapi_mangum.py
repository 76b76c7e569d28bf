"""The same behind Mangum."""

from mangum import Mangum

from bench.coldstart.fastapi_app import app

handler = Mangum(app)
