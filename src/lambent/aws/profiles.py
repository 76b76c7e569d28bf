"""What `~/.aws/credentials` and `~/.aws/config` say of a profile.

Source: docs.aws.amazon.com/sdkref, "Using shared config and credentials files"; botocore.configloader.
"""

from __future__ import annotations

import os
from typing import NamedTuple

from lambent.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT = "default"
CREDENTIALS = ("AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials")
CONFIG = ("AWS_CONFIG_FILE", "~/.aws/config")
"""Each file: the variable that says where it is, and where it is else."""


class Profile(NamedTuple):
    """One profile, as both files have it."""

    name: str
    credentials: dict[str, str]
    config: dict[str, str]

    def get(self, key: str) -> str:
        """What is said under `key`, in the credentials file before the other; empty if nothing."""
        return self.credentials.get(key) or self.config.get(key) or ""


def read(environ: Mapping[str, str]) -> Profile:
    """Read both files. Raises ConfigurationError for one that cannot be read, and for a profile that neither has."""
    named = environ.get("AWS_DEFAULT_PROFILE") or environ.get("AWS_PROFILE")
    name = named or DEFAULT
    secrets = _sections(place(CREDENTIALS, environ))
    settings = _profiles(_sections(place(CONFIG, environ)))
    if named and name not in secrets and name not in settings:
        raise ConfigurationError(
            f"Expected AWS_PROFILE to name a profile of {place(CREDENTIALS, environ)} or {place(CONFIG, environ)}, "
            f"but neither has one called {name!r}. `aws configure list-profiles` prints those that there are."
        )
    return Profile(name, secrets.get(name, {}), settings.get(name, {}))


def place(file: tuple[str, str], environ: Mapping[str, str]) -> str:
    """The path of CREDENTIALS or CONFIG."""
    variable, usual = file
    path = environ.get(variable) or usual
    home = environ.get("HOME")
    return home + path[1:] if home and path.startswith("~/") else os.path.expanduser(path)  # noqa: PTH111 - pathlib costs a cold start


def _sections(path: str) -> dict[str, dict[str, str]]:
    """A file's sections; none if there is no such file. What is in it is not shown: there are secrets in it."""
    if not os.path.isfile(path):  # noqa: PTH113 - as above
        return {}
    from configparser import Error, RawConfigParser

    parser = RawConfigParser(default_section="")
    try:
        with open(path, encoding="utf-8") as file:  # noqa: PTH123
            parser.read_file(file)
    except (Error, UnicodeDecodeError, OSError) as error:
        raise ConfigurationError(f"{path} cannot be read: {type(error).__name__}{_line(error)}.") from None
    return {section: dict(parser.items(section)) for section in parser.sections()}


def _line(error: Exception) -> str:
    number = getattr(error, "lineno", None) or next((line for line, _ in getattr(error, "errors", ())), None)
    return f" in line {number}" if number else ""


def _profiles(sections: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
    """Of `[profile a]`, `[profile "b c"]` and `[default]`; other sections are of something else."""
    from shlex import split

    found = {}
    for section, values in sections.items():
        try:
            words = split(section)
        except ValueError:
            continue
        if words == [DEFAULT]:
            found[DEFAULT] = values
        elif len(words) == 2 and words[0] == "profile":
            found[words[1]] = values
    return found
