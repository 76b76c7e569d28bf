"""The table of features in the documentation: behind each that the local Lambda has there is a test."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
DOCUMENT = ROOT / "docs" / "reference" / "features.md"
HEADS = ["feature", "Lambent", "Smyth", "serverless-offline", "SAM local"]
MARK = re.compile(r"✓( \(.+\))?|partly \(.+\)|not yet( .+)?")

DOORS = "tests/dev/doors/"
FRONT_DOOR = "tests/dev/test_front_door.py::"
SERVER = "tests/dev/test_server.py::"
FLEET = "tests/integration/test_fleet.py::"
INVOKE = "tests/integration/test_invoke_api.py::"
AUTHORIZERS = "tests/integration/test_authorizers.py::"
SOURCES = "tests/integration/test_sources.py::"
SOCKETS = "tests/dev/sockets/test_live.py::"
WEBSOCKET_APIS = "tests/integration/test_websocket_apis.py::"
RELOAD = "tests/integration/test_reload.py::"
AS_ON_AWS = "::test_the_event_is_aws_s_field_by_field_and_in_its_order"

TESTS = {
    "HTTP API, payload 2.0": (
        f"{DOORS}test_http_api.py{AS_ON_AWS}",
        f"{DOORS}test_http_api.py::test_an_envelope_becomes_the_response",
        "tests/test_smyth_faults.py::test_06_the_event_is_the_one_of_an_http_api",
    ),
    "HTTP API, payload 1.0": (
        f"{DOORS}test_http_api_v1.py{AS_ON_AWS}",
        f"{SERVER}test_each_door_shows_the_function_its_own_event",
    ),
    "REST API": (
        f"{DOORS}test_rest_api.py{AS_ON_AWS}",
        f"{DOORS}test_rest_api.py::test_what_goes_in_at_the_door_comes_out_at_the_gateway",
        f"{SERVER}test_each_door_shows_the_function_its_own_event",
    ),
    "Application Load Balancer": (
        f"{DOORS}test_alb.py::test_the_event_has_one_value_each_and_nothing_is_decoded",
        f"{DOORS}test_alb.py::test_with_multi_value_headers_the_event_has_lists_alone",
        f"{SERVER}test_each_door_shows_the_function_its_own_event",
    ),
    "Function URL": (
        f"{DOORS}test_function_url.py{AS_ON_AWS}",
        f"{SERVER}test_a_request_is_answered_by_the_function",
    ),
    "WebSocket API": (
        f"{DOORS}test_websocket_api.py::test_the_event_of_a_handshake_is_aws_s_field_by_field_and_in_its_order",
        f"{DOORS}test_websocket_api.py::test_the_event_of_a_message_is_aws_s_field_by_field_and_in_its_order",
        f"{DOORS}test_websocket_api.py::test_the_event_of_an_end_is_aws_s_field_by_field_and_in_its_order",
        f"{WEBSOCKET_APIS}test_a_handshake_messages_and_the_end",
        f"{WEBSOCKET_APIS}test_a_client_is_refused",
        "tests/integration/test_websockets.py::test_the_echo_of_fastapis_tutorial",
    ),
    "Routes by message, route responses": (
        f"{SOCKETS}test_messages_take_their_routes",
        f"{SOCKETS}test_a_reply_goes_nowhere_unless_the_route_has_a_response",
    ),
    "Sizes, time limits and close codes of WebSockets": (
        f"{WEBSOCKET_APIS}test_what_api_gateway_does_not_take_ends_it",
        f"{WEBSOCKET_APIS}test_idle_ones_are_closed_in_scaled_time",
        f"{SOCKETS}test_messages_either_way_and_pings_keep_it_open_but_not_beyond_its_life",
    ),
    "`@connections`": (
        f"{WEBSOCKET_APIS}test_boto3_posts_asks_and_closes",
        f"{WEBSOCKET_APIS}test_a_request_pushes_and_all_functions_have_one_store",
    ),
    "Streamed responses": (
        "tests/integration/test_streaming.py::test_a_piece_arrives_before_the_next_one_is_sent",
        "tests/integration/test_streaming.py::test_server_sent_events_and_a_download_arrive_piece_by_piece",
    ),
    "Binary bodies": (
        f"{DOORS}test_fields.py::test_no_body_is_harmed",
        "tests/test_smyth_faults.py::test_05_bytes_and_cookies_come_through",
    ),
    "Path parameters, `{proxy+}`": (
        f"{FRONT_DOOR}test_the_event_has_what_the_route_and_the_entrance_say",
        "tests/dev/test_routes.py::test_what_the_event_tells_of_a_route",
    ),
    "Stage variables": (
        f"{FRONT_DOOR}test_the_event_has_what_the_route_and_the_entrance_say",
        f"{DOORS}test_http_api.py::test_the_route_is_told",
    ),
    "CORS": (
        f"{FRONT_DOOR}test_a_preflight_is_answered_by_the_door",
        f"{FRONT_DOOR}test_replies_and_refusals_have_cors_headers_too",
    ),
    "HTTPS": ("tests/integration/test_testing.py::test_https_for_a_client_that_verifies",),
    "JSON Web Tokens": (
        f"{AUTHORIZERS}test_a_token_passes_and_its_claims_arrive",
        f"{AUTHORIZERS}test_others_do_not_and_the_terminal_says_why",
        "tests/dev/authorizers/test_tokens.py::test_another_key_has_another_signature",
    ),
    "Cognito user pools": (f"{AUTHORIZERS}test_a_user_pool",),
    "Lambda authorizers, TOKEN and REQUEST": (
        f"{AUTHORIZERS}test_a_function_decides_and_its_decision_is_kept",
        f"{AUTHORIZERS}test_a_policy_is_for_methods",
        "tests/dev/test_authorizers.py::test_a_token_authorizer_is_asked_with_the_token",
    ),
    "Lambda authorizers of `$connect`": (
        f"{SOCKETS}test_an_authorizer_decides_first_and_every_event_tells_what_it_said",
    ),
    "API keys": (
        f"{AUTHORIZERS}test_an_api_key",
        f"{SOCKETS}test_an_api_key_lets_in_and_every_event_tells_it",
    ),
    "AWS_IAM": (f"{AUTHORIZERS}test_a_signature",),
    "Schedules": (
        f"{SOURCES}test_queues_and_schedules_invoke_functions",
        "tests/dev/sources/test_cron.py::test_times_come_in_order",
    ),
    "SQS": (
        f"{SOURCES}test_queues_and_schedules_invoke_functions",
        "tests/dev/sources/test_poller.py::test_only_what_is_reported_comes_back",
    ),
    "SNS, DynamoDB, Kinesis, S3": (
        "tests/testing/test_command.py::test_every_kind_is_printed_and_explained",
        "tests/testing/test_events.py::test_powertools_can_parse_it",
    ),
    "Invoke API, for boto3": (f"{INVOKE}test_a_function_is_invoked", f"{INVOKE}test_the_aws_cli_invokes"),
    "RequestResponse, Event, DryRun": (
        f"{INVOKE}test_a_function_is_invoked",
        f"{INVOKE}test_an_event_that_fails_three_times_is_told_of",
        f"{INVOKE}test_a_dry_run_runs_nothing",
        "tests/dev/test_invoke_api.py::test_a_dry_run_runs_nothing",
    ),
    "`LogType=Tail`, `X-Amz-Function-Error`": (
        f"{INVOKE}test_a_function_is_invoked",
        f"{INVOKE}test_an_error_is_reported_as_aws_does",
    ),
    "Qualifier, ARN as name, client context": (
        f"{INVOKE}test_it_goes_by_every_name",
        f"{INVOKE}test_a_function_is_invoked",
    ),
    "InvokeWithResponseStream": (
        f"{INVOKE}test_a_stream_comes_as_it_is_written",
        f"{INVOKE}test_a_stream_that_breaks_off_says_so",
    ),
    "Retries, dead letters, destinations": (
        f"{INVOKE}test_an_event_that_fails_three_times_is_told_of",
        "tests/dev/test_asynchronous.py::test_a_failure_is_tried_again_after_one_minute_and_two",
        "tests/dev/test_asynchronous.py::test_a_success_is_told_where_that_is_wanted",
    ),
    "Time-out": (
        f"{SERVER}test_a_timeout_is_502_and_the_next_request_served",
        f"{FLEET}test_after_a_timeout_files_are_kept_and_globals_are_lost",
    ),
    "Memory limit": (f"{FLEET}test_one_that_takes_more_memory_than_it_has_is_ended",),
    "6 MB each way": (
        f"{SERVER}test_a_body_over_the_limit_is_413",
        f"{SERVER}test_a_result_over_the_limit_is_502_and_the_same_environment_goes_on",
        f"{INVOKE}test_what_is_too_large_is_refused",
    ),
    "N environments": (f"{FLEET}test_it_scales_up_to_its_limit_as_invocations_come_and_not_beyond",),
    "Reserved concurrency: 429": (
        f"{FLEET}test_beyond_the_reserved_concurrency_it_is_throttled_until_one_has_ended",
        f"{FLEET}test_each_door_says_in_its_own_way_that_a_function_is_throttled",
    ),
    "Cold and warm starts told apart": (
        f"{FLEET}test_a_warm_one_is_used_again_with_all_that_it_has_in_memory",
        f"{FLEET}test_in_chaos_each_invocation_has_a_new_environment_and_a_slow_start",
        "tests/dev/test_service.py::test_its_status_is_json",
    ),
    "Slow cold starts, end of the idle": (
        f"{FLEET}test_in_chaos_each_invocation_has_a_new_environment_and_a_slow_start",
        f"{FLEET}test_one_that_nobody_needs_is_ended",
    ),
    "Freeze between invocations": (
        f"{FLEET}test_what_is_left_behind_stands_still_and_goes_on_with_the_next_invocation",
    ),
    "Environment variables": (
        f"{FLEET}test_variables_of_the_function_go_over_those_of_all_of_the_file_and_of_the_shell",
    ),
    "`.env`": (
        f"{FLEET}test_variables_of_the_function_go_over_those_of_all_of_the_file_and_of_the_shell",
        f"{RELOAD}test_dot_env_is_read_again",
    ),
    "Layers": (f"{FLEET}test_layers_are_found",),
    "Extensions API, Telemetry API": (f"{FLEET}test_only_one_with_an_extension_is_told_of_its_end",),
    "The context": (
        f"{SERVER}test_the_function_is_told_who_it_is",
        f"{FLEET}test_clocks_agree",
        "tests/test_smyth_faults.py::test_10_the_context_is_of_this_invocation",
    ),
    "Trace ids of X-Ray": (f"{FLEET}test_ids_agree_wherever_they_are_seen",),
    "`START`, `END`, `REPORT`": (f"{SERVER}test_the_terminal_has_start_end_and_report",),
    "Debuggers": (
        "tests/integration/test_debugging.py::test_a_breakpoint_prompts_in_the_terminal_for_as_long_as_it_takes",
        "tests/integration/test_debugging.py::test_an_editor_stops_a_function_for_longer_than_it_may_take",
    ),
    "Reload": (
        f"{RELOAD}test_under_constant_load_ten_reloads_lose_no_request",
        f"{RELOAD}test_only_the_functions_concerned_restart",
    ),
    "Files of other tools": (
        "tests/integration/test_other_tools.py::test_the_service_starts_in_its_folder",
        "tests/integration/test_other_tools.py::test_a_new_project_answers_and_follows_its_template",
        "tests/dev/templates/test_cloudformation.py::test_an_http_api",
    ),
    "Functions of one's own within it": (
        f"{FRONT_DOOR}test_a_function_may_make_the_events",
        f"{FRONT_DOOR}test_another_may_make_what_goes_with_them",
        f"{FLEET}test_a_function_of_the_project_may_choose",
    ),
    "Web page": (),
    "Record and replay": (),
    "Windows, macOS": (),
}
"""By the feature, as the document calls it: the tests that show it."""


def read(text: str) -> list[tuple[str, str]]:
    """Each feature of the tables, and what stands in Lambent's column."""
    rows: list[tuple[str, str]] = []
    for table in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        heads, _, *lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]
        if heads[0] == HEADS[0]:
            assert {len(heads), *map(len, lines)} == {len(HEADS)}
            assert heads == HEADS
            rows += [(line[0], line[1]) for line in lines]
    return rows


ROWS = read(DOCUMENT.read_text("utf-8"))


@cache
def functions(path: str) -> frozenset[str]:
    """Those of a file of tests that pytest runs."""
    tree = ast.parse((ROOT / path).read_text("utf-8"))
    return frozenset(
        node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    )


def test_each_feature_stands_in_the_document_once() -> None:
    features = [feature for feature, _ in ROWS]
    assert sorted(features) == sorted(TESTS)


@pytest.mark.parametrize(("feature", "mark"), ROWS)
def test_what_there_is_has_a_test_and_what_is_not_yet_has_none(feature: str, mark: str) -> None:
    assert MARK.fullmatch(mark), "it is neither ✓ nor partly (what is missing) nor not yet"
    assert bool(TESTS[feature]) is not mark.startswith("not yet")


@pytest.mark.parametrize("test", sorted({test for tests in TESTS.values() for test in tests}))
def test_each_test_is_there(test: str) -> None:
    path, _, name = test.partition("::")
    assert Path(path).name.startswith("test_")
    assert name in functions(path)
