"""Requests signed with AWS credentials, as `AWS_IAM` wants them. Pure.

A signature has to be there, but is not verified: nobody here knows the secret.

Source: docs.aws.amazon.com/IAM, "Elements of an AWS API request signature".
"""

from __future__ import annotations

import re

from lambent.dev.authorizers.refusals import Denied, signed_otherwise, unsigned
from lambent.dev.doors import fields
from lambent.dev.doors.model import HTTPRequest

CREDENTIAL = re.compile(r"AWS4-[A-Z0-9-]+ .*?Credential=([^/,\s]+)/.*?Signature=[0-9a-fA-F]+", re.DOTALL)
IN_QUERY = ("X-Amz-Credential", "X-Amz-Signature")


def access_key(request: HTTPRequest, kind: str) -> str:
    """Whose signature it is. Raises Denied if there is none."""
    authorization = b",".join(text for name, text in request.headers if name == b"authorization").decode("latin-1")
    if found := CREDENTIAL.match(authorization):
        return found[1]
    if authorization:
        why = "Authorization has no signature with AWS credentials (Signature Version 4)"
        raise Denied(signed_otherwise(kind, authorization), why)
    query = fields.query_values(request.query_string)
    credential, signature = (query.get(name, [""])[-1] for name in IN_QUERY)
    if credential and signature:
        return credential.partition("/")[0]
    why = "it is not signed with AWS credentials (Signature Version 4); lambent dev --as FILE sends it as somebody"
    raise Denied(unsigned(kind), why)
