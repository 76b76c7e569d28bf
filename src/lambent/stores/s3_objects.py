"""What is kept in a bucket of S3: names of objects, what is in them, and what S3 says of them. Pure.

| key, below the prefix         | what is in it                                |
|-------------------------------|----------------------------------------------|
| `values/KEY`                  | a line, `NONCE EXPIRES`; then the data       |
| `groups/GROUP/MEMBER`         | when the membership expires                  |
| `members/MEMBER/GROUP`        | the same: the way back, which `forget` takes |

An object has 1024 bytes of key at most, and only some characters are safe in one. So a name is quoted, with `_` for the
`%` of URLs; if that makes it long, it is written in base64 behind a dot; and where it only has to be told apart from
others, as a hash.

Source: Amazon S3 API Reference, API version 2006-03-01; Amazon S3 User Guide, "Naming Amazon S3 objects".
"""

from __future__ import annotations

from base64 import b64encode, urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256
from typing import NamedTuple
from urllib.parse import quote, unquote
from zlib import crc32

from lambent.stores.model import Stored

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from xml.etree.ElementTree import Element

KINDS = ("values", "groups", "members")

_SHORT = 160
"""Characters of a quoted name that are kept as they are."""
_NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"


# Names


def value_key(key: str) -> str:
    """Where a value is."""
    return f"values/{name(key)}"


def group_key(group: str, member: str = "") -> str:
    """Where a membership is, by its group; without a member, what all keys of the group begin with."""
    return f"groups/{_short(group)}/{name(member)}"


def member_key(member: str, group: str = "") -> str:
    """Where the same is by its member; without a group, what all keys of the member begin with."""
    return f"members/{_short(member)}/{name(group)}"


def name(text: str) -> str:
    """At most 684 characters, of which `named` makes the text again: letters, digits, `-`, `_`, and `.` in front."""
    quoted = _quoted(text)
    if len(quoted) <= _SHORT:
        return quoted
    return f".{urlsafe_b64encode(text.encode()).decode().rstrip('=')}"


def named(key: str) -> str:
    """Whose name ends this key."""
    last = key.rpartition("/")[2]
    if last.startswith("."):
        return urlsafe_b64decode(last[1:] + "=" * (-len(last[1:]) % 4)).decode()
    return unquote(last.replace("_", "%"), errors="strict")


def _short(text: str) -> str:
    """At most 160 characters, others for each text."""
    quoted = _quoted(text)
    return quoted if len(quoted) <= _SHORT else f".{sha256(text.encode()).hexdigest()}"


def _quoted(text: str) -> str:
    quoted = quote(text, safe="")
    for plain, code in (("_", "%5F"), (".", "%2E"), ("~", "%7E"), ("%", "_")):
        quoted = quoted.replace(plain, code)
    return quoted


# What is in them


class Kept(NamedTuple):
    """A value as it lies there."""

    nonce: str
    """Of whoever wrote it: it makes the entity tag of equal data another one each time."""
    expires: float
    data: bytes
    tag: str = ""
    """The entity tag, with its quotation marks."""

    def pack(self) -> bytes:
        """The whole object."""
        return b"%s %s\n%s" % (self.nonce.encode(), repr(self.expires).encode(), self.data)

    @property
    def stored(self) -> Stored:
        """As others see it. Its version has what has to be known for the next save."""
        return Stored(self.data, f"{self.expires!r} {self.tag}")


def unpack(body: bytes, tag: str) -> Kept:
    """Raises ValueError for what was not packed here."""
    line, _, data = body.partition(b"\n")
    nonce, expires = line.decode().split(" ")
    return Kept(nonce, float(expires), data, tag)


def replaceable(version: str, now: float) -> str:
    """The entity tag of a version that has not expired; empty for one that has, and for what is none."""
    expires, _, tag = version.partition(" ")
    try:
        return tag if float(expires) > now else ""
    except ValueError:
        return ""


# What is said of them


class Page(NamedTuple):
    """Some of the keys that begin alike."""

    objects: list[tuple[str, str]]
    """Keys and entity tags."""
    next: str
    """What to ask for the following one with; empty if there is none."""


def page(body: bytes) -> Page:
    """Of ListObjectsV2."""
    root = _parse(body)
    objects = [(_text(each, "Key"), _text(each, "ETag")) for each in root.iterfind("{*}Contents")]
    return Page(objects, _text(root, "NextContinuationToken"))


def removal(keys: Iterable[str]) -> bytes:
    """Of DeleteObjects, which tells only what it could not do. These keys need no escapes."""
    objects = "".join(f"<Object><Key>{key}</Key></Object>" for key in keys)
    return f'<Delete xmlns="{_NAMESPACE}">{objects}<Quiet>true</Quiet></Delete>'.encode()


def kept_back(body: bytes) -> str:
    """The code of the first error of DeleteObjects; empty if all are gone."""
    error = _parse(body).find("{*}Error") if body.strip() else None
    return "" if error is None else _text(error, "Code") or "an error"


def checksum(body: bytes) -> list[tuple[str, str]]:
    """Headers without which S3 does not take a removal or a lifecycle."""
    return [
        ("x-amz-sdk-checksum-algorithm", "CRC32"),
        ("x-amz-checksum-crc32", b64encode(crc32(body).to_bytes(4)).decode()),
    ]


# The bucket


def location(region: str) -> bytes:
    """Where to make a bucket: us-east-1 must not be named."""
    if region == "us-east-1":
        return b""
    constraint = f"<LocationConstraint>{region}</LocationConstraint>"
    return f'<CreateBucketConfiguration xmlns="{_NAMESPACE}">{constraint}</CreateBucketConfiguration>'.encode()


def lifecycle(before: bytes, prefix: str) -> bytes:
    """The rules that are there, as they are, with ours: objects below `prefix` go after a day, and nothing else does.

    Empty if they are there already. In a bucket with versions, those that were replaced go a day later.
    """
    from xml.etree import ElementTree as ET

    ET.register_namespace("", _NAMESPACE)
    root = _parse(before) if before else ET.Element(f"{{{_NAMESPACE}}}LifecycleConfiguration")
    known = {_text(rule, "ID") for rule in root.iterfind("{*}Rule")}
    ours = [rule for kind in KINDS if (rule := _rule(f"{prefix}{kind}/"))[0].text not in known]
    root.extend(ours)
    return ET.tostring(root) if ours else b""


def _rule(prefix: str) -> Element:
    return _parse(
        f'<Rule xmlns="{_NAMESPACE}"><ID>lambent {prefix}</ID><Filter><Prefix>{prefix}</Prefix></Filter>'
        "<Status>Enabled</Status><Expiration><Days>1</Days></Expiration>"
        "<NoncurrentVersionExpiration><NoncurrentDays>1</NoncurrentDays></NoncurrentVersionExpiration></Rule>".encode()
    )


def _parse(body: bytes) -> Element:
    """Raises ValueError for what is no XML."""
    from xml.etree import ElementTree as ET

    try:
        return ET.fromstring(body)  # noqa: S314  # from the service that is trusted with the data itself
    except ET.ParseError as error:
        raise ValueError(f"Expected XML, but got {body[:40]!r}.") from error


def _text(element: Element, tag: str) -> str:
    return element.findtext(f"{{*}}{tag}") or ""
