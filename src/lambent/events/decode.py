"""What a record carries → what a function's parameter is given. Pure, but for what a decoder of one's own does.

    @events.kinesis("clicks", decoder="gzip+json")
    async def click(click: Click): ...

Names, which may be chained with `+`, the outermost first: `json`, `text`, `bytes`, `base64`, `gzip`, and `dynamodb` for
attribute values. Or a function, data → value. Or `Avro`. Without one, and after `base64` and `gzip`, the annotation
decides: `str` gets text, `bytes` bytes, and all else JSON, where what is carried is not a value already.
"""

from __future__ import annotations

from inspect import Parameter

from lambent.errors import ConfigurationError, DecodingError, MalformedEvent
from lambent.functions import is_async, members, place
from lambent.values.convert import converter, json_converter, parse
from lambent.values.mismatch import kind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from lambent.events.model import Record
    from lambent.types import Event

    Decode = Callable[[Event], Event]
    Decoder = str | Decode | None

GZIP_LIMIT = 128 << 20
"""Bytes that a record may be unpacked to: a few kilobytes of gzip can fill any memory."""

_PIECE = 1 << 16
"""Bytes that are read at a time: memory for all that is asked for is taken before any is read."""


def body_reader(annotation: Event, decoder: Decoder = None) -> Callable[[Record], Event]:
    """As `reader`, of a record: without a decoder, the body of one that `is_decoded` is taken as it is."""
    read = reader(annotation, decoder)
    if decoder is not None or not isinstance(read, _FromJson):
        return lambda record: read(record.body)
    json = read
    return lambda record: json.convert(record.body) if record.is_decoded else json(record.body)


def reader(annotation: Event, decoder: Decoder = None) -> Decode:
    """A record's body → a value for a parameter. Raises ConfigurationError for what there is no decoder or no way for.

    What it returns raises DecodingError for a body that does not fit. A null body is given to the annotation as it is.
    """
    wanted = object if annotation is Parameter.empty else annotation
    if decoder is None:
        decoder = _default(wanted)
    if callable(decoder):
        if is_async(decoder):
            raise ConfigurationError(f"Expected a decoder that is not async, but got {place(decoder)}.")
        return _chained([_own(decoder)], converter(wanted))
    if not isinstance(decoder, str):
        raise _unknown(decoder)
    *first, last = decoder.split("+")
    if last in ("base64", "gzip"):
        first, last = [*first, last], _default(wanted)
    if last == "json":
        return _chained([_named(each) for each in first], _FromJson(wanted))
    return _chained([_named(each) for each in [*first, last]], converter(wanted))


def _default(annotation: Event) -> str:
    """What an annotation of nothing but str, or nothing but bytes, asks for; null aside."""
    kinds = [each for each in members(annotation) if each is not type(None)]
    if kinds and all(each is str for each in kinds):
        return "text"
    return "bytes" if kinds and all(each is bytes for each in kinds) else "json"


def _chained(steps: list[Decode], last: Decode) -> Decode:
    if not steps:
        return last

    def read(data: Event) -> Event:
        if data is not None:
            for each in steps:
                data = each(data)
        return last(data)

    return read


class _FromJson:
    """Of text and bytes the JSON in them; a value as it is."""

    __slots__ = ("_read", "convert")

    def __init__(self, annotation: Event) -> None:
        self._read = json_converter(annotation)
        self.convert = converter(annotation)

    def __call__(self, data: Event) -> Event:
        return self._read(data) if isinstance(data, str | bytes) else self.convert(data)


def _own(decoder: Decode) -> Decode:
    """A decoder of the user's: what it raises is told by its type, and is the cause."""

    def decode(data: Event) -> Event:
        try:
            return decoder(data)
        except (DecodingError, ConfigurationError):
            raise
        except Exception as error:
            name = getattr(decoder, "__qualname__", type(decoder).__name__)
            raise DecodingError(f"The decoder {name} raised {type(error).__name__}.") from error

    return decode


