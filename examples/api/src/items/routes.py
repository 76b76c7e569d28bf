"""Items: read by anybody, changed by whoever has the token."""

from typing import Annotated
from urllib.parse import urlencode

from lambent.api import HTTPException, Query, Response, Router, UploadFile, log

from .models import Changes, Item, NewItem, Page
from .needs import ItemId, Stored, WithToken
from .store import Picture

PICTURES = ("image/jpeg", "image/png", "image/webp")
LARGEST = 1024 * 1024

router = Router(prefix="/items", tags=["items"])


@router.get("")
async def read_items(
    store: Stored,
    response: Response,
    after: Annotated[int, Query(ge=0, le=2**53)] = 0,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    q: Annotated[str, Query(max_length=100)] = "",
) -> Page:
    """A page of items, by id. Pages are told apart by the last id, so that none is missed or told twice."""
    found = await store.page(after, limit + 1, q)
    items, more = found[:limit], len(found) > limit
    following = items[-1].id if more else None
    if following:
        query = urlencode({"after": following, "limit": limit, **({"q": q} if q else {})})
        response.headers["link"] = f'<?{query}>; rel="next"'
    return Page(items, following)


@router.post("", status_code=201, dependencies=[WithToken])
async def add_item(new: NewItem, store: Stored, response: Response) -> Item:
    item = await store.add(new)
    response.headers["location"] = f"items/{item.id}"
    log()["item"] = item.id
    return item


@router.get("/{item_id}")
async def read_item(item_id: ItemId, store: Stored) -> Item:
    item = await store.find(item_id)
    if item is None:
        raise HTTPException(404, "There is no such item.")
    return item


@router.patch("/{item_id}", dependencies=[WithToken])
async def change_item(item_id: ItemId, changes: Changes, store: Stored) -> Item:
    item = await store.change(item_id, changes)
    if item is None:
        raise HTTPException(404, "There is no such item.")
    return item


@router.delete("/{item_id}", dependencies=[WithToken])
async def remove_item(item_id: ItemId, store: Stored) -> None:
    if not await store.remove(item_id):
        raise HTTPException(404, "There is no such item.")


@router.put("/{item_id}/picture", dependencies=[WithToken])
async def keep_picture(item_id: ItemId, file: UploadFile, store: Stored) -> None:
    if file.content_type not in PICTURES:
        raise HTTPException(415, f"Expected one of {', '.join(PICTURES)}.")
    content = await file.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise HTTPException(413, f"Expected at most {LARGEST} bytes.")
    if not await store.keep(item_id, Picture(file.content_type, content)):
        raise HTTPException(404, "There is no such item.")


@router.get("/{item_id}/picture", responses={200: {"description": "The picture"}})
async def read_picture(item_id: ItemId, store: Stored) -> Response:
    picture = await store.picture(item_id)
    if picture is None:
        raise HTTPException(404, "There is no such picture.")
    headers = {"x-content-type-options": "nosniff", "cache-control": "max-age=60"}
    return Response(picture.content, media_type=picture.media_type, headers=headers)
