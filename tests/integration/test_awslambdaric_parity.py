"""AWS's own runtime interface client and ours, given the same functions and the same invocations.

What they post must say the same; where it does not, the difference is listed here on purpose.
"""

from __future__ import annotations

import json
import re
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.support.processes import Ended, Process
from tests.support.runtime_api import BASE, Call, RuntimeAPI, invocation

pytest.importorskip("awslambdaric", reason="it has wheels for Linux only")

CLIENTS = ("lambent.runtime", "awslambdaric")

# Expressions, each evaluated by a function of its own.
RESULTS = {
    "null": "None",
    "text": "'é \\u2028 \\0 \\x7f 💡'",
    "lone surrogate": "'\\ud800'",
    "numbers": "[0, -1, 1.5, -0.0, 1e300, 10 ** 100, True]",
    "no numbers": "[float('nan'), float('inf'), -float('inf')]",
    "decimals": "[Decimal('1.10'), Decimal('1E+3'), Decimal('-0'), Decimal('NaN'), Decimal('Infinity')]",
    "decimals as values": "{'a': Decimal('0.1'), 'b': [{'c': Decimal(10) ** 30}]}",
    "tuple": "(1, (2, []))",
    "keys": "{1: 'int', 2.5: 'float', None: 'none', False: 'bool', 'é': 'text'}",
    "ordered": "collections.OrderedDict(b=1, a=collections.defaultdict(list))",
    "subclasses": "[Colour.RED, Level.HIGH, Text('a')]",
    "event": "event",
    "bytes": "b'\\x00\\xff'",
    "bytes inside": "{'a': [b'caf\\xc3\\xa9']}",
}
FAILURES = {
    "set": "{1}",
    "object": "{'a': object.__new__(Nameless)}",
    "date": "datetime.date(2026, 1, 1)",
    "bytes that are no text": "[b'\\xff']",
    "complex": "1j",
    "key": "{(1, 2): 3}",
    "generator": "(each for each in [])",
    "circle": "circle",
    "KeyError": "{}['a']",
    "words": "fail(ValueError('é', 1, '\\ud800'))",
    "no words": "fail(ValueError())",
    "own exception": "fail(Own('no'))",
    "oddly named": "fail(snake_case('no'))",
    "group": "fail(ExceptionGroup('several', [KeyError('a')]))",
    "deep": "deeper(5)",
    "from within the library": "json.loads('{')",
    "chained": "chained()",
    "assertion": "fail(AssertionError())",
}
PLACED = {"object", "bytes that are no text", "key", "circle"}
OTHERS = {
    "named tuple": "[Point(1, 2)]",
    "decimal key": "{Decimal(1): 2}",
}
SOURCE = f"""
import collections, datetime, enum, json
from decimal import Decimal

class Colour(str, enum.Enum):
    RED = "red"

class Level(enum.IntEnum):
    HIGH = 3

class Text(str): ...
class Nameless: ...
class Point(collections.namedtuple("Point", "x y")): ...
class Own(Exception): ...
class snake_case(Exception): ...

circle = []
circle.append(circle)

def fail(error):
    raise error

def deeper(depth):
    return deeper(depth - 1) if depth else fail(KeyError("deep"))

def chained():
    try:
        fail(KeyError("first"))
    except KeyError as error:
        raise Own("second") from error

cases = {RESULTS | FAILURES | OTHERS!r}

def handler(event, context):
    if event["case"] == "context":
        return describe(context)
    return eval(cases[event["case"]])

def describe(context):
    client = context.client_context
    return {{
        "names": [name for name in dir(context) if not name.startswith("_")],
        "request id": context.aws_request_id,
        "arn": context.invoked_function_arn,
        "function": [context.function_name, context.function_version, context.memory_limit_in_mb],
        "log": [context.log_group_name, context.log_stream_name],
        "tenant": context.tenant_id,
        "identity": [context.identity.cognito_identity_id, context.identity.cognito_identity_pool_id],
        "client context": client and [client.custom, client.env, client.client and describe_client(client.client)],
        "w3c": context.w3c(),
        "remaining": describe_time(context.get_remaining_time_in_millis()),
    }}

def describe_time(remaining):
    return [type(remaining).__name__, remaining > 1e9]

def describe_client(client):
    return [client.installation_id, client.app_title, client.app_version_name, client.app_version_code,
            client.app_package_name]
"""
CONTEXTS = {
    "bare": (),
    "full": (
        "Lambda-Runtime-Invoked-Function-Arn: arn:aws:lambda:eu-west-1:123456789012:function:hello",
        "Lambda-Runtime-Aws-Tenant-Id: blue",
        'Lambda-Runtime-Cognito-Identity: {"cognitoIdentityId": "i", "cognitoIdentityPoolId": "p"}',
        'Lambda-Runtime-Client-Context: {"custom": {"a": 1}, "env": {"make": "m"}, "client": {"app_title": "t"}}',
        "Lambda-Runtime-Trace-Id: Root=1-6869a1b9-0d3f5e0c4c1b2a3f4e5d6c7b",
    ),
    "empty": ("Lambda-Runtime-Client-Context:", "Lambda-Runtime-Cognito-Identity:", "Lambda-Runtime-Trace-Id:"),
    "trace context": (
        'Lambda-Runtime-Client-Context: {"w3c": {"traceparent": "00-1-2-01", "baggage": 7, "other": "x"}, "env": {}}',
    ),
    "trace context that is none": ('Lambda-Runtime-Client-Context: {"w3c": ["traceparent"]}',),
    "client context without parts": ("Lambda-Runtime-Client-Context: {}",),
    "client context in UTF-8": (
        "Lambda-Runtime-Client-Context: " + '{"custom": {"name": "Zoë"}}'.encode().decode("latin-1"),
    ),
}
NOT_JSON = (b"{", b"", b"\xff", b"[1] 2")

