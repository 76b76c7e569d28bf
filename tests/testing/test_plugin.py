"""The fixtures, in suites of pytest's own making."""

import subprocess
import sys
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

APP = """
lives = []

async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            lives.append(message["type"].rpartition(".")[2])
            await send({"type": message["type"] + ".complete"})
            if message["type"] == "lifespan.shutdown":
                return
    await send({"type": "http.response.start", "status": 200, "headers": [(b"x-door", door(scope))]})
    await send({"type": "http.response.body", "body": scope["path"].encode()})

def door(scope):
    return b"rest" if "resource" in scope["aws.event"] else b"http"

def handler(event, context):
    return {"statusCode": 200, "body": context.function_name}
"""


@pytest.fixture
def suite(pytester: pytest.Pytester) -> pytest.Pytester:
    """An empty one, beside an application."""
    pytester.makeini(
        "[pytest]\npythonpath = .\nlambent_handler = app:app\naddopts = -p no:cacheprovider --strict-markers\n"
    )
    pytester.makepyfile(app=APP)
    return pytester


def test_a_client_is_made_of_the_configured_handler(suite: pytest.Pytester) -> None:
    suite.makepyfile(
        """
        import asyncio
        import app
        import pytest

        def test_sync(lambda_client):
            response = lambda_client.get("/items")
            assert (response.text, response.headers["x-door"]) == ("/items", "http")

        def test_async(lambda_client):
            async def scene():
                async with lambda_client as client:
                    return await client.get("/items")

            assert asyncio.run(scene()).text == "/items"

        @pytest.mark.lambda_client(door="rest")
        def test_a_door(lambda_client):
            assert lambda_client.get("/").headers["x-door"] == "rest"

        @pytest.mark.lambda_client(app.handler, function="orders", strict=False)
        class TestMarked:
            def test_a_handler(self, lambda_client):
                assert lambda_client.get("/").text == "orders"

        @pytest.mark.lambda_client("app:handler")
        def test_a_name(lambda_client):
            assert lambda_client.get("/").text == "my-function"

        def test_each_had_its_lifespan():
            assert app.lives == ["startup", "shutdown"] * 3
        """
    )
    suite.runpytest_inprocess().assert_outcomes(passed=6)


@pytest.mark.parametrize(
    ("ini", "marker", "complaint"),
    [
        ("", "", "*expected a handler, in the ini option lambent_handler*"),
        ("lambent_handler = nowhere:app", "", "*lambda_client: Unable to import module 'nowhere'*"),
        ("lambent_handler = nowhere:app", "", "If it is in *, add pythonpath = *to the configuration of pytest."),
        ("lambent_handler = app:nothing", "", "*lambda_client: Handler 'nothing' missing on module 'app'"),
        ("lambent_handler = app", "", "*lambda_client: Bad handler 'app'*"),
        ("", "7", "*Expected 'handler' to be a Lambent*"),
        ("", "'app:app', 'rest'", "*expected one handler, and options of door, routes, *, but got 'rest'."),
        ("", "'app:app', dor='rest'", "*expected one handler, and options of door, routes, *, but got 'dor'."),
        ("", "'app:app', door='front'", "*door: expected url, http, *, but got 'front'."),
        ("lambent_handler = app:app\nlambent_door = front", "", "*door: expected url, http, *, but got 'front'."),
    ],
)
def test_a_client_that_cannot_be_made_is_an_error(
    pytester: pytest.Pytester, ini: str, marker: str, complaint: str
) -> None:
    pytester.makeini(f"[pytest]\npythonpath = .\naddopts = -p no:cacheprovider\n{ini}\n")
    mark = f"@pytest.mark.lambda_client({marker})" if marker else ""
    pytester.makepyfile(app=APP, test_it=f"import pytest\n{mark}\ndef test(lambda_client):\n    pass\n")
    result = pytester.runpytest_inprocess()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([complaint])
    result.stdout.no_fnmatch_line("*another exception occurred*")


def test_a_module_that_fails_shows_its_own_traceback(suite: pytest.Pytester) -> None:
    suite.makepyfile(
        app="import os\ntable = os.environ['NO_SUCH_TABLE']\n", test_it="def test(lambda_client):\n    pass\n"
    )
    result = suite.runpytest_inprocess()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*app.py:2: *", "*KeyError: 'NO_SUCH_TABLE'"])


