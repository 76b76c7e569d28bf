"""One request, from scope to response: found, called, answered, logged.

http ─ the log's entry, the request's id ─ middleware ─ routed ─▶ the route's function ─▶ its response
                                                          ├─▶ what is mounted
                                                          └─▶ 404, 405, OPTIONS, a redirect, the documents
"""

from __future__ import annotations

import asyncio
import os

from lambent.api.access_log import CURRENT
from lambent.api.exceptions import HTTPException
from lambent.api.failures import is_http, respond, status_of, timed_out
from lambent.api.headers import Headers
from lambent.api.matching import Matcher, allowed
from lambent.api.model import Exchange, Route
from lambent.api.query import MAX_FIELDS
from lambent.api.reply import GONE, ID, Begun, ClientGone, gone, noted
from lambent.api.request import Request
from lambent.api.request_id import Ids, choose
from lambent.api.responses.base import Response
from lambent.api.timeouts import default_margin, effective, limited
from lambent.api.url import is_below, route_path
from lambent.api.variables import settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable

    from lambent.api.access_log import Entry
    from lambent.api.application import Api
    from lambent.api.binding import Plan
    from lambent.api.registry import Mount
    from lambent.types import ASGIApp, Context, Message, Receive, Scope, Send


class Serving:
    """An Api as it stands, compiled: made with the first request, and anew when something was registered since."""

    __slots__ = ("_api", "_app", "_ids", "_margin", "_matcher", "_within", "revision")

    def __init__(self, api: Api) -> None:
        self.revision = api.revision
        self._api = api
        if api.early is not None:
            api.early.check(asyncio.get_running_loop())  # some servers have no lifespan
        routes = api.routes
        for route in routes:
            route.workers = api.workers
        self._matcher = Matcher(routes, api.mounts)
        self._margin = default_margin()
        self._ids = Ids(os.urandom)
        app: ASGIApp = self._inside
        for wrap in reversed(api.middleware):
            app = wrap(app)
        self._within = app
        self._app = app if api.middleware else self._routed  # a step less

    async def http(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, and log it. Raises what nothing handles, if that is wanted."""
        api = self._api
        scope["app"] = api
        entry = self._entry(scope)
        reply = noted(send, entry)
        failed: BaseException | None = None
        try:
            await self._app(scope, receive, reply)
        except ClientGone:
            pass  # of what is mounted, or of middleware; the log knows
        except Exception as error:
            failed = error
            known = is_http(error)  # of middleware
            if entry.begun or (api.errors == "raise" and not known):
                raise
            await (respond(error) if known else internal_error())(scope, receive, reply)
            if known:
                failed = None
                entry.error_detail = entry.error_detail or getattr(error, "error_detail", None)
        except asyncio.CancelledError:
            _cancelled(entry)
            raise
        except BaseException as error:
            failed = error
            raise
        finally:
            _end(entry, failed or entry.error, api)

    def _entry(self, scope: Scope) -> Entry:
        """Begin the entry of the log. A request within another has the id of that one, unless it brings its own."""
        headers = Headers(scope["headers"])
        context: Context | None = scope.get("aws.context")
        outer = CURRENT.get()
        known = outer.id if outer is not None else "" if context is None else context.aws_request_id
        agent = headers.find(b"user-agent")
        client = scope.get("client")
        entry = self._api.log.begin(
            scope["method"],
            route_path(scope),
            choose(headers.find(ID), known, self._ids),
            None if agent is None else agent.decode("latin-1"),
            client[0] if client else None,
            context,
        )
        entry.headers = headers
        return entry

    async def other(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand a WebSocket to what is mounted there, through the middleware; else refuse it."""
        await self._within(scope, receive, send)

    async def _inside(self, scope: Scope, receive: Receive, send: Send) -> None:
        """What is inside of middleware."""
        if scope["type"] == "http":
            await self._routed(scope, receive, send)
            return
        mount = self._matcher.mounted(route_path(scope))
        if mount is not None:
            await mount.app(_below(scope, mount.path), receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1000, "reason": "There are no WebSockets here."})

    async def _routed(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Call the function, send its response, and have its dependencies end: with what it has raised, if it has."""
        path = route_path(scope)
        found = self._matcher.find(scope["method"], path)
        if found is None:
            await self._unrouted(path, scope, receive, send)
            return
        route, variables = found
        exchange = self._exchange(route, variables, scope, receive)
        try:
            try:
                response = route.maker(await self._result(exchange), exchange)
            except Exception as error:
                response = await self._answered(await _unwound(exchange, error), exchange)
            if type(response).__call__ is Response.__call__:
                await response(scope, receive, send)
            else:
                await self._streamed(response, exchange, scope, receive, send)
            for task in exchange.background:
                await task()
        except BaseException as error:
            if exchange.exits is not None:
                await exchange.exits.__aexit__(type(error), error, error.__traceback__)
            raise
        else:
            if exchange.exits is not None:
                await exchange.exits.aclose()
        finally:
            exchange.request.close()

    def _exchange(self, route: Route, variables: dict[str, str], scope: Scope, receive: Receive) -> Exchange:
        entry = CURRENT.get()
        assert entry is not None  # noqa: S101 - `http` has begun it
        headers = None if self._api.middleware else entry.headers  # which middleware may have changed
        request = Request(scope, receive, variables, self._api.max_body, MAX_FIELDS, headers)
        request.id = entry.id
        entry.route = route.path
        if not route.log:
            entry.dropped = True
        return Exchange(request, route, entry)

    def _result(self, exchange: Exchange) -> Awaitable[object]:
        """What the function returns, in the time that it has."""
        route = exchange.route
        plan = _overridden(route, self._api) if self._api.dependency_overrides else route.plan
        return limited(plan.call(exchange), self._seconds(exchange))

    def _seconds(self, exchange: Exchange) -> float | None:
        usual = self._api.timeout or settings.function_timeout
        return effective(exchange.route.timeout, usual, exchange.entry.context, self._margin)

    async def _streamed(
        self, response: ASGIApp, exchange: Exchange, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Send a response that may still raise: before its start that is answered as if the function had raised it.

        Until then it has the time of its function; a stream that has begun has that of the invocation.
        """
        seconds = self._seconds(exchange)
        timer = asyncio.timeout(seconds)
        begun = Begun(send, timer)
        try:
            async with timer:
                await response(scope, receive, begun)
        except Exception as error:
            if begun.begun:
                raise
            if timer.expired() and isinstance(error, TimeoutError):
                error = timed_out(seconds or 0.0, error)
            answer = await self._answered(await _unwound(exchange, error), exchange)
            await answer(scope, receive, send)
        else:
            if not begun.begun and _is_stream(response):
                gone(exchange.entry)  # a stream ends before its start for nothing else

    async def _answered(self, error: Exception, exchange: Exchange) -> ASGIApp:
        """The response to what was raised. Raises it if there is none."""
        entry = exchange.entry
        exchange.background.clear()
        exchange.draft = None
        detail = getattr(error, "error_detail", None)
        if detail is not None and entry.error_detail is None:
            entry.error_detail = detail
        try:
            result = await self._api.error_handlers.answer(exchange.request, error)
        except Exception as unhandled:
            if self._api.errors == "raise":
                raise
            entry.error = unhandled
            return internal_error()
        return _made(result, error, exchange)

    async def _unrouted(self, path: str, scope: Scope, receive: Receive, send: Send) -> None:
        """What no route takes, at least not with this method."""
        table = self._matcher.table(path)
        response: ASGIApp | None
        if not table:
            response = self._document(path, scope)
            mount = self._matcher.mounted(path) if response is None else None
            if mount is not None:
                await self._mounted(mount, scope, receive, send)
                return
            response = response or self._redirect(path, scope)
            response = response or await self._refused(HTTPException(404), scope, receive)
        elif scope["method"] == "OPTIONS":
            response = Response(None, 204, {"allow": ", ".join(allowed(table))})
        else:
            error = HTTPException(405, headers={"allow": ", ".join(allowed(table))})
            response = await self._refused(error, scope, receive)
        await response(scope, receive, send)

    async def _mounted(self, mount: Mount, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand it to what is mounted: until its response begins, that has the time of a route which says nothing."""
        usual = self._api.timeout or settings.function_timeout
        seconds = effective(None, usual, scope.get("aws.context"), self._margin)
        timer = asyncio.timeout(seconds)
        begun = Begun(send, timer)
        is_read = False

        def received() -> Awaitable[Message]:
            nonlocal is_read
            is_read = True
            return receive()

        try:
            async with timer:
                await mount.app(_below(scope, mount.path), received, begun)
        except Exception as error:
            if begun.begun:
                raise
            if timer.expired() and isinstance(error, TimeoutError):
                error = timed_out(seconds or 0.0, error)
            answer = await self._refused(error, scope, _nothing_more if is_read else receive)
            await answer(scope, receive, send)

    def _document(self, path: str, scope: Scope) -> Response | None:
        """The OpenAPI document, or its page."""
        if path not in (self._api.openapi_url, self._api.docs_url):
            return None
        if scope["method"] not in ("GET", "HEAD"):
            return respond(HTTPException(405, headers={"allow": "GET, HEAD"}))
        from lambent.api.openapi.documents import answer

        return answer(self._api, path, scope)

    def _redirect(self, path: str, scope: Scope) -> Response | None:
        """To the path with a slash more or less at its end, if there is a route for that."""
        if not self._api.redirect_slashes or path == "/":
            return None
        other = path[:-1] if path.endswith("/") else f"{path}/"
        if not self._matcher.table(other):
            return None
        from lambent.api.responses.base import RedirectResponse
        from lambent.api.url import moved

        return RedirectResponse(moved(scope, other))

    async def _refused(self, error: Exception, scope: Scope, receive: Receive) -> ASGIApp:
        """The response of the handler for such errors, else the usual one. Raises `error` if there is none."""
        entry = CURRENT.get()
        assert entry is not None  # noqa: S101 - `http` has begun it
        entry.error_detail = entry.error_detail or getattr(error, "error_detail", None)
        request = Request(scope, receive, {}, self._api.max_body)
        request.id = entry.id
        exchange = Exchange(request, Route("/", (), self._refused), entry)
        try:
            return _made(await self._api.error_handlers.answer(request, error), error, exchange)
        finally:
            request.close()


def _made(result: object, error: Exception, exchange: Exchange) -> ASGIApp:
    """What a handler of exceptions has returned, with the status that the exception has: 500 if it has none."""
    from lambent.api.responses.making import Maker

    return Maker(status_of(error) or 500)(result, exchange)


async def _nothing_more() -> Message:
    """For who comes after somebody that has read from `receive`: it need not give anything ever again."""
    return {"type": "http.disconnect"}


def _is_stream(response: ASGIApp) -> bool:
    from lambent.api.responses.streams import StreamingResponse

    return isinstance(response, StreamingResponse)


def internal_error() -> Response:
    """What the client is told of an exception that nothing handles: nothing."""
    from lambent.api.responses.json import JSONResponse

    return JSONResponse({"detail": "Internal Server Error"}, 500)


def _below(scope: Scope, prefix: str) -> Scope:
    """The scope of what is mounted: `path` is whole, with the root, which some servers do not put there."""
    path, root = scope["path"], scope.get("root_path", "").rstrip("/")
    return {**scope, "root_path": root + prefix, "path": path if is_below(path, root) else root + path}


def _end(entry: Entry, error: BaseException | None, api: Api) -> None:
    """Write the line of the log. A client that went first is no failure of ours, unless there is one, too."""
    if error is None and entry.status_code == GONE and not entry.begun:
        entry.level = entry.level or "info"
    api.log.end(entry, error)


def _cancelled(entry: Entry) -> None:
    """Say so in the log."""
    entry.dropped = False
    if entry.begun:
        entry.level = entry.level or "error"
        detail = "The request was cancelled before all of it was done: its response, or what comes after that."
    else:
        entry.status_code = 504
        detail = "The request was cancelled before it was answered."
    entry.error_detail = entry.error_detail or detail


def _overridden(route: Route, api: Api) -> Plan:
    from lambent.api.binding import Plan

    return Plan(route.endpoint, route.variables, route.dependencies, api.dependency_overrides, workers=api.workers)


async def _unwound(exchange: Exchange, error: Exception) -> Exception:
    """End the dependencies with what the function has raised. Returns it, or what one has raised in its place."""
    exits = exchange.exits
    if exits is None:
        return error
    exchange.exits = None
    try:
        await exits.__aexit__(type(error), error, error.__traceback__)
    except Exception as raised:
        return raised
    return error
