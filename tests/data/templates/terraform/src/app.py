import json
import os
from importlib import import_module
from typing import Any


def handler(event: Any, _context: Any) -> dict[str, Any]:
    path = event.get("rawPath") or event.get("path")
    answer = {"word": import_module("words").HELLO, "table": os.environ["TABLE"], "path": path}
    return {"statusCode": 200, "body": json.dumps(answer)}
