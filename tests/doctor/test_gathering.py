"""Projects, as they lie in folders."""

from datetime import date
from pathlib import Path
from textwrap import dedent

import pytest

from lambent.doctor import checks, gathering
from lambent.doctor.gathering import Order
from lambent.doctor.model import Facts
from tests.doctor.test_archives import made

TODAY = date(2026, 11, 21)


def gather(folder: Path, files: dict[str, str], **order: object) -> Facts:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(dedent(text), "utf-8")
    facts = gathering.gather(Order(folder, {}, TODAY, **order))  # type: ignore[arg-type]  # by name
    assert facts
    return facts


def ids(facts: Facts) -> list[str]:
    return [each.check for each in checks.run(facts)]


TOOL = """\
    [project]
    name = "shop"
    dependencies = ["lambent"]
    [tool.lambent.functions.shop]
    handler = "shop:app"
    path = "/{proxy+}"
    door = "http"
    timeout = 40
    memory = 512
    env = { AWS_REGION = "for this machine", LAMBENT_STORE = "memory://" }
"""
APP = "async def app(scope, receive, send): ...\n"


def test_a_project_of_ours(tmp_path: Path) -> None:
    facts = gather(tmp_path, {"pyproject.toml": TOOL, "shop.py": APP})
    (function,) = facts.functions
    assert function.measured
    assert (function.measured.kind, function.client, function.doors[0].kind) == ("application", "lambent", "http")
    assert ids(facts) == ["timeout-door"]
    assert facts.needs == frozenset({"lambent"})


def test_a_project_that_says_how_it_is_built(tmp_path: Path) -> None:
    build = TOOL.replace(
        "[tool.lambent.functions.shop]", '[tool.lambent.build]\n    python = "3.13"\n    [tool.lambent.functions.shop]'
    )
    assert not gather(tmp_path, {"pyproject.toml": build, "shop.py": APP}, load=False).mistakes


def test_functions_of_the_same_handler_may_differ_in_their_layers(tmp_path: Path) -> None:
    text = """\
        [tool.lambent.functions.bare]
        handler = "shop.handler"
        [tool.lambent.functions.layered]
        handler = "shop.handler"
        layers = ["layer"]
    """
    shop = "import extra\ndef handler(event, context): ...\n"
    facts = gather(tmp_path, {"pyproject.toml": text, "shop.py": shop, "layer/python/extra.py": ""})
    errors = {each.name: each.measured.error for each in facts.functions if each.measured}
    assert "No module named 'extra'" in errors["bare"]
    assert errors["layered"] == ""


def test_a_target(tmp_path: Path) -> None:
    facts = gather(tmp_path, {"shop.py": APP}, target="shop:app")
    assert [each.name for each in facts.functions] == ["shop-app"]
    assert ids(facts) == []


TEMPLATE = """\
    Transform: AWS::Serverless-2016-10-31
    Resources:
      Shop:
        Type: AWS::Serverless::Function
        Properties:
          CodeUri: %s
          Handler: shop.app
          Runtime: python3.13
          MemorySize: 512
          Timeout: 29
          Events: { A: { Type: HttpApi } }
"""


def test_a_template_whose_code_is_a_folder(tmp_path: Path) -> None:
    facts = gather(tmp_path, {"template.yaml": TEMPLATE % "src", "src/shop.py": APP})
    assert {"handler-kind", "runtime-here"} >= set(ids(facts)) >= {"handler-kind"}


def test_a_template_whose_code_is_a_zip(tmp_path: Path) -> None:
    made(tmp_path, {"shop.py": b"", "y.cpython-312-x86_64-linux-gnu.so": b"\x7fELF\2\1" + bytes(12) + b"\xb7\x00"})
    facts = gather(tmp_path, {"template.yaml": TEMPLATE % "x.zip", "src/shop.py": APP})
    (function,) = facts.functions
    assert function.archive
    assert function.archive.path == "x.zip"
    assert {"bytecode-missing", "native-architecture", "native-python", "handler-kind"} <= set(ids(facts))


