"""An internal extension without events: Lambda sends SIGTERM to the runtime only where an extension is registered.

register ─200─▶ GET event/next, which is never answered: without that request the environment's init would not end
   └─ anything else ─▶ go on without: the environment then ends without notice

Source: docs.aws.amazon.com/lambda, "Using the Lambda Extensions API to create extensions" and "Understanding the Lambda
execution environment lifecycle"; AWS's emulator.
"""

from __future__ import annotations

import logging

from lambent.errors import PlatformError
from lambent.runtime import requests
from lambent.runtime.client import Client
from lambent.runtime.reply import said

logger = logging.getLogger("lambent")

_SECONDS = 1.0
"""In which the service is to answer: it is local, and what does not know extensions may not answer at all."""


def register(address: str) -> Client | None:
    """Register, before the first `next`. Returns the connection that is to be held until the end; None if refused.

    Of several processes in one environment the first one is registered. A snapshot may be taken meanwhile: the
    extension stays registered, and its request is not to be made again.
    """
    client = Client(address, _SECONDS)
    try:
        reply = client.call(requests.REGISTER)
        identifier = reply.headers.get("lambda-extension-identifier")
        if reply.status == 200 and identifier:
            client.send(requests.extension_next(identifier))
            return client
        logger.debug("No extension is registered, hence there is no SIGTERM: %s", said(reply))
    except PlatformError as error:
        logger.debug("No extension is registered, hence there is no SIGTERM: %s", error)
    client.close()
    return None
