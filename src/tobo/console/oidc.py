"""Signing in by an identity provider: OpenID Connect Core 1.0, the authorization code flow with PKCE, by Authlib.

The endpoints are those of a workforce's OidcConfig; nothing is discovered. Who answers is believed only by a token that
is signed with a key of the JwksUri, RS256 or ES256, for this client, this sign-in's nonce, and now.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from tobo.kit.fault import Fault

ALGORITHMS = ["RS256", "ES256"]

SCOPE = "openid profile email"
"""Where the OidcConfig names none."""

GROUPS = ("sagemaker:groups", "sagemaker-groups", "groups")
"""Claims that may hold a person's groups, the first that is there; the first two are those that Ground Truth documents."""

PATIENCE = 10.0
"""Seconds for each of the provider's answers."""

CLOCKS = 60
"""Seconds by which the provider's clock and ours may differ."""


@dataclass(frozen=True)
class Begun:
    """A sign-in that waits for its answer; its secrets never leave the server, but for what the provider is shown."""

    state: str
    nonce: str
    verifier: str
    redirect: str


@dataclass(frozen=True)
class Person:
    """`subject` is the provider's own name for the person, unique there and for good; `name` what people call him."""

    subject: str
    name: str
    groups: tuple[str, ...]


def begin(config: Mapping[str, Any], redirect: str) -> tuple[str, Begun]:
    """The provider's address to which the browser is sent, and what its answer has to fit. Raises Fault without Authlib."""
    token = _library().common.security.generate_token
    begun = Begun(token(43), token(43), token(64), redirect)
    with _session(config, None, begun) as session:
        address, _ = session.create_authorization_url(
            config["AuthorizationEndpoint"],
            state=begun.state,
            nonce=begun.nonce,
            code_verifier=begun.verifier,
            **config.get("AuthenticationRequestExtraParams", {}),
        )
    return str(address), begun


def finish(config: Mapping[str, Any], secret: str, begun: Begun, answer: Mapping[str, str]) -> Person:
    """Who has signed in; `answer` are the parameters with which the browser came back, its state among them.

    Raises Fault AccessDeniedException, which names the reason.
    """
    from authlib.common.errors import AuthlibBaseError
    from joserfc.errors import JoseError
    from requests import RequestException

    if "error" in answer:
        raise _denied(f"{answer['error'][:100]} {answer.get('error_description', '')[:300]}".strip())
    if answer.get("iss", config["Issuer"]) != config["Issuer"]:
        raise _denied("another provider answered (RFC 9207)")
    try:
        with _session(config, secret, begun) as session:
            token = session.fetch_token(
                config["TokenEndpoint"],
                grant_type="authorization_code",
                code=answer.get("code", ""),
                code_verifier=begun.verifier,
                allow_redirects=False,
            )
            claims = _claims(config, session, token, begun)
            return _person(config, claims, session)
    except (AuthlibBaseError, JoseError) as error:
        raise _denied(f"{error.error}: {error.description or 'that is not what was asked for'}") from None
    except RequestException as error:
        raise _denied(f"it cannot be reached ({type(error).__name__}); try again") from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _denied(f"its answer cannot be read ({type(error).__name__})") from None


def leaving(config: Mapping[str, Any], back: str) -> str:
    """The provider's address at which its own session ends, too (OpenID Connect RP-Initiated Logout 1.0)."""
    join = "&" if "?" in config["LogoutEndpoint"] else "?"
    asked = urlencode({"client_id": config["ClientId"], "post_logout_redirect_uri": back})
    return f"{config['LogoutEndpoint']}{join}{asked}"


def _claims(config: Mapping[str, Any], session: Any, token: Mapping[str, Any], begun: Begun) -> dict[str, Any]:
    """Those of the ID token, whose signature, issuer, audience, time, nonce and access token are checked."""
    from authlib.oidc.core import CodeIDToken
    from joserfc import jwt
    from joserfc.jwk import KeySet

    keys = KeySet.import_key_set(_asked(session, config["JwksUri"], withhold_token=True))
    found = jwt.decode(token["id_token"], keys, algorithms=ALGORITHMS)
    wanted = {
        "iss": {"essential": True, "value": config["Issuer"]},
        "aud": {"essential": True, "value": config["ClientId"]},
    }
    params = {"nonce": begun.nonce, "client_id": config["ClientId"], "access_token": token.get("access_token")}
    claims: Any = CodeIDToken(found.claims, found.header, wanted, params)
    claims.validate(int(time.time()), CLOCKS)
    return dict(claims)


def _person(config: Mapping[str, Any], claims: Mapping[str, Any], session: Any) -> Person:
    """Groups that the ID token leaves out are asked for at the UserInfoEndpoint, which must speak of the same person."""
    told = dict(claims)
    if not any(claim in told for claim in GROUPS):
        more = _asked(session, config["UserInfoEndpoint"])
        if more.get("sub") != told["sub"]:
            raise _denied("its user info is about somebody else")
        told = {**more, **told}
    given = next((told[claim] for claim in GROUPS if claim in told), ())
    groups = given.split(",") if isinstance(given, str) else given
    subject = str(told["sub"])
    name = next((str(told[claim]) for claim in ("preferred_username", "name", "email") if told.get(claim)), subject)
    return Person(subject, name, tuple(sorted({str(group).strip() for group in groups} - {""})))


def _asked(session: Any, address: str, **more: Any) -> Any:
    answer = session.get(address, allow_redirects=False, **more)
    answer.raise_for_status()
    return answer.json()


def _session(config: Mapping[str, Any], secret: str | None, begun: Begun) -> Any:
    return _library().integrations.requests_client.OAuth2Session(
        config["ClientId"],
        secret,
        scope=config.get("Scope", SCOPE),
        redirect_uri=begun.redirect,
        code_challenge_method="S256",
        default_timeout=PATIENCE,
    )


def _library() -> Any:
    try:
        import authlib.common.security
        import authlib.integrations.requests_client
    except ImportError:
        raise Fault(
            "NotImplemented", "Signing in by a provider needs Authlib; pip install 'tobo[oidc]' on the server.", 501
        ) from None
    return authlib


def _denied(why: str) -> Fault:
    return Fault("AccessDeniedException", f"The identity provider did not sign you in: {why}.", 403)
