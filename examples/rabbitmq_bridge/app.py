"""What becomes of the messages of two queues."""

from dataclasses import dataclass

from lambent import Events
from lambent.events import RabbitMqRecord

events = handler = Events()


@dataclass
class Order:
    id: int
    item: str


@events.rabbitmq("orders*")
async def ship(order: Order, record: RabbitMqRecord) -> None:
    print(f"order {order.id}: {order.item}, priority {record.priority}, for {record.headers.get('customer', 'nobody')}")
    if order.item == "poison":
        raise ValueError(f"Order {order.id} cannot be shipped")


@events.rabbitmq("notes*")
def keep(note: str) -> None:
    print(f"note: {note}")
