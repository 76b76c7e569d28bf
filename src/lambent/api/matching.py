"""Which route takes a path. Pure.

Paths of routes are text and variables: `/items/{item_id}`, `/files/{name}.json`, `/{id:int}-{slug}`, `/{rest:path}`.
The paths of requests are decoded, as ASGI gives them, and nothing in them is normalised: `//`, `.` and `..` are
segments like others. A variable takes one segment, or a part of one, that is not empty; `{x:path}` takes all that is
left, slashes too, or nothing; after it only text may stand: `/{key:path}/acl`.

Strategy: one dict for paths without variables, and a trie by segments for all. Text is found in the trie by a dict, so
it costs the same however many routes there are; patterns of one segment that stand at the same place are tried in turn.
What has been tried in vain is left for the next best. That costs no more than the trie has nodes, for each of them is
reached by one way only, and no more of a path is split than the longest route has segments.
"""

from __future__ import annotations

from lambent.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from lambent.api.model import Route
    from lambent.api.registry import Mount

    Segment = tuple["str | Variable", ...]
    """What stands between two slashes; of static ones one text, which may be empty."""
    Table = dict[str, Route]
    """Methods and who takes them. Who takes GET takes HEAD, unless another does."""
    Read = Callable[[str], "tuple[str, ...] | None"]
    """A segment of a request → the values of the variables; None if it does not fit."""
    Rank = tuple[int, int, int, str]

CONVERTERS = ("str", "path", "int", "float", "uuid")
_STRICTEST_FIRST = ("uuid", "int", "float")
_KINDS = {"str": "{}", **{each: f"{{:{each}}}" for each in CONVERTERS[1:]}}
"""Variables without their names."""


class Variable:
    """`{name}` or `{name:converter}`, the latter one of CONVERTERS."""

    __slots__ = ("converter", "name")

    def __init__(self, name: str, converter: str = "str") -> None:
        self.name = name
        self.converter = converter


def parse(path: str) -> tuple[Segment, ...]:
    """The segments of a route's path. Raises ConfigurationError."""
    if not path.startswith("/"):
        raise ConfigurationError(
            f"Expected a path that begins with '/', such as '/items/{{item_id}}', but got {path!r}."
        )
    if "?" in path:
        raise ConfigurationError(
            f"Expected a path without a query string, but got {path!r}. The function's parameters say what is in that."
        )
    texts = path[1:].split("/")
    if "{" not in path and "}" not in path:
        return tuple((text,) for text in texts)
    segments = tuple(_segment(text, path) for text in texts)
    _check(segments, path)
    return segments


def variables(segments: Iterable[Segment]) -> tuple[str, ...]:
    """The names of the variables, in their order."""
    return tuple(part.name for segment in segments for part in segment if isinstance(part, Variable))


def shape(segments: Iterable[Segment]) -> str:
    """The path without the names of its variables: two routes of one shape take the same paths."""
    return "".join(f"/{_shape(segment)}" for segment in segments)


def allowed(table: Table) -> list[str]:
    """The methods for `Allow`, sorted: with HEAD where there is GET, and with OPTIONS."""
    methods = {*table, "OPTIONS"}
    if "GET" in methods:
        methods.add("HEAD")
    return sorted(methods)


def _segment(text: str, path: str) -> Segment:
    parts: list[str | Variable] = []
    left = text
    while left:
        before, opening, left = left.partition("{")
        if before:
            parts.append(before)
        if "}" in before or not opening:
            break
        inside, closing, left = left.partition("}")
        if not closing or "{" in inside:
            raise _unbalanced(path)
        if parts and isinstance(parts[-1], Variable):
            raise ConfigurationError(f"Expected text between the variables of {path!r}, to tell where one ends.")
        parts.append(_variable(inside, path))
    if any(isinstance(part, str) and "}" in part for part in parts):
        raise _unbalanced(path)
    return tuple(parts) or ("",)


def _unbalanced(path: str) -> ConfigurationError:
    return ConfigurationError(
        f"Expected each '{{' of {path!r} to have its '}}' in the same segment, and no other braces."
    )