def test_a_zip_that_is_given_and_a_handler_that_is_not_loaded(tmp_path: Path) -> None:
    path = made(tmp_path, {"other.py": b""})
    files = {"template.yaml": TEMPLATE % "src", "src/shop.py": "raise SystemExit"}
    facts = gather(tmp_path, files, artefact=path, load=False)
    assert ids(facts) == ["archive-handler", "bytecode-missing"]


def test_a_handler_that_cannot_be_loaded(tmp_path: Path) -> None:
    facts = gather(tmp_path, {"template.yaml": TEMPLATE % ".", "shop.py": "import pandaz\napp = 1\n"})
    (finding,) = [each for each in checks.run(facts) if each.severity == "error"]
    assert finding.check == "handler-import"
    assert "No module named 'pandaz'" in finding.message
    assert str(finding.place) == "template.yaml:7"


def test_what_cannot_be_read_is_a_finding(tmp_path: Path) -> None:
    for name, text in {"template.yaml": "Resources: [AWS::]", "pyproject.toml": "[tool.lambent]\nport = 'x'\n"}.items():
        facts = gather(tmp_path, {name: text})
        (finding,) = checks.run(facts)
        assert (finding.check, finding.severity) == ("template", "error")
        assert name in finding.message


def test_a_zip_that_is_not_there_is_told(tmp_path: Path) -> None:
    facts = gather(tmp_path, {"template.yaml": TEMPLATE % "x.zip", "shop.py": APP}, load=False)
    assert ids(facts) == []
    assert facts.notes == ("what is uploaded, for there is no x.zip yet. Make it by `lambent build`.",)


def test_a_function_whose_handler_cannot_be_one_of_python_is_told(tmp_path: Path) -> None:
    other = (TEMPLATE % "src").replace("Shop:", "Other:").replace("shop.app", "2fa.app").partition("Resources:\n")[2]
    facts = gather(tmp_path, {"template.yaml": TEMPLATE % "src" + other, "src/shop.py": APP}, load=False)
    assert [each.name for each in facts.functions] == ["Shop"]
    (note,) = facts.notes
    assert "its handler '2fa.app' is not one of Python" in note


def test_a_template_without_functions_is_named(tmp_path: Path) -> None:
    facts = gather(tmp_path, {"template.yaml": (TEMPLATE % "src").replace("shop.app", "2fa.app")}, load=False)
    assert facts.mistakes == ("template.yaml: expected a function of Python, but there is none.",)
    assert "its handler '2fa.app' is not one of Python" in facts.notes[0]


@pytest.mark.parametrize(
    ("wrapper", "client"), [("/opt/datadog_wrapper", ""), ("/opt/python/lambent/exec/wrapper", "lambent")]
)
def test_a_wrapper_of_others_may_run_anything(tmp_path: Path, wrapper: str, client: str) -> None:
    text = TOOL.replace("AWS_REGION =", f'AWS_LAMBDA_EXEC_WRAPPER = "{wrapper}", AWS_REGION =')
    (function,) = gather(tmp_path, {"pyproject.toml": text, "shop.py": APP}, load=False).functions
    assert function.client == client


EXAMPLES = Path(__file__).parents[2] / "examples"
TEMPLATES = [EXAMPLES / "api" / "template.yaml", EXAMPLES / "chat" / "template.yaml"]
TEMPLATES += [*EXAMPLES.glob("deploy/*/*.yaml"), *EXAMPLES.glob("deploy/*/*.yml")]


@pytest.mark.parametrize("template", TEMPLATES, ids=[f"{each.parent.name}/{each.name}" for each in TEMPLATES])
def test_nothing_is_wrong_with_our_examples(template: Path) -> None:
    facts = gathering.gather(Order(template.parent, {}, TODAY, template=template, load=False))
    assert facts
    assert facts.functions
    assert ids(facts) == []


def test_nothing_at_all(tmp_path: Path) -> None:
    assert gathering.gather(Order(tmp_path, {}, TODAY)) is None
