"""The runtime interface client: `python -m lambent.runtime app:app` speaks the Lambda Runtime API.

Read `loop.py` first: next, handle, again.
"""
