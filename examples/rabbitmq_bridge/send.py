"""Send messages to a queue that the bridge has made: `python send.py orders '{"id": 1, "item": "lamp"}'`."""

import argparse
import asyncio

import aio_pika


async def main(url: str, queue: str, customer: str, messages: list[str]) -> None:
    async with await aio_pika.connect_robust(url) as connection:
        channel = await connection.channel()
        await channel.get_queue(queue)  # raises where there is none
        for text in messages:
            kept = aio_pika.DeliveryMode.PERSISTENT
            message = aio_pika.Message(text.encode(), delivery_mode=kept, headers={"customer": customer}, priority=5)
            await channel.default_exchange.publish(message, routing_key=queue)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("queue")
    parser.add_argument("messages", nargs="+")
    parser.add_argument("--customer", default="Ada")
    parser.add_argument("--url", default="amqp://guest:guest@127.0.0.1/")
    options = parser.parse_args()
    asyncio.run(main(options.url, options.queue, options.customer, options.messages))
