import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambent.dev.authorizers import claims

CLAIMS = {
    "sub": "ada",
    "exp": 1680633579,
    "auth_time": 1680629979,
    "email_verified": True,
    "cognito:groups": ["admins", "staff"],
    "address": {"city": "Ulm", "at": [1, 2]},
    "share": 0.5,
    "none": None,
}


def test_an_http_api_writes_lists_in_brackets() -> None:
    assert claims.of_http_api(CLAIMS) == {
        "sub": "ada",
        "exp": "1680633579",
        "auth_time": "1680629979",
        "email_verified": "true",
        "cognito:groups": "[admins staff]",
        "address": "map[at:[1 2] city:Ulm]",
        "share": "0.5",
        "none": "<nil>",
    }


def test_a_user_pool_writes_dates_and_commas() -> None:
    assert claims.of_user_pool(CLAIMS) == {
        "sub": "ada",
        "exp": "Tue Apr 04 18:39:39 UTC 2023",
        "auth_time": "1680629979",
        "email_verified": "true",
        "cognito:groups": "admins,staff",
        "address": '{"city":"Ulm","at":[1,2]}',
        "share": "0.5",
        "none": "null",
    }


@pytest.mark.parametrize("value", ["soon", 10**30, True, [1]])
def test_a_date_that_is_none_stays_what_it_is(value: object) -> None:
    assert isinstance(claims.of_user_pool({"exp": value})["exp"], str)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ({"scope": "a b"}, ["a", "b"]),
        ({"scp": ["a", "b"]}, ["a", "b"]),
        ({"scp": "a"}, ["a"]),
        ({"scope": 1}, []),
        ({}, []),
    ],
)
def test_scopes_are_words_or_a_list(found: dict[str, object], expected: list[str]) -> None:
    assert claims.scopes(found) == expected


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from(["exp", "iat", "sub", "x"]), JSON))
def test_whatever_a_token_claims_is_told_as_strings(found: dict[str, object]) -> None:
    for told in (claims.of_http_api(found), claims.of_user_pool(found)):
        assert told.keys() == found.keys()
        assert all(isinstance(value, str) for value in told.values())
        assert {n: v for n, v in told.items() if n == "sub" and isinstance(found[n], str)}.items() <= found.items()
    json.dumps(claims.of_http_api(found))
