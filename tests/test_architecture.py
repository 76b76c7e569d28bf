"""The house rules, read off the source without importing it: direction of imports, purity, budgets.

Each rule is a function from modules to complaints, `file:line: what is wrong`. It has one test on the tree, and others
on small made-up trees that break it, so that it can be seen to fail.
"""

import ast
import io
import re
import sys
import tokenize
from collections.abc import Callable, Iterator
from fnmatch import fnmatch
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src" / "lambent"

# Lowest first. A module imports from the layers below its own and from its own package, never from a sibling.
LAYERS = (
    ("types", "errors"),
    ("http1",),
    ("invocation", "snapstart"),
    ("aws",),
    ("gateway", "stores"),
    ("asgi",),
    ("websocket",),
    ("runner",),
    ("ahead",),
    ("managed",),
    ("functions", "threads", "values"),
    ("events",),
    ("api",),
    ("lifetime",),
    ("adapter", "runtime"),
    ("compat",),
    ("",),  # lambent/__init__.py, the front door
    ("dev", "build"),
    ("doctor",),
    ("testing",),
    ("cli",),
    ("__main__",),
)
LEVEL = {part: level for level, layer in enumerate(LAYERS) for part in layer}
EVERYWHERE = LAYERS[0]
ENTRY_POINTS = ("runtime/__main__.py",)  # `python -m`: join what does not know each other
ONLY = {"runner": EVERYWHERE}  # closer bounds than the order gives: part -> all it may import

# Values in, values out: no await, no clock, no environment, no randomness.
PURE = (
    "aws/partition.py",
    "aws/response.py",
    "aws/signature.py",
    "gateway/*.py",
    "asgi/scope.py",
    "compat/base_path.py",
    "compat/websocket_config.py",
    "http1.py",
    "websocket/endpoint.py",
    "websocket/record.py",
    "stores/dynamodb_items.py",
    "stores/s3_objects.py",
    "api/binding/arguments.py",
    "api/binding/bounds.py",
    "api/binding/files.py",
    "api/binding/finding.py",
    "api/binding/media_types.py",
    "api/binding/models.py",
    "api/binding/problems.py",
    "api/binding/reading.py",
    "api/binding/sources.py",
    "api/binding/steps.py",
    "api/binding/texts.py",
    "api/cookies.py",
    "api/headers.py",
    "api/log_line.py",
    "api/json_body.py",
    "api/matching.py",
    "api/middleware/fields.py",
    "api/mixed_segments.py",
    "api/openapi/[a-c]*.py",
    "api/openapi/document.py",
    "api/openapi/[e-z]*.py",
    "api/query.py",
    "api/registry.py",
    "api/request_id.py",
    "api/url.py",
    "build/explanation.py",
    "build/globs.py",
    "build/image.py",
    "build/limits.py",
    "build/picture.py",
    "build/selection.py",
    "functions.py",
    "values/containers.py",
    "values/convert.py",
    "values/mismatch.py",
    "values/objects.py",
    "values/scalars.py",
    "values/texts.py",
    "values/validators.py",
    "events/compact.py",
    "events/keys.py",
    "events/results.py",
    "events/model.py",
    "events/patterns.py",
    "events/selection.py",
    "events/sources/*.py",
    "runtime/requests.py",
    "runtime/invocation.py",
    "runtime/diagnostic.py",
    "runtime/records.py",
    "runtime/stream.py",
    "dev/authorizers/answers.py",
    "dev/authorizers/checks.py",
    "dev/authorizers/claims.py",
    "dev/authorizers/events.py",
    "dev/authorizers/identity.py",
    "dev/authorizers/policy.py",
    "dev/authorizers/refusals.py",
    "dev/authorizers/signatures.py",
    "dev/authorizers/tokens.py",
    "dev/companion.py",
    "dev/diff/__init__.py",
    "dev/diff/aspects.py",
    "dev/diff/outcomes.py",
    "dev/diff/request.py",
    "dev/diff/rules.py",
    "dev/diff/table.py",
    "dev/doors/*.py",
    "dev/invoke_api/api_errors.py",
    "dev/invoke_api/event_stream.py",
    "dev/invoke_api/function_names.py",
    "dev/invoke_api/invoke_requests.py",
    "dev/lineage.py",
    "dev/routes/*.py",
    "dev/sources/cron.py",
    "dev/sources/messages.py",
    "dev/sources/patterns.py",
    "dev/sources/schedules.py",
    "dev/strategies.py",
    "dev/config/toml_lines.py",
    "doctor/checks/*.py",
    "doctor/import_times.py",
    "doctor/model.py",
    "doctor/report.py",
    "doctor/resources.py",
    "testing/events/[a-n]*.py",  # all but origin.py, which has the clock and the dice
    "testing/events/operations.py",
    "testing/events/[p-z]*.py",
)
IMPURE = {"asyncio", "os", "random", "selectors", "socket", "ssl", "subprocess", "threading", "time"}

