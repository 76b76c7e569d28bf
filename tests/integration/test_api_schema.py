"""What an OpenAPI document says, held against its application: schemathesis makes requests that fit, and that do not.

Whatever is asked, the response must be one that the document has. What fits must be taken, what does not be refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from openapi_spec_validator import validate
from schemathesis.checks import CheckFunction
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from examples.api.src.items import streams
from examples.api.src.items.app import api as items
from lambent.api import Api
from tests.integration.broad_api import api as broad

Case = schemathesis.Case[Any]
TOKEN = "a-token-for-this-machine"
BOUNDED = settings(max_examples=8, derandomize=True, database=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module", autouse=True)
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("API_TOKEN", TOKEN)
        patch.setenv("ITEMS_FILE", str(tmp_path_factory.mktemp("items") / "items.sqlite3"))
        patch.setattr(streams, "PAUSE", 60)  # then nothing is waited for
        yield


def loaded(api: Api) -> Any:
    schema = schemathesis.openapi.from_dict(api.openapi(), config=SchemathesisConfig())
    schema.app = api
    return schema


ITEMS = loaded(items)
BROAD = loaded(broad)


def whole(value: Any) -> Any:
    """With 5 for 5.0. JSON Schema calls both integers; msgspec takes only the first, and we from 2**53 on."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {key: whole(each) for key, each in value.items()}
    return [whole(each) for each in value] if isinstance(value, list) else value


def excluded(case: Case) -> list[CheckFunction]:
    """What a document has no words for."""
    if case.path.endswith("/picture"):
        return [positive_data_acceptance]  # that the part is a picture
    if case.media_type == "multipart/form-data" or "lax" in (case.operation.tags or ()):
        return [negative_data_rejection]  # that all that is sent is text, and what pydantic takes for a number
    return []


def ask(case: Case) -> None:
    body = whole(case.body)
    if case.media_type == "application/json" and repr(body) != repr(case.body):
        case.body = body
    case.call_and_validate(excluded_checks=excluded(case))


@ITEMS.auth()
class Authenticated:
    """With the token, but for the requests that are to be refused without one."""

    def get(self, _case: Case, _context: schemathesis.AuthContext) -> str:
        return f"Bearer {TOKEN}"

    def set(self, case: Case, data: str, _context: schemathesis.AuthContext) -> None:
        case.headers["authorization"] = data


def asked(schema: Any) -> Callable[..., None]:
    """A test for each of its routes."""

    def test(case: Case) -> None:
        ask(case)

    tests: Callable[..., None] = schema.parametrize()(BOUNDED(test))
    return tests


test_the_example_is_as_its_document_says = asked(ITEMS)
test_annotations_of_all_kinds_are_as_the_document_says = asked(BROAD)


@pytest.mark.parametrize("api", [items, broad], ids=["items", "broad"])
def test_the_documents_are_some(api: Api) -> None:
    validate(api.openapi())
