"""Functions, described as botocore reads them."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import botocore.session
import pytest
from botocore.model import ListShape, Shape, StructureShape
from hypothesis import given
from hypothesis import strategies as st

from lambent.dev.invoke_api import function_configuration
from lambent.dev.invoke_api.api_errors import APIError
from lambent.dev.model import Asynchronous, Function

MODEL = botocore.session.get_session().get_service_model("lambda")
FULL = Function(
    "f",
    "app:handler",
    Path("/srv/app"),
    timeout=2.5,
    memory=512,
    reserved_concurrency=3,
    runtime="awslambdaric",
    env={"A": "1"},
    snapstart=True,
    asynchronous=Asynchronous(dead_letter="function:g"),
)
TYPES = {"string": str, "integer": int, "long": int, "boolean": bool, "map": dict}


def misfits(value: object, shape: Shape | None, where: str = "") -> Iterator[str]:
    """Where a value has not the shape of the service model."""
    if isinstance(shape, StructureShape):
        assert isinstance(value, dict)
        for name, inner in value.items():
            if name not in shape.members:
                yield f"{where}.{name} is not known"
            else:
                yield from misfits(inner, shape.members[name], f"{where}.{name}")
    elif isinstance(shape, ListShape):
        assert isinstance(value, list)
        for inner in value:
            yield from misfits(inner, shape.member, f"{where}[]")
    elif shape is None or not isinstance(value, TYPES[shape.type_name]):
        yield f"{where} is {value!r}"


@pytest.mark.parametrize("function", [Function("f", "app:app"), FULL])
def test_every_field_is_one_of_aws(function: Function) -> None:
    described = function_configuration.description(function)
    listed = function_configuration.page({"f": function}, "", "")
    for operation, value in {
        "GetFunction": described,
        "GetFunctionConfiguration": described["Configuration"],
        "GetFunctionConcurrency": function_configuration.concurrency(function),
        "ListFunctions": listed,
    }.items():
        assert not list(misfits(json.loads(json.dumps(value)), MODEL.operation_model(operation).output_shape))


def test_a_function_is_described() -> None:
    described = function_configuration.description(FULL)
    configuration = described["Configuration"]
    assert isinstance(configuration, dict)
    expected = {
        "FunctionName": "f",
        "FunctionArn": "arn:aws:lambda:us-east-1:123456789012:function:f",
        "Runtime": f"python{sys.version_info[0]}.{sys.version_info[1]}",
        "Handler": "app.handler",
        "Timeout": 3,
        "MemorySize": 512,
        "Version": "$LATEST",
        "State": "Active",
        "DeadLetterConfig": {"TargetArn": "arn:aws:lambda:us-east-1:123456789012:function:g"},
        "Environment": {"Variables": {"A": "1"}},
        "SnapStart": {"ApplyOn": "PublishedVersions", "OptimizationStatus": "On"},
    }
    assert {name: configuration[name] for name in expected} == expected
    assert described["Concurrency"] == {"ReservedConcurrentExecutions": 3}
    assert described["Code"] == {"Location": "file:///srv/app"}


def test_what_is_not_known_is_left_out() -> None:
    described = function_configuration.description(Function("f", "app", runtime="awslambdaric", python="/other/python"))
    configuration = described["Configuration"]
    assert isinstance(configuration, dict)
    assert not {"Runtime", "DeadLetterConfig", "Role", "CodeSha256"} & set(configuration)
    assert "Concurrency" not in described


def test_lambent_s_runtime_needs_an_os_only_one() -> None:
    assert function_configuration.runtime(Function("f", "app:app")) == {"Runtime": "provided.al2023"}


def test_a_file_is_nothing_that_aws_has() -> None:
    assert function_configuration.destination_arn(FULL, "file:/tmp/x") == ""


@given(
    st.sets(st.text("abcABC019_-", min_size=1, max_size=5), max_size=130), st.sampled_from(["", "1", "7", "50", "99"])
)
def test_pages_are_all_there_is(names: set[str], items: str) -> None:
    functions = {name: Function(name, "app") for name in names}
    seen: list[str] = []
    marker = ""
    while True:
        page = function_configuration.page(functions, marker, items)
        listed = page["Functions"]
        assert isinstance(listed, list)
        assert len(listed) <= min(50, int(items or 50))
        seen += [each["FunctionName"] for each in listed]
        if "NextMarker" not in page:
            break
        marker = str(page["NextMarker"])
    assert seen == sorted(names)


@pytest.mark.parametrize(
    ("marker", "items"), [("?", ""), ("/w==", ""), ("", "0"), ("", "x"), ("", "10001"), ("", "9" * 9)]
)
def test_what_is_no_page_is_refused(marker: str, items: str) -> None:
    with pytest.raises(APIError):
        function_configuration.page({}, marker, items)
