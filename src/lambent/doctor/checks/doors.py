"""Front doors: times, streaming, binary bodies, WebSockets. Pure.

Source: "Quotas" of Amazon API Gateway, of Lambda and of Application Load Balancers.
"""

from __future__ import annotations

from collections.abc import Iterator

from lambent.doctor.model import SCRIPT, WRAPPER, Complaint, Complaints, Door, Facts, FunctionFacts

LONGEST = 900
"""Seconds that a function may run, which is also what a function URL waits."""


class Limit:
    """How long a door waits for a reply, in seconds.

    - `raised`: whether its owner may ask AWS for more
    """

    __slots__ = ("called", "raised", "seconds", "status")

    def __init__(self, called: str, seconds: float, status: int, *, raised: bool = False) -> None:
        self.called = called
        self.seconds = seconds
        self.status = status
        self.raised = raised


LIMITS = {
    "http": Limit("an HTTP API", 30, 503),
    "http1": Limit("an HTTP API", 30, 503),
    "rest": Limit("a REST API", 29, 504, raised=True),
    "websocket": Limit("a WebSocket API", 29, 504),
    "alb": Limit("a load balancer, unless its idle timeout is raised,", 60, 504, raised=True),
    "alb-multi": Limit("a load balancer, unless its idle timeout is raised,", 60, 504, raised=True),
    "lattice": Limit("VPC Lattice", 60, 504),
    "lattice1": Limit("VPC Lattice", 60, 504),
    "edge": Limit("Lambda@Edge", 30, 504),
    "edge-viewer": Limit("Lambda@Edge at the viewer", 5, 504),
}
"""By kind of door; a function URL waits as long as a function may run."""

STREAMING = ("url", "rest")
LOCAL = ("memory://", "sqlite:///tmp", "sqlite:////tmp")
"""Beginnings of URLs of stores that an environment has for itself."""


def timeout_range(function: FunctionFacts, _facts: Facts) -> Complaints:
    if not 1 <= function.timeout <= LONGEST:
        message = f"expected a Timeout from 1 to {LONGEST} seconds, but got {function.timeout:g}."
        yield Complaint(message, function.at("Timeout"))


def timeout(function: FunctionFacts, _facts: Facts) -> Complaints:
    """The door answers by itself, and the function goes on, and is billed."""
    for door in function.doors:
        limit = LIMITS.get(door.kind)
        if limit is None or (door.streams and door.kind == "rest"):
            continue
        seconds = door.timeout or limit.seconds
        if function.timeout > seconds:
            message = (
                f"expected a Timeout of {seconds:g} seconds at most behind {door.name}, but got {function.timeout:g}: "
                f"{limit.called} waits {seconds:g} s, then answers {limit.status} while the function runs on."
            )
            yield Complaint(message, function.at("Timeout"))


def timeout_default(function: FunctionFacts, _facts: Facts) -> Complaints:
    if function.doors and function.said and "Timeout" not in function.said:
        message = f"no Timeout is said, so it is {function.timeout:g} seconds. Say one, such as 29 behind an API."
        yield Complaint(message, function.place)


def integration_timeout(function: FunctionFacts, _facts: Facts) -> Complaints:
    for door in function.doors:
        limit = LIMITS.get(door.kind)
        if limit and door.timeout and door.timeout > limit.seconds and not limit.raised:
            message = (
                f"expected {limit.seconds:g} seconds at most, but got {door.timeout:g}: {limit.called} takes no more."
            )
            yield Complaint(message, door.place)


# Streaming: the function, its runtime and the door must agree


def stream_runtime(function: FunctionFacts, _facts: Facts) -> Complaints:
    """AWS's client for Python cannot stream: `Lambent` refuses to start there."""
    if function.streams and function.client == "aws":
        message = (
            f"streaming is asked for, but AWS's Python runtime cannot stream: the init fails. Set "
            f"{WRAPPER}=/var/task/{SCRIPT}."
        )
        yield Complaint(message, function.at("Environment.LAMBENT_STREAM"))