NOT_CORE = {"dev", "build", "doctor", "cli", "testing", "stores"}
OPTIONAL = {  # used where installed: in a function or a try
    "botocore",
    "orjson",
    "python_multipart",
    "snapshot_restore_py",
    "uvicorn",
    "uvloop",
}

FUNCTION_LINES = 40
MODULE_LINES = 400
MEAN_FUNCTION_LINES = 9.0
TYPE_IGNORES = 20

IGNORE = re.compile(r"#\s*type:\s*ignore")

# Test modules that mirror no source file, and why.
UNMIRRORED = {
    "api/test_aio_lambda_api_faults.py": "the list of aio-lambda-api's faults with requests",
    "api/test_aio_lambda_api_guide.py": "aio-lambda-api's user guide, line by line",
    "api/test_api_documents.py": "the examples of the guides to lambent.api",
    "api/test_coming_from_fastapi.py": "the same routes in FastAPI, and what is otherwise",
    "applications/test_applications.py": "frameworks through the adapter and the local Lambda, against uvicorn",
    "applications/test_frameworks.py": "FastAPI and Starlette beyond one request",
    "applications/test_mcp.py": "an MCP server, invocation after invocation",
    "applications/test_websockets.py": "the WebSocket examples of frameworks' documentation",
    "test_architecture.py": "reads the whole source",
    "test_bench.py": "runs bench/",
    "test_door_table.py": "runs what stands behind the table of the README",
    "test_features.py": "what stands behind the table of features in the documentation",
    "test_mangum_faults.py": "the list of Mangum's faults",
    "test_smyth_faults.py": "the list of Smyth's faults",
    "events/test_sam_events.py": "every event that SAM generates, and what takes it",
    "events/test_aio_lambda_api_faults.py": "the list of aio-lambda-api's faults with messages",
    "integration/test_authorizers.py": "tokens, functions and signatures decide, through the local Lambda",
    "integration/test_api.py": "one application of lambent.api on every road: the same answers, the same lines",
    "integration/test_api_example.py": "examples/api on every road, against uvicorn",
    "integration/test_api_page.py": "the page of a document of lambent.api, in a browser",
    "integration/test_api_schema.py": "what documents of lambent.api say, held against their applications",
    "integration/test_build.py": "projects of an index, built by `lambent build`, and what was built, run",
    "integration/test_chat.py": "examples/chat, in a browser too",
    "integration/test_concurrency.py": "FastAPI, AWS's own client and AWS's emulator at N invocations at a time",
    "integration/test_deadlines.py": "Starlette and FastAPI run out of time in the local Lambda",
    "integration/test_debugging.py": "pdb and ipdb at the local Lambda's terminal, and debugpy's client",
    "integration/test_deploy.py": "what `lambent build` makes, deployed to an emulator of AWS and called",
    "integration/test_deploy_other_tools.py": "examples/deploy for Serverless, CDK and Terraform: to these, and here",
    "integration/test_deploy_templates.py": "the templates of examples/deploy: to AWS's tools, and in the local Lambda",
    "integration/test_documents.py": "runs the commands of the documents",
    "integration/test_events_ministack.py": "functions for an emulator's queues, topics, streams, buses and buckets",
    "integration/test_events.py": "functions for events, in the local Lambda and by the pipe",
    "integration/test_fleet.py": "what a fleet does, seen from within real functions on both runtimes",
    "integration/test_fresh_clone.py": "runs make in a copy of the project",
    "integration/test_init.py": "projects of `lambent init`: their tests, their templates, what answers",
    "integration/test_invoke_api.py": "boto3 and the AWS CLI against the local Lambda",
    "integration/test_awslambdaric_parity.py": "AWS's own runtime and ours, asked the same",
    "integration/test_other_tools.py": "services described in files of other tools, started in their folders",
    "integration/test_logging_parity.py": "what both runtimes write to the log",
    "integration/test_opentelemetry.py": "one trace through client, application and log",
    "integration/test_quick_starts.py": "the first projects that SAM and Serverless make, as they make them",
    "integration/test_rabbitmq_bridge.py": "examples/rabbitmq_bridge, with a RabbitMQ",
    "integration/test_reload.py": "the local Lambda while its files are edited, under load too",
    "integration/test_robustness.py": "the local Lambda and all that goes wrong around it",
    "integration/test_rie.py": "AWS's own Runtime Interface Emulator runs ours",
    "integration/test_snapstart.py": "AWS's own runtime, ours and the local Lambda around a snapshot",
    "integration/test_sources.py": "schedules and the queues of an emulator of AWS invoke functions",
    "integration/test_streaming.py": "replies piece by piece, through cargo-lambda and the local Lambda",
    "integration/test_same_answers.py": "the whole road, against uvicorn",
    "integration/test_testing.py": "a project that tests itself with pytest and the plugin, as its users would",
    "integration/test_websockets.py": "WebSocket applications of frameworks, in the local Lambda and an emulator",
    "integration/test_websocket_apis.py": "functions behind WebSocket APIs of the local Lambda, and boto3 beside them",
    "integration/test_where_it_runs.py": "the example in every place that can run it",
}


