"""Common Access Tokens against a library that is not ours, and as tables of requests."""

import hmac
import ipaddress
from dataclasses import replace
from hashlib import sha256
from typing import Any

import cbor2
import cwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from riparian.gate import cat, cbor, cose
from riparian.gate.cat import Algorithm, Asked, Claims, Match, Part, Renewal, Renewing, Replay, Secret
from riparian.gate.refused import Refused
from riparian.gate.spelling import decode, encode

NOW_S = 1_800_000_000
SECRET = b"s" * 32
SIGNER = ec.derive_private_key(7, ec.SECP256R1())

FULL = Claims(
    issuer="riparian",
    subject="a-0417",
    audience=("cdn",),
    until_s=NOW_S + 60,
    from_s=NOW_S,
    issued_s=NOW_S,
    id=b"\x0b\x71",
    replay=Replay.DETECTED,
    networks=(ipaddress.IPv4Network("192.0.2.0/24"), ipaddress.IPv6Network("2001:db8::/32"), 64512),
    uri={Part.HOST: {Match.EXACT: "cdn.example"}, Part.PATH: {Match.PREFIX: "/media/1/", Match.SUFFIX: ".m4s"}},
    methods=("GET", "HEAD"),
    protocols=("h2", "h3"),
    headers={"x-device": {Match.SHA256: bytes.fromhex("ab" * 32)}},
    places=("NO", "SE-AB"),
    renewal=Renewal(Renewing.COOKIE, 120, 30, "cat", ("Secure",)),
    private={-70001: "preview"},
)


def find(name: str, algorithm: Algorithm) -> Secret | None:
    keys: dict[Algorithm, Secret] = {Algorithm.HMAC_256: SECRET, Algorithm.ES256: SIGNER.public_key()}
    return keys[algorithm] if name == "k1" else None


def opened(token: str) -> Claims:
    read = cat.read(token, find)
    assert not isinstance(read, Refused), read
    return read[0]


def raw(token: str) -> bytes:
    found = decode(token)
    assert found is not None
    return found


def pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())


def their_key(algorithm: str) -> Any:
    if algorithm == "ES256":
        return cwt.COSEKey.from_pem(pem(SIGNER), kid="k1")
    return cwt.COSEKey.from_symmetric_key(SECRET, alg="HMAC 256/256", kid="k1")


def our_token(algorithm: str, claims: Claims) -> str:
    return cat.sign(claims, "k1", SIGNER) if algorithm == "ES256" else cat.mac(claims, "k1", SECRET)


BOTH = pytest.mark.parametrize("algorithm", ["HMAC 256/256", "ES256"])


@BOTH
def test_what_is_written_is_read_again(algorithm: str) -> None:
    assert opened(our_token(algorithm, FULL)) == FULL


@BOTH
def test_another_library_reads_our_token(algorithm: str) -> None:
    token = raw(our_token(algorithm, replace(FULL, until_s=4_000_000_000, from_s=1, issued_s=1)))
    claims = cwt.decode(token, their_key(algorithm))
    assert isinstance(claims, dict)
    assert (claims[1], claims[2], claims[3], claims[4], claims[7]) == (
        "riparian",
        "a-0417",
        ["cdn"],
        4_000_000_000,
        b"\x0b\x71",
    )
    assert claims[310] == 1
    assert claims[312] == {1: {0: "cdn.example"}, 3: {1: "/media/1/", 2: ".m4s"}}
    assert claims[323] == {0: 1, 1: 120, 2: 30, 3: "cat", 5: ["Secure"]}


@BOTH
@pytest.mark.parametrize("tagged", [True, False])
def test_we_read_a_token_of_another_library(algorithm: str, *, tagged: bool) -> None:
    claims = {1: "them", 2: "a-1", 4: NOW_S + 60, 5: 1, 6: 2, 310: 1, 312: {3: {1: "/media/1/"}}, 313: ["GET"]}
    token = encode(cwt.encode(dict(claims), their_key(algorithm), tagged=tagged))
    path = {Part.PATH: {Match.PREFIX: "/media/1/"}}
    wanted = Claims("them", "a-1", (), NOW_S + 60, from_s=1, issued_s=2, uri=path, methods=("GET",))
    assert opened(token) == wanted


