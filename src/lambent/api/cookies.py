"""Cookies: the client's as a dict, ours as the value of a `Set-Cookie` field (RFC 6265; 6265bis for attributes)."""

from __future__ import annotations

from lambent.api.headers import CONTROLS, TOKEN
from lambent.errors import InvalidMessage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime

OCTETS = bytes(each for each in range(33, 127) if each not in b'",;\\')
"""What a value consists of that is not in quotes."""

SAME_SITE = {"lax": "Lax", "strict": "Strict", "none": "None"}

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def parse_cookies(header: str) -> dict[str, str]:
    """The `Cookie` field → values by names. Of a repeated name the last counts; one without `=` has an empty name."""
    cookies: dict[str, str] = {}
    for each in header.split(";"):
        name, equals, value = each.partition("=")
        if not equals:
            name, value = "", name
        name, value = name.strip(), value.strip()
        if name or value:
            cookies[name] = _unquoted(value) if value[:1] == '"' else value
    return cookies


def _unquoted(value: str) -> str:
    """What is in the quotes: after a backslash a character or three octal digits, as `http.cookies` writes them."""
    if len(value) < 2 or value[-1] != '"':
        return value
    value = value[1:-1]
    if "\\" not in value:
        return value
    first, *rest = value.split("\\")
    decoded = [first]
    pieces = iter(rest)
    for each in pieces:
        if not each:  # a backslash that is escaped: what follows it is text
            decoded.append("\\")
            decoded.append(next(pieces, ""))
        elif each[0] in "0123" and len(each) > 2 and not each[1:3].strip("01234567"):
            decoded.append(chr(int(each[:3], 8)) + each[3:])
        else:
            decoded.append(each)
    return "".join(decoded)


def set_cookie_value(
    name: str,
    value: str = "",
    *,
    max_age: int | None = None,
    expires: datetime | str | None = None,
    path: str | None = "/",
    domain: str | None = None,
    secure: bool = False,
    httponly: bool = False,
    samesite: str | None = "lax",
    partitioned: bool = False,
) -> str:
    """The value of a `Set-Cookie` field.

    - `value`: ASCII without control characters; one with spaces, commas, semicolons, quotes or backslashes is put in
      quotes, as Python's `http.cookies` does it
    - `max_age`: seconds; `expires`: a datetime with a time zone, or its text
    - `samesite`: `lax`, `strict`, `none`, or None to leave it out

    Raises InvalidMessage for a part that would be read as another, and for what browsers throw away: `none`,
    `partitioned` and a name that begins with `__Secure-` without `secure`, and `__Host-` with a domain or another path.
    """
    same_site = None if samesite is None else _same_site(samesite)
    if not secure and (partitioned or same_site == "None"):
        raise InvalidMessage(
            'Expected secure=True for a cookie with samesite="none" or partitioned: browsers reject it otherwise.'
        )
    _check_prefix(name, path, domain, secure=secure)
    parts = [f"{_name(name)}={_value(name, value)}"]
    if max_age is not None:
        parts.append(f"Max-Age={int(max_age)}")
    if expires is not None:
        parts.append(f"Expires={_attribute(name, 'expires', expires) if isinstance(expires, str) else _date(expires)}")
    if path is not None:
        parts.append(f"Path={_attribute(name, 'path', path)}")
    if domain is not None:
        parts.append(f"Domain={_attribute(name, 'domain', domain)}")
    if same_site is not None:
        parts.append(f"SameSite={same_site}")
    if httponly:
        parts.append("HttpOnly")
    if secure:
        parts.append("Secure")
    if partitioned:
        parts.append("Partitioned")
    return "; ".join(parts)


def _name(name: str) -> str:
    if not name or not name.isascii() or name.encode().translate(None, TOKEN):
        raise InvalidMessage(
            "Expected the name of a cookie to consist of letters, digits and !#$%&'*+-.^_`|~, but it does not."
        )
    return name


def _value(name: str, value: str) -> str:
    if not value.isascii() or not value.isprintable():
        raise InvalidMessage(
            f"Expected the cookie {name} to have ASCII without control characters, but it has others: "
            "percent-encode them."
        )
    if not value.encode().translate(None, OCTETS):
        return value
    for each, escaped in (("\\", "\\\\"), ('"', '\\"'), (",", "\\054"), (";", "\\073")):
        value = value.replace(each, escaped)
    return f'"{value}"'


def _attribute(name: str, what: str, value: str) -> str:
    if ";" in value or not value.isascii() or value.encode().translate(None, CONTROLS) != value.encode():
        raise InvalidMessage(
            f"Expected the {what} of the cookie {name} to be ASCII without semicolons and control characters, "
            "but it is not."
        )
    return value


def _same_site(value: str) -> str:
    try:
        return SAME_SITE[value.lower()]
    except KeyError:
        raise InvalidMessage('Expected samesite to be "lax", "strict", "none" or None, but it is not.') from None


def _check_prefix(name: str, path: str | None, domain: str | None, *, secure: bool) -> None:
    prefix = name[:9].lower()
    if prefix.startswith("__host-") and (not secure or path != "/" or domain is not None):
        raise InvalidMessage(
            'Expected secure=True, path="/" and no domain for a __Host- cookie: browsers reject it otherwise.'
        )
    if prefix == "__secure-" and not secure:
        raise InvalidMessage("Expected secure=True for a __Secure- cookie: browsers reject it otherwise.")


def _date(moment: datetime) -> str:
    """`Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110, 5.6.7), in English wherever it runs."""
    offset = moment.utcoffset() if hasattr(moment, "utcoffset") else None
    if offset is None:
        raise InvalidMessage(
            "Expected `expires` to be a datetime with a time zone: datetime.now(UTC) + ... Seconds are `max_age`."
        )
    utc = (moment - offset).replace(tzinfo=None)
    return (
        f"{DAYS[utc.weekday()]}, {utc.day:02} {MONTHS[utc.month - 1]} {utc.year:04} "
        f"{utc.hour:02}:{utc.minute:02}:{utc.second:02} GMT"
    )