VARIABLES = {
    "AWS_LAMBDA_FUNCTION_NAME": "hello",
    "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
    "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/hello",
    "AWS_LAMBDA_LOG_STREAM_NAME": "2026/01/01/[$LATEST]0",
}


class Both(NamedTuple):
    """What each client posted for the same invocation."""

    ours: Call
    theirs: Call


def start(client: str, directory: Path, address: str, target: str) -> Process:
    return Process([sys.executable, "-m", client, target], directory, {"AWS_LAMBDA_RUNTIME_API": address, **VARIABLES})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("function")
    (folder / "app.py").write_text(SOURCE, "utf-8")
    (folder / "broken.py").write_text("def handler(:", "utf-8")
    (folder / "raising.py").write_text("def fail():\n    raise KeyError('a')\nfail()\n", "utf-8")
    (folder / "missing.py").write_text("import nowhere\n", "utf-8")
    return folder


@pytest.fixture(scope="module")
def posts(folder: Path) -> dict[str, Both]:
    """All invocations, one after the other in one process of each client."""
    nonce = "Lambda-Runtime-Invocation-Id: nonce"
    steps = {name: invocation(json.dumps({"case": name}).encode(), nonce) for name in RESULTS | FAILURES | OTHERS}
    steps |= {name: invocation(b'{"case": "context"}', *headers) for name, headers in CONTEXTS.items()}
    steps |= {repr(event): invocation(event) for event in NOT_JSON}
    both = []
    for client in CLIENTS:
        with RuntimeAPI(*steps.values()) as api, start(client, folder, api.address, "app.handler"):
            api.wait_until_idle()
        both.append(api.posts)
    return {name: Both(*pair) for name, *pair in zip(steps, *both, strict=True)}


def value(call: Call) -> Any:
    """The JSON that was posted, its numbers as they were written."""
    return json.loads(call.body, parse_float=Decimal, parse_int=Decimal, parse_constant=str)


@pytest.mark.parametrize("name", [name for name in RESULTS if name != "bytes"])
def test_the_same_result_is_posted(posts: dict[str, Both], name: str) -> None:
    ours, theirs = posts[name]

    assert ours.path == theirs.path == f"{BASE}/invocation/id-1/response"
    assert value(ours) == value(theirs)
    for field in ("content-type", "lambda-runtime-invocation-id"):
        assert ours.headers[field] == theirs.headers[field]


def test_bytes_leave_as_they_are(posts: dict[str, Both]) -> None:
    ours, theirs = posts["bytes"]

    assert ours.body == theirs.body == b"\0\xff"
    # theirs is no registered media type
    assert [call.headers["content-type"] for call in (ours, theirs)] == [
        "application/octet-stream",
        "application/unknown",
    ]


def test_a_named_tuple_is_a_list_for_ours_and_an_object_for_theirs(posts: dict[str, Both]) -> None:
    """The standard library's encoder cannot be told otherwise."""
    assert [call.json for call in posts["named tuple"]] == [[[1, 2]], [{"x": 1, "y": 2}]]


