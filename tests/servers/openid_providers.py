"""A small OpenID Connect provider over real HTTP: it signs real tokens, checks what it is sent, and can lie."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
import requests
from cryptography.hazmat.primitives.asymmetric import rsa
from django.test import Client
from jwt.algorithms import RSAAlgorithm

from dnbmon_site.accounts import roles

CLIENT, SECRET = "dnbmon", "the-clients-secret-0123456789-0123456789"
# What people may do here, by the groups that it says they are in.
ROLES = {"credit": roles.ANALYST, "it": roles.OPERATOR, "everybody": roles.VIEWER}


@cache
def a_key(name: str) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@dataclass
class Provider:
    port: int = 0
    person: dict[str, Any] = field(default_factory=lambda: {"sub": "ann-1", "preferred_username": "ann"})
    # What it says instead of the truth.
    token_lies: dict[str, Any] = field(default_factory=dict)
    userinfo_lies: dict[str, Any] = field(default_factory=dict)
    document_lies: dict[str, Any] = field(default_factory=dict)
    signs_with: str = "its own"
    algorithm: str = "RS256"
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def document(self) -> dict[str, Any]:
        names = {"authorization_endpoint": "begin", "token_endpoint": "token", "userinfo_endpoint": "me"}
        found = {name: f"{self.issuer}/{path}" for name, path in names.items()}
        return {"issuer": self.issuer, "jwks_uri": f"{self.issuer}/keys", **found, **self.document_lies}

    def begin(self, asked: dict[str, str]) -> str:
        """Where the browser is sent: this person says yes to everything."""
        assert asked["client_id"] == CLIENT and asked["response_type"] == "code" and "openid" in asked["scope"]
        code = secrets.token_hex(8)
        self.codes[code] = asked
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"

    def token(self, sent: dict[str, str]) -> dict[str, Any] | None:
        asked = self.codes.pop(sent["code"], None)
        if not asked or sent["client_secret"] != SECRET or sent["redirect_uri"] != asked["redirect_uri"]:
            return None
        if challenge(sent["code_verifier"]) != asked["code_challenge"]:
            return None
        return {"access_token": "an-access-token", "token_type": "Bearer", "id_token": self.id_token(asked["nonce"])}

    def id_token(self, nonce: str) -> str:
        claims = {"iss": self.issuer, "aud": CLIENT, "exp": int(time.time()) + 300, "nonce": nonce}
        told = {**claims, "sub": self.person["sub"], **self.token_lies}
        keys: dict[str, Any] = {"RS256": a_key(self.signs_with), "HS256": SECRET}
        return jwt.encode(
            {name: value for name, value in told.items() if value is not None},
            keys.get(self.algorithm, ""),
            algorithm=self.algorithm,
            headers={"kid": "1"},
        )

    def keys(self) -> dict[str, Any]:
        public = json.loads(RSAAlgorithm.to_jwk(a_key("its own").public_key()))
        return {"keys": [{**public, "kid": "1", "alg": "RS256", "use": "sig"}]}


def challenge(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def handler(provider: Provider) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            provider.asked.append(parts.path)
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            if parts.path == "/begin":
                self.send_response(302)
                self.send_header("Location", provider.begin(query))
                self.end_headers()
            elif parts.path == "/me":
                is_known = self.headers["Authorization"] == "Bearer an-access-token"
                self.answer({**provider.person, **provider.userinfo_lies} if is_known else None)
            else:
                known = {"/.well-known/openid-configuration": provider.document, "/keys": provider.keys}
                self.answer(known[parts.path]())

        def do_POST(self) -> None:
            provider.asked.append(self.path)
            sent = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            self.answer(provider.token({name: values[0] for name, values in sent.items()}))

        def answer(self, content: dict[str, Any] | None) -> None:
            body = json.dumps(content or {"error": "invalid_grant"}).encode()
            self.send_response(200 if content else 400)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: Any) -> None:
            pass

    return Handler


@contextmanager
def a_provider() -> Iterator[Provider]:
    provider = Provider()
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler(provider))
    provider.port = server.server_port
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()


def begun(client: Client, requested: str = "/portfolio/company/") -> str:
    """To the service and to the point where it sends the browser back."""
    there = client.get("/sign-in/", {"next": requested})
    assert there.status_code == 302
    back = requests.get(there["Location"], allow_redirects=False, timeout=5).headers["Location"]
    assert back.startswith("http://testserver/sign-in/back/")
    return back.removeprefix("http://testserver")