def test_events_and_contexts(suite: pytest.Pytester) -> None:
    folder = suite.mkdir("tests") / "events"
    folder.mkdir()
    (folder / "order.json").write_text('{"id": 7}', "utf-8")
    (folder / "log.json").write_text('[{"@message": "{}"}, {"@message": "INFO {\\"id\\": 8}"}]', "utf-8")
    (folder / "broken.json").write_text("{", "utf-8")
    suite.makepyfile(
        """
        def test_event(lambda_event):
            record, = lambda_event("sqs", {"id": 7}, queue="orders")["Records"]
            assert (record["body"], record["eventSourceARN"].rpartition(":")[2]) == ('{"id": 7}', "orders")
            assert lambda_event("http", "POST", "/items")["rawPath"] == "/items"

        def test_context(lambda_context):
            assert lambda_context.function_name == "my-function"
            assert 0 < lambda_context.get_remaining_time_in_millis() <= 30_000

        def test_recorded(recorded_event):
            order = recorded_event("order")
            order["id"] = 9
            assert recorded_event("order.json") == {"id": 7}
            assert recorded_event("log", 1) == {"id": 8}

        def test_unknown_kind(lambda_event):
            lambda_event("sqq")

        def test_unknown_name(recorded_event):
            recorded_event("odrer")

        def test_which(recorded_event):
            recorded_event("log")

        def test_broken(recorded_event):
            recorded_event("broken")
        """
    )
    result = suite.runpytest_inprocess()
    result.assert_outcomes(passed=3, failed=4)
    result.stdout.fnmatch_lines(
        [
            "*lambda_event: expected one of sqs, sns, *, but got 'sqq'.",
            "*recorded_event: expected one of broken, log, order in *events, but got 'odrer'.",
            "*log.json: there are 2 events: choose one of 0, 1.",
            "*broken.json: expected JSON, but *",
        ]
    )


def test_processes_run_for_the_session_and_failures_show_their_logs(suite: pytest.Pytester) -> None:
    suite.makepyprojecttoml('[tool.lambent.functions.api]\nhandler = "loud.handler"\npath = "/{proxy+}"\n')
    suite.makepyfile(
        loud="def handler(event, context):\n    print('it says', event['rawPath'])\n    return event['rawPath']\n",
        test_it="""
        import pytest

        def test_one(local_lambda, request):
            assert local_lambda.client.get("/one").text == "/one"
            request.config.stash["url"] = local_lambda.url

        def test_other(local_lambda, request):
            local_lambda.client.get("/other")
            local_lambda.wait_for_log("it says /other")
            assert request.config.stash["url"] != local_lambda.url
        """,
    )
    result = suite.runpytest_inprocess()
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*- Local Lambda -*", "it says /other"])
    result.stdout.no_fnmatch_line("it says /one")


@pytest.mark.parametrize(
    ("ini", "complaint"),
    [
        ("", "*local_lambda: Expected functions in ?tool.lambent? of a pyproject.toml in *"),
        ("lambent_project = nowhere", "*local_lambda: Expected a project, or the folder of one, but got *nowhere, *"),
    ],
)
def test_processes_without_a_project_are_an_error(pytester: pytest.Pytester, ini: str, complaint: str) -> None:
    pytester.makeini(f"[pytest]\naddopts = -p no:cacheprovider\n{ini}\n")
    pytester.makepyfile("def test(local_lambda):\n    pass\n")
    result = pytester.runpytest_inprocess()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([complaint])


def test_a_suite_that_uses_nothing_of_it_loads_nothing(tmp_path: Path) -> None:
    """In a fresh interpreter: beside the plugin itself there is nothing of Lambent."""
    (tmp_path / "test_it.py").write_text(
        "import sys\n\ndef test():\n    assert {each for each in sys.modules if each.split('.')[0] == 'lambent'} == "
        "{'lambent', 'lambent.testing', 'lambent.testing.plugin'}\n",
        "utf-8",
    )
    command = [
        sys.executable,
        "-W",
        "error",
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "--rootdir",
        str(tmp_path),
    ]
    result = subprocess.run([*command, str(tmp_path)], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


def test_the_fixtures_and_the_marker_are_listed(suite: pytest.Pytester) -> None:
    result = suite.runpytest_inprocess("--fixtures", "--markers")
    result.stdout.fnmatch_lines(["@pytest.mark.lambda_client(handler, *"])
    result = suite.runpytest_inprocess("--fixtures")
    for name in ("lambda_client", "local_lambda *", "lambda_context", "lambda_event", "recorded_event"):
        result.stdout.fnmatch_lines([f"{name} -- *plugin.py:*"])
