"""What leaves piece by piece: all items, and what happens to them."""

import asyncio
import csv
import io
from collections.abc import AsyncIterator
from typing import Annotated

from lambent.api import EventSourceResponse, Header, Query, Router, ServerSentEvent, StreamingResponse

from .models import Item
from .needs import Stored

PAUSE = 0.5
"""Seconds between two looks into the journal, which other environments write into as well."""

router = Router(tags=["streams"])


@router.get("/export.jsonl")
async def export_lines(store: Stored) -> AsyncIterator[Item]:
    """All items, a line of JSON each."""
    async for item in store.everything():
        yield item


@router.get("/export.csv", response_class=StreamingResponse)
async def export_table(store: Stored) -> StreamingResponse:
    """All items, as a table."""
    headers = {"content-disposition": 'attachment; filename="items.csv"'}

    async def lines() -> AsyncIterator[str]:
        yield line("id", "name", "price", "tags")
        async for item in store.everything():
            yield line(item.id, item.name, item.price, " ".join(item.tags))

    return StreamingResponse(lines(), media_type="text/csv; charset=utf-8", headers=headers)


def line(*fields: object) -> str:
    text = io.StringIO()
    csv.writer(text).writerow(fields)
    return text.getvalue()


@router.get("/changes", response_class=EventSourceResponse)
async def follow(
    store: Stored,
    after: Annotated[int, Query(ge=0, le=2**53)] = 0,
    wait: Annotated[float, Query(ge=0, le=25)] = 0,
    last_event_id: Annotated[str, Header()] = "",
) -> AsyncIterator[ServerSentEvent]:
    """What has happened since, and what happens within `wait` seconds.

    Then it ends, as every invocation does: a browser's EventSource comes again, and says where it was.
    """
    if last_event_id.isdecimal() and len(last_event_id) < 16:
        after = int(last_event_id)
    end = asyncio.get_running_loop().time() + wait
    yield ServerSentEvent(comment="from here on", retry=1000)
    while True:
        for change in await store.changes(after):
            yield ServerSentEvent(change.item, event=change.kind, id=str(change.number))
            after = change.number
        if asyncio.get_running_loop().time() + PAUSE > end:
            break
        await asyncio.sleep(PAUSE)