@BOTH
def test_another_library_refuses_what_we_refuse(algorithm: str) -> None:
    token = bytearray(raw(our_token(algorithm, FULL)))
    token[-1] ^= 1
    assert cat.read(encode(bytes(token)), find) is Refused.BAD_MAC
    with pytest.raises(cwt.VerifyError):
        cwt.decode(bytes(token), their_key(algorithm))


REQUEST = Asked(
    "/media/1/9.m4s",
    host="cdn.example",
    address="192.0.2.7",
    protocol="h2",
    place="NO-03",
    headers={"x-device": "tv-77"},
)
LIMITS: dict[str, tuple[Claims, Asked, Refused | None]] = {
    "nothing is limited": (Claims(), REQUEST, None),
    "another issuer": (Claims(issuer="them"), REQUEST, Refused.OTHER_ISSUER),
    "for us": (Claims(audience=("a", "cdn")), REQUEST, None),
    "for others": (Claims(audience=("a",)), REQUEST, Refused.OTHER_AUDIENCE),
    "its last second": (Claims(until_s=NOW_S + 1), REQUEST, None),
    "its end": (Claims(until_s=NOW_S), REQUEST, Refused.ENDED),
    "its beginning": (Claims(from_s=NOW_S), REQUEST, None),
    "before it begins": (Claims(from_s=NOW_S + 1), REQUEST, Refused.NOT_YET),
    "the path": (Claims(uri={Part.PATH: {Match.EXACT: "/media/1/9.m4s"}}), REQUEST, None),
    "another path": (Claims(uri={Part.PATH: {Match.EXACT: "/media/1/8.m4s"}}), REQUEST, Refused.OTHER_PATH),
    "below the path": (Claims(uri={Part.PATH: {Match.PREFIX: "/media/1/"}}), REQUEST, None),
    "beside the path": (
        Claims(uri={Part.PATH: {Match.PREFIX: "/media/1/"}}),
        replace(REQUEST, path="/media/10/9.m4s"),
        Refused.OTHER_PATH,
    ),
    "up from the path": (
        Claims(uri={Part.PATH: {Match.PREFIX: "/media/1/"}}),
        replace(REQUEST, path="/media/1/../2/9.m4s"),
        Refused.OTHER_PATH,
    ),
    "an encoded way up": (
        Claims(uri={Part.PATH: {Match.PREFIX: "/media/1/"}}),
        replace(REQUEST, path="/media/1/%2e%2e/2"),
        Refused.OTHER_PATH,
    ),
    "one match of two": (
        Claims(uri={Part.PATH: {Match.PREFIX: "/media/1/", Match.SUFFIX: ".ts"}}),
        REQUEST,
        Refused.OTHER_PATH,
    ),
    "a part of the path": (Claims(uri={Part.PATH: {Match.CONTAINS: "/1/"}}), REQUEST, None),
    "the host": (Claims(uri={Part.HOST: {Match.SUFFIX: ".example"}}), REQUEST, None),
    "another host": (Claims(uri={Part.HOST: {Match.EXACT: "cdn"}}), REQUEST, Refused.OTHER_PATH),
    "the scheme and the port": (
        Claims(uri={Part.SCHEME: {Match.EXACT: "https"}, Part.PORT: {Match.EXACT: "443"}}),
        REQUEST,
        None,
    ),
    "the folder, the stem and the extension": (
        Claims(
            uri={
                Part.PARENT_PATH: {Match.EXACT: "/media/1"},
                Part.FILENAME: {Match.EXACT: "9.m4s"},
                Part.STEM: {Match.EXACT: "9"},
                Part.EXTENSION: {Match.EXACT: ".m4s"},
            }
        ),
        REQUEST,
        None,
    ),
    "a stem that validators do not agree on": (
        Claims(uri={Part.STEM: {Match.EXACT: "a"}}),
        replace(REQUEST, path="/a.b.c"),
        Refused.OTHER_PATH,
    ),
    "the query": (Claims(uri={Part.QUERY: {Match.EXACT: ""}}), REQUEST, None),
    "the method": (Claims(methods=("HEAD", "GET")), REQUEST, None),
    "another method": (Claims(methods=("HEAD",)), REQUEST, Refused.OTHER_METHOD),
    "the network": (Claims(networks=(ipaddress.IPv4Network("192.0.2.0/24"),)), REQUEST, None),
    "another network": (Claims(networks=(ipaddress.IPv4Network("198.51.100.0/24"),)), REQUEST, Refused.OTHER_NETWORK),
    "a network of the other kind": (Claims(networks=(ipaddress.IPv6Network("::/0"),)), REQUEST, Refused.OTHER_NETWORK),
    "an address that nobody knows": (
        Claims(networks=(ipaddress.IPv4Network("0.0.0.0/0"),)),
        replace(REQUEST, address=""),
        Refused.OTHER_NETWORK,
    ),
    "the autonomous system": (Claims(networks=(64512,)), replace(REQUEST, system=64512), None),
    "a system that nobody knows": (Claims(networks=(64512,)), REQUEST, Refused.OTHER_NETWORK),
    "the country": (Claims(places=("SE", "NO")), REQUEST, None),
    "the region": (Claims(places=("NO-03",)), REQUEST, None),
    "another region": (Claims(places=("NO-46",)), REQUEST, Refused.OTHER_PLACE),
    "letters that begin the same": (Claims(places=("N",)), REQUEST, Refused.OTHER_PLACE),
    "the protocol": (Claims(protocols=("h2",)), REQUEST, None),
    "another protocol": (Claims(protocols=("h3",)), REQUEST, Refused.OTHER_PROTOCOL),
    "the header": (Claims(headers={"x-device": {Match.EXACT: "tv-77"}}), REQUEST, None),
    "another header": (Claims(headers={"x-device": {Match.EXACT: "tv-78"}}), REQUEST, Refused.OTHER_HEADER),
    "no such header": (Claims(headers={"x-other": {Match.PREFIX: ""}}), REQUEST, Refused.OTHER_HEADER),
    "the hash of a header": (Claims(headers={"x-device": {Match.SHA256: sha256(b"tv-77").digest()}}), REQUEST, None),
    "the hash of another header": (
        Claims(headers={"x-device": {Match.SHA256: sha256(b"tv-78").digest()}}),
        REQUEST,
        Refused.OTHER_HEADER,
    ),
    "to be used once, where nobody counts": (Claims(id=b"1", replay=Replay.PROHIBITED), REQUEST, Refused.REPLAYED),
}


