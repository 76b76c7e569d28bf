"""`make demo` in a fresh clone, for somebody who has Python, make and a package index, and an empty home folder."""

import http.client
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.newcomer import CACHE, ROOT, free_port, need, variables
from tests.integration.terminal import LIMIT, Terminal

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the targets are written for make and a POSIX shell")


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """What `git add --all` and a clone would give: without what is ignored, and without git's own folder."""
    need("bash", "git", "make")
    folder = tmp_path / "clone"
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():  # one that git knows may have been deleted since
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    return folder


@pytest.fixture
def terminal(clone: Path, tmp_path: Path) -> Iterator[Terminal]:
    home = tmp_path / "home"
    home.mkdir()
    downloads = str(CACHE / "pip")  # what pip has asked the index for, it installs, whether fetched just now or before
    with Terminal(clone, variables(home, PIP_CACHE_DIR=downloads)) as terminal:
        yield terminal


def get(port: int, path: str) -> tuple[int, str, bytes]:
    """Status, content type and body."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.headers["content-type"], response.read()
    finally:
        connection.close()


def test_make_demo_is_all_there_is_to_type(terminal: Terminal) -> None:
    port = free_port()
    demo = terminal.start(f"make demo PORT={port}")
    assert demo.wait_for(re.compile(rf"^  app:app is served on http://127.0.0.1:{port}\n", re.MULTILINE), LIMIT), (
        demo.output
    )

    status, kind, page = get(port, "/")
    assert (status, kind) == (200, "text/html; charset=utf-8")
    assert b"<h1>Lambent example</h1>" in page
    status, kind, item = get(port, "/items/7?q=lamp")
    assert (status, kind, json.loads(item)) == (200, "application/json", {"item_id": 7, "q": "lamp"})

    # make dies of the signal too, and says *** if its command did not end with 0.
    assert demo.press_ctrl_c() == 130
    assert "***" not in demo.output
    assert "Stopping.\n" in demo.output
    assert re.search(r"^Environment \d+ ends after 2 requests\.$", demo.output, re.MULTILINE)


def test_make_alone_lists_the_targets(terminal: Terminal) -> None:
    alone, listed = terminal.run("make"), terminal.run("make help")

    assert alone == listed
    assert (listed.status, listed.err) == (0, "")
    targets = {line.split("\t")[0] for line in listed.out.splitlines()}
    assert {"make demo", "make test", "make check", "make help"} <= targets
