"""Events: messages of a queue, one by one, and a schedule."""

from dataclasses import dataclass

from lambent import Events

events = handler = Events()


@dataclass
class Order:
    id: int
    item: str


@events.sqs()
async def ship(order: Order) -> None:
    """A message that fails comes again, alone: the queue's mapping has to say ReportBatchItemFailures."""
    if order.item == "nothing":
        raise ValueError("there is nothing to ship")
    print(f"order {order.id}: {order.item}", flush=True)


@events.schedule()
async def report() -> str:
    print("The nightly report.", flush=True)
    return "reported"
