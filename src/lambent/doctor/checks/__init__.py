"""The checks, one function each: facts of a function, and all facts, to complaints. Pure.

handlers.py    the handler, and who runs it
runtimes.py    versions, variables, concurrency, snapshots
doors.py       times, streaming, binary bodies, WebSockets
polls.py       queues and streams
archives.py    what is uploaded
costs.py       memory and imports, as they were measured
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from lambent.doctor.checks import archives, costs, doors, handlers, polls, runtimes
from lambent.doctor.model import Complaints, Facts, Finding, FunctionFacts, Place, Severity


class Check(NamedTuple):
    """One thing that can go wrong."""

    id: str
    severity: Severity
    look: Callable[[FunctionFacts, Facts], Complaints]


CHECKS = (
    Check("handler-import", "error", handlers.importable),
    Check("handler-name", "error", handlers.named),
    Check("handler-kind", "error", handlers.callable_by_aws),
    Check("wrapper-path", "error", handlers.wrapper_path),
    Check("wrapper-executable", "error", handlers.wrapper_executable),
    Check("wrapper-runtime", "warning", handlers.wrapper_runtime),
    Check("lambent-missing", "error", handlers.lambent_missing),
    Check("lambent-undeclared", "warning", handlers.lambent_undeclared),
    Check("errors-answered", "hint", handlers.errors_answered),
    Check("runtime-gone", "error", runtimes.gone),
    Check("runtime-ends", "warning", runtimes.ends),
    Check("runtime-unknown", "hint", runtimes.unknown),
    Check("runtime-required", "error", runtimes.required),
    Check("runtime-here", "hint", runtimes.elsewhere),
    Check("architecture", "error", runtimes.architecture),
    Check("variables-reserved", "error", runtimes.reserved_variables),
    Check("variables-form", "error", runtimes.variable_names),
    Check("variables-size", "error", runtimes.variables_size),
    Check("variables-value", "error", runtimes.variable_values),
    Check("concurrency-zero", "error", runtimes.no_concurrency),
    Check("layers-count", "error", runtimes.layers),
    Check("snapstart-runtime", "error", runtimes.snapstart),
    Check("snapstart-version", "warning", runtimes.snapstart_version),
    Check("snapstart-unique", "warning", runtimes.snapstart_unique),
    Check("timeout-range", "error", doors.timeout_range),
    Check("timeout-door", "warning", doors.timeout),
    Check("timeout-default", "hint", doors.timeout_default),
    Check("timeout-integration", "error", doors.integration_timeout),
    Check("stream-runtime", "error", doors.stream_runtime),
    Check("stream-function-only", "error", doors.stream_function_only),
    Check("stream-door-only", "warning", doors.stream_url_only),
    Check("stream-rest-only", "error", doors.stream_rest_only),
    Check("stream-rest-uri", "error", doors.stream_rest_uri),
    Check("binary-media-types", "warning", doors.binary),
    Check("websocket-store", "error", doors.websocket_store),
    Check("websocket-store-local", "error", doors.websocket_store_local),
    Check("queue-visibility", "error", polls.visibility),
    Check("queue-visibility-short", "warning", polls.visibility_short),
    Check("queue-window", "error", polls.window),
    Check("partial-failures", "warning", polls.partial),
    Check("archive-handler", "error", archives.handler),
    Check("archive-unzipped", "error", archives.unzipped),
    Check("archive-zipped", "warning", archives.zipped),
    Check("bytecode-missing", "warning", archives.bytecode_missing),
    Check("bytecode-version", "warning", archives.bytecode_version),
    Check("bytecode-checked", "hint", archives.bytecode_checked),
    Check("native-architecture", "error", archives.native_architecture),
    Check("native-python", "error", archives.native_python),
    Check("memory-measured", "error", costs.memory),
    Check("memory-little", "warning", costs.memory_little),
    Check("init-long", "error", costs.init),
    Check("init-slow", "warning", costs.init_slow),
    Check("import-heavy", "hint", costs.imports),
)
"""All of them, in the order in which findings of a function are told."""

READ = "template"
"""The id of what could not be read."""


def run(facts: Facts) -> list[Finding]:
    """What is wrong with them."""
    found = [Finding(READ, "error", "", mistake, Place()) for mistake in facts.mistakes]
    for function in facts.functions:
        for check in CHECKS:
            found += [Finding(check.id, check.severity, function.name, *each) for each in check.look(function, facts)]
    return found