@pytest.mark.parametrize("situation", LIMITS)
def test_a_token_is_as_good_as_its_limits_say(situation: str) -> None:
    claims, asked, why = LIMITS[situation]
    issuer = claims.issuer or "us"
    found = cat.check(replace(claims, issuer=issuer), asked, NOW_S, issuer="us", audience="cdn")
    assert found is why


def test_a_token_that_forbids_it_is_not_used_twice() -> None:
    seen: set[bytes] = set()

    def used(name: bytes) -> bool:
        was = name in seen
        seen.add(name)
        return was

    once = Claims(issuer="us", id=b"1", replay=Replay.PROHIBITED)
    found = [cat.check(once, REQUEST, NOW_S, issuer="us", used=used) for _ in range(2)]
    assert found == [None, Refused.REPLAYED]
    assert cat.check(replace(once, id=b""), REQUEST, NOW_S, issuer="us", used=used) is Refused.REPLAYED


CLAIMED: dict[str, tuple[dict[Any, Any], Refused | None]] = {
    "nothing": ({}, None),
    "a version to come": ({310: 2}, Refused.UNKNOWN_CLAIM),
    "a chance of rejection": ({309: [b"1", 50]}, Refused.UNKNOWN_CLAIM),
    "coordinates": ({317: [59, 10]}, Refused.UNKNOWN_CLAIM),
    "a proof of possession": ({8: {1: 2}}, Refused.UNKNOWN_CLAIM),
    "conditions": ({322: {}}, Refused.UNKNOWN_CLAIM),
    "a claim with a name": ({"admin": True}, Refused.UNKNOWN_CLAIM),
    "a claim of the future": ({9999: 1}, Refused.UNKNOWN_CLAIM),
    "a negative claim that is not private": ({-300: 1}, Refused.UNKNOWN_CLAIM),
    "a private claim": ({-70000: "x"}, None),
    "a regular expression": ({312: {3: {4: ["^/.*", ""]}}}, Refused.UNKNOWN_CLAIM),
    "a part of a URI to come": ({312: {9: {0: "x"}}}, Refused.UNKNOWN_CLAIM),
    "a part that has to match nothing": ({312: {3: {}}}, Refused.MALFORMED),
    "a path that is bytes": ({312: {3: {0: b"/"}}}, Refused.MALFORMED),
    "a renewal by redirection": ({323: {0: 3, 1: 60}}, Refused.UNKNOWN_CLAIM),
    "a renewal that adds nothing": ({323: {0: 0, 1: 0}}, Refused.MALFORMED),
    "a renewal without its length": ({323: {0: 0}}, Refused.MALFORMED),
    "an end that is a text": ({4: "tomorrow"}, Refused.MALFORMED),
    "an end that is true": ({4: True}, Refused.MALFORMED),
    "an end that has a tag": ({4: cbor2.CBORTag(1, NOW_S)}, Refused.MALFORMED),
    "an end with a fraction": ({4: 1.5}, Refused.MALFORMED),
    "an end in 1969": ({4: -1}, Refused.MALFORMED),
    "methods that are one text": ({313: "GET"}, Refused.MALFORMED),
    "no method at all": ({313: []}, Refused.MALFORMED),
    "protocols as bytes": ({314: [b"h2"]}, None),
    "an address": ({311: [cbor2.CBORTag(52, b"\xc0\x00\x02\x07")]}, None),
    "an address that is too short": ({311: [cbor2.CBORTag(52, b"\xc0")]}, Refused.MALFORMED),
    "a network with bits beyond it": ({311: [cbor2.CBORTag(52, [8, b"\xc0\x01"])]}, Refused.MALFORMED),
    "a network wider than its kind": ({311: [cbor2.CBORTag(52, [33, b"\xc0"])]}, Refused.MALFORMED),
    "a network of another tag": ({311: [cbor2.CBORTag(260, b"\xc0\x00\x02\x07")]}, Refused.UNKNOWN_CLAIM),
    "a network that is a text": ({311: ["192.0.2.7"]}, Refused.UNKNOWN_CLAIM),
    "an audience that is one": ({3: "cdn"}, None),
    "an id that is a text": ({7: "1"}, Refused.MALFORMED),
}


