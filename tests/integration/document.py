"""A document's examples: the files it has a reader write, the commands, and what it shows of their output."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

BLOCK = re.compile(r"^```(?P<language>\w+)(?P<rest>.*)\n(?P<text>(?:.*\n)*?)```$", re.MULTILINE)
TITLE = re.compile(r'title="([^"]+)"')
COMMAND = re.compile(r"^\$ (?P<command>(?:.*\\\n)*.*)\n(?P<output>(?:(?!\$ ).*\n)*)", re.MULTILINE)


class Shown(NamedTuple):
    """A command and the output under it, empty if none is shown."""

    line: int
    command: str
    output: str


class Document(NamedTuple):
    files: dict[str, str]
    commands: list[Shown]


def read(path: Path) -> Document:
    """The Python blocks that have a title, and the commands in the console blocks."""
    text = path.read_text("utf-8")
    files: dict[str, str] = {}
    commands: list[Shown] = []
    for block in BLOCK.finditer(text):
        if block["language"] == "console":
            start = text.count("\n", 0, block.start("text")) + 1
            commands += [
                Shown(start + block["text"].count("\n", 0, each.start()), each["command"], each["output"])
                for each in COMMAND.finditer(block["text"])
            ]
        elif title := TITLE.search(block["rest"]):
            files.setdefault(title[1], block["text"])
    return Document(files, commands)


class StandIns:
    """Words that stand for what nobody can know beforehand: the first output tells, and from there on it holds."""

    def __init__(self, patterns: Mapping[str, str]) -> None:
        self._patterns = patterns
        self._told: dict[str, str] = {}

    def fill_in(self, command: str) -> str:
        for word, value in self._told.items():
            command = command.replace(word, value)
        return command

    def pattern(self, output: str) -> re.Pattern[str]:
        """What fits `output`: a line `...` is any number of lines, and `...` within a line is anything."""
        groups: dict[str, str] = {}
        lines = [
            r"(?:.*\n)*?" if line == "..." else "".join(self._piece(each, groups) for each in self._split(line)) + r"\n"
            for line in output.splitlines()
        ]
        return re.compile(r"\A" + "".join(lines))

    def learn(self, match: re.Match[str]) -> None:
        """Take what a stand-in was found to stand for. Two of them stand for two things."""
        for group, value in match.groupdict().items():
            word = list(self._patterns)[int(group.removeprefix("word"))]
            assert value not in self._told.values(), f"{word} stands for {value}, and so does another word"
            self._told[word] = value

    def _split(self, line: str) -> list[str]:
        return re.split("(" + "|".join(map(re.escape, ["...", *self._patterns])) + ")", line)

    def _piece(self, piece: str, groups: dict[str, str]) -> str:
        if piece == "...":
            return ".*?"
        if piece not in self._patterns or piece in self._told:
            return re.escape(self._told.get(piece, piece))
        if piece in groups:
            return f"(?P={groups[piece]})"
        groups[piece] = f"word{list(self._patterns).index(piece)}"
        return f"(?P<{groups[piece]}>{self._patterns[piece]})"
