"""A project whose functions are in a file of another tool."""

import shutil
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from lambent.dev.config import Project, load
from lambent.dev.model import Entrance
from lambent.errors import ConfigurationError
from tests.dev.templates.described import DATA


class Folder:
    """A project's folder, with a template and the code of it."""

    def __init__(self, path: Path) -> None:
        self.path = Path(shutil.copytree(DATA / "sam", path, dirs_exist_ok=True))
        self.file = path / "pyproject.toml"

    def load(self, text: str = "", environ: dict[str, str] | None = None, **options: Path) -> Project:
        if text:
            self.file.write_text(dedent(text))
        project = load(self.path, environ or {}, **options)  # type: ignore[arg-type]  # keyword arguments by name
        assert project
        return project


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def names(project: Project) -> list[str]:
    return [each.name for each in project.functions]


def test_it_is_used_where_nothing_else_names_functions(folder: Folder) -> None:
    project = folder.load()
    assert names(project) == ["decide", "shop-dev", "Stream"]
    assert [each.name for each in project.entrances] == ["serverless-http-api", "site", "site-2", "old", "stream"]
    assert project.files == (folder.path / "template.yaml",)
    assert project.notes


def test_functions_of_the_project_s_own_come_first(folder: Folder) -> None:
    text = '[tool.lambent.functions.own]\nhandler = "app:app"'
    assert names(folder.load(text)) == ["own"]
    assert names(folder.load(template=folder.path / "template.yaml")) == ["decide", "shop-dev", "Stream"]


def test_so_does_smyth(folder: Folder) -> None:
    text = '[tool.smyth.handlers.own]\nhandler_path = "app.handler"\nurl_path = "/"'
    assert names(folder.load(text)) == ["own"]


def test_it_is_found_beside_pyproject_from_below(folder: Folder) -> None:
    folder.file.write_text("[tool.lambent]\nport = 1")
    project = load(folder.path / "src", {})
    assert project is not None
    assert (len(project.functions), project.port) == (3, 1)


def test_the_whole_and_the_defaults_are_the_project_s(folder: Folder) -> None:
    project = folder.load(
        """
        [tool.lambent]
        port = 4000
        region = "eu-west-1"
        env = { TABLE = "local" }
        [tool.lambent.defaults]
        timeout = 99
        warm = 1
        environments = 2
        runtime = "awslambdaric"
        """,
    )
    shop = next(each for each in project.functions if each.name == "shop-dev")
    assert (project.port, project.file) == (4000, folder.file)
    assert (shop.timeout, shop.warm, shop.environments, shop.runtime) == (7, 1, 2, "awslambdaric")
    assert (shop.region, shop.python) == ("eu-west-1", sys.executable)
    assert (shop.env["TABLE"], shop.env["STAGE"]) == ("local", "dev")


def test_variables_of_a_file_come_first(folder: Folder) -> None:
    (folder.path / ".env").write_text("QUEUE=http://127.0.0.1:9324/q\nTABLE=other")
    shop = next(each for each in folder.load().functions if each.name == "shop-dev")
    assert (shop.env["QUEUE"], shop.env["TABLE"]) == ("http://127.0.0.1:9324/q", "other")


def test_queues_of_aws_are_not_polled_unless_that_is_said(folder: Folder) -> None:
    def queue(project: Project) -> tuple[bool, str]:
        (found,) = [each for each in project.sources if each.kind == "sqs"]
        told = [line for line in project.notes if "is not polled" in line]
        assert bool(told) is not found.enabled
        return found.enabled, found.queue

    arn = "arn:aws:sqs:us-east-1:123456789012:Orders"
    assert queue(folder.load()) == (False, arn)
    assert queue(folder.load(environ={"AWS_ENDPOINT_URL_SQS": "http://127.0.0.1:9324"})) == (True, arn)
    assert queue(folder.load('[tool.lambent.env]\nAWS_ENDPOINT_URL = "http://127.0.0.1:4566"')) == (True, arn)
    text = '[tool.lambent.sources.shop-dev-Queue]\nfunction = "shop-dev"\nqueue = "mine"'
    assert queue(folder.load(text)) == (True, "mine")


def test_doors_of_the_project_take_the_place_of_the_file_s(folder: Folder) -> None:
    project = folder.load('[tool.lambent.doors.site]\nkind = "http"\nstage = "mine"')
    assert next(each for each in project.entrances if each.name == "site") == Entrance("site", "http", "mine")


def test_authorizers_that_cannot_work_are_told_of(folder: Folder) -> None:
    text = (folder.path / "template.yaml").read_text()
    (folder.path / "template.yaml").write_text(
        text.replace("Auth: { Authorizer: Asked }", "Auth: { Authorizer: Nobody }")
    )
    told = [line for line in folder.load().notes if line.startswith("template.yaml: the door site-2: ")]
    assert len(told) == 1
    assert "Nobody" in told[0]


def test_routes_that_are_there_twice_are_refused(folder: Folder) -> None:
    text = (folder.path / "template.yaml").read_text()
    text = text.replace('"/items/{id}", Method: GET', '"/items", Method: POST')
    (folder.path / "template.yaml").write_text(text.replace('PayloadFormatVersion: "1.0"', "TimeoutInMillis: 9"))
    with pytest.raises(ConfigurationError, match=r"^template\.yaml: shop-dev: its route POST /items is there twice"):
        folder.load()


def test_a_template_that_is_none_is_told_of_with_its_line(folder: Folder) -> None:
    (folder.path / "template.yaml").write_text("Resources:\n  F: {Type: 'AWS::Lambda::Function'\n")
    with pytest.raises(ConfigurationError, match=r"^template\.yaml:\d: expected YAML"):
        folder.load()
