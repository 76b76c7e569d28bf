"""One trace through client, application and log.

The client sends its span as `traceparent`; the application's span is its child; each record of the log has the ids of
the trace and of the request. Spans leave after the reply, which does not wait for them.
"""

import logging
import os
from asyncio import to_thread
from collections.abc import Mapping, Sequence
from pathlib import Path

from opentelemetry import propagate, trace
from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from lambent import Lambent, current

logger = logging.getLogger("shop")


class Lines(SpanExporter):
    """A line of JSON for each span, to the file that SPANS names. OTLPSpanExporter takes this place in production."""

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        lines = "".join(f"{span.to_json(indent=None)}\n" for span in spans)
        with Path(os.environ.get("SPANS", "/dev/stdout")).open("a", encoding="utf-8") as file:
            file.write(lines)
        return SpanExportResult.SUCCESS


provider = TracerProvider(resource=Resource({"service.name": "shop"}))
provider.add_span_processor(BatchSpanProcessor(Lines()))
trace.set_tracer_provider(provider)
tracer = trace.get_tracer("shop")


def with_trace_id(record: logging.LogRecord) -> bool:
    """Give a record the ids of the span that it is written in. `lambent` has given it that of the request."""
    span = trace.get_current_span().get_span_context()
    if span.is_valid:
        record.trace_id = trace.format_trace_id(span.trace_id)
        record.span_id = trace.format_span_id(span.span_id)
    return True


logging.getLogger().setLevel(logging.INFO)
for log_handler in logging.getLogger().handlers:
    log_handler.addFilter(with_trace_id)


class FlushAfterReply:
    """Export what a request left, once it has been answered: the environment may be frozen then, for hours."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self.app(scope, receive, send)
        finally:
            if scope.get("aws.context") is not None:
                current().wait_until(to_thread(provider.force_flush))


async def order(request: Request) -> JSONResponse:
    with tracer.start_as_current_span("price"):
        logger.info("An order of %s.", request.path_params["thing"])
    return JSONResponse({"ordered": request.path_params["thing"]})


app = Starlette(
    routes=[Route("/orders/{thing}", order)],
    middleware=[Middleware(FlushAfterReply), Middleware(OpenTelemetryMiddleware, exclude_spans=["receive", "send"])],
)
handler = Lambent(app)


def on_invoke(_event: Mapping[str, object], _context: object) -> str:
    """The same where there is no HTTP: the invoker sends its span in the client context, and `current().w3c` has it."""
    with tracer.start_as_current_span("job", propagate.extract(current().w3c)):
        logger.info("A job.")
    current().wait_until(to_thread(provider.force_flush))
    return "done"
