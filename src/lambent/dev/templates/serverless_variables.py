"""`${…}` of `serverless.yml`. Pure: files are read by who is asked for them.

What is not known here stays in the document as `{"Fn::Unknown": reason}`, and is told of only where it is needed.

Source: serverless.com/framework/docs, "Variables".
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping

from lambent.dev.templates.intrinsics import LIMIT, UNKNOWN
from lambent.dev.templates.tables import Notes, Table

VARIABLE = re.compile(r"\$\{([^${}]*)\}")
SOURCE = re.compile(r"\s*(?P<name>[A-Za-z]\w*)(?:\((?P<argument>[^)]*)\))?(?::(?P<address>.*))?\s*", re.DOTALL)
PART = re.compile(r"""\s*("[^"]*"|'[^']*'|(?:[^,'"(]|\([^)]*\))+)\s*(?:,|$)""")
ELSEWHERE = ("ssm", "cf", "s3", "output", "doppler", "vault", "terraform", "git", "secrets", "aws", "sls")
LITERAL = re.compile(r"true|false|null|-?\d+(\.\d+)?")
DEFAULTS = {"provider.stage": "sls:stage", "provider.region": "aws:region"}
"""What Serverless fills in."""

MAX_DEPTH = 100

ReadFile = Callable[[str], object]
"""The document at a path relative to the service; ValueError: why there is none."""


class Missing(Exception):
    """A variable without a value, and why."""


def missing(reason: str, line: int) -> Table:
    return Table({UNKNOWN: reason}, line, {UNKNOWN: line})


def is_missing(value: object) -> bool:
    return isinstance(value, dict) and UNKNOWN in value


class Variables:
    """The variables of one document.

    - `options`: as on Serverless's command line
    - `environ`: for `${env:…}`
    - `known`: `sls:stage`, `aws:region` and so on
    """

    def __init__(
        self,
        document: Table,
        notes: Notes,
        *,
        options: Mapping[str, str],
        environ: Mapping[str, str],
        known: Mapping[str, str],
        read_file: ReadFile,
    ) -> None:
        self._document = document
        self._notes = notes
        self._options = options
        self._environ = environ
        self._known = dict(known)
        self._read_file = read_file
        self._open: list[str] = []
        self._depth = 0

    def set(self, name: str, value: str) -> None:
        self._known[name] = value

    def resolved(self, value: object, line: int = 0) -> object:
        """With all variables in it replaced."""
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise self._notes.error(line, f"expected variables that go {MAX_DEPTH} levels deep at most.")
        try:
            if isinstance(value, Table):
                return self.table(Table(value, value.line or line, value.lines))
            if isinstance(value, list):
                return [self.resolved(each, line) for each in value]
            return self.text(value, line) if isinstance(value, str) and "${" in value else value
        finally:
            self._depth -= 1

    def table(self, value: Table) -> Table:
        """As `resolved`."""
        return Table(
            ((key, self.resolved(each, value.at(key))) for key, each in value.items()), value.line, value.lines
        )

    def text(self, text: str, line: int) -> object:
        """Innermost variables first."""
        kept: list[str] = []
        while match := VARIABLE.search(text):
            inner = match[1]
            if not self._is_ours(inner):
                kept.append(match[0])
                text = f"{text[: match.start()]}\0{len(kept) - 1}\0{text[match.end() :]}"
                continue
            value = self.value(inner, line)
            if match[0] == text:
                return value
            if is_missing(value):
                return value
            if isinstance(value, (dict, list)):
                return missing(f"${{{inner}}} is no text", line)
            text = text[: match.start()] + as_text(value) + text[match.end() :]
            if len(text) > LIMIT:
                raise self._notes.error(line, "expected a text, but its variables make one that is too long.")
        return re.sub("\0(\\d+)\0", lambda match: kept[int(match[1])], text)

    def value(self, inner: str, line: int) -> object:
        """Of `self:custom.x, 'default'`: the first part that there is."""
        parts = [match[1].strip() for match in PART.finditer(inner)]
        why = f"${{{inner}}} cannot be read"
        for part in parts:
            if part[:1] in ("'", '"'):
                return part[1:-1]
            if LITERAL.fullmatch(part):
                return json.loads(part)
            try:
                return self._found(part, line)
            except Missing as error:
                why = f"${{{inner}}}: {error}"
        return missing(why, line)

    def _is_ours(self, inner: str) -> bool:
        first = inner.partition(",")[0]
        match = SOURCE.fullmatch(first)
        return match is not None and match["name"] in (*SOURCES, *ELSEWHERE) and "::" not in first

    def _found(self, part: str, line: int) -> object:
        match = SOURCE.fullmatch(part)
        if not match or match["name"] not in SOURCES:
            name = (match["name"] if match else part) or part
            if match and f"{name}:{match['address']}" in self._known:
                return self._known[f"{name}:{match['address']}"]
            raise Missing(f"{name} is known on AWS only" if name in ELSEWHERE else f"{part} is not understood here")
        if part in self._open:
            road = " → ".join([*self._open[self._open.index(part) :], part])
            raise self._notes.error(line, f"expected variables that do not refer to themselves, but got {road}.")
        self._open.append(part)
        try:
            return SOURCES[match["name"]](self, match["argument"] or "", match["address"] or "", line)
        finally:
            self._open.pop()

    def _self(self, _argument: str, address: str, line: int) -> object:
        if not address:
            raise Missing("the whole file is too much")
        return self._walk(self._document, address, line)

    def _walk(self, value: object, address: str, line: int) -> object:
        for key in filter(None, address.split(".")):
            value = self.resolved(value, line) if isinstance(value, str) else value
            if isinstance(value, list) and key.isdecimal() and int(key) < len(value):
                value = value[int(key)]
            elif isinstance(value, Table) and value.get(key) is not None:
                value = value[key]
            elif address in DEFAULTS and DEFAULTS[address] in self._known:
                return self._known[DEFAULTS[address]]
            else:
                raise Missing(f"there is no {address}")
        return self.resolved(value, line)

    def _option(self, _argument: str, address: str, _line: int) -> object:
        if address in self._options:
            return self._options[address]
        raise Missing(f"--parameter {address}=VALUE sets it")

    def _variable(self, _argument: str, address: str, _line: int) -> object:
        if address in self._environ:
            return self._environ[address]
        raise Missing(f"the variable {address} is not set")

    def _parameter(self, _argument: str, address: str, line: int) -> object:
        if address in self._options:
            return self._options[address]
        stage = self._known.get("sls:stage", "dev")
        for road in (f"stages.{stage}.params", f"params.{stage}", "stages.default.params", "params.default"):
            try:
                return self._walk(self._document, f"{road}.{address}", line)
            except Missing:
                continue
        raise Missing(f"--parameter {address}=VALUE sets it")

    def _file(self, argument: str, address: str, line: int) -> object:
        try:
            read = self._read_file(argument.strip())
        except ValueError as error:
            raise Missing(str(error)) from None
        return self._walk(placed(read, line), address, line)

    def _boolean(self, argument: str, _address: str, _line: int) -> object:
        found = {"true": True, "1": True, "false": False, "0": False, "": False}.get(argument.strip().lower())
        if found is None:
            raise Missing(f"{argument} is neither true nor false")
        return found


SOURCES: Mapping[str, Callable[[Variables, str, str, int], object]] = {
    "self": Variables._self,  # noqa: SLF001
    "opt": Variables._option,  # noqa: SLF001
    "env": Variables._variable,  # noqa: SLF001
    "param": Variables._parameter,  # noqa: SLF001
    "file": Variables._file,  # noqa: SLF001
    "strToBool": Variables._boolean,  # noqa: SLF001
}


def as_text(value: object) -> str:
    return value if isinstance(value, str) else "" if value is None else json.dumps(value)


def placed(value: object, line: int) -> object:
    """What comes from another file stands, for complaints, where it is used."""
    if isinstance(value, Table):
        return Table(((key, placed(each, line)) for key, each in value.items()), line)
    return [placed(each, line) for each in value] if isinstance(value, list) else value
