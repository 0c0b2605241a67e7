"""What does the manifest in a sound file say of training and mining, and can it be relied on?

A file that was found is an attack surface: manifests are read in a process of their own, whose memory and time are
bounded, which reaches no network (a manifest may ask for one), and whatever becomes of it ends here as a file whose
manifest is invalid.  Four states are told apart: **trusted** (signed by whom an anchor vouches for), **untrusted** (as
it was signed, by nobody known), **invalid** (changed since, in its sound or in its tags), **absent** (never there, or
left behind by whoever copied the stream into another file).  "Valid", as readers of C2PA say of the second, says
nothing of who signed.

Writing is for files of our own, and happens here.  MP3, WAV, FLAC and M4A take a manifest.
"""

import contextlib
import io
import json
import resource
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from riparian.catalogue.channels.cawg import LABEL, LABELS, Told, Trust
from riparian.errors import InputError

MEDIA_TYPES: Final[Mapping[str, str]] = {
    ".flac": "audio/flac",
    ".m4a": "audio/mp4",
    ".mp3": "audio/mpeg",
    ".wav": "audio/wav",
}
FILE_BYTES_MAX: Final = 1 << 30
_MEMORY_BYTES: Final = 4 << 30
_SECONDS: Final = 120
_UNTRUSTED: Final = "signingCredential.untrusted"
_MAX_WHY: Final = 200
_SETTINGS: Final[dict[str, Any]] = {
    "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False, "verify_trust": True},
}


def read_manifests(paths: Sequence[Path], *, anchors: str = "") -> dict[Path, Told]:
    """Read the manifests of sound files.

    Parameters
    ----------
    anchors
        Certificates that vouch for signers, PEM; empty for none: then nobody is trusted.
    """
    told: dict[Path, Told] = {}
    left = [path for path in paths if path.suffix.lower() in MEDIA_TYPES]
    while left:
        told.update(_read_some(left, anchors))
        remaining = [path for path in left if path not in told]
        if remaining:
            # The one in hand when the reader ended.
            told[remaining[0]] = Told(Trust.INVALID, why="its reader was ended")
        left = remaining[1:]
    return told


def _read_some(paths: Sequence[Path], anchors: str) -> Iterator[tuple[Path, Told]]:
    asked = json.dumps({"paths": [str(path) for path in paths], "anchors": anchors})
    command = [sys.executable, "-P", "-m", __name__]
    # Nothing of what it says on its standard error is for anybody.
    child = subprocess.run(command, input=asked, capture_output=True, text=True, check=False)  # noqa: S603 -- ourselves
    for path, line in zip(paths, child.stdout.splitlines(), strict=False):
        with contextlib.suppress(ValueError, KeyError, TypeError):
            said = json.loads(line)
            yield path, Told(Trust(said["trust"]), said["assertion"], said["signer"], said["why"])


def main() -> None:
    """Read manifests as the parent asks on the standard input; a line of JSON each."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    asked = json.load(sys.stdin)
    for path in asked["paths"]:
        used = resource.getrusage(resource.RUSAGE_SELF)
        limit = int(used.ru_utime + used.ru_stime) + _SECONDS
        resource.setrlimit(resource.RLIMIT_CPU, (limit, resource.RLIM_INFINITY))
        told = _told(Path(path), asked["anchors"])
        said = {"trust": told.trust, "assertion": told.assertion, "signer": told.signer, "why": told.why}
        sys.stdout.write(json.dumps(said) + "\n")
        sys.stdout.flush()


def _told(path: Path, anchors: str) -> Told:
    import c2pa  # noqa: PLC0415 -- it takes its time to load, and few need it

    try:
        if path.stat().st_size > FILE_BYTES_MAX:
            return Told(Trust.INVALID, why=f"the file has more than {FILE_BYTES_MAX >> 30} GiB")
        trust = {"trust": {"user_anchors": anchors}} if anchors else {}
        context = c2pa.Context(c2pa.Settings.from_dict({**_SETTINGS, **trust}))
        with path.open("rb") as file:
            reader = c2pa.Reader.try_create(MEDIA_TYPES[path.suffix.lower()], file, context=context)
            if reader is None:
                return Told(Trust.ABSENT)
            return _understood(json.loads(reader.json()), str(reader.get_validation_state()))
    except (c2pa.C2paError, OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        return Told(Trust.INVALID, why=f"it cannot be read: {' '.join(str(error).split())}"[:_MAX_WHY])


def _understood(said: Mapping[str, Any], state: str) -> Told:
    manifest = said["manifests"][said["active_manifest"]]
    assertions = {one["label"]: one.get("data") for one in manifest.get("assertions", ())}
    assertion = next((assertions[label] for label in LABELS if label in assertions), None)
    signer = manifest.get("signature_info") or {}
    named = str(signer.get("common_name") or signer.get("issuer") or "")
    codes = [str(one.get("code")) for one in said.get("validation_status") or ()]
    wrong = ", ".join(code for code in codes if code != _UNTRUSTED)[:_MAX_WHY]
    if state == "Invalid" or wrong:
        return Told(Trust.INVALID, assertion, named, wrong or state)
    if _UNTRUSTED in codes or state != "Trusted":
        return Told(Trust.UNTRUSTED, assertion, named, _UNTRUSTED)
    return Told(Trust.TRUSTED, assertion, named)


def seal(source: Path, assertion: Mapping[str, Any], *, chain: bytes, key: bytes, algorithm: str) -> bytes:
    """Give a file of ours with a manifest that has the assertion; an earlier manifest is kept within it.

    Parameters
    ----------
    assertion
        As :func:`riparian.catalogue.channels.cawg.written` gives it.
    chain, key
        The certificate with those that issued it, and its key, PEM.
    algorithm
        ``es256``, ``es384``, ``es512``, ``ps256``, ``ps384``, ``ps512`` or ``ed25519``.

    Raises
    ------
    InputError
        When the file takes no manifest, or the certificate is not fit for one.
    """
    import c2pa  # noqa: PLC0415 -- as above

    media_type = MEDIA_TYPES.get(source.suffix.lower())
    if media_type is None:
        raise InputError(
            f"`{source.name}` takes no manifest, wanted {', '.join(sorted(MEDIA_TYPES))}",
            hint="Deliver it as FLAC, or rely on the site's files alone.",
        )
    manifest = {
        "claim_generator_info": [{"name": "riparian"}],
        "title": source.name,
        "assertions": [{"label": LABEL, "data": assertion}],
    }
    out = io.BytesIO()
    try:
        signer = c2pa.Signer.from_info(c2pa.C2paSignerInfo(algorithm.encode(), chain, key, None))
        builder = c2pa.Builder(manifest, context=c2pa.Context(c2pa.Settings.from_dict(_SETTINGS)))
        builder.set_intent(c2pa.C2paBuilderIntent.EDIT)
        with source.open("rb") as file:
            builder.sign(signer, media_type, file, out)
    except (c2pa.C2paError, OSError, ValueError) as error:
        raise InputError(
            f"`{source.name}` could not be given a manifest ({' '.join(str(error).split())[:_MAX_WHY]}), wanted a whole"
            " sound file and a certificate for C2PA",
            hint="Check that the certificate is fit for C2PA: an end entity's, with its issuers behind it.",
        ) from error
    return out.getvalue()


if __name__ == "__main__":
    main()
