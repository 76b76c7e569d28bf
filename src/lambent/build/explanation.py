"""What uv says when it fails → what it means for a build, and what to do. Pure.

The forms are those of uv 0.8 to 0.13. A text that none of them fits is passed on as it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from lambent.build import target as targets

if TYPE_CHECKING:
    from lambent.build.model import Target

NAME = r"(?P<name>[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)"
SPEC = r"(?:\[[^\]]*\])?(?P<spec>(?:[=<>!~]=?=?[^\s,]+,?)*)"
NO_WHEEL = re.compile(rf"{NAME}{SPEC} ha(?:s|ve) no (?:usable )?wheels(?: with a matching (?P<tag>[\w ]+) tag)?")
SOURCE_ONLY = re.compile(r"Wheels are required for `([^`]+)` because building from source is disabled")
OFFERED = re.compile(r"Wheels are available for `([^`]+)` \(v?([^)]+)\) on the following platforms?: ([^\n]+)")
OFFERED_PYTHONS = re.compile(
    r"only found wheels for `([^`]+)` \(v?([^)]+)\) with the following Python \w+ tags?: ([^\n]+)"
)
NOT_FOUND = re.compile(rf"{NAME} was not found in (the cache|[^,.]*?)(?= and|,|$)")
NEEDS_PYTHON = re.compile(rf"{NAME}{SPEC} (?:requires|depends on|depend on) Python\s*(?P<python>[=<>!~][^\s)]*)")
NEEDED_PYTHON = re.compile(r"does not satisfy Python\s*(?P<python>[=<>!~][^\s)]*)")
FAILED_BUILD = re.compile(r"Failed to build (?:`([^`]+)`|([^\n]+))")
LOCAL = re.compile(
    r"Distribution not found at: (\S+)|Building source distributions is disabled(?:, but attempted to build `([^`]+)`)?"
)
GIT = re.compile(r"(?:error: )?([^\n]+)\n\s*cause: Git operation failed")
HASH = re.compile(r"Hash mismatch for `([^`]+)`")
SYNTAX = re.compile(r"(?:Failed to parse|Couldn't parse requirement|failed to decode file|File not found)[^\n]*")
FETCH = re.compile(r"Failed to (?:fetch|download):?\s+`?([^\s`]+)")
UNREACHABLE = ("dns error", "tcp connect error", "client error (Connect)", "timed out", "Connection refused")
REFUSED = re.compile(r"\b40[137] (?:Unauthorized|Forbidden|Proxy Authentication Required)|Missing credentials")
PARENT = re.compile(r"(?P<parent>[A-Za-z0-9][\w.-]*)(?:[=<>!~][^\s]*)? depends? on (?P<child>[A-Za-z0-9][\w.-]*)")

TAIL = 12
"""Lines of a build's output that are shown: its error stands at the end."""


def explained(output: str, target: Target) -> str:
    """What to tell whoever has started the build. Credentials in URLs are left out."""
    text = plain(output)
    return next((found for each in EXPLANATIONS if (found := each(text, target))), rest(text))


def plain(output: str) -> str:
    """Without colours, credentials and what uv says of its interpreter."""
    text = re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", output).replace("\r", "")
    text = re.sub(r"(://)[^/@\s]+@", r"\1***@", text)
    return "\n".join(line for line in text.splitlines() if not line.startswith("Using CPython"))


def offline(text: str, _: Target) -> str:
    if "network was disabled" not in text and "Network connectivity is disabled" not in text:
        return ""
    what = ", ".join(sorted({found["name"] for found in NOT_FOUND.finditer(text)})) or "what the project needs"
    return f"uv works offline, and {what} is not in its cache. Build once with a network, or unset UV_OFFLINE."


