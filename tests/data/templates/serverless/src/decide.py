from typing import Any


def handler(event: Any, _context: Any) -> dict[str, bool]:
    return {"isAuthorized": event["headers"].get("x-key") == "open sesame"}
