"""Whom does the operator's own issuer of identities vouch for?

OpenID Connect with the code flow, PKCE, a state and a nonce; the console keeps none of the issuer's tokens.  Whom it
vouches for is let in as whoever came by a link as them before: no address or name of theirs is believed.

Source
------
OpenID Connect Core 1.0, section 3.1; RFC 7636; RFC 9207.
"""

import hmac
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote

import httpx
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from riparian.console.guard import is_loopback
from riparian.errors import InputError, OutsideError
from riparian.ports.staff import WAY_US, Way

_ALGORITHMS: Final = ["RS256", "PS256", "ES256", "EdDSA"]
_LEEWAY_S: Final = 60
_WAY_S: Final = WAY_US // 1_000_000
_PATIENCE_S: Final = 10.0
_BACK: Final = "/sign-in/issuer/back"


@dataclass(frozen=True, slots=True)
class Issuer:
    """Who issues identities, and as whom we ask it.

    Parameters
    ----------
    url
        As it stands in its tokens.
    client_id, client_secret
        What it knows us by.
    transport
        How it is reached; the network where none is given.
    acr
        How strongly it has to have asked who somebody is, in its own words; empty for as it likes.
    """

    url: str
    client_id: str
    client_secret: str = field(repr=False)
    transport: httpx.BaseTransport | None = None
    acr: str = ""

    def asked(self, at: str, way: Way, to: str, *, again: bool = False) -> tuple[str, Way]:
        """Ask it who somebody is: where they are sent, and what has to come back.

        Parameters
        ----------
        at
            Where people reach the console.
        way
            Names the link that they came by, if they did.
        to
            Where they wanted to go.
        again
            Whether they have to prove themselves to it once more, and not only to be known there.
        """
        verifier, state, nonce = (secrets.token_urlsafe(48) for _ in range(3))
        endpoint = self._told()["authorization_endpoint"]
        _require_private(endpoint)
        url = prepare_grant_uri(
            endpoint,
            self.client_id,
            "code",
            redirect_uri=at + _BACK,
            scope="openid",
            state=state,
            nonce=nonce,
            code_challenge=create_s256_code_challenge(verifier),
            code_challenge_method="S256",
            prompt="login" if again else None,
            max_age="0" if again else None,
            acr_values=self.acr or None,
        )
        more = json.dumps({"verifier": verifier, "nonce": nonce, "to": to, "again": again})
        return str(url), Way(state.encode(), way.name, way.link, more)

    def subject(self, at: str, way: Way, asked: Mapping[str, str]) -> str:
        """Read whom it vouches for.

        Raises
        ------
        InputError
            When what comes back answers another question, or vouches for nobody.
        OutsideError
            When it cannot be reached.
        """
        if not hmac.compare_digest(asked.get("state", "").encode(), way.challenge):
            raise InputError("what came back answers another question, wanted yours", hint="Sign in again.")
        if asked.get("iss", self.url) != self.url or "code" not in asked:
            raise InputError("the issuer vouched for nobody, wanted that it does", hint="Sign in again.")
        more = json.loads(way.more)
        told = self._told()
        token = self._token(at, told["token_endpoint"], asked["code"], more["verifier"])
        try:
            keys = KeySet.import_key_set({"keys": self._get(told["jwks_uri"])["keys"]})
            claims = jwt.decode(str(token["id_token"]), keys, algorithms=_ALGORITHMS).claims
            jwt.JWTClaimsRegistry(
                leeway=_LEEWAY_S,
                iss={"essential": True, "value": self.url},
                aud={"essential": True, "value": self.client_id},
                exp={"essential": True},
                iat={"essential": True},
                nonce={"essential": True, "value": more["nonce"]},
                sub={"essential": True},
            ).validate(claims)
            if self.acr and claims.get("acr") != self.acr:
                raise InputError(
                    "the issuer did not ask who you are as strongly as is set, wanted that it does",
                    hint="Sign in there by what console.toml names as `acr`, or by a passkey.",
                )
            if more["again"] and claims["iat"] - int(claims["auth_time"]) > _WAY_S + _LEEWAY_S:
                raise InputError(
                    "the issuer did not ask who you are once more, wanted that it does", hint="Sign in by a passkey."
                )
        except (JoseError, KeyError, ValueError, TypeError) as error:
            raise InputError(f"the issuer's answer cannot be taken: {type(error).__name__}, wanted a token") from error
        return f"{self.url}#{claims['sub']}"

    def _token(self, at: str, endpoint: str, code: str, verifier: str) -> dict[str, Any]:
        said = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": at + _BACK,
            "code_verifier": verifier,
        }
        who = (quote(self.client_id, safe=""), quote(self.client_secret, safe=""))
        _require_private(endpoint)
        try:
            with httpx.Client(transport=self.transport, timeout=_PATIENCE_S) as client:
                answer = client.post(endpoint, data=said, auth=who)
                token: dict[str, Any] = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise OutsideError(f"the issuer cannot be reached: {error}, wanted an answer") from error
        if not answer.is_success or not isinstance(token, dict):
            raise InputError("the issuer does not take the code, wanted a token", hint="Sign in again.")
        return token

    def _told(self) -> dict[str, Any]:
        told = self._get(f"{self.url.rstrip('/')}/.well-known/openid-configuration")
        if told.get("issuer") != self.url:
            raise OutsideError(f"the issuer calls itself `{str(told.get('issuer'))[:200]}`, wanted `{self.url}`")
        return told

    def _get(self, url: str) -> dict[str, Any]:
        _require_private(url)
        try:
            with httpx.Client(transport=self.transport, timeout=_PATIENCE_S) as client:
                found: dict[str, Any] = client.get(url).raise_for_status().json()
        except (httpx.HTTPError, ValueError) as error:
            raise OutsideError(f"the issuer cannot be reached: {error}, wanted an answer") from error
        return found


def _require_private(url: str) -> None:
    """Ask over TLS, or on this machine."""
    if not url.startswith("https://") and not is_loopback(url):
        raise OutsideError(
            f"the issuer is at `{url[:200]}`, wanted an address over TLS", hint="Write one that begins with https://."
        )
