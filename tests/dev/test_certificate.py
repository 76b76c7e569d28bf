"""The certificate of HTTPS, as TLS itself takes it."""

import os
import socket
import ssl
import stat
import sys
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from lambent.dev import certificate
from lambent.dev.certificate import Certificate, find, issue, names, write
from lambent.dev.config import Project
from lambent.dev.model import Entrance, Function
from lambent.errors import ConfigurationError

NAMES = ("localhost", "127.0.0.1", "::1", "my_function.localhost", "*.shop.example", "bücher.example")


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return find(NAMES, tmp_path_factory.mktemp("cache"))


def handshake(shown: Certificate, name: str, authority: Path | None = None) -> None:
    """Speak TLS as with that name. Raises ssl.SSLError."""
    ours, theirs = socket.socketpair()
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(shown.server)
    client = ssl.create_default_context(cafile=authority or shown.authority)
    client.verify_flags |= ssl.VERIFY_X509_STRICT

    def serve() -> None:
        try:
            with server.wrap_socket(ours, server_side=True) as connection:
                connection.recv(1)
        except OSError:
            ours.close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        with theirs, client.wrap_socket(theirs, server_hostname=name) as connection:
            connection.sendall(b"x")
    finally:
        theirs.close()
        thread.join(20)


@pytest.mark.parametrize("name", [name.replace("*", "a") for name in NAMES])
def test_it_is_for_its_names(shown: Certificate, name: str) -> None:
    handshake(shown, name)


def test_it_is_for_no_others(shown: Certificate, tmp_path: Path) -> None:
    with pytest.raises(ssl.SSLCertVerificationError, match="mismatch"):
        handshake(shown, "example.com")
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(shown, "localhost", find(NAMES, tmp_path).authority)


@pytest.mark.skipif(sys.platform == "win32", reason="it has no modes")
def test_the_key_is_its_owners_alone(shown: Certificate) -> None:
    before = os.umask(0)
    try:
        made = find(["localhost"], shown.server.parents[1] / "below")
    finally:
        os.umask(before)
    for each in (shown, made):
        assert stat.S_IMODE(each.server.stat().st_mode) == 0o600
        assert stat.S_IMODE(each.server.parent.stat().st_mode) == 0o700
        assert b"PRIVATE KEY" in each.server.read_bytes()
        assert b"PRIVATE KEY" not in each.authority.read_bytes()


def test_it_is_kept_for_the_same_names(shown: Certificate) -> None:
    folder = shown.server.parents[1]
    assert find(reversed(NAMES), folder) == shown
    assert find([*NAMES, "other.example"], folder) != shown


def broken(kept: Certificate) -> None:
    kept.server.write_text("no certificate", "utf-8")


def gone(kept: Certificate) -> None:
    kept.server.unlink()


def open_to_all(kept: Certificate) -> None:
    if sys.platform == "win32":
        pytest.skip("it has no modes")
    kept.server.chmod(0o644)


@pytest.mark.parametrize("spoil", [broken, gone, open_to_all])
def test_what_is_spoilt_is_made_again(spoil: Callable[[Certificate], None], tmp_path: Path) -> None:
    kept = find(["localhost"], tmp_path)
    spoil(kept)
    made = find(["localhost"], tmp_path)
    assert made != kept
    handshake(made, "localhost")
    assert len(list(tmp_path.iterdir())) == 1


def test_it_is_made_again_before_it_expires(tmp_path: Path) -> None:
    kept = find(["localhost"], tmp_path)
    old = datetime.now(UTC) - certificate.LIFETIME + timedelta(days=6)
    kept.server.unlink()
    write(issue(["localhost"], old), kept.server.parent)
    made = find(["localhost"], tmp_path)
    assert made != kept
    assert find(["localhost"], tmp_path) == made


def test_one_that_is_being_written_is_left_alone(tmp_path: Path) -> None:
    kept = find(["localhost"], tmp_path)
    kept.authority.unlink()
    assert find(["localhost"], tmp_path) != kept
    assert kept.server.exists()


def test_its_names_are_those_that_the_local_lambda_answers_to() -> None:
    functions = (Function("Orders", "app.handler"), Function("api", "app:app"))
    project = Project(functions, (Entrance("shop", "rest"),), host="0.0.0.0", allowed_hosts=(".x.example", "y.example"))
    assert names(project) == [
        "localhost",
        "*.localhost",
        "127.0.0.1",
        "::1",
        "x.example",
        "*.x.example",
        "y.example",
        "orders.localhost",
        "api.localhost",
        "shop.localhost",
    ]
    assert "192.0.2.1" in names(Project(functions, host="192.0.2.1"))


@pytest.mark.parametrize(
    ("environ", "expected"),
    [({"XDG_CACHE_HOME": "/c"}, Path("/c/lambent/https")), ({}, Path.home() / ".cache/lambent/https")],
)
@pytest.mark.skipif(sys.platform == "win32", reason="it has a place of its own for that")
def test_it_is_kept_where_caches_are(environ: Mapping[str, str], expected: Path) -> None:
    assert certificate.cache(environ) == expected


def test_where_it_cannot_be_kept_that_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigurationError, match=r"The certificate for HTTPS cannot be kept in .*file"):
        find(["localhost"], tmp_path / "file" / "folder")


def test_without_the_library_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(certificate, "find_spec", lambda name: None)
    with pytest.raises(ConfigurationError, match=r'needs cryptography.* pip install "lambent\[https\]"'):
        find(["localhost"], tmp_path)
