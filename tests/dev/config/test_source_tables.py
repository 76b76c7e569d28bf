"""[tool.lambent.sources], read into sources."""

from __future__ import annotations

import re
from pathlib import Path
from textwrap import dedent

import pytest

from lambent.dev.config import Project, Target, load
from lambent.dev.model import Source
from lambent.errors import ConfigurationError

FUNCTION = '[tool.lambent.functions.f]\nhandler = "app.handler"\n'


def read(folder: Path, text: str, target: Target | None = None) -> Project:
    (folder / "pyproject.toml").write_text(FUNCTION + dedent(text), "utf-8")
    project = load(folder, {}, target=target)
    assert project
    return project


def test_every_key_of_a_schedule(tmp_path: Path) -> None:
    project = read(
        tmp_path,
        """
        [tool.lambent.sources.plain]
        function = "f"
        schedule = "rate(5 minutes)"

        [tool.lambent.sources.nightly]
        function = "f"
        schedule = "cron(0 3 * * ? *)"
        time-zone = "Europe/Berlin"
        scheduler = true
        input = { full = true, days = [1, 2] }
        enabled = false

        [tool.lambent.sources.once]
        function = "f"
        schedule = "at(2030-01-31T12:00:00)"
        input = '"a text"'
        """,
    )
    assert project.sources == (
        Source("plain", "f", "schedule", schedule="rate(5 minutes)"),
        Source(
            "nightly",
            "f",
            "schedule",
            schedule="cron(0 3 * * ? *)",
            time_zone="Europe/Berlin",
            scheduler=True,
            input='{"full": true, "days": [1, 2]}',
            enabled=False,
        ),
        Source("once", "f", "schedule", schedule="at(2030-01-31T12:00:00)", input='"a text"'),
    )


def test_every_key_of_a_queue(tmp_path: Path) -> None:
    project = read(
        tmp_path,
        """
        [tool.lambent.sources.orders]
        function = "f"
        queue = "orders"
        endpoint = "http://127.0.0.1:4566"
        batch-size = 500
        batch-window = 2.5
        report-batch-item-failures = true
        concurrency = 5
        filters = [{ body = { kind = ["order"] } }, '{"body": ["x"]}']
        """,
    )
    assert project.sources == (
        Source(
            "orders",
            "f",
            "sqs",
            queue="orders",
            endpoint="http://127.0.0.1:4566",
            batch_size=500,
            batch_window=2.5,
            partial=True,
            concurrency=5,
            filters=('{"body": {"kind": ["order"]}}', '{"body": ["x"]}'),
        ),
    )


def test_a_target_on_the_command_line_has_none(tmp_path: Path) -> None:
    text = '[tool.lambent.sources.s]\nfunction = "f"\nschedule = "rate(1 day)"\n'
    assert read(tmp_path, text, Target("app:app")).sources == ()


RATE = 'schedule = "rate(1 day)"'
QUEUE = 'queue = "orders"'


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        (RATE.replace("day", "week"), "5: tool.lambent.sources.s.schedule: expected a rate of a whole number"),
        ('schedule = "rate(1 days)"', "5: tool.lambent.sources.s.schedule: expected rate(1 day), as a rule wants it"),
        ('schedule = "cron(0 12 * * *)"', "5: tool.lambent.sources.s.schedule: expected six fields"),
        (RATE + '\ntime-zone = "Mars"', "6: tool.lambent.sources.s.time-zone: expected the name of a time zone"),
        (RATE + "\ninput = '{'", "6: tool.lambent.sources.s.input: expected JSON, but "),
        (RATE + "\ninput = 7", "6: tool.lambent.sources.s.input: expected the event: a text of JSON, or a table"),
        (RATE + "\ninput = { at = 2030-01-01 }", "6: tool.lambent.sources.s.input: expected JSON, but "),
        (RATE + "\nbatch-size = 2", "6: tool.lambent.sources.s.batch-size: a schedule has no such key"),
        (QUEUE + "\ntime-zone = 'UTC'", "6: tool.lambent.sources.s.time-zone: a queue has no such key"),
        ("", "3: tool.lambent.sources.s: expected either the key schedule or the key queue, but got none."),
        (
            f"{RATE}\n{QUEUE}",
            "3: tool.lambent.sources.s: expected either the key schedule or the key queue, but got both.",
        ),
        (QUEUE + "\nbatch-size = 0", "6: tool.lambent.sources.s.batch-size: expected a whole number from 1 to 10000"),
        (
            QUEUE + "\nbatch-size = 11",
            "6: tool.lambent.sources.s.batch-size: expected a batch-window of 1 second or more",
        ),
        (QUEUE + "\nendpoint = 'x'", "6: tool.lambent.sources.s.endpoint: expected a URL without a path"),
        (QUEUE + "\nfilters = ['{']", "6: tool.lambent.sources.s.filters: expected JSON, but "),
        (QUEUE + "\nfilters = [{}]", "6: tool.lambent.sources.s.filters: expected a pattern such as"),
        (QUEUE + "\nwindow = 1", "6: tool.lambent.sources.s.window: there is no such key. Did you mean batch-window?"),
        (
            "queue = 'o.fifo'\nbatch-window = 1",
            "6: tool.lambent.sources.s.batch-window: expected no window and batches",
        ),
        (
            "queue = 'o.fifo'\nbatch-size = 20",
            "6: tool.lambent.sources.s.batch-size: expected no window and batches of 10",
        ),
    ],
)
def test_a_mistake_points_at_its_place(tmp_path: Path, keys: str, expected: str) -> None:
    with pytest.raises(ConfigurationError) as told:
        read(tmp_path, f'[tool.lambent.sources.s]\nfunction = "f"\n{keys}')
    assert str(told.value).startswith(f"{tmp_path / 'pyproject.toml'}:{expected}")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[tool.lambent.sources]\ns = 1", "4: tool.lambent.sources.s: expected a table, but got 1."),
        ("[tool.lambent.sources.'a b']", '3: tool.lambent.sources."a b": expected a name of 1 to 64 letters'),
        (f"[tool.lambent.sources.s]\n{RATE}", "3: tool.lambent.sources.s: expected the key function, a text in quotes"),
        (
            f"[tool.lambent.sources.s]\n{RATE}\nfunction = 'g'",
            '5: tool.lambent.sources.s.function: expected one of the functions f, but got "g".',
        ),
    ],
)
def test_so_does_one_of_the_table(tmp_path: Path, text: str, expected: str) -> None:
    with pytest.raises(ConfigurationError) as told:
        read(tmp_path, text)
    assert str(told.value).startswith(f"{tmp_path / 'pyproject.toml'}:{expected}")


def test_the_examples_of_the_document_load(tmp_path: Path) -> None:
    document = Path(__file__).parents[3] / "docs" / "how-to" / "event-sources.md"
    first, second = re.findall(r"^```toml.*?\n(.*?)^```", document.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    (tmp_path / "pyproject.toml").write_text(first + second, "utf-8")
    project = load(tmp_path, {})
    assert project
    assert [source.name for source in project.sources] == ["nightly", "orders", "big-orders"]