def _named(name: str) -> Decode:
    try:
        return _DECODERS[name]
    except KeyError:
        raise _unknown(name) from None


def _unknown(decoder: object) -> ConfigurationError:
    return ConfigurationError(
        f"Expected a decoder, one of {', '.join(_DECODERS)}, several as in base64+gzip+json, or a function; "
        f"but got {decoder!r:.100}."
    )


def _json(data: Event) -> Event:
    if isinstance(data, str | bytes):
        return parse(data)
    return data


def text(data: Event) -> str:
    """Text, or what is UTF-8."""
    if isinstance(data, str):
        return data
    if isinstance(data, bytes):
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError as error:
            raise DecodingError(f"Expected text in UTF-8, but byte {error.start} is not.") from None
    raise DecodingError(f"Expected text, but got {kind(data)}. Annotate the parameter with dict, or a type of yours.")


def raw(data: Event) -> bytes:
    """Bytes, or text in UTF-8."""
    if isinstance(data, bytes):
        return data
    if isinstance(data, str):
        try:
            return data.encode("utf-8")
        except UnicodeEncodeError as error:
            raise DecodingError(f"Expected text that UTF-8 can encode, but character {error.start} is none.") from None
    raise DecodingError(f"Expected bytes, but got {kind(data)}. Annotate the parameter with dict, or a type of yours.")


def base64(data: Event) -> bytes:
    """What is encoded, with its padding and nothing between."""
    from binascii import a2b_base64

    if not isinstance(data, str | bytes):
        raise DecodingError(f"Expected base64, but got {kind(data)}.")
    try:
        return a2b_base64(data, strict_mode=True)
    except ValueError as error:  # a UnicodeError, which quotes, is one, but this is never raised
        raise DecodingError(f"Expected base64, but: {error}.") from None


def gzip(data: Event) -> bytes:
    """What is packed, one member after the other, up to GZIP_LIMIT bytes."""
    if not isinstance(data, bytes):
        raise DecodingError(f"Expected gzip, but got {kind(data)}. For base64 of gzip, use base64+gzip.")
    if not data:
        raise DecodingError("Expected gzip, but it is empty.")
    from zlib import decompressobj, error

    member = decompressobj(wbits=31)
    try:
        unpacked = member.decompress(data, GZIP_LIMIT + 1)
        rest = member.unused_data.lstrip(b"\0")
        if rest:
            unpacked = _with_members(unpacked, rest)
        elif not member.eof and len(unpacked) <= GZIP_LIMIT:
            raise EOFError
    except EOFError:
        raise DecodingError("Expected gzip, but it is cut off.") from None
    except (OSError, error):  # what they say shows some of it
        raise DecodingError("Expected gzip, but its header, its data or its checksum is not that of gzip.") from None
    if len(unpacked) > GZIP_LIMIT:
        raise DecodingError(f"Expected gzip of {GZIP_LIMIT} bytes at most, but it has more.")
    return unpacked


def _with_members(unpacked: bytes, rest: bytes) -> bytes:
    """What the first member has, and those after it, up to GZIP_LIMIT bytes and one."""
    from gzip import GzipFile
    from io import BytesIO

    pieces, left = [unpacked], GZIP_LIMIT + 1 - len(unpacked)
    file = GzipFile(fileobj=BytesIO(rest))
    while left and (piece := file.read(min(left, _PIECE))):
        pieces.append(piece)
        left -= len(piece)
    return b"".join(pieces)


def dynamodb(data: Event) -> Event:
    """An item of DynamoDB's JSON."""
    from lambent.events.sources.attribute_values import item

    try:
        return item(data)
    except MalformedEvent as error:
        raise DecodingError(str(error)) from None


_DECODERS: dict[str, Decode] = {
    "json": _json,
    "text": text,
    "bytes": raw,
    "base64": base64,
    "gzip": gzip,
    "dynamodb": dynamodb,
}
