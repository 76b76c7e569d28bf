"""Avro, with fastavro where it is installed.

    @events.kafka("orders", decoder=Avro(SCHEMA))                 # values are nothing but Avro
    @events.kafka("orders", decoder=Avro(registry.schema_of))     # Confluent's framing: the id of a schema goes first

Source: avro.apache.org, "Specification"; docs.confluent.io, "Formats, Serializers, and Deserializers" (wire format).
"""

from __future__ import annotations

from importlib import import_module

from lambent.errors import ConfigurationError, DecodingError
from lambent.values.mismatch import kind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from lambent.types import Event

    Schema = str | dict[str, Event] | list[Event]
    """As JSON, or decoded."""

_FRAME = 5
"""A zero, and four bytes that are the schema's id."""


class Avro:
    """A decoder of single values.

    - `schema`: with which values were written; or a function, the id of a schema in Confluent's framing → that schema,
      which is asked once for each id. It is called in the event loop, so it should not wait for anything.
    - `reader`: as which values are to be read, where that is another schema
    """

    def __init__(self, schema: Schema | Callable[[int], Schema], reader: Schema | None = None) -> None:
        self._lookup = schema if callable(schema) else None
        self._schema = None if callable(schema) else schema
        self._reader_schema = reader
        self._parsed: dict[object, Event] = {}
        self._fastavro: Event = None

    def __call__(self, data: Event) -> Event:
        """Decode. Raises DecodingError; ConfigurationError if there is no fastavro, or a schema is none."""
        if not isinstance(data, bytes):
            raise DecodingError(
                f"Expected Avro, but got {kind(data)}. For base64 of Avro, give a function that decodes it."
            )
        if self._fastavro is None:
            self._fastavro = _fastavro()
        reader = None if self._reader_schema is None else self._parse("reader", self._reader_schema)
        if self._lookup is None:
            return self._read(data, 0, self._parse("writer", self._schema), reader)
        if len(data) < _FRAME or data[0]:
            raise DecodingError(
                "Expected Avro in Confluent's framing, which begins with a zero and the id of a schema."
            )
        number = int.from_bytes(data[1:_FRAME], "big")
        writer = self._parsed.get(number)
        if writer is None:
            writer = self._parse(number, self._lookup(number))
        return self._read(data, _FRAME, writer, reader)

    def _parse(self, key: object, schema: Event) -> Event:
        if key not in self._parsed:
            from json import loads

            try:
                read = loads(schema) if isinstance(schema, str) and schema[:1] in '{["' else schema
                self._parsed[key] = self._fastavro.parse_schema(read)
            except Exception as error:
                raise ConfigurationError(f"Expected a schema of Avro, but: {type(error).__name__}: {error}") from error
        return self._parsed[key]

    def _read(self, data: bytes, start: int, writer: Event, reader: Event) -> Event:
        from io import BytesIO

        stream = BytesIO(data)
        stream.seek(start)
        try:
            value = self._fastavro.schemaless_reader(stream, writer, reader)
        except Exception as error:  # whatever it trips over; its words may have the value
            raise DecodingError(
                f"Expected Avro of the given schema, but reading it raised {type(error).__name__}."
            ) from None
        left = len(data) - stream.tell()
        if left:
            raise DecodingError(f"Expected Avro of the given schema, but {left} bytes are left.")
        return value


def _fastavro() -> Event:
    try:
        return import_module("fastavro")
    except ImportError:
        raise ConfigurationError("Avro needs fastavro, which is not installed: pip install fastavro") from None