# The source, read


class Module(NamedTuple):
    """One file of the package."""

    path: str  # below src/lambent: "gateway/http_api.py"
    source: str
    tree: ast.Module

    @property
    def name(self) -> str:
        """Its dotted name below `lambent`: "gateway.http_api"; "gateway" and "" for `__init__.py` files."""
        return self.path.removesuffix(".py").replace("/", ".").removesuffix("__init__").removesuffix(".")

    def at(self, line: int) -> str:
        return f"src/lambent/{self.path}:{line}"


class Import(NamedTuple):
    """One imported name and where it stands."""

    name: str  # absolute: "asyncio", "lambent.gateway.model"
    line: int
    in_function: bool
    in_try: bool
    for_types: bool  # under `if TYPE_CHECKING:`

    @property
    def top(self) -> str:
        return self.name.split(".")[0]


Rule = Callable[[list[Module]], list[str]]


def read(root: Path) -> list[Module]:
    """Every module below `root`, in the order of paths."""
    sources = {path.relative_to(root).as_posix(): path.read_text("utf-8") for path in sorted(root.rglob("*.py"))}
    return parse(sources)


def parse(sources: dict[str, str]) -> list[Module]:
    return [Module(path, source, ast.parse(source, path)) for path, source in sources.items()]


def imports(module: Module) -> Iterator[Import]:
    """Every import of a module, wherever it stands; `from a import b` gives `a.b`."""
    return _imports(module, module.tree, in_function=False, in_try=False, for_types=False)


def _imports(module: Module, node: ast.AST, *, in_function: bool, in_try: bool, for_types: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            for alias in child.names:
                yield Import(alias.name, child.lineno, in_function, in_try, for_types)
        elif isinstance(child, ast.ImportFrom):
            for alias in child.names:
                yield Import(f"{_base(module, child)}.{alias.name}", child.lineno, in_function, in_try, for_types)
        yield from _imports(
            module,
            child,
            in_function=in_function or isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef),
            in_try=in_try or isinstance(child, ast.Try),
            for_types=for_types or (isinstance(child, ast.If) and ast.unparse(child.test).endswith("TYPE_CHECKING")),
        )


