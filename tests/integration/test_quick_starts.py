"""The first projects that other tools make, as they make them, under `lambent dev` alone.

Here are those for Python that a package index has. Serverless 3 takes its own (`aws-python-http-api`) from
GitHub; those that `cdk init` makes for Python have no Lambda function.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import jinja2

from tests.dev.local import LocalLambda
from tests.support import archives

THIS_PYTHON = f"python{sys.version_info.major}.{sys.version_info.minor}"

SAM = archives.wheel("aws-sam-cli==1.170.0", "24ebaf5ecba38dc1758089968cb89ab61e124b84e92a344fc7a2771a47f4d0bf")
SAM_TEMPLATE = "samcli/lib/init/templates/cookiecutter-aws-sam-hello-python"

SERVERLESS = archives.node_package(
    "serverless@2.72.4", "32c8dcc979a00b666e04ff77cb6f795caddec18d33febdadb573913ef668898b"
)
"""The last ones that carry a template."""
SERVERLESS_TEMPLATE = "package/lib/plugins/create/templates/aws-python3"


def sam_init(directory: Path) -> Path:
    """The project that `sam init --name sam-app --package-type Zip` makes for the Python that runs this.

    It lacks `samconfig.toml`: options of SAM's own commands, which no template has.
    """
    answers = {"project_name": "sam-app", "runtime": THIS_PYTHON, "architectures": {"value": ["x86_64"]}}
    template = archives.folder(SAM, SAM_TEMPLATE) / "{{cookiecutter.project_name}}"
    form = jinja2.Environment(undefined=jinja2.StrictUndefined, keep_trailing_newline=True, autoescape=False)
    project = directory / "sam-app"
    for path in filter(Path.is_file, template.rglob("*")):
        made = project / path.relative_to(template)
        made.parent.mkdir(parents=True, exist_ok=True)
        made.write_text(form.from_string(path.read_text("utf-8")).render(cookiecutter=answers), "utf-8")
    return project


def notes(local: LocalLambda) -> list[str]:
    """What is said before it says where it serves."""
    before, _, _ = local.wait_for(r"[^\n]* served on ").string.partition(" served on ")
    return [line for line in before.splitlines()[:-1] if line]


def invoke(local: LocalLambda, function: str, event: bytes) -> object:
    """As `sam local invoke` and `serverless invoke` do."""
    status, _, body = local.ask("POST", f"/2015-03-31/functions/{function}/invocations", event)
    assert status == 200
    return json.loads(body)


def test_the_one_of_sam(tmp_path: Path) -> None:
    project = sam_init(tmp_path)
    with LocalLambda(project) as local:
        status, _, body = local.get("/hello")
        assert (status, json.loads(body)) == (200, {"message": "hello world"})
        for method, path in (("POST", "/other"), ("POST", "/hello"), ("GET", "/")):
            refused = local.ask(method, path, None)
            assert (refused.status, json.loads(refused.body)) == (403, {"message": "Missing Authentication Token"})
        event = (project / "events" / "event.json").read_bytes()
        assert invoke(local, "HelloWorldFunction", event) == {"statusCode": 200, "body": '{"message": "hello world"}'}
        assert notes(local) == []


def test_the_one_of_serverless(tmp_path: Path) -> None:
    """It has no event: it is invoked."""
    project = shutil.copytree(archives.folder(SERVERLESS, SERVERLESS_TEMPLATE), tmp_path / "aws-python3")
    with LocalLambda(project) as local:
        reply = invoke(local, "aws-python3-dev-hello", b'{"a": 1}')
        message = "Go Serverless v1.0! Your function executed successfully!"
        assert reply == {"statusCode": 200, "body": json.dumps({"message": message, "input": {"a": 1}})}
        (python,) = notes(local)
        assert python.startswith(f"serverless.yml: python3.8 is asked for, {THIS_PYTHON} runs it here; ")
