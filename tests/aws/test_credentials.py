"""Credentials and region, from wherever they are: the same that botocore finds."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import botocore.session
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lambent.aws.credentials import EARLY, Provider, region
from lambent.aws.signature import Credentials
from lambent.errors import ConfigurationError, LambentError, ServiceError
from tests.support.aws_service import Service
from tests.support.runtime_api import HANG_UP, Answer, answer

NOW = 1_795_000_000.0


def get(environ: dict[str, str]) -> Credentials:
    return asyncio.run(Provider(environ).get())


def home(folder: Path, credentials: str = "", config: str = "") -> dict[str, str]:
    """An environment with these files in its home."""
    (folder / ".aws").mkdir(exist_ok=True)
    for name, text in {"credentials": credentials, "config": config}.items():
        if text:
            (folder / ".aws" / name).write_text(text, "utf-8")
    return {"HOME": str(folder)}


# As botocore


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """One that gives out credentials to whoever comes with the token."""

    class Giver(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            given = self.headers.get("authorization") == "let me in" and self.path == "/v1/credentials?id=a"
            keys = {"AccessKeyId": "CONTAINER", "SecretAccessKey": "cs", "Token": "ct", "Expiration": STAMP}
            body = json.dumps(keys).encode()
            self.send_response(200 if given else 403)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: object) -> None:
            """Nothing is to be seen."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Giver) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/v1/credentials?id=a"
        server.shutdown()
        thread.join()


STAMP = "2199-01-02T03:04:05Z"

NAMES = ["default", "other", "with space"]
some = st.sampled_from
sections = st.dictionaries(
    some(NAMES),
    st.fixed_dictionaries(
        {},
        optional={
            "aws_access_key_id": some(["FILE1", "FILE2"]),
            "aws_secret_access_key": some(["s1", "s/2+="]),
            "aws_session_token": some(["t1"]),
            "aws_security_token": some(["t2"]),
            "region": some(["eu-west-1", "us-gov-west-1"]),
            "output": some(["json"]),
            "s3": some(["\n  addressing_style = path"]),
        },
    ),
    max_size=3,
)
environments = st.fixed_dictionaries(
    {},
    optional={
        "AWS_ACCESS_KEY_ID": some(["ENV", ""]),
        "AWS_SECRET_ACCESS_KEY": some(["es", ""]),
        "AWS_SESSION_TOKEN": some(["et"]),
        "AWS_SECURITY_TOKEN": some(["older"]),
        "AWS_PROFILE": some(["other", "with space", "nowhere", "default"]),
        "AWS_DEFAULT_PROFILE": some(["other"]),
        "AWS_DEFAULT_REGION": some(["ap-south-1"]),
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": some(["ENDPOINT"]),
    },
)


def written(sections: dict[str, dict[str, str]], *, config: bool) -> str:
    def heading(name: str) -> str:
        return name if name == "default" or not config else f"profile '{name}'"

    return "".join(
        f"[{heading(name)}]\n" + "".join(f"{key} = {value}\n" for key, value in values.items())
        for name, values in sections.items()
    )


def theirs(find: Callable[[Any], Any]) -> Any:
    """What botocore makes of the process's environment; None if it has an error, or finds nothing."""
    try:
        found = find(botocore.session.Session())
    except Exception:
        return None
    return found


def ours(find: Callable[[], Any]) -> Any:
    try:
        return find()
    except LambentError:
        return None


@settings(max_examples=60)
@given(environments, sections, sections)
def test_what_is_found_is_what_botocore_finds(
    endpoint: str, environ: dict[str, str], credentials: dict[str, Any], config: dict[str, Any]
) -> None:
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            patch.delenv(name)
        files = home(Path(folder), written(credentials, config=False), written(config, config=True))
        seen = {**files, "AWS_EC2_METADATA_DISABLED": "true", "AWS_CONTAINER_AUTHORIZATION_TOKEN": "let me in"}
        seen |= {name: value.replace("ENDPOINT", endpoint) for name, value in environ.items()}
        for name, value in seen.items():
            patch.setenv(name, value)

        with nobody_asks_the_profile(environ, "AWS_ACCESS_KEY_ID"):
            found = theirs(lambda session: session.get_credentials().get_frozen_credentials())
        expected = found and (found.access_key, found.secret_key, found.token or "")
        assert ours(lambda: get(seen)[:3]) == expected
        with nobody_asks_the_profile(environ, "AWS_DEFAULT_REGION"):
            assert ours(lambda: region(seen)) == theirs(lambda session: session.get_config_variable("region"))


