"""Is it the person who made this passkey?

Source
------
Web Authentication level 3 (W3C): sections 7.1, registering, and 7.2, verifying.  The authenticator finds the passkey
by itself and verifies who is before it, so that a passkey alone is two factors.
"""

import json
import secrets
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from riparian.errors import InputError
from riparian.ports.staff import Passkey, Staff, Way

_SELECTION: Final = AuthenticatorSelectionCriteria(
    resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
)
_HANDLE_BYTES: Final = 32


def asked_to_make(at: str, name: str, link: str, known: list[Passkey]) -> tuple[dict[str, Any], Way]:
    """Ask for a new passkey: what the browser is given, and what has to come back.

    Parameters
    ----------
    at
        Where people reach the console.
    name, link
        Who, and by which link they came.
    known
        Passkeys that they have.
    """
    handle = known[0].handle if known else secrets.token_bytes(_HANDLE_BYTES)
    options = generate_registration_options(
        rp_id=_domain(at),
        rp_name="Riparian",
        user_id=handle,
        user_name=name,
        user_display_name=name,
        authenticator_selection=_SELECTION,
        exclude_credentials=[PublicKeyCredentialDescriptor(id=one.ident) for one in known],
    )
    return json.loads(options_to_json(options)), Way(options.challenge, name, link, bytes_to_base64url(handle))


def made(at: str, way: Way, credential: Mapping[str, Any]) -> Passkey:
    """Read a passkey that was made.

    Raises
    ------
    InputError
        When it is none, or answers another question.
    """
    try:
        found = verify_registration_response(
            credential=dict(credential),
            expected_challenge=way.challenge,
            expected_rp_id=_domain(at),
            expected_origin=at,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError) as error:
        raise InputError(f"the passkey cannot be taken: {_plain(error)}, wanted one that was just made") from error
    handle = base64url_to_bytes(way.more)
    return Passkey(found.credential_id, way.name, handle, found.credential_public_key, found.sign_count)


def asked_to_prove(at: str) -> tuple[dict[str, Any], Way]:
    """Ask for a proof by any passkey of this place."""
    options = generate_authentication_options(rp_id=_domain(at), user_verification=UserVerificationRequirement.REQUIRED)
    return json.loads(options_to_json(options)), Way(options.challenge)


def proven(at: str, way: Way, credential: Mapping[str, Any], staff: Staff) -> Passkey:
    """Find whose passkey proved itself, and take note that it did.

    Raises
    ------
    InputError
        When none did.
    """
    ident = credential.get("rawId", "")
    try:
        known = staff.passkey(base64url_to_bytes(ident if isinstance(ident, str) else ""))
        if known is None:
            raise InputError("the passkey is none that was made here, wanted one that was", hint="Ask an admin.")
        found = verify_authentication_response(
            credential=dict(credential),
            expected_challenge=way.challenge,
            expected_rp_id=_domain(at),
            expected_origin=at,
            credential_public_key=known.public,
            credential_current_sign_count=known.uses,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError) as error:
        raise InputError(f"the passkey proves nothing: {_plain(error)}, wanted a proof made just now") from error
    staff.used(known.ident, found.new_sign_count)
    return known


def _domain(at: str) -> str:
    return urlsplit(at).hostname or ""


def _plain(error: Exception) -> str:
    text = str(error) or type(error).__name__
    return text[0].lower() + text[1:200].rstrip(".")
