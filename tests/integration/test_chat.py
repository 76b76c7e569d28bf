"""The chat example: its sockets through the local Lambda, its page in a browser, its template."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlencode

import boto3
import pytest
import yaml
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from examples.chat.src.chat.history import Message, SQLiteHistory
from tests.dev.local import LIMIT, Answer, LocalLambda
from tests.integration.newcomer import ROOT, free_port, tool, variables
from tests.stores.ministack import REGION, ministack
from tests.support.browser import Page, browser

EXAMPLE = ROOT / "examples" / "chat"
JSON = "application/json"


class Guest:
    """A client of the socket, in one room."""

    def __init__(self, local: LocalLambda, room: str, name: str) -> None:
        query = urlencode({"room": room, "name": name})
        self._socket = connect(f"ws://127.0.0.1:{local.port}/chat?{query}", open_timeout=LIMIT)

    def __enter__(self) -> Self:
        self._socket.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._socket.__exit__(kind, error, traceback)

    def send(self, message: object) -> None:
        self._socket.send(message if isinstance(message, str) else json.dumps(message))

    def hear(self) -> Any:
        """The next that comes."""
        return json.loads(self._socket.recv(timeout=LIMIT))

    def hears(self, kind: str, besides: str = "") -> Any:
        """The next that comes, which is of this kind; what is of another kind may come before it."""
        heard = self.hear()
        while heard["kind"] == besides:
            heard = self.hear()
        assert heard["kind"] == kind, heard
        return heard

    def texts(self, count: int) -> list[str]:
        return [self.hear()["text"] for _ in range(count)]


def copy(folder: Path) -> Path:
    """The example, without what somebody has left in it."""
    ignored = shutil.ignore_patterns("__pycache__", ".aws-sam", "history.sqlite3*", ".env")
    return Path(shutil.copytree(EXAMPLE, folder / "chat", ignore=ignored))


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy(tmp_path_factory.mktemp("example"))


@pytest.fixture(scope="module")
def local(example: Path) -> Iterator[LocalLambda]:
    """`lambent dev` in that folder, and nothing else said."""
    with LocalLambda(example) as running:
        yield running


def idle(local: LocalLambda) -> None:
    """Wait until each event has ended."""
    local.until(lambda: all(each["state"] != "busy" for each in local.status()["environments"]))


def welcomed(local: LocalLambda, guest: Guest, besides: str = "") -> Any:
    """What a guest is welcomed with, once the room has been told of it: who enters before that hears it too."""
    welcome = guest.hears("welcome", besides)
    idle(local)
    return welcome


def announce(local: LocalLambda, room: str, text: str) -> Answer:
    return local.ask("POST", f"/rooms/{room}/announce", json.dumps({"text": text}).encode(), content_type=JSON)


def test_who_is_in_a_room_hears_what_is_said_there(local: LocalLambda) -> None:
    with Guest(local, "kitchen", "Ada") as ada, Guest(local, "cellar", "Cyd") as cyd:
        assert welcomed(local, ada) == {"kind": "welcome", "history": [], "here": 1}
        with Guest(local, "kitchen", "Bob") as bob:
            assert welcomed(local, bob)["here"] == 2
            assert ada.hears("joined") == {"kind": "joined", "name": "Bob", "text": "", "here": 2}

            ada.send({"text": "Is there any soup left?"})
            heard = ada.hears("said")
            assert (heard["name"], heard["text"]) == ("Ada", "Is there any soup left?")
            assert bob.hear() == heard

            bob.send({"name": "Bea"})
            assert ada.hears("renamed") == {"kind": "renamed", "name": "Bob", "text": "Bea", "here": 2} == bob.hear()
            bob.send({"text": "Yes"})
            assert ada.hears("said")["name"] == "Bea" == bob.hear()["name"]
        assert ada.hears("left") == {"kind": "left", "name": "Bea", "text": "", "here": 1}

        welcomed(local, cyd)
        cyd.send({"text": "Echo?"})
        assert cyd.hears("said")["text"] == "Echo?"  # the first that the cellar hears


def test_an_announcement_by_http_reaches_the_sockets(local: LocalLambda) -> None:
    with Guest(local, "hall", "Ada") as ada, Guest(local, "hall", "Bob") as bob:
        for guest in (ada, bob):
            welcomed(local, guest, besides="joined")
        answer = announce(local, "hall", "Dinner")
        assert (answer.status, json.loads(answer.body)) == (201, {"sent": 2, "gone": 0, "failed": 0})
        assert [guest.hears("announced", besides="joined")["text"] for guest in (ada, bob)] == ["Dinner"] * 2
    assert announce(local, "Hall", "Dinner").status == 422


def test_who_comes_back_gets_the_last_fifty_messages(local: LocalLambda) -> None:
    with Guest(local, "library", "Ada") as ada:
        ada.hears("welcome")
        for number in range(52):
            ada.send({"text": f"page {number}"})
            assert ada.hears("said")["text"] == f"page {number}"
    with Guest(local, "library", "Ada") as ada:
        history = ada.hears("welcome", besides="left")["history"]  # that she has gone may be told when she is back
        assert [message["text"] for message in history] == [f"page {number}" for number in range(2, 52)]
        ada.send({"text": "page 52"})
        assert ada.hears("said", besides="left")["id"] > history[-1]["id"]


def test_a_room_is_one_over_several_environments(local: LocalLambda) -> None:
    guests, rounds = 4, 5
    with ExitStack() as stack:
        everybody: list[Guest] = []
        for number in range(guests):
            guest = stack.enter_context(Guest(local, "yard", f"guest {number}"))
            welcomed(local, guest)
            for other in everybody:
                other.hears("joined")
            everybody.append(guest)
        for number in range(rounds):
            for place, guest in enumerate(everybody):
                guest.send({"text": f"{place}.{number}"})
        with ThreadPoolExecutor(guests) as threads:
            heard = list(threads.map(lambda guest: guest.texts(guests * rounds), everybody))
    everything = sorted(f"{place}.{number}" for place in range(guests) for number in range(rounds))
    assert [sorted(texts) for texts in heard] == [everything] * guests
    assert len(local.status()["environments"]) > 1


def test_what_is_wrong_is_refused(local: LocalLambda) -> None:
    for room, name in [("kitchen", ""), ("The Kitchen", "Ada"), ("kitchen", "a" * 41)]:
        with pytest.raises(InvalidStatus) as refused:
            Guest(local, room, name)
        assert refused.value.response.status_code == 403
    with Guest(local, "attic", "Ada") as ada:
        ada.hears("welcome")
        for wrong in ("no JSON", {"text": ""}, {"text": "a" * 4001}, {"name": 7}):
            ada.send(wrong)
            assert ada.hears("refused")["text"]
        ada.send({})  # a sign of life
        ada.send({"text": "Still here"})
        assert ada.hears("said")["text"] == "Still here"


def test_several_environments_may_begin_a_history_at_once(tmp_path: Path) -> None:
    def write(number: int) -> None:
        SQLiteHistory(str(tmp_path / "history")).add(Message(room="hall", kind="said", name="Ada", text=str(number)))

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(write, range(40)))
    kept = SQLiteHistory(str(tmp_path / "history")).last("hall", 50)
    assert sorted(int(message.text) for message in kept) == list(range(40))
    assert [message.id for message in kept] == sorted(message.id for message in kept)


# In a browser

CONNECTED = "document.querySelector('#status').className === 'open'"


def shows(page: Page, text: str) -> None:
    page.until(f"document.querySelector('#log').innerText.includes({json.dumps(text)})")


def said(page: Page) -> list[str]:
    """Who said what, from top to bottom."""
    told: list[str] = page.value(
        "[...document.querySelectorAll('#log [data-id]')]"
        ".map((each) => `${each.querySelector('b').firstChild.data}: ${each.lastChild.data}`)"
    )
    return told


def say(page: Page, text: str) -> None:
    page.type("#text", text)
    page.press_enter()


def test_two_pages_talk_to_each_other_and_come_back(example: Path) -> None:
    port = free_port()
    with browser() as chromium:
        with LocalLambda(example, None, "--port", str(port)) as local:
            ada = chromium.page(f"http://127.0.0.1:{port}/?room=parlour")
            ada.type("#door [name=name]", "Ada")
            ada.press_enter()
            ada.until(CONNECTED)
            bob = chromium.page(f"http://127.0.0.1:{port}/?room=parlour&name=Bob")
            bob.until(CONNECTED)
            shows(ada, "Bob has joined.")

            say(ada, "<i>Good</i> evening")
            shows(bob, "<i>Good</i> evening")
            say(bob, "Welcome")
            shows(ada, "Welcome")
            bob.type("#text", "Dinner is ready")
            bob.click("#announce")
            shows(ada, "Dinner is ready")
            named = bob.named()
            assert local.stop() == 0
        # The server has gone, and with it the sockets. Another one comes, and both pages find it by themselves.
        for page in (ada, bob):
            page.until("document.querySelector('#status').className === 'lost'")
        with LocalLambda(example, None, "--port", str(port)):
            for page in (ada, bob):
                page.until(CONNECTED)
            say(ada, "Here again")
            shows(bob, "Here again")
            ada.open(f"http://127.0.0.1:{port}/?room=parlour")
            ada.until(CONNECTED)
            everything = ["Ada: <i>Good</i> evening", "Bob: Welcome", "Bob: Dinner is ready", "Ada: Here again"]
            assert said(ada) == said(bob) == everything
            assert ada.errors == bob.errors == []
    for part in [("log", "Messages"), ("textbox", "Message"), ("textbox", "You"), ("button", "Announce")]:
        assert part in named


# On AWS


def test_the_template_is_one() -> None:
    """To the linter that AWS keeps for templates."""
    command = [tool("cfn-lint"), EXAMPLE / "template.yaml"]
    lint = subprocess.run(command, env=variables(EXAMPLE), capture_output=True, text=True, check=False)
    assert lint.returncode == 0, lint.stdout


class Template(yaml.SafeLoader):
    """Reads one, and what CloudFormation fills in as what is to be filled in."""


Template.add_multi_constructor("!", lambda _loader, suffix, node: f"{suffix} {node.value}")


def make_tables(address: str) -> None:
    """As the template has them, named as it names them."""
    resources = yaml.load((EXAMPLE / "template.yaml").read_text("utf-8"), Template)["Resources"]
    seen = {"region_name": REGION, "aws_access_key_id": "test", "aws_secret_access_key": "test"}
    dynamodb = boto3.client("dynamodb", endpoint_url=address, **seen)
    for name, resource in resources.items():
        if resource["Type"] == "AWS::DynamoDB::Table":
            own = resource["Properties"]
            lifetime = own.pop("TimeToLiveSpecification")
            dynamodb.create_table(TableName=name, **own)
            dynamodb.update_time_to_live(TableName=name, TimeToLiveSpecification=lifetime)
    dynamodb.close()


def test_the_template_on_the_local_lambda_and_its_tables_on_an_emulator(tmp_path: Path) -> None:
    folder = copy(tmp_path)
    with ministack(tmp_path, "test") as place:
        address = f"http://{place}"
        make_tables(address)
        env = {
            "AWS_ENDPOINT_URL_DYNAMODB": address,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": REGION,
            "SOCKET_URL": "chat",
        }
        (folder / ".env").write_text("".join(f"{name}={value}\n" for name, value in env.items()), "utf-8")
        with LocalLambda(folder, None, "--template", "template.yaml") as local:
            assert b'data-socket="chat"' in local.get("/").body
            with Guest(local, "porch", "Ada") as ada, Guest(local, "porch", "Bob") as bob:
                for guest in (ada, bob):
                    welcomed(local, guest, besides="joined")
                assert json.loads(announce(local, "porch", "Rain").body) == {"sent": 2, "gone": 0, "failed": 0}
                assert ada.hears("announced", besides="joined") == bob.hears("announced", besides="joined")
                bob.send({"text": "Come in"})
                assert ada.hears("said")["text"] == "Come in"
            with Guest(local, "porch", "Ada") as ada:
                assert [message["text"] for message in ada.hears("welcome")["history"]] == ["Rain", "Come in"]