@pytest.mark.parametrize("situation", CLAIMED)
def test_a_genuine_token_is_read_only_if_every_claim_is_understood(situation: str) -> None:
    claims, why = CLAIMED[situation]
    read = cat.read(encode(cose.mac(cbor2.dumps(claims), "k1", SECRET)), find)
    assert (read if isinstance(read, Refused) else None) is why


def message(tag: int, protected: dict[Any, Any], unprotected: dict[Any, Any]) -> str:
    """Write a COSE_Mac0 with any headers, authenticated as they are."""
    header, payload = cbor2.dumps(protected), cbor2.dumps({1: "us"})
    proof = hmac.digest(SECRET, cbor2.dumps(["MAC0", header, b"", payload]), "sha256")
    return encode(cbor2.dumps(cbor2.CBORTag(tag, [header, unprotected, payload, proof])))


HEADERS: dict[str, tuple[str, Refused | None]] = {
    "as we write it": (message(17, {1: 5}, {4: b"k1"}), None),
    "the key's name protected": (message(17, {1: 5, 4: b"k1"}, {}), None),
    "the key's name twice": (message(17, {1: 5, 4: b"k1"}, {4: b"k1"}), Refused.MALFORMED),
    "no name of a key": (message(17, {1: 5}, {}), Refused.MALFORMED),
    "a name that is no text": (message(17, {1: 5}, {4: b"\xff"}), Refused.MALFORMED),
    "an algorithm that nobody authenticated": (message(17, {}, {1: 5, 4: b"k1"}), Refused.MALFORMED),
    "a shorter mac": (message(17, {1: 4}, {4: b"k1"}), Refused.MALFORMED),
    "a longer mac": (message(17, {1: 7}, {4: b"k1"}), Refused.MALFORMED),
    "a critical header": (message(17, {1: 5, 2: [99]}, {4: b"k1"}), Refused.UNKNOWN_CLAIM),
    "a header to come": (message(17, {1: 5, 99: 1}, {4: b"k1"}), Refused.MALFORMED),
    "something that nobody authenticated": (message(17, {1: 5}, {4: b"k1", 99: 1}), Refused.MALFORMED),
    "the tag of a signature": (message(18, {1: 5}, {4: b"k1"}), Refused.MALFORMED),
    "the tag of a signature with many signers": (message(98, {1: 5}, {4: b"k1"}), Refused.MALFORMED),
}


