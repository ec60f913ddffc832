"""An OpenID Connect provider on 127.0.0.1 over TLS, real but for tokens that a test may forge; with keys of its own."""

import hashlib
import hmac
import io
import json
import ssl
import threading
import time
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import werkzeug.serving
from joserfc import jws, jwt
from joserfc.jwk import ECKey, KeySet, RSAKey
from oidc_provider_mock import User
from oidc_provider_mock import app as provider_app
from tests.support.house import certificate, write_certificate

Claims = dict[str, Any]


@dataclass
class Provider:
    """`forge` changes the claims of the next tokens; `algorithm` signs them: RS256, ES256, HS256, none, or a `stranger`'s."""

    address: str = ""
    authority: Path = Path()
    algorithm: str = "RS256"
    forge: Callable[[Claims], Claims] = lambda claims: claims
    rsa: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "rsa"}))
    ec: ECKey = field(default_factory=lambda: ECKey.generate_key("P-256", {"kid": "ec"}))

    def config(self, **changed: str) -> dict[str, str]:
        """An OidcConfig."""
        return {
            "ClientId": "labels",
            "ClientSecret": "an-oidc-secret",
            "Issuer": self.address,
            "AuthorizationEndpoint": f"{self.address}/oauth2/authorize",
            "TokenEndpoint": f"{self.address}/oauth2/token",
            "UserInfoEndpoint": f"{self.address}/userinfo",
            "LogoutEndpoint": f"{self.address}/oauth2/end_session",
            "JwksUri": f"{self.address}/jwks",
            **changed,
        }

    def signed(self, claims: Claims) -> str:
        """An ID token, or what somebody would like to pass for one."""
        if self.algorithm in ("none", "HS256"):  # HS256 with the public key as its secret: an old trick
            secret = self.rsa.as_pem(private=False) if self.algorithm == "HS256" else None
            return _by_hand({"alg": self.algorithm, "kid": "rsa"}, claims, secret)
        key: RSAKey | ECKey = self.ec if self.algorithm == "ES256" else self.rsa
        if self.algorithm == "stranger":
            key = RSAKey.generate_key(2048, {"kid": "rsa"})
        algorithm = "ES256" if self.algorithm == "ES256" else "RS256"
        return jwt.encode({"alg": algorithm, "kid": str(key.kid)}, claims, key)


def _by_hand(header: Claims, claims: Claims, secret: bytes | None) -> str:
    """What joserfc refuses to make."""
    parts = [urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in (header, claims)]
    mark = b"" if secret is None else hmac.digest(secret, b".".join(parts), "sha256")
    return b".".join([*parts, urlsafe_b64encode(mark).rstrip(b"=")]).decode()


class _Front:
    """Before the provider: tokens are signed anew, by keys that the test knows; client and PKCE are checked, which it omits."""

    def __init__(self, inner: Any, provider: Provider) -> None:
        self._inner, self._provider = inner, provider
        self._challenges: dict[str, str] = {}

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path == "/jwks":
            keys = KeySet([self._provider.rsa, self._provider.ec]).as_dict(private=False)
            start("200 OK", [("Content-Type", "application/json")])
            return [json.dumps(keys).encode()]
        if path not in ("/oauth2/authorize", "/oauth2/token"):
            return self._inner(environ, start)  # type: ignore[no-any-return]
        sent = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(sent)
        if path == "/oauth2/token" and not self._is_ours(environ, parse_qs(sent.decode())):
            start("400 BAD REQUEST", [("Content-Type", "application/json")])
            return [b'{"error": "invalid_grant"}']
        head: list[Any] = []
        body = b"".join(self._inner(environ, lambda *found: head.extend(found)))
        if path == "/oauth2/authorize":
            answer = parse_qs(urlsplit(dict(head[1]).get("Location", "")).query)
            for code in answer.get("code", ()):
                self._challenges[code] = parse_qs(environ["QUERY_STRING"])["code_challenge"][0]
            start(*head)
            return [body]
        token = json.loads(body)
        if "id_token" in token:
            claims = json.loads(jws.extract_compact(token["id_token"].encode()).payload)
            token["id_token"] = self._provider.signed(self._provider.forge({**claims, "exp": int(time.time()) + 300}))
            body = json.dumps(token).encode()
        start(head[0], [(name, value) for name, value in head[1] if name.lower() != "content-length"])
        return [body]

    def _is_ours(self, environ: Mapping[str, Any], sent: Mapping[str, list[str]]) -> bool:
        known = b64encode(b"labels:an-oidc-secret").decode()
        digest = hashlib.sha256(sent.get("code_verifier", [""])[0].encode()).digest()
        challenge = urlsafe_b64encode(digest).rstrip(b"=").decode()
        code = sent.get("code", [""])[0]
        return environ.get("HTTP_AUTHORIZATION") == f"Basic {known}" and self._challenges.get(code) == challenge


@contextmanager
def identity_provider(folder: Path, users: Mapping[str, Claims]) -> Iterator[Provider]:
    """`users` are claims by subject. Its authority's certificate is to be trusted by who asks it."""
    folder.mkdir(parents=True, exist_ok=True)
    authority = certificate("authority")
    write_certificate(folder, "authority", authority)
    write_certificate(folder, "server", certificate("localhost", authority))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem", folder / "server.key")
    provider = Provider(authority=folder / "authority.pem")
    app = provider_app(require_nonce=True, user_claims=[User(sub=sub, claims=dict(its)) for sub, its in users.items()])
    server = werkzeug.serving.make_server("127.0.0.1", 0, _Front(app, provider), threaded=True, ssl_context=context)
    provider.address = f"https://localhost:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
