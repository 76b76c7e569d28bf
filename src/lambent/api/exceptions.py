"""What a route raises to answer otherwise than by what it returns."""

from __future__ import annotations

from lambent.errors import LambentError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from lambent.api.model import Problem


class HTTPException(LambentError):
    """The request is answered with this status.

    - `detail`: for the client, as `{"detail": ...}`: anything that JSON has. None: the status in words
    - `headers`: of the response: a mapping, or pairs where a field is repeated
    - `error_detail`: for the access log only
    """

    def __init__(
        self,
        status_code: int,
        detail: object = None,
        headers: Mapping[str, str] | Iterable[tuple[str, str]] | None = None,
        *,
        error_detail: str | None = None,
    ) -> None:
        super().__init__(status_code, detail)
        self.status_code = status_code
        self.detail = phrase(status_code) if detail is None else detail
        self.headers = _kept(headers or {})
        self.error_detail = error_detail

    def __str__(self) -> str:
        return f"{self.status_code}: {self.error_detail or self.detail}"


class RequestInvalid(HTTPException):
    """What came is not what the route's parameters say: 422, with each place, and never with what came there."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(422, [each.told() for each in problems])
        self.problems = list(problems)
        self.error_detail = "; ".join(map(str, problems))[:1000]


def _kept(headers: Mapping[str, str] | Iterable[tuple[str, str]]) -> dict[str, str] | list[tuple[str, str]]:
    """A dict, unless that would lose a field."""
    if hasattr(headers, "keys"):
        return dict(headers)
    pairs = list(headers)
    fields = dict(pairs)
    return fields if len({name.lower() for name in fields}) == len(pairs) else pairs


def phrase(status_code: int) -> str:
    """`Not Found`"""
    from http import HTTPStatus

    try:
        return HTTPStatus(status_code).phrase
    except ValueError:
        return "Error" if status_code >= 400 else "OK"