@contextmanager
def nobody_asks_the_profile(environ: dict[str, str], variable: str) -> Iterator[None]:
    """The one difference: botocore insists on the profile that is named, also if nothing is asked of it."""
    with pytest.MonkeyPatch.context() as patch:
        if environ.get(variable):
            patch.delenv("AWS_PROFILE", raising=False)
            patch.delenv("AWS_DEFAULT_PROFILE", raising=False)
        yield


# One by one


def test_a_functions_own_are_found() -> None:
    environ = {"AWS_ACCESS_KEY_ID": "A", "AWS_SECRET_ACCESS_KEY": "s", "AWS_SESSION_TOKEN": "t"}
    assert get(environ) == ("A", "s", "t", None)


def test_a_key_without_its_secret_is_named() -> None:
    with pytest.raises(ConfigurationError, match=r"AWS_SECRET_ACCESS_KEY beside .* it is not set: set both"):
        get({"AWS_ACCESS_KEY_ID": "A"})


def test_files_can_be_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "secrets").write_text("[work]\naws_access_key_id=A\naws_secret_access_key=s\n")
    (tmp_path / "settings").write_text("[profile work]\nregion=eu-north-1\n")
    environ = {
        "AWS_PROFILE": "work",
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "secrets"),
        "AWS_CONFIG_FILE": str(tmp_path / "settings"),
    }
    assert get(environ) == ("A", "s", "", None)
    assert region(environ) == "eu-north-1"


@pytest.mark.parametrize(
    "line",
    ["role_arn = arn:aws:iam::1:role/r", "sso_account_id = 1", "credential_process = cat", "login_session = arn:aws:a"],
)
def test_what_is_not_followed_is_named(tmp_path: Path, line: str) -> None:
    environ = {**home(tmp_path, config=f"[profile a]\n{line}\n"), "AWS_PROFILE": "a"}
    with pytest.raises(ConfigurationError, match=r"'a' gets its credentials from elsewhere") as caught:
        get(environ)
    assert f"`{line.split(maxsplit=1)[0]}`" in str(caught.value)
    assert 'eval "$(aws configure export-credentials --format env --profile a)"' in str(caught.value)


@pytest.mark.parametrize(("line", "found"), [("credential_process = cat", True), ("role_arn = a", False)])
def test_keys_come_before_a_program_and_after_a_role(tmp_path: Path, line: str, found: bool) -> None:
    """As in botocore."""
    keys = "[default]\naws_access_key_id = A\naws_secret_access_key = s\n"
    environ = home(tmp_path, keys, f"[default]\n{line}\n")
    assert bool(ours(lambda: get(environ))) is found


def test_a_web_identity_is_named() -> None:
    with pytest.raises(ConfigurationError, match=r"AWS_WEB_IDENTITY_TOKEN_FILE is set.*On EKS, Pod Identity"):
        get({"AWS_WEB_IDENTITY_TOKEN_FILE": "/token", "HOME": "/nowhere"})


def test_nothing_found_tells_where_was_looked(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        get(home(tmp_path))
    said = str(caught.value)
    for place in ("AWS_ACCESS_KEY_ID", f"{tmp_path}/.aws/credentials", f"{tmp_path}/.aws/config", "'default'"):
        assert place in said
    for place in ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "export-credentials"):
        assert place in said


def test_what_was_not_found_is_looked_for_again(tmp_path: Path) -> None:
    provider = Provider(home(tmp_path))
    with pytest.raises(ConfigurationError):
        asyncio.run(provider.get())
    home(tmp_path, "[default]\naws_access_key_id = A\naws_secret_access_key = s\n")
    assert asyncio.run(provider.get()).access_key == "A"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("aws_secret_access_key = hidden", "MissingSectionHeaderError in line 1"),
        ("[default]\nhidden", "ParsingError in line 2"),
        ("[default]\na = hidden\na = hidden", "DuplicateOptionError in line 3"),
        ("[default]\naws_access_key_id = A", "no aws_secret_access_key"),
    ],
)
def test_a_file_that_cannot_be_read_is_named_and_not_shown(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        get(home(tmp_path, text))
    assert words in str(caught.value)
    assert "hidden" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_profile_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"neither has one called 'typo'.*list-profiles"):
        get({**home(tmp_path, "[work]\n"), "AWS_PROFILE": "typo"})


