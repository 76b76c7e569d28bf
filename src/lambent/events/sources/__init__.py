"""The sources of events, and which of them an event comes from. Pure; each is imported with its first event.

The first that matches takes the event. Each tells itself apart by one fact, kept here.
"""

from __future__ import annotations

from importlib import import_module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from lambent.events.model import Source
    from lambent.types import Event


class Kind:
    """A source by its name, and the fact that tells its events."""

    __slots__ = ("_module", "_source", "matches", "name")

    _source: Source

    def __init__(self, name: str, matches: Callable[[dict[str, Event]], bool], module: str = "") -> None:
        self.name = name
        self.matches = matches
        self._module = module or name

    @property
    def source(self) -> Source:
        """Its module."""
        try:
            return self._source
        except AttributeError:
            module: Any = import_module(f"lambent.events.sources.{self._module}")
            self._source = module
            return self._source

    def __repr__(self) -> str:
        return f"<source {self.name}>"


def _of(*names: str) -> Callable[[dict[str, Event]], bool]:
    """Whether the first of `Records` has one of these as `eventSource`; SNS alone writes `EventSource`."""

    def matches(event: dict[str, Event]) -> bool:
        try:
            record = event["Records"][0]
            return record.get("eventSource", record.get("EventSource")) in names
        except (LookupError, TypeError, AttributeError):
            return False

    return matches


def _from(*names: str) -> Callable[[dict[str, Event]], bool]:
    """Whether the event itself has one of these as `eventSource`."""
    return lambda event: event.get("eventSource") in names


def _is_schedule(event: dict[str, Event]) -> bool:
    """A rule's `source` is `aws.events`, the Scheduler's `aws.scheduler`; both say `Scheduled Event`."""
    return event.get("detail-type") == "Scheduled Event" and event.get("source") in ("aws.events", "aws.scheduler")


def _is_bus_event(event: dict[str, Event]) -> bool:
    return "detail-type" in event and "source" in event and "detail" in event


def _is_destination(event: dict[str, Event]) -> bool:
    context = event.get("requestContext")
    return isinstance(context, dict) and "condition" in context and "functionArn" in context


def _is_authorizer(event: dict[str, Event]) -> bool:
    return event.get("type") in ("TOKEN", "REQUEST") and ("methodArn" in event or "routeArn" in event)


def _is_logs(event: dict[str, Event]) -> bool:
    logs = event.get("awslogs")
    return isinstance(logs, dict) and "data" in logs


KINDS: tuple[Kind, ...] = (
    Kind("sqs", _of("aws:sqs")),
    Kind("sns", _of("aws:sns")),
    Kind("s3", _of("aws:s3")),
    Kind("dynamodb", _of("aws:dynamodb")),
    Kind("kinesis", _of("aws:kinesis")),
    Kind("ses", _of("aws:ses")),
    Kind("kafka", _from("aws:kafka", "SelfManagedKafka")),
    Kind("mq", _from("aws:mq", "aws:amq")),
    Kind("rabbitmq", _from("aws:rmq")),
    Kind("schedule", _is_schedule),
    Kind("eventbridge", _is_bus_event),
    Kind("cognito", lambda event: "triggerSource" in event and "userPoolId" in event),
    Kind("logs", _is_logs),
    Kind("codepipeline", lambda event: "CodePipeline.job" in event),
    Kind("destination", _is_destination),
    Kind("authorizer", _is_authorizer),
)

INVOKE = Kind("invoke", lambda _: True)
"""Whatever else comes: from IoT rules, Step Functions, the Invoke API."""


_BY_NAME = {kind.name: kind for kind in (*KINDS, INVOKE)}


def named(name: str) -> Kind:
    """Return the source of this name. Raises LookupError."""
    return _BY_NAME[name]


def detect(event: Event) -> Kind:
    """Return the source of an event: INVOKE for what none of the others knows."""
    if isinstance(event, dict):
        for kind in KINDS:
            if kind.matches(event):
                return kind
    return INVOKE