def _base(module: Module, node: ast.ImportFrom) -> str:
    """The absolute name of what `from ... import` imports from."""
    if not node.level:
        return node.module or ""
    parts = ["lambent", *module.path.split("/")[:-1]]
    return ".".join(parts[: len(parts) - node.level + 1] + ([node.module] if node.module else []))


def inner(module: Module, modules: list[Module]) -> Iterator[tuple[Import, str]]:
    """The imports of our own modules, each with the module meant: "gateway" for `lambent.gateway.GATEWAYS`."""
    known = {each.name for each in modules}
    for found in imports(module):
        if found.top == "lambent":
            target = found.name.removeprefix("lambent").removeprefix(".")
            holder = target.rpartition(".")[0]
            yield found, holder if target not in known and holder in known else target


def part(name: str) -> str:
    return name.partition(".")[0]


# The rules


def wrong_direction(modules: list[Module]) -> list[str]:
    """Imports go down, wherever they stand; types and errors may be imported everywhere."""
    complaints = [
        f"{module.at(1)}: {part(module.name)!r} has no place in LAYERS: give it one"
        for module in modules
        if part(module.name) not in LEVEL
    ]
    for module in modules:
        own = part(module.name)
        for found, target in inner(module, modules):
            aim = part(target)
            allowed = aim in ONLY[own] if own in ONLY else LEVEL.get(aim, 99) < LEVEL.get(own, 99)
            allowed = allowed or (module.path in ENTRY_POINTS and aim == "")
            if not allowed and aim != own and aim not in EVERYWHERE:
                complaints.append(f"{module.at(found.line)}: {own or 'lambent'} imports {found.name}: imports go down")
    return complaints


def cycles(modules: list[Module]) -> list[str]:
    """No module reaches itself by the imports that run when it is loaded."""
    edges = {
        module.name: {
            target: module.at(found.line)
            for found, target in inner(module, modules)
            if not found.in_function and not found.for_types
        }
        for module in modules
    }
    complaints: dict[frozenset[str], str] = {}
    for start in edges:
        for road in _roads(edges, start):
            complaints.setdefault(frozenset(road), f"{edges[start][road[1]]}: a cycle of imports: {' -> '.join(road)}")
    return list(complaints.values())


def _roads(edges: dict[str, dict[str, str]], start: str) -> Iterator[list[str]]:
    """A shortest road from `start` back to `start`, if there is one."""
    seen = {start}
    roads = [[start]]
    for road in roads:  # grows while it is walked
        for target in edges.get(road[-1], ()):
            if target == start:
                yield [*road, start]
                return
            if target not in seen:
                seen.add(target)
                roads.append([*road, target])


def impure(modules: list[Module]) -> list[str]:
    """Modules listed PURE neither await nor import anything that does IO, waits or rolls dice."""
    complaints = []
    for module in modules:
        if any(fnmatch(module.path, pattern) for pattern in PURE):
            complaints += [f"{module.at(line)}: async code in a pure module" for line in _async_lines(module.tree)]
            complaints += [
                f"{module.at(found.line)}: a pure module may not import {found.name}"
                for found in imports(module)
                if found.top in IMPURE
            ]
    return complaints


def _async_lines(tree: ast.Module) -> Iterator[int]:
    for node in ast.walk(tree):
        if isinstance(node, ast.AsyncFunctionDef | ast.Await | ast.AsyncFor | ast.AsyncWith):
            yield node.lineno
        elif isinstance(node, ast.comprehension) and node.is_async:
            yield node.target.lineno


def foreign(modules: list[Module]) -> list[str]:
    """The core imports the standard library only; OPTIONAL where it is installed."""
    return [
        f"{module.at(found.line)}: the core imports the standard library only, not {found.name}"
        + (": move it into a function or a try" if found.top in OPTIONAL else "")
        for module in modules
        if part(module.name) not in NOT_CORE
        for found in imports(module)
        if found.top not in sys.stdlib_module_names | {"lambent"}
        and not (found.top in OPTIONAL and (found.in_function or found.in_try or found.for_types))
    ]


