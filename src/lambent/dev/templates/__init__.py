"""Files of other tools, read into what the local Lambda runs.

    reading.py                 a file → what it describes
    tables.py           PURE   parsed files, complaints and notes
    yaml_tables.py      PURE   YAML
    json_tables.py      PURE   JSON
    intrinsics.py       PURE   CloudFormation's functions, by identities.py
    properties.py       PURE   the properties of a resource
    cloudformation.py   PURE   templates of CloudFormation and AWS SAM, by stacks.py and the modules named there
    cdk.py              PURE   `cdk.out`
    serverless.py       PURE   `serverless.yml`, by serverless_{variables,events,sockets}.py
    terraform.py        PURE   a plan of Terraform, by terraform_types.py, terraform_graph.py and terraform_code.py
    parts.py            PURE   what has been read, put together

All of them end in CloudFormation's resources: Serverless's and Terraform's are translated into these.
"""

from __future__ import annotations

from pathlib import Path

SAM = ("template.yaml", "template.yml", "template.json")
SERVERLESS = ("serverless.yml", "serverless.yaml", "serverless.json")
TERRAFORM = ("tfplan.json", "plan.json", "terraform-plan.json")
CDK = "cdk.out"
MANIFEST = "manifest.json"
FILES = (*SAM, *SERVERLESS, CDK, *TERRAFORM)
"""In this order: the first one that is there is read."""

BEGINNING = 4096


def find(directory: Path) -> Path | None:
    """What other tools have in a folder: the first one of FILES."""
    for name in FILES:
        path = directory / name
        there = (path / MANIFEST).is_file() if name == CDK else path.is_file()
        if there and (name in SERVERLESS or name == CDK or looks_right(path)):
            return path
    return None


def looks_right(file: Path) -> bool:
    """Whether a file of a common name is one of SAM's, CloudFormation's or Terraform's."""
    try:
        with file.open("rb") as opened:
            if file.name in TERRAFORM:
                return is_terraform(opened.read(BEGINNING))
            return b"AWS::" in opened.read()
    except OSError:
        return False


def is_terraform(beginning: bytes) -> bool:
    return b'"format_version"' in beginning