def test_a_key_that_is_none_is_the_same_error_in_other_words(posts: dict[str, Both]) -> None:
    for call in posts["decimal key"]:
        assert call.json["errorType"] == "Runtime.MarshalError"
        assert "keys must be str, int, float, bool or None" in call.json["errorMessage"]


def frames(error: dict[str, Any]) -> list[str]:
    """The stack trace without the lines that mark a part of the one above, which theirs leaves out."""
    return [re.sub(r"\n *[~^]+(?=\n)", "", frame) for frame in error["stackTrace"]]


@pytest.mark.parametrize("name", FAILURES)
def test_the_same_error_is_posted(posts: dict[str, Both], name: str) -> None:
    ours, theirs = posts[name]

    assert ours.path == theirs.path == f"{BASE}/invocation/id-1/error"
    assert list(ours.json) == list(theirs.json) == ["errorMessage", "errorType", "requestId", "stackTrace"]
    said, _, place = ours.json["errorMessage"].partition(", at ")
    assert bool(place) == (name in PLACED)  # only ours says where in the result it is
    assert {**ours.json, "errorMessage": said, "stackTrace": []} == {**theirs.json, "stackTrace": []}
    assert frames(ours.json) == frames(theirs.json)
    for header in ("content-type", "lambda-runtime-invocation-id"):
        assert ours.headers[header] == theirs.headers[header]


@pytest.mark.parametrize("name", [name for name in FAILURES if "(" in FAILURES[name] and "fail" in FAILURES[name]])
def test_x_ray_is_told_the_same(posts: dict[str, Both], name: str) -> None:
    ours, theirs = (json.loads(call.headers["lambda-runtime-function-xray-error-cause"]) for call in posts[name])
    assert ours == {**theirs, "paths": sorted(theirs["paths"])}


def test_only_ours_names_the_kind_of_error(posts: dict[str, Both]) -> None:
    """Without it the platform records Runtime.Unknown."""
    ours, theirs = posts["KeyError"]

    assert ours.headers["lambda-runtime-function-error-type"] == "Function.KeyError"
    assert "lambda-runtime-function-error-type" not in theirs.headers


@pytest.mark.parametrize("event", NOT_JSON, ids=repr)
def test_an_event_that_is_not_json_is_the_same_error(posts: dict[str, Both], event: bytes) -> None:
    for call in posts[repr(event)]:
        assert call.path == f"{BASE}/invocation/id-1/error"
        assert call.json["errorType"] == "Runtime.UnmarshalError"
        assert call.json["errorMessage"].startswith("Unable to unmarshal input: ")
        assert call.json["stackTrace"] == []


@pytest.mark.parametrize("name", CONTEXTS)
def test_the_same_context_is_given(posts: dict[str, Both], name: str) -> None:
    ours, theirs = (call.json for call in posts[name])

    assert set(theirs.pop("names")) <= set(ours.pop("names"))
    # theirs is None where the platform says nothing, which it never does
    assert ours == {**theirs, "arn": theirs["arn"] or ""}


class Init(NamedTuple):
    post: Call
    ended: Ended


def init(client: str, folder: Path, target: str) -> Init:
    with RuntimeAPI() as api, start(client, folder, api.address, target) as process:
        ended = process.wait()
    (post,) = api.calls
    return Init(post, ended)


@pytest.mark.parametrize(
    ("target", "same"),
    [
        ("nowhere.handler", None),
        ("missing.handler", None),
        ("app.missing", None),
        ("raising.handler", None),
        ("sys.exit", None),
        ("app", "Bad handler 'app': "),
        ("broken.handler", "Syntax error in module 'broken': "),
    ],
)
def test_the_same_init_error_is_posted(folder: Path, target: str, same: str | None) -> None:
    """`same` is what the messages have in common; all of it, if None."""
    ours, theirs = (init(client, folder, target) for client in CLIENTS)

    assert ours.post.path == theirs.post.path == f"{BASE}/init/error"
    assert ours.ended.status == theirs.ended.status == 1
    assert ours.post.json["errorType"] == theirs.post.json["errorType"]
    assert ours.post.json["requestId"] == theirs.post.json["requestId"] == ""
    assert (
        ours.post.json["errorMessage"][: same and len(same)] == theirs.post.json["errorMessage"][: same and len(same)]
    )