def _variable(inside: str, path: str) -> Variable:
    name, colon, converter = inside.partition(":")
    if not name.isidentifier():
        raise ConfigurationError(
            f"Expected each variable of {path!r} to have the name of a parameter, such as '{{item_id}}', "
            f"but got '{{{inside}}}'."
        )
    if colon and converter not in CONVERTERS:
        raise ConfigurationError(
            f"Expected one of {', '.join(CONVERTERS)} after the colon of '{{{inside}}}' in {path!r}. For whatever else "
            "must hold of a value annotate the parameter."
        )
    return Variable(name, converter or "str")


def _check(segments: Iterable[Segment], path: str) -> None:
    names: set[str] = set()
    rest = ""
    for segment in segments:
        for position, part in enumerate(segment):
            if isinstance(part, str):
                continue
            if part.name in names:
                raise ConfigurationError(f"Expected the variables of {path!r} to differ, but two are {part.name!r}.")
            names.add(part.name)
            if rest:
                raise ConfigurationError(
                    f"Expected only text after '{{{rest}:path}}' in {path!r}, for that takes all that is left, "
                    f"but got '{{{part.name}}}'."
                )
            if part.converter == "path":
                rest = part.name
                if position:
                    raise ConfigurationError(f"Expected '{{{rest}:path}}' to stand after a slash in {path!r}.")


def _shape(segment: Segment) -> str:
    return "".join(part if isinstance(part, str) else _KINDS[part.converter] for part in segment)


class Matcher:
    """Routes and mounts, compiled.

    Of several routes that fit a path, the first segment in which they differ decides: text, `uuid`, `int`, `float`,
    text with variables (that with more text), a variable, `path` (that with more text after it). The order in which
    they were registered decides nothing.
    """

    __slots__ = ("_depth", "_mount_depth", "_mounts", "_root", "_static")

    def __init__(self, routes: Iterable[Route], mounts: Iterable[Mount] = ()) -> None:
        self._root = Node()
        self._static: dict[str, Table] = {}
        self._depth = 0
        """Segments of the longest route."""
        for route in routes:
            self._add(route)
        self._mounts = {each.path: each for each in mounts}
        self._mount_depth = max((path.count("/") for path in self._mounts), default=0)

    def _add(self, route: Route) -> None:
        segments = parse(route.path)
        self._depth = max(self._depth, len(segments))
        table = self._root.leaf(segments).table
        for method in route.methods:
            table[method] = route
        if "GET" in route.methods:
            table.setdefault("HEAD", route)
        if "{" not in route.path:
            self._static[route.path] = table

    def find(self, method: str, path: str) -> tuple[Route, dict[str, str]] | None:
        """The best route that takes the path with this method, and its variables; None: `table` says why.

        A route that fits the path better, but does not take the method, stands in nobody's way.
        """
        table = self._static.get(path)
        if table is not None and method in table:
            return table[method], {}
        straight = self._straight(method, path)
        if straight is not None:
            return straight
        for found, values in self._leaves(path):
            if method in found:
                route = found[method]
                return route, dict(zip(route.variables, values, strict=True))
        return None

    def _straight(self, method: str, path: str) -> tuple[Route, dict[str, str]] | None:
        """By the best step at each segment, as most paths are found; None where that does not come to a route."""
        if path[:1] != "/":
            return None
        node = self._root
        values = []
        for segment in path[1:].split("/", self._depth):
            child = node.static.get(segment)
            if child is None:
                child = node.plain
                if child is None or node.patterns or not segment:
                    return None
                values.append(segment)
            node = child
        route = node.table.get(method)
        return None if route is None else (route, dict(zip(route.variables, values)))  # noqa: B905 - to ask doubles its time

    def table(self, path: str) -> Table:
        """Who takes the path, with whichever method; empty if nobody does."""
        table: Table = {}
        for found, _ in self._leaves(path):
            for method, route in found.items():
                table.setdefault(method, route)
        return table

    def mounted(self, path: str) -> Mount | None:
        """What is mounted at the path or above it; of several, the nearest."""
        if not self._mounts or not path.startswith("/"):
            return None
        pieces = path.split("/", self._mount_depth + 1)
        for count in range(min(len(pieces), self._mount_depth + 1), 0, -1):
            mount = self._mounts.get("/".join(pieces[:count]))
            if mount is not None:
                return mount
        return None

    def _leaves(self, path: str) -> Iterator[tuple[Table, tuple[str, ...]]]:
        """The tables of all nodes that fit, the best first, each with the values of the variables."""
        if not path.startswith("/"):
            return
        segments = path[1:].split("/", self._depth)
        count = len(segments)
        nothing: tuple[str, ...] = ()
        waiting = [(self._root, 0, nothing)]
        while waiting:
            node, index, values = waiting.pop()
            if index == count:
                if node.table:
                    yield node.table, values
                continue
            segment = segments[index]
            if node.rests:
                rest = "/".join(segments[index:])
                waiting += [(leaf, count, (*values, taken)) for leaf, taken in node.rest(rest)]
            index += 1
            if node.plain is not None and segment:
                waiting.append((node.plain, index, (*values, segment)))
            for _, read, child in node.patterns:
                read_values = read(segment)
                if read_values is not None:
                    waiting.append((child, index, values + read_values))
            static = node.static.get(segment)
            if static is not None:
                waiting.append((static, index, values))


