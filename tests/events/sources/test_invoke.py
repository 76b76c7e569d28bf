"""What was sent by hand."""

from typing import Any

import pytest

from lambent.events.model import Source
from lambent.events.sources import INVOKE, detect, invoke
from lambent.events.sources.invoke import InvokeRecord

SOURCE: Source = invoke


@pytest.mark.parametrize("event", [None, 7, "text", [1], {}, {"id": 7}, {"Records": []}])
def test_the_event_is_what_it_is(event: Any) -> None:
    assert detect(event) is INVOKE
    (record,) = invoke.records(event)
    assert isinstance(record, InvokeRecord)
    assert record.body is record.raw is event
    assert (record.source, record.id, record.name, record.group) == ("invoke", "", "", None)
    assert invoke.inner(record) == ()
