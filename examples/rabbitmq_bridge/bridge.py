"""Between a queue of RabbitMQ and a function of the local Lambda: what Amazon MQ's event source mapping is on AWS.

    python bridge.py orders orders

Messages go into an event, as AWS makes it, and through `lambent invoke`. If the function succeeds they are
acknowledged. If it fails, each is tried once more by itself; what fails again goes to `orders.rejected`.
"""

import argparse
import asyncio
import json
from asyncio.subprocess import PIPE
from contextlib import suppress
from typing import Any

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage, AbstractQueue

from lambent.testing import events

DAY = 24 * 3600 * 1000
WINDOW = 0.1  # seconds in which messages are gathered, once there is one


async def declare(channel: AbstractChannel, name: str) -> AbstractQueue:
    """Make the queue, and `NAME.rejected`, unless they are there. They go when nobody has used them for a day."""
    await channel.declare_queue(f"{name}.rejected", durable=True, arguments={"x-expires": DAY})
    rejected = {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": f"{name}.rejected"}
    return await channel.declare_queue(name, durable=True, arguments={"x-expires": DAY, **rejected})


def described(message: AbstractIncomingMessage, queue: str) -> dict[str, Any]:
    """The event for one message. What the broker knows of it takes the place of what the builder makes up."""
    texts = {name: each for name, each in message.headers.items() if isinstance(each, str)}
    origin = events.Origin(now=message.timestamp.timestamp()) if message.timestamp else events.HERE
    event = events.rabbitmq(message.body, queue=queue, headers=texts, origin=origin)
    ((told,),) = event["rmqMessagesByQueue"].values()
    told["redelivered"] = bool(message.redelivered)
    properties = told["basicProperties"]
    properties["headers"] |= {name: each for name, each in message.headers.items() if isinstance(each, int | float)}
    properties |= {
        "contentType": message.content_type,
        "contentEncoding": message.content_encoding,
        "deliveryMode": message.delivery_mode and int(message.delivery_mode),
        "priority": message.priority,
        "correlationId": message.correlation_id,
        "replyTo": message.reply_to,
        "expiration": None if message.expiration is None else str(int(message.expiration * 1000)),
        "messageId": message.message_id,
        "type": message.type,
        "userId": message.user_id,
        "appId": message.app_id,
    }
    if message.timestamp is None:
        properties["timestamp"] = None
    return event


def together(messages: list[AbstractIncomingMessage], queue: str) -> dict[str, Any]:
    """One event for all of them."""
    first, *others = [described(each, queue) for each in messages]
    for name, told in first["rmqMessagesByQueue"].items():
        told += [each for other in others for each in other["rmqMessagesByQueue"][name]]
    return first


async def invoke(function: str, event: dict[str, Any]) -> bool:
    """Whether the function succeeds. If there is no local Lambda, nothing is known of the messages: they stay."""
    command = await asyncio.create_subprocess_exec(
        "lambent", "invoke", function, "--event", "-", stdin=PIPE, stdout=PIPE
    )
    result, _ = await command.communicate(json.dumps(event).encode())
    if command.returncode and not result:
        raise SystemExit("The function was not invoked. Its messages stay in the queue.")
    return command.returncode == 0


async def settle(messages: list[AbstractIncomingMessage], queue: str, function: str) -> None:
    """Invoke, and tell the broker. A batch fails as a whole, so each of its messages then gets a second time, alone."""
    if await invoke(function, together(messages, queue)):
        for message in messages:
            await message.ack()
        print(f"{queue}: {len(messages)} done", flush=True)
        return
    print(f"{queue}: {len(messages)} failed, and each is tried once more", flush=True)
    for message in messages:
        if await invoke(function, described(message, queue)):
            await message.ack()
            print(f"{queue}: 1 done", flush=True)
        else:
            await message.nack(requeue=False)
            print(f"{queue}: 1 rejected", flush=True)


async def main(url: str, name: str, function: str, batch: int) -> None:
    async with await aio_pika.connect_robust(url) as connection:
        channel = await connection.channel()
        await channel.set_qos(prefetch_count=batch)
        queue = await declare(channel, name)
        inbox: asyncio.Queue[AbstractIncomingMessage] = asyncio.Queue()
        await queue.consume(inbox.put)
        print(f"{name} → {function}", flush=True)
        while True:
            messages = [await inbox.get()]
            await asyncio.sleep(WINDOW)
            while not inbox.empty() and len(messages) < batch:
                messages.append(inbox.get_nowait())
            await settle(messages, name, function)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("queue")
    parser.add_argument("function", help="its name in the local Lambda")
    parser.add_argument("--batch", type=int, default=10, help="messages in an event, at most")
    parser.add_argument("--url", default="amqp://guest:guest@127.0.0.1/")
    options = parser.parse_args()
    with suppress(KeyboardInterrupt):  # what is under way was not acknowledged: the broker delivers it again
        asyncio.run(main(options.url, options.queue, options.function, options.batch))