class Node:
    """What may come after some segments, and who takes a path that ends here."""

    __slots__ = ("_known", "patterns", "plain", "rests", "static", "table")

    def __init__(self) -> None:
        self.table: Table = {}
        self.static: dict[str, Node] = {}
        self.patterns: list[tuple[Rank, Read, Node]] = []
        """Segments with a converter, or with text and variables: the best last."""
        self._known: dict[str, Node] = {}
        """The nodes of `patterns` by their shapes."""
        self.plain: Node | None = None
        self.rests: dict[int, dict[str, Node]] = {}
        """By the length of the text that is to follow `{x:path}`, and by that text: the longest last."""

    def leaf(self, segments: tuple[Segment, ...]) -> Node:
        """The node for a route, made with those on the way to it unless it is there."""
        node = self
        for index, segment in enumerate(segments):
            first = segment[0]
            if isinstance(first, Variable) and first.converter == "path":
                return node.rest_leaf(shape(segments[index:]).removeprefix("/{:path}"))
            node = node.child(segment)
        return node

    def rest_leaf(self, text: str) -> Node:
        """The node for `{x:path}` with this text after it."""
        leaf = self.rests.setdefault(len(text), {}).setdefault(text, Node())
        self.rests = dict(sorted(self.rests.items()))
        return leaf

    def child(self, segment: Segment) -> Node:
        """The node for what comes after a segment here."""
        first = segment[0]
        if len(segment) == 1 and isinstance(first, str):
            return self.static.setdefault(first, Node())
        if len(segment) == 1 and isinstance(first, Variable) and first.converter == "str":
            self.plain = self.plain or Node()
            return self.plain
        key = _shape(segment)
        if key not in self._known:
            from lambent.api.mixed_segments import MixedSegment

            self._known[key] = Node()
            self.patterns.append((_rank(segment), MixedSegment(segment).read, self._known[key]))
            self.patterns.sort(key=lambda pattern: pattern[0], reverse=True)
        return self._known[key]

    def rest(self, text: str) -> Iterator[tuple[Node, str]]:
        """The nodes that take all that is left, with what `{x:path}` takes of it: the best last."""
        for length, leaves in self.rests.items():
            end = len(text) - length
            leaf = leaves.get(text[end:])  # of a shorter text that is not `length` long, and not there
            if leaf is not None:
                yield leaf, text[:end]


def _rank(segment: Segment) -> Rank:
    """The smallest is tried first."""
    first = segment[0]
    if len(segment) == 1 and isinstance(first, Variable):
        return 0, _STRICTEST_FIRST.index(first.converter), 0, ""
    texts = sum(len(part) for part in segment if isinstance(part, str))
    strict = sum(part.converter != "str" for part in segment if isinstance(part, Variable))
    return 1, -texts, -strict, _shape(segment)
