"""A project that tests itself, as its people would: pytest in a fresh interpreter, HTTPS by `lambent dev`."""

import http.client
import json
import ssl
import subprocess
import sys
from pathlib import Path

import pytest

from tests.dev.local import LIMIT, LocalLambda, environment

PROJECT = """
[tool.pytest.ini_options]
pythonpath = ["."]
testpaths = ["tests"]
lambent_handler = "shop:app"
filterwarnings = ["error"]

[tool.lambent.functions.shop]
handler = "shop:app"
path = "/{proxy+}"

[tool.lambent.functions.worker]
handler = "worker.handler"
timeout = 2
"""
SHOP = """
from fastapi import FastAPI, HTTPException, Request

app = FastAPI()
items = {"lamp": 3}

@app.get("/items/{name}")
async def item(name: str, request: Request) -> dict:
    if name not in items:
        raise HTTPException(404)
    return {"name": name, "stock": items[name], "https": request.url.scheme == "https"}
"""
WORKER = """
import json, time

def handler(event, context):
    orders = [json.loads(record["body"]) for record in event["Records"]]
    if any(order["name"] == "forever" for order in orders):
        time.sleep(60)
    return {"batchItemFailures": [], "orders": orders, "function": context.function_name}
"""
TESTS = """
import asyncio

import pytest
from lambent.errors import InvocationFailed

import worker


def test_in_process(lambda_client):
    assert lambda_client.get("/items/lamp").json()["stock"] == 3
    assert lambda_client.get("/items/sofa").status == 404


@pytest.mark.anyio
async def test_on_the_loop(lambda_client):
    async with lambda_client as client:
        responses = await asyncio.gather(*(client.get("/items/lamp") for _ in range(5)))
    assert {each.status for each in responses} == {200}


@pytest.fixture
def anyio_backend():
    return "asyncio"


def test_a_plain_call(lambda_event, lambda_context):
    result = worker.handler(lambda_event("sqs", {"name": "lamp"}), lambda_context)
    assert result["orders"] == [{"name": "lamp"}]


def test_in_processes(local_lambda, recorded_event):
    assert local_lambda.client.get("/items/lamp").json()["name"] == "lamp"
    assert local_lambda.invoke("worker", recorded_event("order"))["function"] == "worker"


def test_what_only_processes_show(local_lambda, lambda_event):
    with pytest.raises(InvocationFailed, match="timed out"):
        local_lambda.invoke("worker", lambda_event("sqs", {"name": "forever"}))
    local_lambda.wait_for_log("REPORT .*Status: ")
"""
ORDER = {"Records": [{"body": '{"name": "lamp"}'}]}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shop")
    (folder / "tests" / "events").mkdir(parents=True)
    files = {
        "pyproject.toml": PROJECT,
        "shop.py": SHOP,
        "worker.py": WORKER,
        "tests/test_shop.py": TESTS,
        "tests/events/order.json": json.dumps(ORDER),
    }
    for name, text in files.items():
        (folder / name).write_text(text, "utf-8")
    return folder


def test_a_project_tests_itself(project: Path) -> None:
    command = [sys.executable, "-X", "dev", "-m", "pytest", "-q"]
    variables = environment(PYTEST_ADDOPTS="")
    result = subprocess.run(
        command, cwd=project, env=variables, capture_output=True, text=True, timeout=3 * LIMIT, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert "5 passed" in result.stdout
    assert not result.stderr


def test_https_for_a_client_that_verifies(project: Path, tmp_path: Path) -> None:
    cache = {"XDG_CACHE_HOME": str(tmp_path)}
    with LocalLambda(project, "shop:app", "--https", "--allow-host", "shop.example", variables=cache) as local:
        authority = local.wait_for(r"Clients have to trust (.*ca\.pem)")[1]
        context = ssl.create_default_context(cafile=authority)
        for name in ("localhost", "127.0.0.1", "shop.example", "shop-app.localhost"):
            connection = Named(local.port, context, name)
            connection.request("GET", "/items/lamp")
            answer = connection.getresponse()
            assert (answer.status, json.load(answer)["https"]) == (200, True)
            connection.close()
        stranger = Named(local.port, ssl.create_default_context(), "localhost")
        with pytest.raises(ssl.SSLCertVerificationError):
            stranger.connect()
        stranger.close()
    assert "Traceback" not in local.output


class Named(http.client.HTTPSConnection):
    """To this machine, by a name that no DNS knows."""

    def __init__(self, port: int, context: ssl.SSLContext, name: str) -> None:
        super().__init__(name, port, timeout=LIMIT, context=context)
        self._trust = context

    def connect(self) -> None:
        """As `HTTPSConnection` does, but for the look-up."""
        plain = http.client.HTTPConnection("127.0.0.1", self.port, timeout=LIMIT)
        plain.connect()
        try:
            self.sock = self._trust.wrap_socket(plain.sock, server_hostname=self.host)
        finally:
            plain.close()
