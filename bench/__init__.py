"""Every figure that Lambent claims, against its peers, in one run: `make bench`, or `python -m bench [TABLE ...]`.

warm        µs for one invocation in handler mode: Lambent, Mangum, Lynara, and the floor
websocket   µs for one message of a WebSocket in handler mode, and the application driven by hand
imports     what `from lambent import Lambent` adds to a cold start
api         `lambent.api` beside FastAPI, Starlette and Powertools: its import, a request, many routes
build       s for `lambent build` of an example, and ms for a cold start of it, with bytecode and without
runtime     µs for one invocation of Lambent's runtime and of AWS's own
concurrency memory, and time for 16 requests at a time, of Lambent's runtime and of AWS's own
broadcast   one message to 1000 clients: the local Lambda, and Starlette under uvicorn
local       the local Lambda beside Smyth and serverless-offline: start, warm requests, load, reload, memory

measure.py  rounds, medians, ratios      events.py  what a gateway sends      stub.py      a Runtime API
table.py    figures into lines           apps.py    three applications        handlers.py  what the runtimes run
servers.py  local Lambdas, started       load.py    requests at full speed, each reply checked
services.py one service, by each framework
"""
