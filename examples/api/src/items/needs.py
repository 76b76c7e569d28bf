"""What routes ask for: the store, and that whoever asks may."""

import os
from secrets import compare_digest
from typing import Annotated

from lambent.api import Depends, HTTPAuthorizationCredentials, HTTPBearer, HTTPException, Path, Request

from .store import Store


async def store(request: Request) -> Store:
    """What the lifespan has made."""
    found: Store = request.state.store
    return found


async def token(given: Annotated[HTTPAuthorizationCredentials, Depends(HTTPBearer())]) -> None:
    """Let pass whoever has the token of API_TOKEN, and nobody if there is none."""
    expected = os.environ.get("API_TOKEN", "")
    if not (expected and compare_digest(given.credentials.encode(), expected.encode())):
        raise HTTPException(401, headers={"www-authenticate": "Bearer"})


Stored = Annotated[Store, Depends(store)]
ItemId = Annotated[int, Path(ge=1, le=2**53)]
WithToken = Depends(token)
