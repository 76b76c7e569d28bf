"""The same behind Lambent."""

from bench.coldstart.fastapi_app import app
from lambent import Lambent

handler = Lambent(app)
