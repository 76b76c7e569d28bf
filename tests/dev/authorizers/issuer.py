"""Somebody who issues tokens, and the server where the keys are."""

from __future__ import annotations

import functools
import json
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

NOW = 1_795_000_000
ISSUER = "https://login.example.com/"
CLAIMS = {"iss": ISSUER, "aud": "shop", "sub": "ada", "iat": NOW - 60, "exp": NOW + 60}


@functools.cache
def rsa_key(name: str) -> rsa.RSAPrivateKey:
    """The same for a name throughout the tests: they take a while to make."""
    del name
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def token(claims: Mapping[str, object] = CLAIMS, kid: str | None = "a", algorithm: str = "RS256", by: str = "a") -> str:
    headers = {} if kid is None else {"kid": kid}
    return jwt.encode(dict(claims), rsa_key(by), algorithm=algorithm, headers=headers)


def jwk(name: str = "a", **others: object) -> dict[str, Any]:
    public = json.loads(RSAAlgorithm.to_jwk(rsa_key(name).public_key()))
    return {**public, "kid": name, "use": "sig", "alg": "RS256", **others}


def jwks(*names: str) -> bytes:
    return json.dumps({"keys": [jwk(name) for name in names or ("a",)]}).encode()


def elliptic() -> tuple[str, dict[str, Any]]:
    """A token signed with ES256, and its key."""
    private = ec.generate_private_key(ec.SECP256R1())
    key = {**json.loads(ECAlgorithm.to_jwk(private.public_key())), "kid": "e"}
    return jwt.encode(CLAIMS, private, algorithm="ES256", headers={"kid": "e"}), key


class Site:
    """An HTTP server with pages that the test sets; any other path is 404. A page of None never comes."""

    def __init__(self, **pages: bytes | None) -> None:
        self.pages = {f"/{name}": page for name, page in pages.items()}
        self.asked: list[str] = []
        self._gate = threading.Event()
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                site.asked.append(self.path)
                page = site.pages.get(self.path, b"")
                if page is None:
                    site._gate.wait(60)
                    return
                self.send_response(200 if page else 404)
                self.send_header("content-length", str(len(page)))
                self.end_headers()
                self.wfile.write(page)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._gate.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(20)