def functions(module: Module) -> Iterator[tuple[ast.FunctionDef | ast.AsyncFunctionDef, int]]:
    """Each function with its length: lines from `def` to the end, without docstring, comments and blank lines."""
    code = _code_lines(module.source)
    for node in ast.walk(module.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = set(range(node.lineno, (node.end_lineno or node.lineno) + 1)) & code
            if ast.get_docstring(node) is not None:
                text = node.body[0]
                lines -= set(range(text.lineno, (text.end_lineno or text.lineno) + 1))
            yield node, len(lines)


def _tokens(source: str) -> Iterator[tokenize.TokenInfo]:
    return tokenize.generate_tokens(io.StringIO(source).readline)


@cache  # two rules count them, over the whole source
def _code_lines(source: str) -> set[int]:
    layout = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
    tokens = (token for token in _tokens(source) if token.type not in layout)
    return {line for token in tokens for line in range(token.start[0], token.end[0] + 1)}


def long_functions(modules: list[Module]) -> list[str]:
    return [
        f"{module.at(node.lineno)}: {node.name} has {length} lines, the budget is {FUNCTION_LINES}"
        for module in modules
        for node, length in functions(module)
        if length > FUNCTION_LINES
    ]


def long_modules(modules: list[Module]) -> list[str]:
    return [
        f"{module.at(lines)}: {lines} lines, the budget is {MODULE_LINES}"
        for module in modules
        if (lines := len(module.source.splitlines())) > MODULE_LINES
    ]


def long_on_average(modules: list[Module]) -> list[str]:
    found = sorted(
        ((length, module.at(node.lineno), node.name) for module in modules for node, length in functions(module)),
        reverse=True,
    )
    mean = sum(length for length, _, _ in found) / max(len(found), 1)
    if mean <= MEAN_FUNCTION_LINES:
        return []
    longest = "".join(f"\n{where}: {name} has {length} lines" for length, where, name in found[:8])
    return [f"the mean function has {mean:.1f} lines, the budget is {MEAN_FUNCTION_LINES:.1f}; the longest:{longest}"]


def type_ignores(sources: dict[str, str]) -> list[tuple[str, str]]:
    """Every `type: ignore` comment as (file:line, comment)."""
    return [
        (f"{path}:{token.start[0]}", token.string)
        for path, source in sources.items()
        if IGNORE.search(source)  # few have one, and to take all of them apart takes seconds
        for token in _tokens(source)
        if token.type == tokenize.COMMENT and IGNORE.search(token.string)
    ]


def unreasoned_ignores(sources: dict[str, str]) -> list[str]:
    form = re.compile(r".*# type: ignore\[[a-z, -]+\]  # \S.*")
    return [
        f"{where}: {comment!r} should read '# type: ignore[code]  # reason'"
        for where, comment in type_ignores(sources)
        if not form.fullmatch(comment)
    ]


def vague_names(modules: list[Module]) -> list[str]:
    return [
        f"{module.at(1)}: a module is named for what it holds, not utils"
        for module in modules
        if {"util", "utils"} & set(module.name.split("."))
    ]


def unmirrored(tests: list[str], sources: list[str]) -> list[str]:
    """tests/a/test_b.py is about src/lambent/a/b.py, a/b/__init__.py or a/__b__.py, unless UNMIRRORED says why not."""
    return [
        f"tests/{test}:1: no src/lambent/{twin}.py: move it, or list it in UNMIRRORED with a reason"
        for test in tests
        if test not in UNMIRRORED
        for folder, _, name in [test.removesuffix(".py").rpartition("/")]
        for stem in [name.removeprefix("test_")]
        for twin in [f"{folder}/{stem}".removeprefix("/")]
        if not {f"{twin}.py", f"{twin}/__init__.py", f"{folder}/__{stem}__.py".removeprefix("/")} & set(sources)
    ]


# The tree keeps them


@pytest.fixture(scope="module")
def modules() -> list[Module]:
    return read(SOURCE)


@pytest.fixture(scope="module")
def texts() -> dict[str, str]:
    """All Python we wrote, by its path in the project."""
    folders = ("src", "tests", "bench", "examples")
    paths = sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))
    return {path.relative_to(ROOT).as_posix(): path.read_text("utf-8") for path in paths}


