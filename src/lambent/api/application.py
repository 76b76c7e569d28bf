"""The application: routes, and what is said of all of them."""

from __future__ import annotations

from lambent.api.access_log import AccessLog
from lambent.api.binding.workers import Workers
from lambent.api.failures import ErrorHandlers
from lambent.api.model import MAX_BODY, checked_timeout
from lambent.api.routes import Routes
from lambent.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
    from contextlib import AbstractAsyncContextManager
    from typing import Any, Literal, TypeVar

    from lambent.api.early import Early
    from lambent.api.markers import Depends
    from lambent.api.serving import Serving
    from lambent.types import ASGIApp, Receive, Scope, Send

    T = TypeVar("T")
    Lifespan = Callable[["Api"], AbstractAsyncContextManager[Mapping[str, Any] | None]]
    Wrapper = Callable[..., ASGIApp]
    Function = TypeVar("Function", bound=Callable[..., Any])

ASYNC_GENERATOR = 0x200
"""`inspect.CO_ASYNC_GENERATOR`: inspect costs a cold start more."""


class Api(Routes):
    """An ASGI application of functions.

    - `title`, `version`, `description`: of the OpenAPI document
    - `errors`: an exception that nothing handles is raised on, so that it fails the invocation (`raise`), or is
      answered with 500 (`respond`). `Lambent(api)` does the same; `Lambent(around(api))` cannot know it, and has to be
      told: `Lambent(around(api), errors="raise")`. With middleware that is given to the Api it need not be
    - `timeout`: seconds that a function has, if its route says nothing else. None: FUNCTION_TIMEOUT of the environment,
      else 30. Never more than the invocation has
    - `max_body`: bytes of a request's body
    - `middleware`: what is put around the application, the outermost first: ASGI middleware, called with what is inside
    - `lifespan`: a function from the application to an async context manager, entered once per environment; what it
      yields is in each request's `state`
    - `dependencies`: of all routes
    - `openapi_url`, `docs_url`: where the document and its page are; None for nowhere
    - `log`: of requests, a line each
    - `redirect_slashes`: a path that only a slash at its end keeps from a route is answered with 307
    """

    def __init__(
        self,
        *,
        title: str = "API",
        version: str = "0.1.0",
        description: str = "",
        errors: Literal["raise", "respond"] = "raise",
        timeout: float | None = None,
        max_body: int = MAX_BODY,
        middleware: Sequence[Wrapper] = (),
        lifespan: Lifespan | None = None,
        dependencies: Iterable[Depends] = (),
        openapi_url: str | None = "/openapi.json",
        docs_url: str | None = "/docs",
        log: AccessLog | None = None,
        redirect_slashes: bool = True,
    ) -> None:
        super().__init__(dependencies=dependencies)
        if errors not in ("raise", "respond"):
            raise ConfigurationError(f"Expected `errors` to be 'raise' or 'respond', but got {errors!r}.")
        self.title, self.version, self.description = title, version, description
        self.errors = errors
        self.timeout = checked_timeout(timeout)
        self.max_body = max_body
        self.middleware = list(map(_wrapper, middleware))
        self.lifespan = _lifespan(lifespan)
        self.openapi_url, self.docs_url = openapi_url, docs_url
        self.log = _log(log)
        self.redirect_slashes = redirect_slashes
        self.error_handlers = ErrorHandlers()
        self.dependency_overrides: dict[Callable[..., Any], Callable[..., Any]] = {}
        """In place of dependencies, for tests."""
        self.early: Early | None = None
        """What was begun at import; there once something was."""
        self.workers = Workers()
        """Threads of sync functions."""
        self._serving: Serving | None = None
        self._document: tuple[int, dict[str, Any]] | None = None
        """With the revision that it is of."""

    @property
    def lambent_errors(self) -> str:
        """What `Lambent(api)` does with exceptions, unless it is told."""
        return self.errors

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self.serving().http(scope, receive, send)
        elif scope["type"] == "lifespan":
            from lambent.api.lifespan import serve

            await serve(self, scope, receive, send)
        else:
            await self.serving().other(scope, receive, send)

    def serving(self) -> Serving:
        """What answers requests: made of the routes as they stand. Raises what middleware raises when it is made."""
        serving = self._serving
        if serving is None or serving.revision != self._registry.revision:
            from lambent.api.serving import Serving

            serving = self._serving = Serving(self)
        return serving

    def add_middleware(self, middleware: Wrapper, *args: Any, **options: Any) -> None:
        """Put it around the application, outside of what is there: `middleware(app, *args, **options)`."""
        self.middleware.insert(0, lambda app: middleware(app, *args, **options))
        self._serving = None

    def exception_handler(self, wanted: type[Exception] | int) -> Callable[[Function], Function]:
        """Decorate a function of `(request, error)`: what it returns answers requests that raised this, or a status."""

        def add(handler: Function) -> Function:
            self.error_handlers.add(wanted, handler)
            return handler

        return add

    def run_async(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine now, while the application is imported, on the event loop that will serve.

        Raises what it raises, and ConfigurationError where a loop runs already: there, use `lifespan`.
        """
        return self._on_import().run(coroutine)

    def enter_async_context(self, manager: AbstractAsyncContextManager[T]) -> T:
        """Enter it now, on the event loop that will serve, and leave it at shutdown. Raises as `run_async` does."""
        return self._on_import().enter(manager)

    def _on_import(self) -> Early:
        if self.early is None:
            from lambent.api.early import Early

            self.early = Early()
        return self.early

    def check(self) -> None:
        """Read every function's signature, and what it returns. Raises ConfigurationError for what cannot be.

        Otherwise that is done when the first request for it comes: a cold start pays for one route, not for all.
        """
        for route in self.routes:
            _ = route.plan, route.maker

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI 3.1 document, built when first asked for. Raises ConfigurationError as `check` does."""
        if self._document is None or self._document[0] != self.revision:
            from lambent.api.openapi.document import openapi

            document = openapi(self.routes, title=self.title, version=self.version, description=self.description)
            self._document = self.revision, document
        return self._document[1]


def _wrapper(given: Wrapper) -> Wrapper:
    if callable(given):
        return given
    raise ConfigurationError(
        "Expected `middleware` to have callables from an application to another, such as "
        f"functools.partial(GZipMiddleware, minimum_size=500), but got {given!r:.200}."
    )


def _lifespan(given: Any) -> Lifespan | None:
    code = getattr(given, "__code__", None)
    if given is None or (callable(given) and not (code and code.co_flags & ASYNC_GENERATOR)):
        found: Lifespan | None = given
        return found
    raise ConfigurationError(
        "Expected `lifespan` to be a function that gives an async context manager, but got "
        f"{given!r:.200}. Put @contextlib.asynccontextmanager above an async generator."
    )


def _log(given: AccessLog | None) -> AccessLog:
    if given is None or isinstance(given, AccessLog):
        return given or AccessLog()
    raise ConfigurationError(
        f"Expected `log` to be an AccessLog, but got {given!r:.200}. Without lines: log=AccessLog(enabled=False)."
    )
