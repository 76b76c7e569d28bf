"""The same behind Lambent."""

from bench.coldstart.starlette_app import app
from lambent import Lambent

handler = Lambent(app)
