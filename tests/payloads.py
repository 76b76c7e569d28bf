"""The events in tests/data: written by us after the shapes that AWS documents and that were captured."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

DATA = Path(__file__).parent / "data"
NAMES = sorted(path.stem for path in DATA.glob("*.json"))

DOORS = {
    "alb_health_check": "alb",
    "alb_multi": "alb",
    "alb_single": "alb",
    "direct_invoke": "rest_api",
    "edge_origin_request": "edge",
    "edge_viewer_request": "edge",
    "function_url_binary_post": "function_url",
    "function_url_cookies": "function_url",
    "function_url_encoded_path": "function_url",
    "function_url_get": "function_url",
    "function_url_iam": "function_url",
    "function_url_json_post": "function_url",
    "http_api_cookies": "http_api",
    "http_api_custom_domain": "http_api",
    "http_api_decoded_path": "http_api",
    "http_api_form_base64": "http_api",
    "http_api_get": "http_api",
    "http_api_jwt": "http_api",
    "http_api_no_headers": "http_api",
    "http_api_stage": "http_api",
    "http_api_v1": "http_api_v1",
    "http_api_v1_stage": "http_api_v1",
    "lattice_v1": "lattice",
    "lattice_v2": "lattice",
    "rest_v1": "rest_api",
    "rest_v1_console_test": "rest_api",
    "rest_v1_custom_domain": "rest_api",
    "rest_v1_encoded_path": "rest_api",
    "rest_v1_multi_value": "rest_api",
}
"""The door that each request comes through."""

SOCKETS = ("websocket_connect", "websocket_disconnect", "websocket_message")
"""The events of the door `websocket_api`, of which only the first is a request."""

OTHERS = [name for name in NAMES if name not in DOORS and name not in SOCKETS]
"""Those that come through no door."""

Payload = dict[str, Any]


def payload(name: str) -> Payload:
    """A copy, which the test may change."""
    event: Payload = json.loads((DATA / f"{name}.json").read_text("utf-8"))
    return event
