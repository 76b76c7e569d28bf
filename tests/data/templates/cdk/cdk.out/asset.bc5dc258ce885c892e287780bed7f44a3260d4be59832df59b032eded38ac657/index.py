import json
import os
from importlib import import_module
from typing import Any


def handler(event: Any, _context: Any) -> dict[str, Any]:
    answer = {"path": event["path"], "table": os.environ["TABLE"], "word": import_module("words").HELLO}
    return {"statusCode": 200, "body": json.dumps(answer)}
