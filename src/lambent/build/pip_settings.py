"""Where pip looks for packages, for uv where it has no settings of its own.

pip reads, the later over the earlier: the machine's file, the user's, the environment's, PIP_CONFIG_FILE, and the
variables PIP_* (pip documentation, "Configuration"). Of a file, [install] is over [global].
"""

from __future__ import annotations

import configparser
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

KEYS = ("index-url", "extra-index-url", "find-links", "no-index", "cert", "trusted-host")


class Index(NamedTuple):
    """Where packages are looked for. Empty: not said."""

    url: str = ""
    extra: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    alone: bool = False
    """Only `links`."""
    certificates: str = ""
    hosts: tuple[str, ...] = ()
    """That are trusted without a certificate."""

    def variables(self) -> dict[str, str]:
        """As uv takes them, in variables: others on this machine can read a command, and URLs hold credentials.

        pip takes the best version of any index, so uv is told to, where there are more than one.
        """
        told = {
            "UV_DEFAULT_INDEX": self.url,
            "UV_INDEX": " ".join(self.extra),
            "UV_INDEX_STRATEGY": "unsafe-best-match" if self.extra else "",
            "UV_FIND_LINKS": ",".join(self.links),
            "UV_INSECURE_HOST": " ".join(self.hosts),
            "SSL_CERT_FILE": self.certificates,
        }
        return {name: value for name, value in told.items() if value}

    def options(self) -> list[str]:
        """What there is no variable for."""
        return ["--no-index"] if self.alone else []


def read(environ: Mapping[str, str], prefix: Path = Path(sys.prefix), machine: Path = Path("/etc")) -> Index:
    """What pip's files and variables say. A file that cannot be read says nothing."""
    told: dict[str, str] = {}
    for file in files(environ, prefix, machine):
        told.update(settings(file))
    for key in KEYS:
        if value := environ.get(f"PIP_{key.upper().replace('-', '_')}"):
            told[key] = value
    return Index(
        told.get("index-url", ""),
        tuple(told.get("extra-index-url", "").split()),
        tuple(told.get("find-links", "").split()),
        told.get("no-index", "").lower() in {"1", "true", "yes", "on", "y", "t"},
        told.get("cert", ""),
        tuple(told.get("trusted-host", "").split()),
    )


def files(environ: Mapping[str, str], prefix: Path, machine: Path) -> Iterator[Path]:
    """The files, whether they are there or not; none if PIP_CONFIG_FILE is the null device."""
    own = environ.get("PIP_CONFIG_FILE", "")
    if own == os.devnull:
        return
    name = "pip.ini" if sys.platform == "win32" else "pip.conf"
    home = Path(environ.get("HOME") or environ.get("USERPROFILE") or Path.home())
    if sys.platform == "win32":
        yield Path(environ.get("PROGRAMDATA", "C:/ProgramData")) / "pip" / name
        yield home / "pip" / name
        yield Path(environ.get("APPDATA", home)) / "pip" / name
    else:
        yield from (
            Path(each) / "pip" / name for each in reversed(environ.get("XDG_CONFIG_DIRS", "/etc/xdg").split(":"))
        )
        yield machine / name
        yield home / ".pip" / name
        if sys.platform == "darwin":
            yield home / "Library/Application Support/pip" / name
        yield Path(environ.get("XDG_CONFIG_HOME") or home / ".config") / "pip" / name
    yield prefix / name
    if own:
        yield Path(own)


def settings(file: Path) -> dict[str, str]:
    parser = configparser.RawConfigParser()
    try:
        parser.read_string(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, configparser.Error):
        return {}
    found: dict[str, str] = {}
    for section in ("global", "install"):
        if parser.has_section(section):
            found.update({key.replace("_", "-"): value for key, value in parser.items(section)})
    return {key: value for key, value in found.items() if key in KEYS}
