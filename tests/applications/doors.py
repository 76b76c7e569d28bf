"""What the front doors change in a request and in a reply, as far as an application or a client can tell.

A door is not asked for what it cannot give: uvicorn is asked what the door lets through, and of its answer is expected
what the door makes of a reply. Everything that is in none of these tables must be the same, byte for byte.
"""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote, unquote

from tests.applications.asking import Answer, Question, decoded, encoded

# In a request

Change = Callable[[Question], Question]


def path_decoded(question: Question) -> Question:
    """The event has the path decoded: `%2F` is a slash from there on."""
    path, mark, query = question.target.partition("?")
    return question._replace(target=quote(unquote(path), safe="/!$&'()*+,;=:@-._~") + mark + query)


def query_decoded(question: Question) -> Question:
    """The event has parameters decoded, by name: `+` is `%20` from there on, `flag` is `flag=`."""
    return _query(question, lambda text: encoded(decoded(text)), lambda values: values)


def query_by_name(question: Question) -> Question:
    """The event has parameters as they were sent, but by name: `flag` is `flag=`."""
    return _query(question, str, lambda values: values)


def query_last(question: Question) -> Question:
    """The event has one value of each parameter, the last."""
    return _query(question, str, lambda values: values[-1:])


def headers_joined(question: Question) -> Question:
    """The event has one value of each field: repeated ones joined by a comma."""
    return _headers(question, lambda values: [",".join(values)])


def headers_last(question: Question) -> Question:
    """The event has one value of each field: of repeated ones the last."""
    return _headers(question, lambda values: values[-1:])


REQUEST: dict[str, tuple[Change, ...]] = {
    "url": (headers_joined,),
    "http": (path_decoded, headers_joined),
    "http1": (query_decoded,),
    "rest": (query_decoded,),
    "alb": (query_last, headers_last),
    "alb-multi": (query_by_name,),
    "lattice1": (headers_joined,),
    "lattice": (),
    "edge": (),
    "edge-viewer": (),
}


def delivered(door: str, question: Question) -> Question:
    """The request that is left of `question` behind the door."""
    for change in REQUEST[door]:
        question = change(question)
    return question


def _query(question: Question, write: Callable[[str], str], keep: Callable[[list[str]], list[str]]) -> Question:
    path, mark, query = question.target.partition("?")
    values: dict[str, list[str]] = {}
    for pair in filter(None, query.split("&")):
        name, _, value = pair.partition("=")
        values.setdefault(write(name), []).append(write(value))
    pairs = [f"{name}={value}" for name, each in values.items() for value in keep(each)]
    return question._replace(target=path + mark + "&".join(pairs))


def _headers(question: Question, keep: Callable[[list[str]], list[str]]) -> Question:
    values: dict[str, list[str]] = {}
    for name, value in question.headers:
        values.setdefault(name, []).append(value)
    return question._replace(headers=tuple((name, value) for name, each in values.items() for value in keep(each)))


# In a reply

SERVER = frozenset({"date", "server", "connection", "keep-alive", "transfer-encoding"})
"""A server speaks of itself and of its connection; behind Lambda the door has both."""

STAMPS: dict[str, frozenset[str]] = {
    "url": frozenset({"x-amzn-requestid", "x-amzn-trace-id"}),
    "http": frozenset({"apigw-requestid"}),
    "http1": frozenset({"apigw-requestid"}),
    "rest": frozenset({"x-amzn-requestid", "x-amz-apigw-id", "x-amzn-trace-id"}),
    "alb": frozenset(),
    "alb-multi": frozenset(),
    "lattice1": frozenset(),
    "lattice": frozenset(),
    "edge": frozenset({"x-cache", "x-amz-cf-id"}),
    "edge-viewer": frozenset({"x-cache", "x-amz-cf-id"}),
}
"""What a door adds to each reply."""

DEFAULT_TYPES = {
    "url": "application/json",
    "http": "text/plain; charset=utf-8",
    "http1": "text/plain; charset=utf-8",
    "rest": "application/json",
    "alb": "application/octet-stream",
    "alb-multi": "application/octet-stream",
    "lattice1": "application/json",
    "lattice": "application/json",
}
"""What a door says of a reply without a content type. CloudFront says nothing."""

ONE_VALUE = frozenset({"url", "http", "alb", "lattice1", "lattice"})
"""A reply has one value for a field, so repeated ones are joined. Set-Cookie is never joined."""

RENAMED = {"rest": {"www-authenticate": "x-amzn-remapped-www-authenticate"}}
"""Fields that an integration may not set, and what they are called instead."""

REPEATED = {"rest": {"content-length": "x-amzn-remapped-content-length"}}
"""Fields that the door sets itself, and what it calls the integration's."""

UNCOUNTED = frozenset({"edge", "edge-viewer"})
"""CloudFront takes no content-length from a function."""


def returned(door: str, answer: Answer) -> Answer:
    """The application's answer as it leaves the door: with the content-length that the application declared, if any."""
    renamed = RENAMED.get(door, {})
    headers = {renamed.get(name, name): values for name, values in answer.headers.items() if name not in SERVER}
    if door in ONE_VALUE:
        headers = {name: values if name == "set-cookie" else [", ".join(values)] for name, values in headers.items()}
    if door in DEFAULT_TYPES:
        headers.setdefault("content-type", [DEFAULT_TYPES[door]])
    for name, other in REPEATED.get(door, {}).items():
        if name in headers:
            headers[other] = headers[name]
    if door in UNCOUNTED:
        headers.pop("content-length", None)
    return ordered(answer._replace(headers=headers))


def counted(answer: Answer) -> Answer:
    """The answer with the content-length that the local Lambda's server writes: of what it sends."""
    headers = {name: values for name, values in answer.headers.items() if name != "content-length"}
    if answer.status not in (204, 304):
        headers["content-length"] = [str(len(answer.body))]
    return answer._replace(headers=headers)


def ordered(answer: Answer) -> Answer:
    """The answer with the methods of Allow in order: frameworks keep them in sets, which each process orders anew."""
    headers = dict(answer.headers)
    if "allow" in headers:
        headers["allow"] = sorted(method.strip() for value in headers["allow"] for method in value.split(","))
    return answer._replace(headers=headers)


def unstamped(door: str, answer: Answer) -> Answer:
    """What came out of a door, without what it says for itself. Each of its stamps must be there."""
    assert answer.headers.keys() >= STAMPS[door], f"{door} does not say {STAMPS[door] - answer.headers.keys()}"
    ignored = STAMPS[door] | SERVER
    return ordered(
        answer._replace(headers={name: each for name, each in answer.headers.items() if name not in ignored})
    )