def keeps(complaints: list[str]) -> None:
    if complaints:
        pytest.fail("\n".join(complaints), pytrace=False)


def test_imports_go_down(modules: list[Module]) -> None:
    keeps(wrong_direction(modules))


def test_imports_make_no_cycle(modules: list[Module]) -> None:
    keeps(cycles(modules))


def test_pure_modules_are_pure(modules: list[Module]) -> None:
    keeps(impure(modules))


def test_the_core_needs_only_the_standard_library(modules: list[Module]) -> None:
    keeps(foreign(modules))


def test_functions_fit_the_budget(modules: list[Module]) -> None:
    keeps(long_functions(modules))


def test_functions_fit_the_budget_on_average(modules: list[Module]) -> None:
    keeps(long_on_average(modules))


def test_modules_fit_the_budget(modules: list[Module]) -> None:
    keeps(long_modules(modules))


def test_no_module_is_called_utils(modules: list[Module]) -> None:
    keeps(vague_names(modules))


def test_a_type_ignore_carries_its_code_and_reason(texts: dict[str, str]) -> None:
    keeps(unreasoned_ignores(texts))


def test_type_ignores_are_few(texts: dict[str, str]) -> None:
    found = type_ignores({path: source for path, source in texts.items() if path.startswith("src/")})
    keeps([where for where, _ in found] if len(found) >= TYPE_IGNORES else [])


def test_tests_mirror_the_source() -> None:
    tests = [path.relative_to(ROOT / "tests").as_posix() for path in sorted((ROOT / "tests").rglob("test_*.py"))]
    sources = [path.relative_to(SOURCE).as_posix() for path in SOURCE.rglob("*.py")]
    gone = [f"tests/{path}: listed in UNMIRRORED, but not there" for path in UNMIRRORED if path not in tests]
    keeps(unmirrored(tests, sources) + gone)


# And each rule can be seen to fail


LONG = "def f():\n" + "    pass\n" * FUNCTION_LINES
SHORT = 'def f():\n    """Doc\n\n    more."""\n' + "    # a fact\n\n" * 50 + "    pass\n"
TYPES = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n  "
TRY = "try:\n  import orjson\nexcept ImportError:\n  import json"
ROUND = {"dev/a.py": "from lambent.dev import b", "dev/b.py": "from . import c", "dev/c.py": "import lambent.dev.a"}
TREE = {"dev/__init__.py": "from .a import x", "dev/a.py": "from .b import y", "dev/b.py": ""}

