"""SQS and SNS, where a digest is more than a field."""

import hashlib

from lambent.testing.events import sqs
from lambent.testing.events.messages import attributes_digest


def test_the_digest_of_attributes_is_that_of_aws() -> None:
    # As moto 5 computes it, which is compared with AWS.
    assert attributes_digest({"test1": "string value"}) == "c98c55575cd772d63f5e5a57399e1348"
    assert attributes_digest({"raw": b"\x00\xff", "text": "é", "number": 1.5}) == "e56f80df54e9aa9c17de8ade6b675a8a"


def test_it_is_there_where_there_are_attributes() -> None:
    (record,) = sqs("é", attributes={"test1": "string value"})["Records"]
    assert record["md5OfMessageAttributes"] == "c98c55575cd772d63f5e5a57399e1348"
    assert record["md5OfBody"] == hashlib.md5("é".encode(), usedforsecurity=False).hexdigest()
    assert "md5OfMessageAttributes" not in sqs("a")["Records"][0]


def test_a_fifo_queue_is_one_by_its_name_by_its_group_or_by_being_called_so() -> None:
    for event in (sqs("a", queue="q.fifo"), sqs("a", queue="q", fifo=True), sqs("a", queue="q", group="default")):
        (record,) = event["Records"]
        assert record["eventSourceARN"].endswith(":q.fifo")
        assert record["attributes"]["MessageGroupId"] == "default"
        assert record["attributes"]["MessageDeduplicationId"] == hashlib.sha256(b"a").hexdigest()
