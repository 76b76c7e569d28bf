"""Where an argument comes from, said beside its annotation: `Annotated[str, Header()]`, or as the default.

Without a marker: path variables by their names; models from the body; what else there is from the query, or from the
field of that name in a JSON object.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from lambent.values.mismatch import Convert

REQUIRED: Any = ...
"""There is no default."""


class Marker:
    """A place in the request, and what must hold of the value there beside its type.

    - `default`: where it is not there; `...` for required
    - `alias`: its name there, where that is not the parameter's
    - `ge`, `gt`, `le`, `lt`: bounds of a number
    - `min_length`, `max_length`, `pattern`: of a text, and the lengths of an array; the pattern matches from the start
    - `description`, `examples`, `deprecated`, `include_in_schema`: for OpenAPI only
    """

    __slots__ = ("alias", "bounds", "default", "deprecated", "description", "examples", "include_in_schema")

    source = ""
    """`path`, `query`, `header`, `cookie`, `body`, `form` or `file`."""

    def __init__(
        self,
        default: Any = REQUIRED,
        *,
        alias: str | None = None,
        ge: float | None = None,
        gt: float | None = None,
        le: float | None = None,
        lt: float | None = None,
        min_length: int | None = None,
        max_length: int | None = None,
        pattern: str | None = None,
        description: str = "",
        examples: tuple[Any, ...] | list[Any] = (),
        deprecated: bool = False,
        include_in_schema: bool = True,
    ) -> None:
        self.default = default
        self.alias = alias
        self.bounds = Bounds(ge, gt, le, lt, min_length, max_length, () if pattern is None else (pattern,))
        self.description = description
        self.examples = tuple(examples)
        self.deprecated = deprecated
        self.include_in_schema = include_in_schema

    def __lambent_bounded__(self, convert: Convert) -> Convert:
        """What `convert` makes, within its bounds. Raises ConfigurationError for a pattern that is none."""
        from lambent.api.binding.bounds import bounded

        return bounded(convert, self.bounds)


class Bounds:
    """What must hold of a value beside its type; None for what need not. A text matches all `patterns`."""

    __slots__ = ("ge", "gt", "le", "lt", "max_length", "min_length", "patterns")

    def __init__(
        self,
        ge: float | None,
        gt: float | None,
        le: float | None,
        lt: float | None,
        min_length: int | None,
        max_length: int | None,
        patterns: tuple[str, ...],
    ) -> None:
        self.ge = ge
        self.gt = gt
        self.le = le
        self.lt = lt
        self.min_length = min_length
        self.max_length = max_length
        self.patterns = patterns

    def __bool__(self) -> bool:
        return any(getattr(self, each) not in (None, ()) for each in self.__slots__)

    def __and__(self, other: Bounds) -> Bounds:
        """Both: the narrower of two, and all patterns."""
        found: dict[str, Any] = {"patterns": tuple(dict.fromkeys(self.patterns + other.patterns))}
        for name in self.__slots__:
            if name not in found:
                said = [each for each in (getattr(self, name), getattr(other, name)) if each is not None]
                narrower = max if name in ("ge", "gt", "min_length") else min
                found[name] = narrower(said) if said else None
        return Bounds(**found)


class Path(Marker):
    """A variable of the path."""

    __slots__ = ()
    source = "path"


class Query(Marker):
    """Of the query string; a list takes all of its values. A model takes its fields from there."""

    __slots__ = ()
    source = "query"


class Header(Marker):
    """A header field; its name is the parameter's, with dashes for underscores. A list takes all of its values."""

    __slots__ = ()
    source = "header"


class Cookie(Marker):
    """A cookie."""

    __slots__ = ()
    source = "cookie"


class Body(Marker):
    """The JSON body; with `embed`, the field of it that has the parameter's name."""

    __slots__ = ("embed",)
    source = "body"

    def __init__(self, default: Any = REQUIRED, *, embed: bool = False, **options: Any) -> None:
        super().__init__(default, **options)
        self.embed = embed


class Form(Marker):
    """A field of a form, urlencoded or multipart. A model takes its fields from there."""

    __slots__ = ()
    source = "form"


class File(Marker):
    """A file of a multipart form: as an `UploadFile`, as `bytes`, or a list of either."""

    __slots__ = ()
    source = "file"


class Depends:
    """An argument that a function makes, with parameters of the same kinds.

    - `function`: async or sync; the rest of a generator, or of a context manager, runs when the response has been sent,
      or, given what the route has raised, before that is answered
    - `use_cache`: called once for a request, however many ask for it
    """

    __slots__ = ("function", "use_cache")

    def __init__(self, function: Callable[..., Any] | None = None, *, use_cache: bool = True) -> None:
        self.function = function
        """None: what the parameter is annotated with."""
        self.use_cache = use_cache


def is_of_fastapi(said: object) -> bool:
    """Whether this is a marker of FastAPI, left behind by who moved from there: nothing here heeds it."""
    return any(each.__module__ == "fastapi.params" for each in type(said).__mro__)
