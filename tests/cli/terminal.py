"""The program, typed into."""

import pytest

from lambent import cli
from lambent.dev import server
from lambent.dev.config import Project


class Exit(Exception):
    """How the program ended, and what it said."""

    def __init__(self, code: object, text: str) -> None:
        super().__init__(code, text)
        self.code = code
        self.text = text


class Terminal:
    """Runs the program in this process; remembers what it would have served."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.served: list[Project] = []
        self._capsys = capsys
        monkeypatch.setattr(server, "run", self.served.append)
        for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
            monkeypatch.delenv(name, raising=False)

    def type(self, *arguments: str) -> Exit:
        with pytest.raises(SystemExit) as left:
            cli.main(arguments)
        output = self._capsys.readouterr()
        return Exit(left.value.code, output.out + output.err)

    def serve(self, *arguments: str) -> Project:
        """What is served."""
        left = self.type("dev", *arguments)
        assert left.code == 0, left.text
        return self.served.pop()
