"""The command line as a whole, and what it says where it cannot go on."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lambent.dev import server
from lambent.dev.config import Project
from lambent.errors import ConfigurationError
from tests.cli.terminal import Terminal

SOURCE = Path(__file__).parents[2] / "src"


def test_without_a_command_it_helps(terminal: Terminal) -> None:
    assert "dev" in terminal.type("--help").text


def test_what_cannot_be_done_is_said_in_one_line(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    def taken(_project: Project) -> None:
        raise ConfigurationError("Port 3000 is taken.")

    monkeypatch.setattr(server, "run", taken)
    assert terminal.type("dev", "app:app").code == "lambent: Port 3000 is taken."


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
    return subprocess.run(
        [sys.executable, *arguments], env=environment, capture_output=True, text=True, check=False, timeout=20
    )


def test_python_m_lambent_tells_its_version() -> None:
    done = run("-m", "lambent", "--version")
    assert done.returncode == 0
    assert done.stdout.startswith("lambent, version ")


@pytest.mark.parametrize("missing", ["click", "httptools", "msgspec", "psutil", "uvicorn"])
def test_without_the_extra_it_says_what_to_install(missing: str) -> None:
    script = f"import sys; sys.modules['{missing}'] = None; from lambent.cli import main; main(['dev', 'app:app'])"
    done = run("-c", script)
    assert done.returncode == 1
    assert done.stderr.strip() == (
        f'lambent: this command needs {missing}, which is not installed. Run: pip install "lambent[dev]"'
    )
