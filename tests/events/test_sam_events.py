"""Every event that `sam local generate-event` knows: which source takes it, which door, or that none does.

The events lie in the wheel of AWS SAM's command line. The table is that of docs/reference/events.md.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from functools import cache
from typing import Any
from urllib.parse import quote

import pytest

from lambent.errors import UnknownEvent
from lambent.events.model import Record
from lambent.events.sources import INVOKE, detect
from lambent.gateway import GATEWAYS
from lambent.gateway import detect as detect_door
from tests.integration.newcomer import ROOT
from tests.support import archives

SAM = archives.wheel("aws-sam-cli==1.170.0", "24ebaf5ecba38dc1758089968cb89ab61e124b84e92a344fc7a2771a47f4d0bf")
FOLDER = "samcli/lib/generated_sample_events"

PAGE = ROOT / "docs" / "reference" / "events.md"
ROW = re.compile(r"^\| `generate-event (?P<service>[\w-]+)` \| (?P<events>.+?) \| (?P<taker>.+?) \|$", re.MULTILINE)


def table() -> dict[tuple[str, str], str]:
    """What the page says: service and event → `source NAME`, `door NAME`, or `invoke`."""
    rows = ROW.finditer(PAGE.read_text("utf-8"))
    return {(row["service"], event): taker(row["taker"]) for row in rows for event in named(row["events"])}


def named(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def taker(cell: str) -> str:
    """Of a cell such as "door `alb`", "source `sqs`", "`invoke`: Lex"."""
    (name, *_) = named(cell)
    return f"{cell.partition('`')[0].strip()} {name}".strip()


@cache
def mapping() -> Any:
    return json.loads((archives.folder(SAM, FOLDER) / "event-mapping.json").read_text("utf-8"))


def generated(service: str, name: str) -> Any:
    """As SAM prints it, with its defaults."""
    told = mapping()[service][name]
    text = (archives.folder(SAM, FOLDER) / "events" / service / f"{told['filename']}.json").read_text("utf-8")
    for tag, properties in told["tags"].items():
        default = str(properties.get("default", ""))
        for each, how in {tag: properties, **properties.get("children", {})}.items():
            value = json.dumps(filled(default, how))[1:-1]
            text = text.replace("{{{" + each + "}}}", value).replace("{{" + each + "}}", value)
    return json.loads(text)


def filled(default: str, how: Any) -> str:
    if how.get("encoding") == "base64":
        return base64.b64encode(default.encode()).decode()
    if how.get("hashing") == "md5":
        return hashlib.md5(default.encode(), usedforsecurity=False).hexdigest()
    return quote(default) if how.get("encoding") == "url" else default


def found(event: Any) -> str:
    kind = detect(event)
    try:
        door = detect_door(event, GATEWAYS).name
    except UnknownEvent:
        return INVOKE.name if kind is INVOKE else f"source {kind.name}"
    assert kind is INVOKE, f"both {kind.name} and the door {door}"
    return f"door {door}"


@pytest.mark.parametrize(("service", "name"), table())
def test_each_event_is_taken_as_the_page_says(service: str, name: str) -> None:
    event = generated(service, name)
    assert found(event) == table()[service, name]
    kind = detect(event)
    records = kind.source.records(event)
    assert records
    for record in records:
        assert isinstance(record, Record)
        assert record.source == kind.name
        assert all(isinstance(each, str) for each in (record.id, record.name))
        assert record.body is not None or kind.name == "dynamodb"
        assert kind.source.inner(record) is not None


def test_the_page_has_all_events() -> None:
    known = {(service, name) for service, names in mapping().items() for name in names}
    assert known == table().keys()


def test_what_the_page_has_is_read() -> None:
    """Without this, a page without rows would make tests without cases."""
    takers = set(table().values())
    assert {"source sqs", "source kinesis", "door alb", "invoke"} <= takers
    assert len(table()) >= 68
