"""Objects of S3: their names, what is in them, and the XML around them."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from lambent.stores import s3_objects as objects
from lambent.stores.model import ABSENT, LONGEST, Stored
from lambent.stores.s3 import LONGEST_PREFIX
from lambent.stores.s3_objects import Kept

names = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=300).filter(
    lambda name: len(name.encode()) <= LONGEST
)
SAFE = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./")
LONG = "漢" * 170
XMLNS = "http://s3.amazonaws.com/doc/2006-03-01/"


@given(names, names)
@example(".", "..")
@example("a_2Fb", "a/b")
@example("~", "%7E")
@example(LONG, f"{LONG[:-1]}字")
@example("ß" * 256, "x" * 512)
def test_a_name_is_read_back_from_every_key(one: str, other: str) -> None:
    assert objects.named(objects.value_key(one)) == one
    assert objects.named(objects.group_key(other, one)) == one
    assert objects.named(objects.member_key(other, one)) == one
    for key in (objects.value_key(one), objects.group_key(one, other), objects.member_key(one, other)):
        assert SAFE.issuperset(key)
        assert len(key) <= 1024 - LONGEST_PREFIX - 1
        assert all(part.strip(".") for part in key.split("/"))


@given(names, names)
@example(LONG, f"{LONG[:-1]}字")
@example("a", "A")
def test_different_names_have_different_keys(one: str, other: str) -> None:
    assume(one != other)
    assert objects.value_key(one) != objects.value_key(other)
    assert objects.group_key(one, "m") != objects.group_key(other, "m")
    assert objects.member_key(one, "g") != objects.member_key(other, "g")
    assert not objects.group_key(one, other).startswith(objects.group_key(other))


def test_plain_names_can_be_read_by_people() -> None:
    assert objects.value_key("connection/JCIuTfPGDoECJkA=") == "values/connection_2FJCIuTfPGDoECJkA_3D"
    assert objects.group_key("group/a-room", "m.1") == "groups/group_2Fa-room/m_2E1"
    assert objects.member_key("m_1", "g") == "members/m_5F1/g"


@given(st.text("0123456789abcdef", min_size=1, max_size=16), st.floats(0, 1e11), st.binary(max_size=200))
def test_what_is_packed_is_unpacked(nonce: str, expires: float, data: bytes) -> None:
    kept = Kept(nonce, expires, data, '"tag"')
    assert objects.unpack(kept.pack(), '"tag"') == kept
    assert kept.stored == Stored(data, f'{expires!r} "tag"')
    assert objects.replaceable(kept.stored.version, expires - 60) == '"tag"'
    assert objects.replaceable(kept.stored.version, expires) == ""


def test_equal_data_make_different_objects() -> None:
    assert Kept("a", 1.0, b"data").pack() != Kept("b", 1.0, b"data").pack()


@pytest.mark.parametrize("body", [b"", b"hello", b"a b\ndata", b"a 1.0 c\ndata", b"\xff 1.0\n", b"nonce\n"])
def test_what_was_written_by_somebody_else_is_no_value(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        objects.unpack(body, '"tag"')


@pytest.mark.parametrize("version", [ABSENT, "x", "-", '"tag"', "nan", 'x "tag"'])
def test_what_is_no_version_replaces_nothing(version: str) -> None:
    assert objects.replaceable(version, 0.0) == ""


PAGE = f"""<?xml version="1.0" encoding="UTF-8"?>
<ListBucketResult xmlns="{XMLNS}"><Name>b</Name><IsTruncated>true</IsTruncated>
<NextContinuationToken>1a/b+c==</NextContinuationToken>
<Contents><Key>p/groups/g/a</Key><LastModified>2026-11-21T00:00:00.000Z</LastModified><ETag>&quot;1&quot;</ETag></Contents>
<Contents><Key>p/groups/g/b</Key><ETag>"2"</ETag><Size>3</Size></Contents>
</ListBucketResult>""".encode()


def test_a_page_has_keys_tags_and_where_the_next_one_starts() -> None:
    found = [("p/groups/g/a", '"1"'), ("p/groups/g/b", '"2"')]
    assert objects.page(PAGE) == (found, "1a/b+c==")
    assert objects.page(PAGE.replace(f' xmlns="{XMLNS}"'.encode(), b"")) == (found, "1a/b+c==")
    assert objects.page(f"<ListBucketResult xmlns='{XMLNS}'/>".encode()) == ([], "")
    with pytest.raises(ValueError, match="Expected XML, but got b'<html>'"):
        objects.page(b"<html>")


def test_a_removal_that_failed_is_seen() -> None:
    assert objects.kept_back(b"") == ""
    assert objects.kept_back(f"<DeleteResult xmlns='{XMLNS}'/>".encode()) == ""
    failed = f"<DeleteResult xmlns='{XMLNS}'><Error><Key>k</Key><Code>AccessDenied</Code></Error></DeleteResult>"
    assert objects.kept_back(failed.encode()) == "AccessDenied"
    assert objects.kept_back(failed.replace("AccessDenied", "").encode()) == "an error"


def test_us_east_1_is_not_named() -> None:
    assert objects.location("us-east-1") == b""
    assert b"<LocationConstraint>eu-west-1</LocationConstraint>" in objects.location("eu-west-1")


THEIRS = f"""<?xml version="1.0" encoding="UTF-8"?>
<LifecycleConfiguration xmlns="{XMLNS}"><Rule><ID>theirs</ID><Filter><And><Prefix>logs/</Prefix>
<Tag><Key>k</Key><Value>&lt;v&gt;</Value></Tag></And></Filter><Status>Disabled</Status>
<Transition><Days>30</Days><StorageClass>GLACIER</StorageClass></Transition></Rule></LifecycleConfiguration>""".encode()


def rules(body: bytes) -> dict[str, str]:
    """Each by its ID, as it is written."""
    found = ET.fromstring(body).findall(f"{{{XMLNS}}}Rule")
    return {rule.findtext(f"{{{XMLNS}}}ID", ""): ET.canonicalize(ET.tostring(rule), strip_text=True) for rule in found}


def test_rules_are_added_once_and_those_of_others_stay() -> None:
    first = objects.lifecycle(THEIRS, "p/")
    assert list(rules(first)) == ["theirs", *(f"lambent p/{kind}/" for kind in objects.KINDS)]
    assert rules(first)["theirs"] == rules(THEIRS)["theirs"]
    assert objects.lifecycle(first, "p/") == b""
    second = objects.lifecycle(first, "q/")
    assert len(rules(second)) == 7
    assert rules(second).items() > rules(first).items()
    assert rules(objects.lifecycle(b"", "p/")).keys() == rules(first).keys() - {"theirs"}


def test_a_rule_is_about_what_is_written_here_and_nothing_else() -> None:
    prefixes = {
        each.text
        for each in ET.fromstring(objects.lifecycle(b"", "p/")).iterfind(f".//{{{XMLNS}}}Filter/{{{XMLNS}}}Prefix")
    }
    assert prefixes == {"p/values/", "p/groups/", "p/members/"}
    written = objects.value_key("a"), objects.group_key("a", "b"), objects.member_key("a", "b")
    assert {f"p/{key.partition('/')[0]}/" for key in written} == prefixes
