"""The ends of hosts' names, against botocore's."""

from __future__ import annotations

import boto3
import pytest

from lambent.aws.partition import suffix

SESSION = boto3.session.Session("test", "test")


@pytest.mark.parametrize("partition", SESSION.get_available_partitions())
def test_it_is_that_of_botocore(partition: str) -> None:
    regions = SESSION.get_available_regions("dynamodb", partition)
    assert regions
    for region in regions:
        host = SESSION.client("dynamodb", region_name=region).meta.endpoint_url
        assert host == f"https://dynamodb.{region}.{suffix(region)}"
