"""The files of a directory, as an ASGI application: `api.mount("/static", StaticFiles("static"))`."""

from __future__ import annotations

from lambent.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from os import PathLike

    from lambent.types import ASGIApp, Receive, Scope, Send

ALLOW = "GET, HEAD"


class StaticFiles:
    """Answers GET and HEAD with the file at the path, from within the directory only; else 404, or 405.

    - `html`: a directory is answered for by its `index.html`; without the slash at the end, by a redirect to there

    Links that lead out of the directory are not followed. Raises ConfigurationError if there is no such directory.
    """

    __slots__ = ("_directory", "_html")

    def __init__(self, directory: str | PathLike[str], html: bool = False) -> None:
        from os.path import isdir, realpath

        if not isdir(directory):  # noqa: PTH112 - pathlib costs a cold start more
            raise ConfigurationError(f"Expected a directory of files at {str(directory)!r}, but there is none.")
        self._directory = realpath(directory)
        self._html = html

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        from asyncio import to_thread

        if scope["type"] != "http":
            raise ConfigurationError(f"Expected requests for files by HTTP, but got {scope['type']!r}.")
        if scope["method"] not in {"GET", "HEAD"}:
            await refusal(405, {"allow": ALLOW})(scope, receive, send)
            return
        answer = await to_thread(self._answer, scope)
        try:
            await answer(scope, receive, send)
        except (FileNotFoundError, PermissionError):  # it has gone meanwhile, or must not be read
            await refusal(404)(scope, receive, send)

    def _answer(self, scope: Scope) -> ASGIApp:
        """Looks at the disk: a link may lead anywhere."""
        from os.path import isdir, isfile

        from lambent.api.responses.base import RedirectResponse
        from lambent.api.responses.files import FileResponse
        from lambent.api.url import moved, route_path

        path = route_path(scope)
        found = located(self._directory, path)
        if found is not None and self._html and isdir(found):  # noqa: PTH112
            if not (scope["path"] or "/").endswith("/"):  # which tells the root of a mount from what is below it
                return RedirectResponse(moved(scope, f"{path.rstrip('/')}/"))
            found = located(self._directory, f"{path}/index.html")
        elif path.endswith("/"):
            found = None
        is_file = found is not None and isfile(found)  # noqa: PTH113
        return FileResponse(found) if found is not None and is_file else refusal(404)


def located(directory: str, path: str) -> str | None:
    """Where a path leads; None for out of the directory, and for what is no path at all.

    - `directory`: without links
    """
    from os import sep
    from os.path import join, realpath

    parts = [each for each in path.split("/") if each]
    if any(each in {".", ".."} or not {"\\", ":", "\0"}.isdisjoint(each) for each in parts):
        return None
    try:
        found = realpath(join(directory, *parts), strict=True)  # noqa: PTH118
    except (OSError, ValueError):  # not there, too long, a lone surrogate, a ring of links
        return None
    return found if found == directory or found.startswith(directory.rstrip(sep) + sep) else None


def refusal(status_code: int, headers: dict[str, str] | None = None) -> ASGIApp:
    from lambent.api.exceptions import phrase
    from lambent.api.responses.json import JSONResponse

    return JSONResponse({"detail": phrase(status_code)}, status_code, headers)
