"""The local Lambda: a Lambda service in miniature, with front doors and execution environments, on one machine.

    doors/            PURE   an HTTP request → the AWS event it would have become, and the result → an HTTP reply
    model.py                 a function, an invocation, its result
    identifiers.py    PURE   request ids, trace headers
    variables.py      PURE   the environment variables of an environment, and the command that starts it
    failures.py       PURE   what an invoker is told when the platform, not the function, ended an invocation
    report.py         PURE   START, END and REPORT
    hosts.py          PURE   which names the server answers to
    page.py           PURE   a failure, as a page for a browser
    conversation.py   PURE   the Runtime API: one runtime's calls, and what may follow what
    runtime_api.py    IO     the same, served on a port of its own
    processes.py      IO     a process and whatever it starts, begun, watched and ended as one
    environment.py    IO     one process, one Runtime API, one life
    service.py        IO     the queue, and environments as it needs them
    front_door.py     IO     one HTTP request on its way through a door and the service
    server.py         IO     the door opened on a port; starting and stopping

It starts the runtimes that run in production and knows them only by the Runtime API.
"""