def test_a_region_that_is_not_there_is_asked_for(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"AWS_REGION, AWS_DEFAULT_REGION or the `region`.*Set AWS_REGION"):
        region(home(tmp_path))
    assert region({"AWS_REGION": "a", "AWS_DEFAULT_REGION": "b"}) == "a"


# From an endpoint


def keys(number: int, expires: float | None) -> Answer:
    stamp = {} if expires is None else {"Expiration": datetime.fromtimestamp(expires, UTC).isoformat()}
    told = {"AccessKeyId": f"A{number}", "SecretAccessKey": "s", "Token": "t", **stamp}
    return answer(200, json.dumps(told).encode())


class Clock:
    """A clock that is set, and sleep that takes no time."""

    def __init__(self) -> None:
        self.time = NOW
        self.pauses: list[float] = []

    def now(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)

    def provider(self, environ: dict[str, str]) -> Provider:
        return Provider({"HOME": "/nowhere", **environ}, now=self.now, sleep=self.sleep)


def at(service: Service, **more: str) -> dict[str, str]:
    return {"AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{service.url}/v1/a?b=c", **more}


def play(scenario: Callable[[Clock], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(scenario(Clock()))


def test_they_are_fetched_once_and_anew_before_they_expire() -> None:
    async def scenario(clock: Clock) -> None:
        async with Service(keys(1, NOW + 3600), keys(2, NOW + 9999)) as service:
            provider = clock.provider(at(service, AWS_CONTAINER_AUTHORIZATION_TOKEN="let me in"))
            assert await asyncio.gather(*(provider.get() for _ in range(20))) == [("A1", "s", "t", NOW + 3600)] * 20
            clock.time = NOW + 3600 - EARLY - 1
            assert (await provider.get()).access_key == "A1"
            clock.time += 1
            assert {each.access_key for each in await asyncio.gather(*(provider.get() for _ in range(20)))} == {"A2"}
            provider.close()
        assert [(call.method, call.path) for call in service.calls] == [("GET", "/v1/a?b=c")] * 2
        assert service.calls[0].headers["authorization"] == "let me in"

    play(scenario)


def test_those_without_an_end_are_kept() -> None:
    async def scenario(clock: Clock) -> None:
        async with Service(keys(1, None)) as service:
            provider = clock.provider(at(service))
            for _ in range(3):
                assert (await provider.get()).access_key == "A1"
                clock.time += 1e9
            provider.close()
        assert "authorization" not in service.calls[0].headers
        assert len(service.calls) == 1

    play(scenario)


def test_those_that_do_not_last_are_not_asked_for_at_each_request() -> None:
    async def scenario(clock: Clock) -> None:
        async with Service(keys(1, NOW + 60), keys(2, NOW + 120)) as service:
            provider = clock.provider(at(service))
            for name in ("A1", "A1", "A2"):
                assert (await provider.get()).access_key == name
                clock.time += 29
            provider.close()
        assert len(service.calls) == 2

    play(scenario)


def test_another_loop_can_ask_too() -> None:
    clock = Clock()

    async def scenario(provider: Provider) -> Credentials:
        found, *_ = await asyncio.gather(provider.get(), provider.get())
        return found

    async def serve() -> None:
        async with Service(keys(1, NOW + 60), keys(2, NOW + 9999)) as service:
            provider = clock.provider(at(service))
            assert (await asyncio.to_thread(asyncio.run, scenario(provider))).access_key == "A1"
            clock.time += 61
            assert (await asyncio.to_thread(asyncio.run, scenario(provider))).access_key == "A2"
            provider.close()

    asyncio.run(serve())


def test_an_endpoint_that_fails_is_asked_three_times() -> None:
    async def scenario(clock: Clock) -> None:
        async with Service(HANG_UP, answer(500), keys(1, NOW + 3600)) as service:
            provider = clock.provider(at(service))
            assert (await provider.get()).access_key == "A1"
            provider.close()
        assert len(clock.pauses) == 2

    play(scenario)


@pytest.mark.parametrize(
    ("step", "status", "words"),
    [
        (answer(403, b'{"code": "AccessDenied", "secret": "hidden"}'), 403, "does not: it answers 403 AccessDenied"),
        (HANG_UP, 0, "closed the connection without an answer"),
        (answer(200, b"hidden"), 200, "cannot be read (JSONDecodeError)"),
        (answer(200, b'{"AccessKeyId": "hidden"}'), 200, "cannot be read (KeyError)"),
        (answer(200, b'["hidden"]'), 200, "cannot be read (AttributeError)"),
    ],
)
def test_an_endpoint_that_does_not_give_them_is_named(step: Answer, status: int, words: str) -> None:
    async def scenario(clock: Clock) -> None:
        async with Service(step, step, step) as service:
            provider = clock.provider(at(service))
            with pytest.raises(ServiceError) as caught:
                await provider.get()
            provider.close()
        assert words in str(caught.value)
        assert "hidden" not in str(caught.value)
        assert caught.value.status == status

    play(scenario)


def test_those_of_before_are_used_while_the_endpoint_fails(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario(clock: Clock) -> None:
        down = answer(500)
        async with Service(keys(1, NOW + 1000), down, down, down, keys(2, NOW + 9999), *[down] * 3) as service:
            provider = clock.provider(at(service))
            for passed, name in ((0, "A1"), (500, "A1"), (1, "A1"), (30, "A2")):
                clock.time += passed
                assert (await provider.get()).access_key == name
            clock.time = NOW + 10_000
            with pytest.raises(ServiceError, match="it answers 500"):
                await provider.get()
            provider.close()

    with caplog.at_level(logging.WARNING, "lambent"):
        play(scenario)
    (record,) = caplog.records
    assert record.getMessage().endswith("Those of before are used until they expire.")


def test_those_that_have_expired_meanwhile_are_not_given_out() -> None:
    """However soon after the failure, or after they came, that was."""

    async def scenario(clock: Clock) -> None:
        down = answer(500)
        async with Service(keys(1, NOW + 1000), down, down, down, keys(2, NOW + 1010), keys(3, NOW + 9999)) as service:
            provider = clock.provider(at(service))
            for passed, name in ((0, "A1"), (995, "A1"), (1000, "A2"), (1009, "A2"), (1010, "A3")):
                clock.time = NOW + passed
                assert (await provider.get()).access_key == name
            provider.close()

    play(scenario)


def test_those_that_have_expired_when_they_come_are_not_asked_for_at_each_request() -> None:
    """The clock of this machine may be wrong."""

    async def scenario(clock: Clock) -> None:
        async with Service(keys(1, NOW - 1)) as service:
            provider = clock.provider(at(service))
            for _ in range(3):
                assert (await provider.get()).access_key == "A1"
            provider.close()
        assert len(service.calls) == 1

    play(scenario)


def test_the_token_may_be_in_a_file_that_changes(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("first")

    async def scenario(clock: Clock) -> None:
        async with Service(keys(1, NOW + 60), keys(2, NOW + 999)) as service:
            both = at(service, AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=str(token), AWS_CONTAINER_AUTHORIZATION_TOKEN="x")
            provider = clock.provider(both)
            await provider.get()
            token.write_text("second")
            clock.time += 61
            await provider.get()
            provider.close()
        assert [call.headers["authorization"] for call in service.calls] == ["first", "second"]

    play(scenario)


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://evil.example/"}, "but its host is 'evil.example'"),
        ({"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.evil.example/"}, "but its host is '127.evil.example'"),
        ({"AWS_CONTAINER_CREDENTIALS_FULL_URI": "ftp://localhost/"}, "http://HOST or https://HOST"),
        (
            {
                "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://localhost/",
                "AWS_CONTAINER_AUTHORIZATION_TOKEN": "hidden\r\nx-a: b",
            },
            "Expected what AWS_CONTAINER_AUTHORIZATION_TOKEN gives to be one line",
        ),
        (
            {
                "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://localhost/",
                "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "/nowhere/token",
            },
            "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE is /nowhere/token, which cannot be read",
        ),
    ],
)
def test_an_endpoint_that_must_not_be_asked_is_named(environ: dict[str, str], words: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        get({"HOME": "/nowhere", **environ})
    assert words in str(caught.value)
    assert "hidden" not in str(caught.value)
