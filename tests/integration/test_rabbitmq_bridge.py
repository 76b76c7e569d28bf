"""examples/rabbitmq_bridge: a RabbitMQ, the bridge, and functions in the local Lambda, started as its README says."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from secrets import token_hex

import pytest

from tests.dev.local import LIMIT, LocalLambda, until
from tests.integration.newcomer import ROOT, free_port, tool, variables
from tests.integration.terminal import Job, Terminal
from tests.support.counterparts import missing

EXAMPLE = ROOT / "examples/rabbitmq_bridge"
PORT = 5672

AT_THE_BROKER = """
import asyncio, sys
import aio_pika

async def main(do, *names):
    async with await aio_pika.connect("amqp://guest:guest@127.0.0.1/") as connection:
        channel = await connection.channel()
        for name in names:
            if do == "delete":
                await channel.queue_delete(name)
                continue
            queue = await channel.get_queue(name)
            if do == "count":
                print(queue.declaration_result.message_count)
            while do == "take" and (message := await queue.get(fail=False)):
                await message.ack()
                print(message.body.decode())

asyncio.run(main(*sys.argv[1:]))
"""


class Bench:
    """A copy of the example, a queue that nobody else has, and what is typed there."""

    def __init__(self, folder: Path) -> None:
        self.folder = Path(shutil.copytree(EXAMPLE, folder / "bridge", ignore=shutil.ignore_patterns("__pycache__")))
        self.queue = f"orders-{token_hex(4)}"
        self.port = free_port()
        self.python = tool("aio-pika").with_name("python")
        path = f"{self.python.parent}{os.pathsep}{Path(sys.executable).parent}"
        here = f"http://127.0.0.1:{self.port}"
        self.variables = variables(folder, path=path, PYTHONPATH=str(ROOT / "src"), AWS_ENDPOINT_URL_LAMBDA=here)

    def run(self, *arguments: str) -> str:
        ran = subprocess.run(
            [str(self.python), *arguments],
            cwd=self.folder,
            env=self.variables,
            capture_output=True,
            text=True,
            timeout=LIMIT,
            check=False,
        )
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    def broker(self, do: str, *names: str) -> list[str]:
        return self.run("-c", AT_THE_BROKER, do, *names).splitlines()

    def send(self, *messages: str) -> None:
        self.run("send.py", self.queue, *messages)

    def bridge(self, terminal: Terminal) -> Job:
        job = terminal.start(f"python bridge.py {self.queue} orders")
        says(job, f"{self.queue} → orders")
        return job

    def local(self) -> LocalLambda:
        return LocalLambda(self.folder, None, "--port", str(self.port))


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    try:
        socket.create_connection(("127.0.0.1", PORT), LIMIT).close()
    except OSError as error:
        missing("rabbitmq", f"nothing answers on 127.0.0.1:{PORT}: {error}")
    bench = Bench(tmp_path)
    try:
        bench.broker("count")
    except AssertionError as error:
        missing("rabbitmq", f"guest is not let in on 127.0.0.1:{PORT}: {str(error).splitlines()[-1]}")
    yield bench
    bench.broker("delete", bench.queue, f"{bench.queue}.rejected")


def says(job: Job, text: str) -> None:
    assert job.wait_for(re.compile(re.escape(text))), job.output


def test_what_succeeds_is_acknowledged_and_what_fails_twice_is_rejected(bench: Bench) -> None:
    poison = '{"id": 2, "item": "poison"}'
    with bench.local() as local, Terminal(bench.folder, bench.variables) as terminal:
        job = bench.bridge(terminal)
        bench.send('{"id": 1, "item": "lamp"}', poison, "no order", '{"id": 4, "item": "lämp"}')
        until(lambda: job.output.count("1 rejected") == 2, lambda: job.output + local.output)
        assert sorted(bench.broker("take", f"{bench.queue}.rejected")) == sorted(["no order", poison])
        assert "failed, and each is tried once more" in job.output

        bench.send('{"id": 5, "item": "chair"}')
        local.wait_for("order 5: chair, priority 5, for Ada")
        until(lambda: sum(map(int, re.findall(r"(\d+) done", job.output))) == 3, lambda: job.output)
        assert "order 4: lämp" in local.output
        job.press_ctrl_c()
    assert bench.broker("count", bench.queue) == ["0"]
    assert "Traceback" not in job.output


def test_without_a_function_messages_stay(bench: Bench) -> None:
    with Terminal(bench.folder, bench.variables) as terminal:
        job = bench.bridge(terminal)
        bench.send('{"id": 1, "item": "lamp"}')
        says(job, "No local Lambda answers at")
        says(job, "The function was not invoked. Its messages stay in the queue.")
        assert terminal.wait(job) == 1
        job.running = False
        with bench.local() as local:
            again = bench.bridge(terminal)
            says(again, "1 done")
            assert "order 1: lamp" in local.output
            again.press_ctrl_c()


def test_the_readme_names_what_is_run_here() -> None:
    readme = (EXAMPLE / "README.md").read_text("utf-8")
    for command in ("`lambent dev`", "`python bridge.py orders orders`", "`python send.py orders "):
        assert command in readme
