"""What a content type says of a body. Pure."""

from __future__ import annotations

from lambent.api.exceptions import HTTPException


def is_json(content_type: str | None) -> bool:
    """Whether it is JSON: `application/json`, `application/problem+json`, or nothing said.

    Raises HTTPException (415) for JSON in another encoding than UTF-8: there is no other (RFC 8259, 8.1).
    """
    if not content_type or content_type == "application/json":
        return True
    from lambent.api.headers import media_type

    kind, parameters = media_type(content_type)
    if kind and kind != "application/json" and not kind.endswith("+json"):
        return False
    if parameters.get("charset", "utf-8").lower() not in {"utf-8", "utf8"}:
        raise HTTPException(415, "Expected JSON in UTF-8.")
    return True


def is_form(content_type: str | None) -> bool:
    """Whether it is what a browser sends of a form."""
    from lambent.api.headers import media_type

    kind = media_type(content_type or "")[0]
    return kind in {"application/x-www-form-urlencoded", "multipart/form-data"}
