"""A made-up certificate for HTTPS on this machine, and the authority that vouches for it.

The authority signs this one certificate, and its key is forgotten at once: whoever trusts it trusts nothing else. Both
are kept for the same names, so that it has to be trusted once.
"""

from __future__ import annotations

import hashlib
import ipaddress
import shutil
import sys
import tempfile
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from lambent.errors import ConfigurationError

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey as Key

    from lambent.dev.config import Project

LIFETIME = timedelta(days=397)
"""Longer ones are refused by some clients."""
LEFT = timedelta(days=7)
"""That one must have to be used again."""

HERE = ("localhost", "*.localhost", "127.0.0.1", "::1")
TITLE = "Lambent, the local Lambda on {}"


class Certificate(NamedTuple):
    """Files, in PEM."""

    authority: Path
    """For clients: what they are to trust."""
    server: Path
    """For the server: its key and its certificate. Nobody but its owner may read it."""


class Issued(NamedTuple):
    """What is in them."""

    authority: bytes
    server: bytes


def of_project(project: Project, environ: Mapping[str, str]) -> Certificate:
    """For all names that its local Lambda answers to. `ConfigurationError` if there is none to be had."""
    return find(names(project), cache(environ))


def names(project: Project) -> list[str]:
    """Hosts and addresses. Wildcards right below `localhost` are not known to every client: so each name is there."""
    own = [*(function.name for function in project.functions), *(each.name for each in project.entrances)]
    bound = [] if is_unspecified(project.host) else [project.host]
    allowed = (each for name in project.allowed_hosts for each in covered(name))
    found = [*HERE, *bound, *allowed, *(f"{name}.localhost" for name in own)]
    return list(dict.fromkeys(name.lower() for name in found))


def covered(allowed: str) -> list[str]:
    """`.example.test` is it and every name below."""
    return [allowed[1:], f"*{allowed}"] if allowed.startswith(".") else [allowed]


def is_unspecified(host: str) -> bool:
    """Whether it stands for every address of this machine."""
    try:
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return not host


def cache(environ: Mapping[str, str]) -> Path:
    """Where programs keep what they can make again."""
    windows = environ.get("LOCALAPPDATA") if sys.platform == "win32" else None
    root = environ.get("XDG_CACHE_HOME") or windows or Path.home() / ".cache"
    return Path(root) / "lambent" / "https"


def find(names: Iterable[str], folder: Path) -> Certificate:
    """The one in the folder that is for these names, if it will do for a while, or else a new one.

    `ConfigurationError` if it cannot be made, or kept.
    """
    require_library()
    names = sorted(names)
    mark = hashlib.sha256("\n".join(names).encode()).hexdigest()[:16]
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for each in sorted(folder.glob(f"{mark}-*")):
            kept = Certificate(each / "ca.pem", each / "server.pem")
            if kept.authority.exists():  # it is written last
                if will_do(kept, datetime.now(UTC)):
                    return kept
                shutil.rmtree(each, ignore_errors=True)
        return write(issue(names, datetime.now(UTC)), Path(tempfile.mkdtemp(prefix=f"{mark}-", dir=folder)))
    except OSError as error:
        raise ConfigurationError(f"The certificate for HTTPS cannot be kept in {folder}: {error}.") from None


def require_library() -> None:
    if find_spec("cryptography") is None:
        raise ConfigurationError('HTTPS needs cryptography, which is not installed. Run: pip install "lambent[https]"')


def write(issued: Issued, folder: Path) -> Certificate:
    """Into a folder that is its owner's alone."""
    certificate = Certificate(folder / "ca.pem", folder / "server.pem")
    certificate.server.touch(0o600, exist_ok=False)
    certificate.server.write_bytes(issued.server)
    certificate.authority.write_bytes(issued.authority)
    return certificate


def will_do(certificate: Certificate, now: datetime) -> bool:
    """Whether it can be read by its owner only, belongs to the authority, and has some time left."""
    from cryptography import x509

    try:
        private = sys.platform == "win32" or not certificate.server.stat().st_mode & 0o077
        authority = x509.load_pem_x509_certificate(certificate.authority.read_bytes())
        server = x509.load_pem_x509_certificate(certificate.server.read_bytes())
        server.verify_directly_issued_by(authority)
    except Exception:  # whatever is wrong with it: it can be made again
        return False
    return private and now + LEFT < server.not_valid_after_utc


def issue(names: Iterable[str], now: datetime) -> Issued:
    """A certificate for these hosts and addresses."""
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    signer, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, TITLE.format(now.date()))])
    authority = signed(subject, subject, signer, signer, now, of_authority())
    host = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    server = signed(host, subject, key, signer, now, of_server(names))
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return Issued(authority.public_bytes(Encoding.PEM), private + server.public_bytes(Encoding.PEM))


def signed(
    subject: x509.Name,
    issuer: x509.Name,
    key: Key,
    signer: Key,
    now: datetime,
    extensions: Iterable[tuple[x509.ExtensionType, bool]],
) -> x509.Certificate:
    """With extensions, and whether each is critical."""
    from cryptography import x509
    from cryptography.hazmat.primitives.hashes import SHA256

    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + LIFETIME)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical=critical)
    return builder.sign(signer, SHA256())


def of_authority() -> list[tuple[x509.ExtensionType, bool]]:
    from cryptography import x509

    return [(x509.BasicConstraints(ca=True, path_length=0), True), (usage(signs=True), True)]


def of_server(names: Iterable[str]) -> list[tuple[x509.ExtensionType, bool]]:
    from cryptography import x509
    from cryptography.x509.oid import ExtendedKeyUsageOID

    return [
        (x509.BasicConstraints(ca=False, path_length=None), True),
        (usage(signs=False), True),
        (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False),
        (x509.SubjectAlternativeName([general_name(name) for name in names]), False),
    ]


def usage(*, signs: bool) -> x509.KeyUsage:
    """To sign certificates, or to speak TLS."""
    from cryptography import x509

    return x509.KeyUsage(
        digital_signature=not signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs,
        crl_sign=signs,
        encipher_only=False,
        decipher_only=False,
    )


def general_name(name: str) -> x509.GeneralName:
    """An address, or a host, of which letters beyond ASCII are encoded as DNS has them."""
    from cryptography import x509

    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        star, dot, rest = name.rpartition("*.")
        return x509.DNSName(star + dot + (rest if rest.isascii() else rest.encode("idna").decode("ascii")))
