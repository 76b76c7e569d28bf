"""A plan of Terraform, in the form that its documentation describes."""

import json
from pathlib import Path
from typing import Any

import pytest

from lambent.dev.model import Cors, Source
from lambent.dev.templates.terraform import LATER
from lambent.errors import ConfigurationError
from tests.dev.templates.described import TERRAFORM, Folder, describe, entrance, function, route, routes


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def test_functions_run_from_what_their_archives_are_made_of() -> None:
    described = describe(TERRAFORM)
    items, worker = described.functions
    assert (items.name, items.handler, items.app_dir) == ("items", "app.handler", TERRAFORM.parent / "src")
    assert (items.timeout, items.memory, items.reserved_concurrency, items.env) == (9, 256, None, {"STAGE": "dev"})
    assert items.layers == (TERRAFORM.parent / "layer",)  # by way of a module's output
    assert (worker.app_dir, worker.stream) == (TERRAFORM.parent / "worker", True)  # by way of S3


def test_routes_and_apis() -> None:
    described = describe(TERRAFORM)
    items = function(described, "items")
    assert routes(items) == {
        ("http", "GET", "/items/{id}"),
        ("rest", "GET", "/hello"),
        ("load-balancer", "ANY", "/alb/*"),
    }
    assert (route(items, "/items/{id}").authorizer, route(items, "/items/{id}").scopes) == ("jwt", ("read",))
    http = entrance(described, "http")
    assert (http.stage, http.variables, http.cors) == ("$default", {"a": "b"}, Cors(("*",), ("GET",), max_age=60))
    assert http.authorizers[0].issuer == "https://issuer.example"
    assert entrance(described, "rest").stage == "prod"


def test_sources() -> None:
    orders, tick, daily = describe(TERRAFORM).sources
    assert (orders.function, orders.queue) == ("worker", "arn:aws:sqs:us-east-1:123456789012:orders")
    assert (orders.batch_size, orders.partial, orders.concurrency) == (5, True, 4)
    assert tick == Source("tick", "worker", "schedule", "rate(1 minute)", input='{"a":1}')
    assert daily == Source("daily", "worker", "schedule", "cron(0 5 * * ? *)", "Europe/Vienna", scheduler=True)


def test_what_is_left_out_is_told_of() -> None:
    assert describe(TERRAFORM).notes == (
        "plan.json: not made here: aws_dynamodb_table.items.",
        f"plan.json: aws_lambda_function.items.Environment.Variables.TABLE: {LATER}; left out.",
        "plan.json: not made here: AWS::SQS::Queue (aws_sqs_queue.orders).",
    )


def resource(address: str, module: str = "", mode: str = "managed", **values: object) -> dict[str, Any]:
    type_, name = address.removeprefix("data.").split(".")
    name, _, index = name.partition("[")
    found: dict[str, Any] = {
        "address": f"{module}{address}",
        "mode": mode,
        "type": type_,
        "name": name,
        "values": values,
    }
    return {**found, "index": index.rstrip("]").strip('"')} if index else found


FUNCTION = {"handler": "app.handler", "runtime": "python3.13", "filename": "f.zip"}
ARCHIVE = resource("data.archive_file.f", mode="data", source_dir=".", output_path="f.zip")


def plan(*resources: dict[str, Any], **more: object) -> str:
    values = {"root_module": {"resources": [*resources, ARCHIVE]}}
    return json.dumps({"format_version": "1.2", "planned_values": values, **more})


def test_a_state_names_what_is_there(folder: Folder) -> None:
    arn = "arn:aws:lambda:eu-west-1:1:function:f"
    text = plan(
        resource("aws_lambda_function.f", function_name="f", arn=arn, id="f", **FUNCTION),
        resource("aws_apigatewayv2_api.a", id="abc", protocol_type="HTTP"),
        resource(
            "aws_apigatewayv2_integration.i", id="int", api_id="abc", integration_type="AWS_PROXY", integration_uri=arn
        ),
        resource("aws_apigatewayv2_route.r", api_id="abc", route_key="GET /x", target="integrations/int"),
    ).replace("planned_values", "values")
    assert routes(folder.describe(text, "plan.json").functions[0]) == {("a", "GET", "/x")}


def test_several_of_one_resource_keep_together(folder: Folder) -> None:
    to = {"references": ["aws_lambda_function.f"]}
    configured = [
        {"mode": "managed", "type": "aws_lambda_function", "name": "f", "expressions": {}},
        {"mode": "managed", "type": "aws_lambda_function_url", "name": "u", "expressions": {"function_name": to}},
    ]
    rows = [resource(f'aws_lambda_function.f["{key}"]', function_name=f"f-{key}", **FUNCTION) for key in "ab"]
    urls = [resource(f'aws_lambda_function_url.u["{key}"]', authorization_type="NONE") for key in "ab"]
    text = plan(*rows, *urls, configuration={"root_module": {"resources": configured}})
    described = folder.describe(text, "plan.json")
    assert {each.name: routes(each) for each in described.functions} == {
        "f-a": {("f-a", "ANY", "$default")},
        "f-b": {("f-b", "ANY", "$default")},
    }


def test_code_that_other_tools_are_told_of(folder: Folder) -> None:
    (folder.path / "other").mkdir()
    triggers = {"resource_name": "aws_lambda_function.f", "original_source_code": '{"path": "other"}'}
    told = resource("null_resource.sam_metadata_aws_lambda_function_f", triggers=triggers)
    text = plan(resource("aws_lambda_function.f", function_name="f", **FUNCTION), told)
    assert folder.describe(text, "plan.json").functions[0].app_dir == folder.path / "other"


def test_code_that_is_only_an_archive_is_told_of(folder: Folder) -> None:
    text = plan(resource("aws_lambda_function.f", function_name="f", **{**FUNCTION, "filename": "other.zip"}))
    described = folder.describe(text, "plan.json")
    assert not described.functions
    told = "plan.json: aws_lambda_function.f: its code is not in a folder here; the function is left out."
    assert described.notes == (told,)


def test_an_archive_of_a_build_is_the_project(folder: Folder) -> None:
    (folder.path / "pyproject.toml").touch()
    text = plan(resource("aws_lambda_function.f", function_name="f", **{**FUNCTION, "filename": "./dist/f.zip"}))
    assert folder.describe(text, "plan.json").functions[0].app_dir == folder.path


def test_a_target_that_is_known_later_is_the_function_it_refers_to(folder: Folder) -> None:
    target = {"arn": {"references": ["aws_lambda_function.f.arn", "aws_lambda_function.f"]}}
    daily = {"mode": "managed", "type": "aws_scheduler_schedule", "name": "daily", "expressions": {"target": [target]}}
    values = resource("aws_scheduler_schedule.daily", schedule_expression="rate(1 day)", target=[{}])
    text = plan(
        resource("aws_lambda_function.f", function_name="f", **FUNCTION),
        values,
        configuration={"root_module": {"resources": [daily]}},
        resource_changes=[{"address": values["address"], "change": {"after_unknown": {"target": [{"arn": True}]}}}],
    )
    described = folder.describe(text, "plan.json")
    assert [(each.name, each.function) for each in described.sources] == [("daily", "f")]
    assert described.notes == ()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"format_version": "2.0"}', "plan.json: expected the format version 1 of Terraform's JSON, but got '2.0'."),
        ('{"format_version": "1.2"}', "plan.json: expected a plan with planned_values, or a state with values"),
    ],
)
def test_what_is_no_plan(folder: Folder, text: str, says: str) -> None:
    with pytest.raises(ConfigurationError) as told:
        folder.describe(text, "plan.json")
    assert says in str(told.value)