def unreachable(text: str, _: Target) -> str:
    """No network, or an index that is not there."""
    if not any(each in text for each in UNREACHABLE):
        return ""
    at = f" {found[1]}" if (found := FETCH.search(text)) else ""
    return (
        f"The package index could not be reached:{at}\n{last_cause(text)}\n"
        "Check the network, the proxy (HTTPS_PROXY) and the index (UV_DEFAULT_INDEX, or pip's configuration). What "
        "was downloaded before is in uv's cache: with UV_OFFLINE=1 a build takes all from there."
    )


def refused(text: str, _: Target) -> str:
    if not (found := REFUSED.search(text)):
        return ""
    at = f" of {fetched[1]}" if (fetched := FETCH.search(text)) else ""
    return (
        f"The package index lets nobody in without credentials{at}: {found[0]}. Put them into its URL, or run: "
        "uv auth login"
    )


def no_wheel(text: str, target: Target) -> str:
    """A dependency whose files do not run on the target, and none may be made here."""
    found = {each["name"]: each for each in NO_WHEEL.finditer(joined(text))}
    if not found:
        return ""
    lines = [f"There is no wheel for {targets.shown(target)} of:"]
    for name, each in found.items():
        version = each["spec"].rstrip(",") or " (any version)"
        lines.append(f"  {name}{version}{needed_by(name, text)}: {offered(name, text)}")
    one = next(iter(found))
    other = next(each for each in targets.MACHINES if each != target.architecture)
    image = f"public.ecr.aws/lambda/python:{target.python}"
    compiled = f"- compile it in a container of {image}: pip wheel {one}. Name the wheel's folder: UV_FIND_LINKS=FOLDER"
    elsewhere = [f"- build for another target: --arch {other}, or another --python"]
    return "\n".join(
        [
            *lines,
            "What to do, the simplest first:",
            "- ask for another version, one that has a wheel (see its files on the package index)",
            *([] if all(name in SOURCE_ONLY.findall(text) for name in found) else elsewhere),
            f"- if it is pure Python, let it be built from source here: --allow-source {one}",
            compiled,
        ]
    )


def offered(name: str, text: str) -> str:
    """What the index has of it."""
    for pattern in (OFFERED, OFFERED_PYTHONS):
        for found in pattern.finditer(joined(text)):
            if found[1] == name:
                return f"there are wheels of {found[2]} for {found[3].replace('`', '').strip()}"
    if name in SOURCE_ONLY.findall(text):
        return "its authors offer the source only"
    return "there are wheels for other targets only"


def needed_by(name: str, text: str) -> str:
    parents = sorted({each["parent"] for each in PARENT.finditer(joined(text)) if each["child"] == name} - {"you"})
    return f", which {' and '.join(parents)} needs" if parents else ""


def local_source(text: str, _: Target) -> str:
    """A folder or a repository among the requirements, or the project itself, if its dependencies are dynamic."""
    if not (found := LOCAL.search(text)):
        return ""
    return (
        f"{found[1] or found[2] or 'The project'} would have to be built from source to be installed, which is allowed "
        f"to those only that are named: --allow-source {found[2] or 'NAME'}, or allow-source of [tool.lambent.build]. "
        "The project itself need not be among its requirements: its sources are copied."
    )


def repository(text: str, _: Target) -> str:
    """A repository of git that cannot be had."""
    if not (found := GIT.search(text)):
        return ""
    last = text.rstrip().splitlines()[-1].strip()
    return (
        f"git could not bring what is asked for: {found[1].strip()}\n  {last}\n"
        "Check the network, how the repository and its branch or tag are spelled, and whether `git clone` of it works "
        "here without being asked for a password."
    )


