"""A project to begin with: an application, its tests, and the template of a tool that puts it on AWS.

Its files are made of those in `starters`, where `@name@` and the like stand for what each project has of its own.
"""

from __future__ import annotations

import json
import keyword
import platform
import re
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lambent.build.errors import BuildError
from lambent.build.kinds import KINDS, TOOLS
from lambent.build.model import ARCHITECTURES
from lambent.build.project import NAME, normalised
from lambent.build.target import supported
from lambent.build.trial import MACHINES

STARTERS = Path(__file__).parent / "starters"
LONGEST = 32
"""Characters of a name: it begins those of roles, which may have 64, with what tools append."""
TOKEN = re.compile(r"@(\w+)@")


def here() -> str:
    """The version of this Python if Lambda has it, or else the newest it has."""
    own = "{}.{}".format(*sys.version_info)
    return own if own in supported() else supported()[-1]


def machine() -> str:
    """That of this machine: so `lambent build` can try here what it has made."""
    return MACHINES.get(platform.machine().lower(), ARCHITECTURES[0])


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be made.

    - `name`: as it was typed: the folder is called so
    - `kind`, `tool`: of KINDS, of TOOLS
    - `python`, `architecture`: on Lambda
    """

    name: str
    kind: str = "fastapi"
    tool: str = "sam"
    python: str = field(default_factory=here)
    architecture: str = field(default_factory=machine)


def version(text: str) -> str:
    """As typed, if Lambda has this Python and Lambent runs on it; `BuildError` if not."""
    if text not in supported():
        raise BuildError(f"Expected a Python that Lambda has, one of {', '.join(supported())}, but got {text!r}.")
    return text


def make(plan: Plan, directory: Path) -> Path:
    """The folder of the project, made in `directory`: whole, or not at all.

    `BuildError` for a name that will not do, for a folder that has something in it, and where it cannot be written.
    """
    check(plan.name)
    made = files(plan)
    target = directory / plan.name
    refuse_taken(target)
    try:
        with tempfile.TemporaryDirectory(prefix=f".{plan.name}-", dir=directory) as beside:
            folder = Path(beside) / plan.name  # a temporary folder is its owner's alone, a folder in it is a usual one
            for path, text in made.items():
                write(folder / path, text)
            if target.is_dir():
                target.rmdir()  # empty, as has been seen
            folder.rename(target)
    except OSError as error:
        reason = error.strerror or error
        raise BuildError(f"{target} cannot be made: {reason}. Choose another place with --directory.") from None
    return target


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8", newline="\n")


def refuse_taken(target: Path) -> None:
    """Complain of what stands there already, unless it is an empty folder."""
    try:
        if target.is_symlink() or (target.exists() and not target.is_dir()):
            raise BuildError(f"{target} is there already, and is no folder. Choose another name, or --directory.")
        taken = target.is_dir() and any(target.iterdir())
    except OSError as error:
        raise BuildError(f"{target} cannot be looked at: {error.strerror}. Choose another --directory.") from None
    if taken:
        raise BuildError(
            f"{target} is there already, and not empty: nothing in it has been touched. "
            "Choose another name, or another --directory."
        )


def check(name: str) -> None:
    """Complain of what cannot name a project, a module and a stack alike."""
    word = re.sub(r"[-.]", "_", name)
    if not NAME.fullmatch(name) or not word.isidentifier():
        raise BuildError(
            f"Expected a name that begins with a letter, of letters, digits, dots, hyphens and underscores, but got "
            f"{name!r}."
        )
    if len(name) > LONGEST:
        raise BuildError(f"Expected a name of {LONGEST} characters at most, but {name} has {len(name)}.")
    if word.lower() in map(str.lower, keyword.kwlist):
        raise BuildError(f"{name} is a word of Python's own. Choose another name, such as my-{name}.")
    if word.lower() in sys.stdlib_module_names:
        raise BuildError(f"{name} is a module of Python's standard library. Choose another name, such as my-{name}.")
    if normalised(name) in dependencies():
        raise BuildError(f"{name} is a package that such projects need. Choose another name, such as my-{name}.")


def dependencies() -> set[str]:
    """Names of all that projects are made to need: one of this name would need itself."""
    told = [part for kind in KINDS.values() for part in kind.requires]
    told += [part for tool in TOOLS.values() for part in tool.group]
    return {"lambent", "pytest", *(re.split(r"[^\w-]", part)[0] for part in told)}


def files(plan: Plan) -> dict[str, str]:
    """Path in the project → text."""
    kind, tool = KINDS[plan.kind], TOOLS[plan.tool]
    values = {**names(plan), "door": kind.door}
    values["ask"] = filled(kind.ask, values)
    values["deploy"] = filled(starter(f"{plan.tool}/deploy.md"), values).rstrip("\n")
    origins = {
        "pyproject.toml": "common/pyproject.toml",
        ".gitignore": "common/gitignore",
        "README.md": "common/README.md",
        "app.py": f"{plan.kind}/app.py",
        "tests/test_app.py": f"{plan.kind}/test_app.py",
        **{path: filled(origin, values) for path, origin in tool.files.items()},
    }
    return {path: filled(starter(origin), values).rstrip("\n") + "\n" for path, origin in origins.items()}


def names(plan: Plan) -> dict[str, str]:
    """What tokens stand for."""
    kind, tool = KINDS[plan.kind], TOOLS[plan.tool]
    places = " and ".join(f"`{path}`" for path in tool.files)
    verb = "say" if len(tool.files) > 1 else "says"
    return {
        "name": normalised(plan.name),
        "python": plan.python,
        "python_": plan.python.replace(".", "_"),
        "arch": plan.architecture,
        "ARCH": {"arm64": "ARM_64", "x86_64": "X86_64"}[plan.architecture],
        "about": kind.about,
        "template": f" {places} {verb} to {tool.about} what is around it on AWS." if places else "",
        "dependencies": ", ".join(map(json.dumps, [*kind.requires, "lambent"])),
        "groups": f"deploy = [{', '.join(map(json.dumps, tool.group))}]\n" if tool.group else "",
        "function": kind.function,
        "ignored": "\n".join(tool.ignored),
    }


def starter(origin: str) -> str:
    return (STARTERS / f"{origin}.in").read_text("utf-8")


def filled(text: str, values: Mapping[str, str]) -> str:
    """The text, with values in the place of tokens. KeyError for one that is not known."""
    return TOKEN.sub(lambda found: values[found[1]], text)


def following(plan: Plan) -> list[str]:
    """The commands that come next, in the folder of the project."""
    fenced = re.findall(r"^```\n(.*?)^```", starter(f"{plan.tool}/deploy.md"), re.MULTILINE | re.DOTALL)
    deploy = filled(fenced[0], names(plan)).splitlines()
    return ["uv pip install -r pyproject.toml --group dev", "lambent dev", "python -m pytest", *deploy]
