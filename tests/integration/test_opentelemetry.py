"""The OpenTelemetry example: one trace through client, application and log, and spans that leave after the reply."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from opentelemetry import propagate, trace
from opentelemetry.sdk.trace import TracerProvider

from tests.dev.local import Answer, LocalLambda
from tests.support.processes import environment, runtime
from tests.support.runtime_api import RuntimeAPI, invocation

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="spans go through a named pipe")

EXAMPLE = Path(__file__).parents[2] / "examples" / "opentelemetry_app"


class Traced(NamedTuple):
    """The client's span, and what came of it."""

    client: trace.SpanContext
    headers: dict[str, str]

    @property
    def trace_id(self) -> str:
        return trace.format_trace_id(self.client.trace_id)


@pytest.fixture
def client() -> Traced:
    """A span of a client, and the headers that it sends."""
    headers: dict[str, str] = {}
    with TracerProvider(shutdown_on_exit=False).get_tracer("client").start_as_current_span("ask") as span:
        propagate.inject(headers)
        return Traced(span.get_span_context(), headers)


@pytest.fixture
def spans(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A named pipe that the example exports to: whoever writes waits until somebody reads."""
    pipe = tmp_path / "spans"
    os.mkfifo(pipe)
    monkeypatch.setenv("SPANS", str(pipe))
    return pipe


def read(pipe: Path, *names: str) -> list[Any]:
    """The spans of these names, be they exported at once or one by one."""
    spans: dict[str, Any] = {}
    while not spans.keys() >= set(names):
        spans |= {span["name"]: span for span in map(json.loads, pipe.read_text("utf-8").splitlines())}
    return [spans[name] for name in names]


def span_id(text: str) -> int:
    return int(text, 16)


def test_one_trace_through_client_application_and_log(
    client: Traced, spans: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_LAMBDA_LOG_FORMAT", "JSON")
    with LocalLambda(EXAMPLE, "app:app") as local:
        # an export that the reply waited for would hold it up for ever: nobody reads the pipe yet
        answer: Answer = local.get("/orders/lamp", **client.headers)
        server, price = read(spans, "GET /orders/lamp", "price")
        record = json.loads(local.wait_for(r'.*"An order of lamp\.".*')[0])
        request_id = local.wait_for(r"START RequestId: (\S+)")[1]

    assert (answer.status, answer.body) == (200, b'{"ordered":"lamp"}')
    assert {span["context"]["trace_id"] for span in (server, price)} == {f"0x{client.trace_id}"}
    assert span_id(server["parent_id"]) == client.client.span_id
    assert price["parent_id"] == server["context"]["span_id"]
    assert record["requestId"] == request_id
    assert record["trace_id"] == client.trace_id
    assert span_id(record["span_id"]) == span_id(price["context"]["span_id"])


def test_an_invocation_without_http_brings_its_trace_in_the_client_context(client: Traced, spans: Path) -> None:
    context = f"Lambda-Runtime-Client-Context: {json.dumps({'w3c': client.headers})}"
    with (
        RuntimeAPI(invocation(b"{}", context)) as api,
        runtime(EXAMPLE, api.address, "app.on_invoke", SPANS=str(spans)) as process,
    ):
        (job,) = read(spans, "job")
        api.wait_until_idle()
        ended = process.stop()

    assert [call.json for call in api.posts] == ["done"]
    assert job["context"]["trace_id"] == f"0x{client.trace_id}"
    assert span_id(job["parent_id"]) == client.client.span_id
    assert re.fullmatch(r"\[INFO\]\t\S+\tid-1\tA job\.\n", ended.stdout)


def test_without_lambda_nothing_is_waited_for() -> None:
    """Under any ASGI server the spans leave in their own time."""
    script = (
        "from starlette.testclient import TestClient; from app import app; print(TestClient(app).get('/orders/a').text)"
    )
    variables = environment(SPANS=os.devnull)
    ran = subprocess.run(
        [sys.executable, "-c", script], cwd=EXAMPLE, env=variables, capture_output=True, text=True, check=False
    )
    assert (ran.returncode, ran.stdout) == (0, '{"ordered":"a"}\n'), ran.stderr