@pytest.mark.parametrize("situation", HEADERS)
def test_headers_say_the_algorithm_and_the_key_and_nothing_else(situation: str) -> None:
    token, why = HEADERS[situation]
    read = cat.read(token, find)
    assert (read if isinstance(read, Refused) else None) is why


def test_a_token_is_followed_by_another_before_it_ends() -> None:
    claims = replace(FULL, renewal=Renewal(Renewing.AUTOMATIC, added_s=90))
    assert cat.renewed(claims, NOW_S - 1) is None
    following = cat.renewed(claims, NOW_S + 1, id=b"2")
    assert following is not None
    assert (following.until_s, following.id, following.subject) == (NOW_S + 91, b"2", "a-0417")
    assert cat.renewed(claims, claims.until_s) is None
    assert cat.renewed(replace(claims, renewal=None), NOW_S) is None


VALUES = st.recursive(
    st.integers(-(2**64), 2**64 - 1) | st.binary(max_size=30) | st.text(max_size=30) | st.booleans(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.integers(-(2**40), 2**40) | st.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(value=VALUES)
def test_what_another_library_writes_we_read(value: Any) -> None:
    try:
        found = cbor.read(cbor2.dumps(value))
    except ValueError:
        assert depth(value) > cbor.DEPTH
        return
    assert found == value
    assert cbor2.loads(cbor2.dumps(found)) == value


def depth(value: Any) -> int:
    inner = value if isinstance(value, list) else list(value.values()) if isinstance(value, dict) else []
    return 1 + max(map(depth, inner), default=0) if isinstance(value, list | dict) else 0


@given(raw=st.binary(max_size=60))
def test_bytes_are_read_in_one_way_or_not_at_all(raw: bytes) -> None:
    try:
        value = cbor.read(raw)
    except ValueError:
        return
    assert cbor2.dumps(untagged(value)) == raw


def untagged(value: Any) -> Any:
    if isinstance(value, cbor.Tagged):
        return cbor2.CBORTag(value.tag, untagged(value.value))
    if isinstance(value, list):
        return [untagged(one) for one in value]
    return {key: untagged(one) for key, one in value.items()} if isinstance(value, dict) else value


NOT_READ = {
    "nothing": "",
    "a string in pieces": "5f42010243030405ff",
    "an array without its length": "9f01ff",
    "a map without its length": "bf0101ff",
    "a length longer than it need be": "1801",
    "a fraction": "f93c00",
    "null": "f6",
    "undefined": "f7",
    "a simple value": "f8ff",
    "an array that ends early": "8201",
    "a string that ends early": "4401",
    "a text that is none": "61ff",
    "a key twice": "a201010102",
    "a key that is an array": "a18001",
    "a key that is true": "a1f501",
    "bytes behind": "0101",
    "a reserved length": "1c",
    "nine arrays in one another": "81" * 9 + "01",
    "an array of 2**64 elements": "9bffffffffffffffff",
}


@pytest.mark.parametrize("situation", NOT_READ)
def test_what_no_token_needs_is_not_read(situation: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        cbor.read(bytes.fromhex(NOT_READ[situation]))