def failed_build(text: str, _: Target) -> str:
    """The source of a package, or the project, that cannot be built here."""
    if not (found := FAILED_BUILD.search(text)):
        return ""
    what = found[1] or found[2]
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("hint:")]
    at = next((place for place, line in enumerate(lines) if "[stderr]" in line), 0)
    said = lines[at + 1 :] if at else lines[: next(i for i, line in enumerate(lines) if FAILED_BUILD.search(line))]
    return (
        f"{what} could not be built from source. The last that its build backend said:\n"
        + "\n".join(f"  {line.strip()}" for line in said[-TAIL:])
        + "\nIf it must import something, or run a compiler, to be built: take a version with a wheel, or build it "
        "where it can be built and put the wheel into the requirements."
    )


def wrong_python(text: str, target: Target) -> str:
    flat = joined(text)
    found = [each for each in NEEDS_PYTHON.finditer(flat) if each["name"] != "you"]
    if not found:
        return ""
    lines = {f"  {each['name']}{each['spec']} needs Python {each['python'].rstrip(',')}" for each in found}
    return (
        f"The target has Python {target.python}, but:\n"
        + "\n".join(sorted(lines))
        + f"\nBuild for another with --python ({', '.join(targets.supported())}), or ask for another version of it."
    )


def unknown(text: str, _: Target) -> str:
    """A name that the index does not have."""
    names = sorted({each["name"] for each in NOT_FOUND.finditer(joined(text))})
    if not names:
        return ""
    what = "\n".join(f"  {name}{needed_by(name, text)}" for name in names)
    return (
        f"The package index does not have:\n{what}\nCheck how it is spelled. If it is in an index of your own, name "
        "that: UV_INDEX=https://..., index of [tool.uv] in pyproject.toml, or pip's extra-index-url."
    )


def mismatch(text: str, _: Target) -> str:
    if not (found := HASH.search(text)):
        return ""
    return (
        f"What the package index gave for {found[1]} is not what was locked: the hashes differ. It was changed, or "
        "comes from another index. Find out which; then lock anew: uv lock --upgrade-package NAME"
    )


def lock_file(text: str, _: Target) -> str:
    if "uv.lock" not in text:
        return ""
    return f"uv.lock cannot be used. Write it anew with: uv lock\n{rest(text)}"


def syntax(text: str, _: Target) -> str:
    if not (found := SYNTAX.search(text)):
        return ""
    return f"The dependencies cannot be read. {found[0]}\n{last_cause(text)}".rstrip()


def conflict(text: str, _: Target) -> str:
    """Requirements that no set of versions fulfils, in the words of uv, which are good."""
    if "No solution found" not in text:
        return ""
    cause = text.partition("cause:")[2].partition("\n\nhint:")[0]
    return (
        f"The requirements contradict each other:\n{reason(cause)}\nAsk for other versions, such that they go together."
    )


EXPLANATIONS: tuple[Callable[[str, Target], str], ...] = (
    repository,
    offline,
    refused,
    unreachable,
    failed_build,
    mismatch,
    no_wheel,
    local_source,
    wrong_python,
    unknown,
    lock_file,
    syntax,
    conflict,
)
"""The first that has something to say is heard."""


def rest(text: str) -> str:
    """What uv says, without the words before it."""
    lines = [line for line in text.splitlines() if line.strip()]
    at = next((place for place, line in enumerate(lines) if line.startswith("error:")), 0)
    return "\n".join(lines[at:]).removeprefix("error: ") or "uv failed, and did not say why."


def last_cause(text: str) -> str:
    """The innermost of the causes that uv gives."""
    causes = text.split("cause:")[1:]
    return "\n".join(f"  {line.strip()}" for line in causes[-1].strip().splitlines()) if causes else ""


def reason(cause: str) -> str:
    return "\n".join(f"  {line}" for line in sentences(cause))


def sentences(cause: str) -> Iterator[str]:
    """Without the last, which says what was said."""
    for line in cause.strip().splitlines():
        short = re.sub(r",? ?we can conclude that your requirements are unsatisfiable\.", ".", line.strip())
        if short:
            yield short


def joined(text: str) -> str:
    """Lines that uv has broken off, as one."""
    return re.sub(r"\n +", " ", text)
