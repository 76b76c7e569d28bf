"""`lambent build`: a project into what Lambda runs."""

from __future__ import annotations

import base64
import hashlib
import os
import shlex
import shutil
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

from lambent.errors import ConfigurationError

if TYPE_CHECKING:
    from typing import Unpack

    import click

    from lambent.build.model import Artefact, Project, Target

WRAPPER = {False: "/var/task/lambent/exec/wrapper", True: "/opt/python/lambent/exec/wrapper"}
"""Of AWS_LAMBDA_EXEC_WRAPPER: in a function, in a layer."""


class Options(TypedDict):
    """What `lambent build` takes. None: not said."""

    folder: Path
    handler: str | None
    python: str | None
    arch: str | None
    output: Path
    layer: bool
    image: bool
    provided: bool
    interpreter: Path | None
    no_source: bool
    without_boto: bool
    allow_source: tuple[str, ...]
    lambent: str | None
    report: Path | None


def command() -> click.Command:
    """The command, as click has it."""
    import click

    text = "Build the project in FOLDER into a zip that Lambda runs, with its dependencies and their bytecode."
    folder = click.Path(exists=True, file_okay=False, resolve_path=True, path_type=Path)
    parameters = [click.Argument(["folder"], type=folder, default="."), *choices()]
    return click.Command("build", params=parameters, callback=build, help=text)


def choices() -> list[click.Parameter]:
    """Its options."""
    import click

    python = click.Path(exists=True, file_okay=False, resolve_path=True, path_type=Path)
    file = click.Path(dir_okay=False, resolve_path=True, path_type=Path)
    output = click.Path(file_okay=False, resolve_path=True, path_type=Path)
    arch = click.Choice(["arm64", "x86_64"])
    own = "The folder of the Python that goes into it with --provided.  [default: uv downloads one]"
    return [
        click.Option(["--handler"], metavar="NAME", help="Such as app:handler.  [default: that of pyproject.toml]"),
        click.Option(["--python"], metavar="X.Y", help="Python on Lambda.  [default: the project's, or this one's]"),
        click.Option(["--arch"], type=arch, help="Processor on Lambda.  [default: the project's, or x86_64]"),
        click.Option(["--output"], type=output, default="dist", show_default=True, help="Where it is put."),
        click.Option(["--layer"], is_flag=True, help="Make a layer."),
        click.Option(["--image"], is_flag=True, help="Make a folder for `docker build`."),
        click.Option(["--provided"], is_flag=True, help="For an OS-only runtime: a Python and a bootstrap go into it."),
        click.Option(["--interpreter"], type=python, help=own),
        click.Option(["--no-source"], is_flag=True, help="Bytecode in the place of Python files."),
        click.Option(["--without-boto"], is_flag=True, help="Leave out boto3, which Lambda's own Pythons bring."),
        click.Option(
            ["--allow-source"], multiple=True, metavar="NAME", help="May be built on this machine. Repeatable."
        ),
        click.Option(["--lambent"], metavar="WHEEL", help="Put this Lambent into it.  [default: the one that builds]"),
        click.Option(["--report"], type=file, metavar="FILE.svg", help="Draw what is large into this file."),
    ]


def build(**options: Unpack[Options]) -> None:
    """Build. Exits with 0, with 1 if it cannot be built, with 2 if the command was not understood."""
    import click

    if options["layer"] and options["image"]:
        raise click.UsageError("--layer goes without --image: one after the other.")
    if options["interpreter"] and not options["provided"]:
        raise click.UsageError("--interpreter goes with --provided: Lambda's own runtimes have their Python.")
    with orderly():
        run(options)


def run(options: Options) -> None:
    """Build, and tell what came of it."""
    from lambent.build import building, target
    from lambent.build.project import read

    project = read(options["folder"], options["handler"], options["output"])
    aim = target.choose(options["python"], options["arch"], "provided.al2023" if options["provided"] else None, project)
    progress(f"Building {project.name} for {target.shown(aim)}")
    artefact = building.build(
        project,
        aim,
        options["output"],
        layer=options["layer"],
        image=options["image"],
        with_source=not options["no_source"],
        boto=not options["without_boto"],
        progress=progress,
        lambent=options["lambent"],
        allow_source=options["allow_source"],
        interpreter=options["interpreter"],
    )
    if options["report"]:
        draw(artefact, options["report"])
    print("\n".join(told(artefact, project, aim, layer=options["layer"])))