def stream_function_only(function: FunctionFacts, _facts: Facts) -> Complaints:
    """Status and headers arrive as text in front of the body."""
    if not function.streams:
        return
    able = [door for door in function.doors if door.kind in STREAMING]
    for door in able:
        if not door.streams:
            setting = (
                "InvokeMode: RESPONSE_STREAM"
                if door.kind == "url"
                else "ResponseTransferMode: STREAM (SAM: RESPONSE_STREAM)"
            )
            message = (
                f"the function streams, but {door.name} is not set to: status and headers would be text in front of "
                f"the body. Set {setting}, or leave streaming out of the function."
            )
            yield Complaint(message, door.place)
    if function.doors and not able:
        kinds = ", ".join(sorted({door.kind for door in function.doors}))
        message = f"the function streams, but none of its doors can: {kinds}. Put a Function URL or a REST API there."
        yield Complaint(message, function.at("Environment.LAMBENT_STREAM"))


def unmatched(function: FunctionFacts, kind: str) -> Iterator[Door]:
    """Doors that stream in front of a function that is known not to."""
    if function.streams or function.is_streamed_by_hand:
        return
    measured = function.measured
    told = measured is not None and not measured.error and measured.kind in ("lambent", "application")
    if told or function.client == "aws":
        yield from (door for door in function.doors if door.kind == kind and door.streams)


def stream_url_only(function: FunctionFacts, _facts: Facts) -> Complaints:
    """A URL passes on what is whole: it works, within 6 MB, and nothing comes sooner."""
    for door in unmatched(function, "url"):
        message = (
            f"{door.name} is set to stream, but the function is not: replies come whole, 6 MB at most. Set "
            f"LAMBENT_STREAM=1 on Lambent's runtime, or InvokeMode: BUFFERED."
        )
        yield Complaint(message, door.place)


def stream_rest_only(function: FunctionFacts, _facts: Facts) -> Complaints:
    """A REST API refuses what has no prelude."""
    for door in unmatched(function, "rest"):
        message = (
            f"{door.name} is set to stream, but the function is not: each reply would be refused. Set LAMBENT_STREAM=1 "
            "on Lambent's runtime, or leave ResponseTransferMode out."
        )
        yield Complaint(message, door.place)


def stream_rest_uri(function: FunctionFacts, _facts: Facts) -> Complaints:
    for door in function.doors:
        if door.streaming_uri is not None and door.streaming_uri != door.streams:
            came = "is BUFFERED, but the URI is" if door.streaming_uri else "is STREAM, but the URI is not"
            message = (
                f"expected ResponseTransferMode: STREAM and a URI of …/2021-11-15/functions/…/"
                f"response-streaming-invocations, or neither. The mode {came} that one."
            )
            yield Complaint(message, door.place)


def binary(function: FunctionFacts, _facts: Facts) -> Complaints:
    """A REST API hands on base64 as it is, unless it knows the type as binary."""
    for door in function.doors:
        if door.kind == "rest" and door.binary == ():
            message = (
                f"{door.name} has no BinaryMediaTypes: images, archives and compressed bodies would arrive as base64, "
                'both ways. Set BinaryMediaTypes: ["*/*"].'
            )
            yield Complaint(message, door.place)


def websocket_store(function: FunctionFacts, _facts: Facts) -> Complaints:
    """Connections outlive environments."""
    measured = function.measured
    for door in function.doors:
        if door.kind == "websocket" and measured and measured.kind in ("lambent", "application"):
            if function.store is None:
                message = (
                    f"{door.name} needs a store that environments share, but there is none. Set LAMBENT_STORE, such as "
                    "dynamodb://connections, and make its table: lambent stores init."
                )
                yield Complaint(message, door.place)
            return


def websocket_store_local(function: FunctionFacts, _facts: Facts) -> Complaints:
    store = function.store or ""
    if store.startswith(LOCAL) and any(door.kind == "websocket" for door in function.doors):
        message = (
            f"expected a store that environments share, but got {store.partition('?')[0]}, which each of them has for "
            "itself: the next message finds no connection. Take dynamodb:// or another."
        )
        yield Complaint(message, function.at("Environment.LAMBENT_STORE"))
