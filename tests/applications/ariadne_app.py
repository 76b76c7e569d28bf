"""A GraphQL API of Ariadne as one writes it."""

from typing import Any

from ariadne import MutationType, QueryType, gql, make_executable_schema
from ariadne.asgi import GraphQL

TYPES = gql("""
    type Lamp { id: ID!, name: String!, watts: Float! }
    input NewLamp { name: String!, watts: Float! }
    type Query { lamps(brighterThan: Float): [Lamp!]!, host: String!, broken: String }
    type Mutation { addLamp(lamp: NewLamp!): Lamp! }
""")
LAMPS = [{"id": "1", "name": "Glühbirne", "watts": 40.0}, {"id": "2", "name": "LED 💡", "watts": 7.5}]

query = QueryType()
mutation = MutationType()


@query.field("lamps")
async def lamps(_: Any, info: Any, *, brighterThan: float = 0) -> list[dict[str, Any]]:  # noqa: N803 - GraphQL's own
    return [lamp for lamp in LAMPS if float(str(lamp["watts"])) > brighterThan]


@query.field("host")
async def host(_: Any, info: Any) -> str:
    return str(info.context["request"].url)


@query.field("broken")
def broken(_: Any, info: Any) -> str:
    raise ZeroDivisionError("The application's own.")


@mutation.field("addLamp")
async def add_lamp(_: Any, info: Any, *, lamp: dict[str, Any]) -> dict[str, Any]:
    return {"id": "3", **lamp}


app = GraphQL(make_executable_schema(TYPES, query, mutation), execute_get_queries=True)