@contextmanager
def orderly() -> Iterator[None]:
    """SIGTERM, and a terminal that closes, end this as Ctrl-C does: what has been begun is put away."""
    wanted = [signal.SIGTERM, *([signal.SIGHUP] if sys.platform != "win32" else [])]
    heard = [each for each in wanted if signal.getsignal(each) is signal.SIG_DFL]  # nohup ignores one
    for each in heard:
        signal.signal(each, lambda number, _: sys.exit(128 + number))
    try:
        yield
    finally:
        for each in heard:
            signal.signal(each, signal.SIG_DFL)


def draw(artefact: Artefact, report: Path) -> None:
    """The picture of what is large. ConfigurationError if it cannot be written."""
    from lambent.build.picture import svg

    try:
        report.parent.mkdir(parents=True, exist_ok=True)
        report.write_text(svg(artefact.parts, artefact.path.name), "utf-8")
    except OSError as error:
        raise ConfigurationError(f"--report {report}: it cannot be written: {error.strerror or error}.") from None


def progress(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def told(artefact: Artefact, project: Project, target: Target, *, layer: bool) -> list[str]:
    """What has been made, line by line."""
    from lambent.build.picture import bars

    plain = not (sys.stdout.encoding or "").lower().startswith("utf")
    width = min(shutil.get_terminal_size().columns, 100)
    notes = [f"Note: {note}" for note in artefact.notes]
    return [
        "",
        *sized(artefact),
        "",
        *bars(artefact.parts, width, plain=plain),
        "",
        *notes,
        *([""] if notes else []),
        "Next:",
        f"  {following(artefact, project, target, layer=layer)}",
    ]


def sized(artefact: Artefact) -> list[str]:
    """Its place, its size by Lambda's limits, and by what Lambda will know it."""
    from lambent.build.limits import DIRECT, IMAGE, UNZIPPED, megabytes

    path = shown(artefact.path)
    if artefact.path.is_dir():
        return [f"{path}  {megabytes(artefact.size)} beside its base (an image may have {megabytes(IMAGE)})"]
    digest = hashlib.sha256(artefact.path.read_bytes()).digest()
    zipped = f"{megabytes(artefact.size)} (without S3: {megabytes(DIRECT)})"
    return [
        f"{path}  {zipped}, {megabytes(artefact.unzipped)} unzipped (at most {megabytes(UNZIPPED)})",
        f"sha256 {digest.hex()} (CodeSha256 {base64.b64encode(digest).decode()})",
    ]


def shown(path: Path) -> str:
    """As it can be typed here."""
    relative = os.path.relpath(path)
    return str(path) if relative.startswith("..") else relative


def following(artefact: Artefact, project: Project, target: Target, *, layer: bool) -> str:
    """The command that comes next."""
    from lambent.build.limits import DIRECT
    from lambent.build.project import deployed

    path, name = shown(artefact.path), project.name
    if artefact.path.is_dir():
        return shlex.join(["docker", "build", "--provenance=false", "-t", name, path])
    place = f"--zip-file fileb://{shlex.quote(path)}"
    if artefact.size > DIRECT:
        place = f"{'--content' if layer else '--code'} S3Bucket=BUCKET,S3Key={shlex.quote(artefact.path.name)}"
    if layer:
        return (
            f"aws lambda publish-layer-version --layer-name {name} --compatible-runtimes {target.runtime} "
            f"--compatible-architectures {target.architecture} {place}"
        )
    own = target.runtime.startswith("provided")
    wrapper = "" if own else f" --environment Variables={{AWS_LAMBDA_EXEC_WRAPPER={WRAPPER[layer]}}}"
    return (
        f"aws lambda create-function --function-name {name} --runtime {target.runtime} "
        f"--architectures {target.architecture} --handler {deployed(project.handler) or 'app.handler'} "
        f"--role ROLE_ARN --memory-size 512 --timeout 30 {place}{wrapper}"
    )