BROKEN: list[tuple[Rule, dict[str, str], str]] = [
    (wrong_direction, {"asgi/http.py": "import lambent.adapter"}, "asgi/http.py:1"),
    (wrong_direction, {"asgi/http.py": "def f():\n  from lambent.runtime import loop"}, "asgi/http.py:2"),
    (wrong_direction, {"asgi/http.py": TYPES + "from ..adapter import Lambent"}, "asgi/http.py:3"),
    (wrong_direction, {"adapter.py": "from .runtime import loop"}, "adapter.py:1"),
    (wrong_direction, {"dev/server.py": "from ..build import zip"}, "dev/server.py:1"),
    (wrong_direction, {"runner.py": "from lambent.asgi import http"}, "runner.py:1"),
    (wrong_direction, {"adapter.py": "from lambent import Lambent", "__init__.py": ""}, "adapter.py:1"),
    (wrong_direction, {"runtime/loop.py": "from lambent import Lambent", "__init__.py": ""}, "runtime/loop.py:1"),
    (wrong_direction, {"runtime/__main__.py": "from lambent import adapter", "adapter.py": ""}, "__main__.py:1"),
    (wrong_direction, {"misc.py": ""}, "misc.py:1"),
    (cycles, ROUND, "dev.a -> dev.b -> dev.c -> dev.a"),
    (impure, {"gateway/alb.py": "import os.path"}, "gateway/alb.py:1"),
    (impure, {"dev/doors/alb.py": "def f():\n  from time import time"}, "dev/doors/alb.py:2"),
    (impure, {"runtime/stream.py": "async def f(): ..."}, "runtime/stream.py:1"),
    (impure, {"asgi/scope.py": "\nf = lambda g: [x async for x in g]"}, "asgi/scope.py:2"),
    (foreign, {"adapter.py": "import boto3"}, "adapter.py:1"),
    (foreign, {"adapter.py": "import orjson"}, "move it into a function or a try"),
    (foreign, {"api/__init__.py": "def f():\n  import pydantic"}, "api/__init__.py:2"),
    (long_functions, {"a.py": LONG}, "a.py:1: f has 41 lines"),
    (long_on_average, {"a.py": LONG}, "41.0 lines"),
    (long_modules, {"a.py": "#\n" * (MODULE_LINES + 1)}, "a.py:401"),
    (vague_names, {"dev/utils.py": ""}, "dev/utils.py"),
]
KEPT: list[tuple[Rule, dict[str, str]]] = [
    (wrong_direction, {"adapter.py": "from lambent.asgi import http", "asgi/http.py": ""}),
    (wrong_direction, {"runner.py": "from .errors import LambentError"}),
    (wrong_direction, {"types.py": "from lambent import errors", "errors.py": ""}),
    (wrong_direction, {"runtime/loop.py": "from . import client", "runtime/client.py": ""}),
    (wrong_direction, {"runtime/__main__.py": "from lambent import Lambent", "__init__.py": ""}),
    (wrong_direction, {"__init__.py": "def f():\n  from .adapter import Lambent"}),
    (cycles, {"dev/a.py": "from . import b", "dev/b.py": "def f():\n  from . import a"}),
    (cycles, {"dev/a.py": "from . import b", "dev/b.py": TYPES + "from . import a"}),
    (cycles, TREE),
    (impure, {"gateway/alb.py": "import base64, json", "asgi/http.py": "import asyncio"}),
    (foreign, {"dev/server.py": "import uvicorn", "adapter.py": "import json"}),
    (foreign, {"adapter.py": TRY, "runtime/loop.py": "def f():\n  import uvloop"}),
    (long_functions, {"a.py": SHORT}),
    (long_on_average, {"a.py": SHORT}),
]


@pytest.mark.parametrize(("rule", "sources", "expected"), BROKEN)
def test_a_broken_rule_is_named(rule: Rule, sources: dict[str, str], expected: str) -> None:
    (complaint,) = rule(parse(sources))
    assert expected in complaint


@pytest.mark.parametrize(("rule", "sources"), KEPT)
def test_a_kept_rule_is_silent(rule: Rule, sources: dict[str, str]) -> None:
    assert rule(parse(sources)) == []


@pytest.mark.parametrize(
    ("comment", "complaints"),
    [
        ("# type: ignore", 1),
        ("# type: ignore[arg-type]", 1),
        ("# type: ignore[arg-type]  # the stub is older than the library", 0),
    ],
)
def test_a_type_ignore_is_read(comment: str, complaints: int) -> None:
    sources = {"a.py": f'text = "# type: ignore"\nx = f(1)  {comment}\n'}
    assert len(type_ignores(sources)) == 1
    assert len(unreasoned_ignores(sources)) == complaints


@pytest.mark.parametrize(
    ("test", "complaints"),
    [
        ("gateway/test_http_api.py", 0),
        ("test_gateway.py", 0),
        ("runtime/test_main.py", 0),
        ("test_http_api.py", 1),
        ("test_architecture.py", 0),
    ],
)
def test_a_test_has_its_twin(test: str, complaints: int) -> None:
    sources = ["gateway/__init__.py", "gateway/http_api.py", "runtime/__main__.py"]
    assert len(unmirrored([test], sources)) == complaints
