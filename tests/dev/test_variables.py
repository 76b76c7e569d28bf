"""How a process is started."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from lambent.dev import variables
from lambent.dev.model import Function

FUNCTION = Function("shop", "pkg.app:app", Path("/code"), memory=256, region="eu-west-1", python="python")


def seen(function: Function = FUNCTION, **shell: str) -> dict[str, str]:
    return variables.variables(function, shell, api="127.0.0.1:9001", log_stream="stream", python_version=(3, 13))


def aws_function(target: str = "pkg.app:app") -> Function:
    return Function("shop", target, Path("/code"), runtime="awslambdaric", python="python")


def test_what_aws_sets_is_set() -> None:
    expected = {
        "_HANDLER": "pkg.app:app",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
        "AWS_LAMBDA_FUNCTION_NAME": "shop",
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/shop",
        "AWS_LAMBDA_LOG_STREAM_NAME": "stream",
        "AWS_LAMBDA_RUNTIME_API": "127.0.0.1:9001",
        "AWS_REGION": "eu-west-1",
        "LAMBDA_TASK_ROOT": "/code",
        "PYTHONPATH": "/code",
        "PYTHONUNBUFFERED": "1",
        "TZ": ":UTC",
    }
    assert expected.items() <= seen().items()


def test_the_application_comes_first_on_the_path() -> None:
    assert seen(PYTHONPATH="/lib")["PYTHONPATH"] == f"/code{os.pathsep}/lib"


def test_the_shell_is_inherited_but_not_its_time_zone() -> None:
    environment = seen(HOME="/home/me", TZ="Europe/Paris")
    assert (environment["HOME"], environment["TZ"]) == ("/home/me", ":UTC")


def test_the_function_s_own_variables_win_over_the_shell_and_the_presets_but_not_over_reserved_names() -> None:
    own = {"STAGE": "own", "TZ": "Asia/Tokyo", "AWS_LAMBDA_RUNTIME_API": "evil:1", "PYTHONPATH": "/own"}
    function = Function("shop", "app:app", Path("/code"), env=own)
    environment = seen(function, STAGE="shell", PYTHONPATH="/lib")
    assert (environment["STAGE"], environment["TZ"]) == ("own", "Asia/Tokyo")
    assert environment["AWS_LAMBDA_RUNTIME_API"] == "127.0.0.1:9001"
    assert environment["PYTHONPATH"] == f"/code{os.pathsep}/own"


def test_credentials_are_made_up_where_there_are_none() -> None:
    assert variables.CREDENTIALS.items() <= seen().items()


@pytest.mark.parametrize("name", ["AWS_ACCESS_KEY_ID", "AWS_PROFILE", "AWS_WEB_IDENTITY_TOKEN_FILE"])
def test_credentials_of_the_shell_are_left_alone(name: str) -> None:
    environment = seen(FUNCTION, **{name: "mine"})
    assert environment[name] == "mine"
    assert "AWS_SESSION_TOKEN" not in environment


def test_those_of_the_function_s_own_variables_stay_what_they_are() -> None:
    """A key without a session token does not go with a made-up one."""
    environment = seen(replace(FUNCTION, env={"AWS_ACCESS_KEY_ID": "AKIA", "AWS_SECRET_ACCESS_KEY": "secret"}))
    assert environment["AWS_ACCESS_KEY_ID"] == "AKIA"
    assert "AWS_SESSION_TOKEN" not in environment
    assert "AWS_ACCESS_KEY_ID" not in seen(replace(FUNCTION, env={"AWS_PROFILE": "dev"}))


def test_aws_s_own_runtime_is_told_its_version_and_ours_is_not() -> None:
    assert seen(aws_function(), AWS_EXECUTION_ENV="shell")["AWS_EXECUTION_ENV"] == "AWS_Lambda_python3.13"
    assert "AWS_EXECUTION_ENV" not in seen(AWS_EXECUTION_ENV="shell")


def test_our_runtime_takes_the_handler_as_it_is() -> None:
    assert variables.command(FUNCTION, seen()) == ["python", variables.CHILD, "lambent.runtime", "pkg.app:app"]
    assert Path(variables.CHILD).is_file()


@pytest.mark.parametrize("handler", ["pkg.app:app", "pkg.app.app"])
def test_aws_s_own_takes_it_dotted(handler: str) -> None:
    assert variables.command(aws_function(handler), {})[2:] == ["awslambdaric", "pkg.app.app"]


def test_aws_s_own_is_started_by_the_wrapper_that_is_named_and_ours_is_not() -> None:
    wrapped = {"AWS_LAMBDA_EXEC_WRAPPER": "/code/wrap per"}
    expected = ["/code/wrap per", "python", "-m", "awslambdaric", "pkg.app.app"]
    assert variables.command(aws_function(), wrapped)[3:] == expected
    assert variables.command(FUNCTION, wrapped) == variables.command(FUNCTION, {})


def test_a_debugged_function_waits_for_its_debugger_and_has_all_the_time_that_that_takes() -> None:
    function = replace(FUNCTION, debug="127.0.0.1:5678")
    command = variables.command(function, {})
    assert command[-5:] == [variables.CHILD, "--debug", "127.0.0.1:5678", "lambent.runtime", "pkg.app:app"]
    assert seen(function)["LAMBENT_DEADLINE_MARGIN"] == "0"
    assert "LAMBENT_DEADLINE_MARGIN" not in seen()


def test_layers_are_searched_as_aws_searches_them_behind_the_application(tmp_path: Path) -> None:
    """Of two that have the same file, the later one has it."""
    function = replace(FUNCTION, layers=(tmp_path / "one", tmp_path / "two"))
    expected = [
        "/code",
        *(f"{tmp_path}/{layer}/python/lib/python3.13/site-packages" for layer in ("two", "one")),
        *(f"{tmp_path}/{layer}/python" for layer in ("two", "one")),
        *(f"{tmp_path}/{layer}" for layer in ("two", "one")),
    ]
    environment = seen(function, PATH="/bin", LD_LIBRARY_PATH="/lib64")
    assert environment["PYTHONPATH"].split(os.pathsep) == expected
    assert environment["PATH"].split(os.pathsep) == ["/bin", f"{tmp_path}/two/bin", f"{tmp_path}/one/bin"]
    libraries = ["/lib64", "/code", "/code/lib", f"{tmp_path}/two/lib", f"{tmp_path}/one/lib"]
    assert environment["LD_LIBRARY_PATH"].split(os.pathsep) == libraries


def test_a_relative_search_path_means_the_shell_s_folder() -> None:
    assert seen(PYTHONPATH=f"src{os.pathsep}/lib")["PYTHONPATH"].split(os.pathsep) == [
        "/code",
        str(Path("src").resolve()),
        "/lib",
    ]


def test_the_task_root_is_absolute() -> None:
    assert seen(replace(FUNCTION, app_dir=Path()))["LAMBDA_TASK_ROOT"] == str(Path.cwd())


def test_several_invocations_at_a_time_are_as_on_managed_instances() -> None:
    environment = seen(replace(FUNCTION, concurrency=16))
    assert environment["AWS_LAMBDA_MAX_CONCURRENCY"] == "16"
    assert environment["AWS_LAMBDA_INITIALIZATION_TYPE"] == "lambda-managed-instances"
    assert "AWS_LAMBDA_MAX_CONCURRENCY" not in seen()


def test_functions_find_the_invoke_api_unless_they_are_to_look_elsewhere() -> None:
    def endpoint(function: Function, **shell: str) -> str | None:
        environment = variables.variables(function, shell, api="a:1", log_stream="s", python_version=(3, 13), lent=LENT)
        return environment.get("AWS_ENDPOINT_URL_LAMBDA")

    assert endpoint(FUNCTION) == "http://127.0.0.1:3000"
    assert endpoint(replace(FUNCTION, env={"AWS_ENDPOINT_URL_LAMBDA": "http://other"})) == "http://other"
    assert endpoint(FUNCTION, AWS_ENDPOINT_URL_LAMBDA="http://shell") == "http://shell"
    assert "AWS_ENDPOINT_URL_LAMBDA" not in seen()


LENT = {"AWS_ENDPOINT_URL_LAMBDA": "http://127.0.0.1:3000"}


@pytest.mark.parametrize(
    ("shell", "region"),
    [
        ({}, "us-east-1"),
        ({"AWS_DEFAULT_REGION": "eu-north-1"}, "eu-north-1"),
        ({"AWS_REGION": "sa-east-1", "AWS_DEFAULT_REGION": "eu-north-1"}, "sa-east-1"),
    ],
)
def test_the_region_is_the_shell_s(shell: dict[str, str], region: str) -> None:
    assert variables.region(shell) == region


def test_a_log_stream_is_named_as_aws_names_it() -> None:
    assert variables.log_stream("2026/07/10", "$LATEST", "0f" * 16) == f"2026/07/10/[$LATEST]{'0f' * 16}"


def test_a_function_that_streams_is_told_so_unless_it_knows_better() -> None:
    streams = replace(FUNCTION, stream=True)
    assert seen(LAMBENT_STREAM="0")["LAMBENT_STREAM"] == "0"
    assert seen(streams, LAMBENT_STREAM="0")["LAMBENT_STREAM"] == "1"
    assert seen(replace(streams, env={"LAMBENT_STREAM": ""}))["LAMBENT_STREAM"] == ""
