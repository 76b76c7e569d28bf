"""The front door: what importing it loads, and what it does not."""

import subprocess
import sys

import pytest

import lambent

EVENT = {
    "version": "2.0",
    "rawPath": "/items/7",
    "rawQueryString": "q=1",
    "headers": {"host": "example.com"},
    "requestContext": {"domainName": "example.com", "http": {"method": "GET", "sourceIp": "203.0.113.9"}},
    "isBase64Encoded": False,
}
APP = """
async def app(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": b"hi"})
"""


def loaded(script: str) -> set[str]:
    """The modules that a fresh interpreter has loaded after `script`."""
    command = [sys.executable, "-c", f"{script}\nimport sys; print(*sys.modules)"]
    return set(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())


@pytest.fixture(scope="module")
def asyncio_s() -> set[str]:
    return loaded("import asyncio")


def test_importing_lambent_loads_itself_only() -> None:
    assert loaded("import lambent") - loaded("") <= {"__future__", "lambent"}


def test_the_adapter_loads_what_asyncio_loads_and_a_handful_of_its_own(asyncio_s: set[str]) -> None:
    more = loaded("from lambent import Lambent") - asyncio_s
    assert {name for name in more if not name.startswith("lambent")} <= {"__future__"}
    assert len(more) <= 12


def test_the_adapter_loads_no_door_no_runtime_and_no_dev_server() -> None:
    more = loaded("from lambent import Lambent")
    assert "lambent.adapter" in more
    for name in ("lambent.gateway.http_api", "lambent.gateway.function_url", "lambent.runtime", "lambent.dev"):
        assert name not in more


def test_the_first_request_loads_nothing_from_outside(asyncio_s: set[str]) -> None:
    more = loaded(f"{APP}\nfrom lambent import Lambent\nassert Lambent(app)({EVENT!r})['body'] == 'hi'") - asyncio_s
    assert {name for name in more if not name.startswith("lambent")} <= {"__future__"}
    heavy = {"json", "dataclasses", "inspect", "typing_extensions", "urllib.parse", "email", "boto3", "pydantic"}
    assert not heavy & more


def test_connections_load_what_asyncio_loads_and_a_few_of_their_own(asyncio_s: set[str]) -> None:
    more = loaded("from lambent import Connections") - asyncio_s
    assert {name for name in more if not name.startswith("lambent")} <= {"__future__"}
    for name in ("lambent.adapter", "lambent.aws", "lambent.stores", "lambent.websocket.conversations"):
        assert name not in more


def test_events_load_what_asyncio_loads_and_a_few_of_their_own(asyncio_s: set[str]) -> None:
    more = loaded("from lambent import Events") - asyncio_s
    assert {name for name in more if not name.startswith("lambent")} <= {"__future__"}
    assert len(more) <= 20
    for name in ("lambent.adapter", "lambent.events.binding", "lambent.events.sources.sqs", "lambent.stores"):
        assert name not in more


def test_a_function_registered_loads_no_more(asyncio_s: set[str]) -> None:
    script = "from lambent import Events\n@Events().sqs('orders')\nasync def order(order: dict): ..."
    assert {name for name in loaded(script) - asyncio_s if not name.startswith("lambent")} <= {"__future__"}


def test_each_name_is_there_and_listed() -> None:
    names = {"Connections", "Events", "Lambent", "__version__", "after_restore", "before_snapshot", "current"}
    assert names == set(lambent.__all__) == set(dir(lambent))
    assert all(getattr(lambent, name) for name in lambent.__all__)


def test_a_name_that_is_not_there_is_named() -> None:
    with pytest.raises(AttributeError, match=r"^module 'lambent' has no attribute 'Mangum'$"):
        _ = lambent.Mangum
