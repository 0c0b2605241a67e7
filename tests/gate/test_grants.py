import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import cbor2
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from joserfc import jwt as joserfc
from joserfc.jwk import ECKey, OctKey

from riparian.errors import InputError
from riparian.gate import cose
from riparian.gate.grants import TOKEN_CHARACTERS, Form, Grant, Key, KeyRing, Rate, Refused, issue, verify
from riparian.gate.keys import KEPT_S, LONGEST_GRANT_S
from riparian.gate.spelling import PATH_CHARACTERS, decode, encode, named, plain

NOW_S = 1_800_000_000
RING = KeyRing(Key("k1", b"1" * 32, NOW_S), Key("k2", b"2" * 32, NOW_S))
OTHERS = KeyRing(Key("k1", b"x" * 32, NOW_S), Key("k2", b"y" * 32, NOW_S))
GRANT = Grant("a-0417", "/media/1/", "tv-77", NOW_S + 60, Rate.FULL, "k1")
FORMS = list(Form)


def asked(token: str, ring: KeyRing = RING, **changed: Any) -> Grant | Refused:
    request: dict[str, Any] = {"account": "a-0417", "path": "/media/1/1.m4s", "device": "tv-77", "now_s": NOW_S}
    return verify(token, ring, **(request | changed))


@pytest.mark.parametrize("form", FORMS)
def test_a_grant_is_good_for_the_request_that_it_was_issued_for(form: Form) -> None:
    assert asked(issue(GRANT, RING, form)) == GRANT


REQUESTS: dict[str, tuple[dict[str, Any], Refused]] = {
    "another account": ({"account": "a-0418"}, Refused.OTHER_ACCOUNT),
    "the account in other letters": ({"account": "A-0417"}, Refused.OTHER_ACCOUNT),
    "nobody in particular": ({"account": ""}, Refused.OTHER_ACCOUNT),
    "another recording": ({"path": "/media/2/1.m4s"}, Refused.OTHER_PATH),
    "a recording whose name begins the same": ({"path": "/media/10/1.m4s"}, Refused.OTHER_PATH),
    "the folder itself": ({"path": "/media/1"}, Refused.OTHER_PATH),
    "the folder above": ({"path": "/media/"}, Refused.OTHER_PATH),
    "up and down again": ({"path": "/media/1/../2/1.m4s"}, Refused.OTHER_PATH),
    "up, encoded": ({"path": "/media/1/%2e%2e/2/1.m4s"}, Refused.OTHER_PATH),
    "up, encoded twice": ({"path": "/media/1/%252e%252e/2"}, Refused.OTHER_PATH),
    "up, as some servers read it": ({"path": "/media/1/.../2"}, Refused.OTHER_PATH),
    "up, with a blank": ({"path": "/media/1/..%20/2"}, Refused.OTHER_PATH),
    "up, in mixed letters": ({"path": "/media/1/.%2E/2"}, Refused.OTHER_PATH),
    "up, with the slash encoded": ({"path": "/media/1/..%2f2"}, Refused.OTHER_PATH),
    "up, with a backslash": ({"path": "/media/1/..\\2"}, Refused.OTHER_PATH),
    "up, with a parameter": ({"path": "/media/1/..;/2"}, Refused.OTHER_PATH),
    "two slashes": ({"path": "/media/1//1.m4s"}, Refused.OTHER_PATH),
    "a file cut off by a zero byte": ({"path": "/media/1/1.m4s%00.txt"}, Refused.OTHER_PATH),
    "a zero byte as it is": ({"path": "/media/1/1.m4s\0"}, Refused.OTHER_PATH),
    "a line feed": ({"path": "/media/1/1.m4s\n"}, Refused.OTHER_PATH),
    "the address with its host": ({"path": "http://edge/media/1/1.m4s"}, Refused.OTHER_PATH),
    "a path without end": ({"path": "/media/1/" + "a" * PATH_CHARACTERS}, Refused.OTHER_PATH),
    "the second it ends": ({"now_s": NOW_S + 60}, Refused.ENDED),
    "a year later": ({"now_s": NOW_S + 31_536_000}, Refused.ENDED),
    "another device": ({"device": "tv-78"}, Refused.OTHER_DEVICE),
    "no device": ({"device": ""}, Refused.OTHER_DEVICE),
    "half a character for a device": ({"device": "\ud800"}, Refused.OTHER_DEVICE),
    "a device that is two lines": ({"device": "tv-77\nfull"}, Refused.OTHER_DEVICE),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("situation", REQUESTS)
def test_a_genuine_grant_is_refused_to(form: Form, situation: str) -> None:
    changed, why = REQUESTS[situation]
    # The device stands only in the mac of our own form: there another device is another mac.
    own = why is Refused.OTHER_DEVICE and form is Form.HMAC
    assert asked(issue(GRANT, RING, form), **changed) is (Refused.BAD_MAC if own else why)


@pytest.mark.parametrize("form", FORMS)
def test_a_grant_for_no_device_is_good_only_where_none_is_named(form: Form) -> None:
    token = issue(replace(GRANT, device=""), RING, form)
    assert isinstance(asked(token, device=""), Grant)
    assert asked(token) in {Refused.OTHER_DEVICE, Refused.BAD_MAC}


@pytest.mark.parametrize("form", FORMS)
def test_the_last_second_is_the_one_before_the_end(form: Form) -> None:
    assert isinstance(asked(issue(GRANT, RING, form), now_s=NOW_S + 59), Grant)


@pytest.mark.parametrize("form", FORMS)
def test_where_nobody_else_says_who_asks_the_grant_does(form: Form) -> None:
    found = asked(issue(GRANT, RING, form), account=None)
    assert isinstance(found, Grant)
    assert found.account == "a-0417"


@pytest.mark.parametrize("form", FORMS)
def test_a_grant_for_one_file_is_for_that_file(form: Form) -> None:
    token = issue(replace(GRANT, path="/licence/1"), RING, form)
    assert isinstance(asked(token, path="/licence/1"), Grant)
    assert asked(token, path="/licence/1/a") is asked(token, path="/licence/10") is Refused.OTHER_PATH


def jwt(header: dict[str, Any] | str, claims: dict[str, Any] | str, secret: bytes = RING.current.secret) -> str:
    """Write a JWT as somebody would who has a key."""
    parts = [encode((part if isinstance(part, str) else json.dumps(part)).encode()) for part in (header, claims)]
    said = ".".join(parts)
    return f"{said}.{encode(hmac.digest(secret, said.encode(), 'sha256'))}"


def mac0(claims: dict[Any, Any] | bytes, secret: bytes = RING.current.secret) -> str:
    return encode(cose.mac(claims if isinstance(claims, bytes) else cbor2.dumps(claims), "k1", secret))


HEADER: dict[str, Any] = {"alg": "HS256", "kid": "k1", "typ": "JWT"}
CLAIMS: dict[str, Any] = {
    "iss": "riparian",
    "sub": "a-0417",
    "rp": "/media/1/",
    "rr": "full",
    "exp": NOW_S + 60,
    "rd": encode(hashlib.sha256(b"tv-77").digest()[:12]),
}
CWT: dict[Any, Any] = {1: "riparian", 2: "a-0417", 4: NOW_S + 60, 310: 1, 312: {3: {1: "/media/1/"}}}
CWT[-70002] = hashlib.sha256(b"tv-77").digest()[:12]


def part(position: int, value: str) -> Callable[[str], str]:
    """Change one part between the dots."""

    def change(token: str) -> str:
        parts = token.split(".")
        parts[position] = value
        return ".".join(parts)

    return change


def swapped(before: bytes, after: bytes) -> Callable[[str], str]:
    """Change bytes inside the Base64."""

    def change(token: str) -> str:
        raw = decode(token)
        assert raw is not None
        assert before in raw
        return encode(raw.replace(before, after))

    return change


def public_key_as_secret() -> str:
    """Make a MAC with what everybody may know."""
    return mac0(CWT, RING.current.verifier().public_numbers().x.to_bytes(32, "big"))


def es256_jwt() -> str:
    key = ECKey.generate_key("P-256", {"kid": "k1"})
    return joserfc.encode({"alg": "ES256", "kid": "k1"}, dict(CLAIMS), key, algorithms=["ES256"])


ALTERED: dict[str, tuple[Form, Callable[[str], str], Refused]] = {
    "a mac of zeros": (Form.HMAC, part(6, encode(bytes(16))), Refused.BAD_MAC),
    "no mac": (Form.HMAC, part(6, ""), Refused.BAD_MAC),
    "half a mac": (Form.HMAC, lambda t: t[:-22] + encode((decode(t[-22:]) or b"")[:8]), Refused.BAD_MAC),
    "cut short": (Form.HMAC, lambda t: t[:40], Refused.MALFORMED),
    "padding": (Form.HMAC, lambda t: t + "==", Refused.MALFORMED),
    "a line feed behind": (Form.HMAC, lambda t: t + "\n", Refused.MALFORMED),
    "a blank before": (Form.HMAC, lambda t: " " + t, Refused.MALFORMED),
    "one part more": (Form.HMAC, lambda t: t + ".a", Refused.MALFORMED),
    "an hour longer": (Form.HMAC, part(2, str(NOW_S + 3660)), Refused.BAD_MAC),
    "an end with a zero before": (Form.HMAC, part(2, f"0{NOW_S + 60}"), Refused.MALFORMED),
    "an end with a sign": (Form.HMAC, part(2, f"+{NOW_S + 60}"), Refused.MALFORMED),
    "an end in other digits": (Form.HMAC, part(2, "\u0661\u0668"), Refused.MALFORMED),
    "an end without end": (Form.HMAC, part(2, "9" * 400), Refused.MALFORMED),
    "another rate": (Form.HMAC, part(3, "preview"), Refused.BAD_MAC),
    "a rate that is none": (Form.HMAC, part(3, "best"), Refused.MALFORMED),
    "another account written in": (Form.HMAC, part(4, encode(b"a-0418")), Refused.BAD_MAC),
    "an account that is no text": (Form.HMAC, part(4, encode(b"\xff")), Refused.MALFORMED),
    "an account that is two lines": (Form.HMAC, part(4, encode(b"a-0417\ntv-77")), Refused.BAD_MAC),
    "a wider path written in": (Form.HMAC, part(5, encode(b"/")), Refused.BAD_MAC),
    "the name of another key": (Form.HMAC, part(1, "k2"), Refused.BAD_MAC),
    "the name of no key": (Form.HMAC, part(1, "k9"), Refused.UNKNOWN_KEY),
    "another version": (Form.HMAC, part(0, "rg2"), Refused.MALFORMED),
    "nothing": (Form.HMAC, lambda _: "", Refused.MALFORMED),
    "a megabyte": (Form.HMAC, lambda t: t + "A" * 1_000_000, Refused.MALFORMED),
    "jwt: no algorithm": (Form.JWT, part(0, encode(b'{"alg":"none","kid":"k1"}')), Refused.MALFORMED),
    "jwt: no algorithm, no mac": (
        Form.JWT,
        lambda t: part(0, encode(b'{"alg":"none","kid":"k1"}'))(part(2, "")(t)),
        Refused.MALFORMED,
    ),
    "jwt: no mac": (Form.JWT, part(2, ""), Refused.BAD_MAC),
    "jwt: other claims": (Form.JWT, part(1, encode(json.dumps(CLAIMS | {"rp": "/"}).encode())), Refused.BAD_MAC),
    "jwt: the name of another key": (Form.JWT, part(0, encode(b'{"alg":"HS256","kid":"k2"}')), Refused.BAD_MAC),
    "jwt: the name of no key": (Form.JWT, part(0, encode(b'{"alg":"HS256","kid":"k9"}')), Refused.UNKNOWN_KEY),
    "jwt: the header spelt otherwise": (Form.JWT, part(0, encode(b'{"alg": "HS256","kid":"k1"}')), Refused.BAD_MAC),
    "jwt: padding": (Form.JWT, lambda t: t + "=", Refused.MALFORMED),
    "cat: another account written in": (Form.CAT, swapped(b"a-0417", b"a-0418"), Refused.BAD_MAC),
    "cat: another path written in": (Form.CAT, swapped(b"/media/1/", b"/media/2/"), Refused.BAD_MAC),
    "cat: longer": (
        Form.CAT,
        swapped((NOW_S + 60).to_bytes(4, "big"), (NOW_S + 3660).to_bytes(4, "big")),
        Refused.BAD_MAC,
    ),
    "cat: the name of another key": (Form.CAT, swapped(b"Bk1", b"Bk2"), Refused.BAD_MAC),
    "cat: the name of no key": (Form.CAT, swapped(b"Bk1", b"Bk9"), Refused.UNKNOWN_KEY),
    "cat: a MAC said to be a signature": (
        Form.CAT,
        swapped(b"\xd1\x84\x43\xa1\x01\x05", b"\xd2\x84\x43\xa1\x01\x26"),
        Refused.BAD_MAC,
    ),
    "cat: the tag of a signature alone": (Form.CAT, swapped(b"\xd1\x84", b"\xd2\x84"), Refused.MALFORMED),
    "cat: another algorithm in the header": (Form.CAT, swapped(b"\xa1\x01\x05", b"\xa1\x01\x04"), Refused.MALFORMED),
    "cat: cut short": (Form.CAT, lambda t: t[:-8], Refused.MALFORMED),
    "cat: bytes behind": (Form.CAT, lambda t: t + "AAAA", Refused.MALFORMED),
    "cat: a signature said to be a MAC": (
        Form.CAT_ES256,
        swapped(b"\xd2\x84\x43\xa1\x01\x26", b"\xd1\x84\x43\xa1\x01\x05"),
        Refused.BAD_MAC,
    ),
    "cat: another account signed over": (Form.CAT_ES256, swapped(b"a-0417", b"a-0418"), Refused.BAD_MAC),
    "cat: the name of another key pair": (Form.CAT_ES256, swapped(b"Bk1", b"Bk2"), Refused.BAD_MAC),
}


@pytest.mark.parametrize("attack", ALTERED)
def test_a_grant_that_was_altered_is_refused(attack: str) -> None:
    form, change, why = ALTERED[attack]
    assert asked(change(issue(GRANT, RING, form))) is why


FORGED: dict[str, tuple[str, Refused]] = {
    "jwt: signed with ES256": (es256_jwt(), Refused.MALFORMED),
    "jwt: HS256 with the public key": (jwt(HEADER, CLAIMS, b"public" * 8), Refused.BAD_MAC),
    "jwt: a header that brings its key": (
        jwt(HEADER | {"jwk": {"kty": "oct", "k": "MTEx"}}, CLAIMS),
        Refused.MALFORMED,
    ),
    "jwt: a header that leads to its key": (jwt(HEADER | {"jku": "https://a.example"}, CLAIMS), Refused.MALFORMED),
    "jwt: a critical header": (jwt(HEADER | {"crit": ["b64"], "b64": False}, CLAIMS), Refused.MALFORMED),
    "jwt: a header that says it twice": (jwt('{"alg":"HS256","alg":"none","kid":"k1"}', CLAIMS), Refused.MALFORMED),
    "jwt: claims that say it twice": (jwt(HEADER, json.dumps(CLAIMS)[:-1] + ',"rp":"/"}'), Refused.MALFORMED),
    "jwt: a claim too many": (jwt(HEADER, CLAIMS | {"admin": True}), Refused.MALFORMED),
    "jwt: no end": (jwt(HEADER, {k: v for k, v in CLAIMS.items() if k != "exp"}), Refused.MALFORMED),
    "jwt: an end that is a text": (jwt(HEADER, CLAIMS | {"exp": str(NOW_S + 60)}), Refused.MALFORMED),
    "jwt: an end that is true": (jwt(HEADER, CLAIMS | {"exp": True}), Refused.MALFORMED),
    "jwt: an end without end": (
        jwt(HEADER, json.dumps(CLAIMS).replace(str(NOW_S + 60), "Infinity")),
        Refused.MALFORMED,
    ),
    "jwt: another issuer": (jwt(HEADER, CLAIMS | {"iss": "somebody"}), Refused.OTHER_ISSUER),
    "jwt: a rate that is none": (jwt(HEADER, CLAIMS | {"rr": "best"}), Refused.MALFORMED),
    "jwt: no object": (jwt(HEADER, "[]"), Refused.MALFORMED),
    "jwt: a deep one": (jwt(HEADER, "[" * 2000), Refused.MALFORMED),
    "jwt: a deep header": (jwt("[" * 180, CLAIMS), Refused.MALFORMED),
    "jwt: a name of a key that is none": (jwt({"alg": "HS256", "kid": ["k1"]}, CLAIMS), Refused.MALFORMED),
    "cat: HMAC with the public key": (public_key_as_secret(), Refused.BAD_MAC),
    "cat: claims that say it twice": (
        mac0(b"\xa8" + cbor2.dumps(CWT)[1:] + cbor2.dumps(2) + cbor2.dumps("a-0417")),
        Refused.MALFORMED,
    ),
    "cat: no map of claims": (mac0(cbor2.dumps([1])), Refused.MALFORMED),
    "cat: no end": (mac0({k: v for k, v in CWT.items() if k != 4}), Refused.MALFORMED),
    "cat: no path": (mac0({k: v for k, v in CWT.items() if k != 312}), Refused.MALFORMED),
    "cat: a prefix within a name": (mac0(CWT | {312: {3: {1: "/media/1"}}}), Refused.MALFORMED),
    "cat: two limits": (mac0(CWT | {312: {3: {1: "/media/1/", 2: "s"}}}), Refused.MALFORMED),
    "cat: a path that is bytes": (mac0(CWT | {312: {3: {1: b"/media/1/"}}}), Refused.MALFORMED),
    "cat: an end that is true": (mac0(CWT | {4: True}), Refused.MALFORMED),
    "cat: a rate that is a list": (mac0(CWT | {-70001: []}), Refused.MALFORMED),
    "cat: any file called so": (mac0(CWT | {312: {6: {0: "1.m4s"}}}), Refused.MALFORMED),
    "cat: a claim that nobody checks": (mac0(CWT | {309: [1]}), Refused.UNKNOWN_CLAIM),
    "cat: another issuer": (mac0(CWT | {1: "somebody"}), Refused.OTHER_ISSUER),
    "cat: methods, which an edge of ours does not see": (mac0(CWT | {313: ["GET"]}), Refused.UNKNOWN_CLAIM),
    "an old friend": ("Basic YWRtaW46YWRtaW4=", Refused.MALFORMED),
    "text that is not ASCII": ("ä.ö.ü", Refused.MALFORMED),
    "an array of a billion": (encode(bytes.fromhex("9a3b9aca00")), Refused.MALFORMED),
    "arrays in arrays": (encode(b"\x81" * 2000), Refused.MALFORMED),
}


@pytest.mark.parametrize("forgery", FORGED)
def test_a_token_that_was_never_issued_is_refused(forgery: str) -> None:
    token, why = FORGED[forgery]
    assert asked(token) is why


def test_the_tools_of_these_forgeries_make_good_tokens_when_they_are_used_honestly() -> None:
    assert isinstance(asked(jwt(HEADER, CLAIMS)), Grant)
    assert isinstance(asked(mac0(CWT)), Grant)


@pytest.mark.parametrize("form", FORMS)
def test_a_grant_of_another_house_is_refused_even_where_its_key_has_the_same_name(form: Form) -> None:
    assert asked(issue(GRANT, OTHERS, form)) is Refused.BAD_MAC


def test_base64_has_one_spelling() -> None:
    token = issue(GRANT, RING)
    last = token[-1]
    others = [c for c in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_" if c != last]
    # Four bits of the last character say nothing: a lenient reader would take 16 spellings for one mac.
    lenient = [c for c in others if base64.urlsafe_b64decode(token[-22:-1] + c + "==") == decode(token[-22:])]
    assert len(lenient) == 15
    assert {asked(token[:-1] + c) for c in lenient} == {Refused.MALFORMED}


@pytest.mark.parametrize("form", FORMS)
def test_whoever_listens_does_not_notice_a_rotation(form: Form) -> None:
    token = issue(replace(GRANT, until_s=NOW_S + LONGEST_GRANT_S), RING, form)
    turned = RING.rotated(Key("k3", b"3" * 32, NOW_S + 1), NOW_S + 1)
    for now_s in (NOW_S + 1, NOW_S + LONGEST_GRANT_S - 1):
        assert isinstance(asked(token, turned, now_s=now_s), Grant)
    # An edge that has not heard of the rotation knows the key that issues after it.
    late = issue(replace(GRANT, key=turned.current.id), turned, form)
    assert isinstance(asked(late, RING), Grant)


@pytest.mark.parametrize("form", FORMS)
def test_a_key_that_has_retired_opens_nothing(form: Form) -> None:
    token = issue(replace(GRANT, until_s=NOW_S + 10 * KEPT_S), RING, form)
    turned = RING.rotated(Key("k3", b"3" * 32, NOW_S), NOW_S)
    assert isinstance(asked(token, turned, now_s=NOW_S + KEPT_S - 1), Grant)
    assert asked(token, turned, now_s=NOW_S + KEPT_S) is Refused.UNKNOWN_KEY
    again = turned.rotated(Key("k4", b"4" * 32, NOW_S), NOW_S + KEPT_S)
    assert [key.id for key in again] == ["k3", "k4", "k2"]


def test_joserfc_reads_our_jwt_and_we_read_its() -> None:
    key = OctKey.import_key(RING.current.secret, {"kid": "k1"})
    read = joserfc.decode(issue(GRANT, RING, Form.JWT), key, algorithms=["HS256"])
    assert (read.header, read.claims) == (HEADER, CLAIMS)
    assert asked(joserfc.encode(dict(HEADER), dict(CLAIMS), key)) == GRANT


UNISSUABLE: dict[str, Grant] = {
    "an account of two lines": replace(GRANT, account="a\nb"),
    "no account": replace(GRANT, account=""),
    "an account without end": replace(GRANT, account="a" * 257),
    "a device of two lines": replace(GRANT, device="a\nb"),
    "a path with dots": replace(GRANT, path="/media/../"),
    "a path without its slash": replace(GRANT, path="media/1/"),
    "a path with a query": replace(GRANT, path="/media/1/?x"),
    "no end": replace(GRANT, until_s=0),
    "a key that is not there": replace(GRANT, key="k9"),
}


@pytest.mark.parametrize("situation", UNISSUABLE)
def test_what_could_be_read_in_two_ways_is_not_issued(situation: str) -> None:
    with pytest.raises(InputError):
        issue(UNISSUABLE[situation], RING)


NAMES = st.text(min_size=1, max_size=40).filter(named)
PATHS = st.lists(st.from_regex(r"\A[a-z0-9_~-][a-z0-9._~-]{0,12}\Z"), min_size=1, max_size=4).map(
    lambda parts: "/" + "/".join(parts) + "/"
)
GRANTS = st.builds(
    Grant,
    account=NAMES,
    path=PATHS,
    device=st.just("") | NAMES,
    until_s=st.integers(NOW_S + 1, NOW_S + LONGEST_GRANT_S),
    rate=st.sampled_from(Rate),
    key=st.sampled_from(["k1", "k2"]),
)


@given(grant=GRANTS, form=st.sampled_from(FORMS))
def test_what_is_issued_is_read_again(grant: Grant, form: Form) -> None:
    token = issue(grant, RING, form)
    assert token.replace(".", "").replace("-", "").replace("_", "").isalnum()
    assert token.isascii()
    path = grant.path + "1.m4s"
    assert verify(token, RING, account=grant.account, path=path, device=grant.device, now_s=NOW_S) == grant


@given(grant=GRANTS, form=st.sampled_from([Form.HMAC, Form.JWT, Form.CAT]), data=st.data())
def test_no_character_of_a_token_can_be_changed(grant: Grant, form: Form, data: st.DataObject) -> None:
    token = issue(grant, RING, form)
    at = data.draw(st.integers(0, len(token) - 1))
    put = data.draw(st.characters(max_codepoint=0x17F).filter(lambda c: c != token[at]))
    changed = token[:at] + put + token[at + 1 :]
    found = verify(changed, RING, account=None, path=grant.path + "1", device=grant.device, now_s=NOW_S)
    assert isinstance(found, Refused)


@given(one=GRANTS, other=GRANTS)
def test_parts_of_two_grants_never_make_a_third(one: Grant, other: Grant) -> None:
    ones, others = (issue(grant, RING).split(".") for grant in (one, other))
    for position in range(1, 7):
        if ones[position] == others[position]:
            continue
        mixed = ".".join([*ones[:position], others[position], *ones[position + 1 :]])
        found = verify(mixed, RING, account=None, path=one.path + "1", device=one.device, now_s=NOW_S)
        other_found = verify(mixed, RING, account=None, path=other.path + "1", device=other.device, now_s=NOW_S)
        assert not isinstance(found, Grant) or mixed == issue(other, RING)
        assert not isinstance(other_found, Grant) or mixed == issue(other, RING)


@given(token=st.text(max_size=200) | st.binary(max_size=200).map(encode), path=st.text(max_size=60))
@example(token="rg1" + "." * 6, path="/")
@example(token="." * 2, path="/")
@example(token="A" * TOKEN_CHARACTERS, path="/")
def test_whatever_comes_in_is_refused_and_raises_nothing(token: str, path: str) -> None:
    assert isinstance(verify(token, RING, account=None, path=path, device=token[:9], now_s=NOW_S), Refused)


@given(raw=st.binary(max_size=60))
def test_bytes_survive_base64(raw: bytes) -> None:
    assert decode(encode(raw)) == raw


@given(text=st.text(alphabet="AQgwz09-_=+/ \n", max_size=9))
def test_what_can_be_decoded_is_what_encodes_to_it(text: str) -> None:
    raw = decode(text)
    assert raw is None or encode(raw) == text


@given(path=st.text(alphabet="/.%2eEfF5c0aA;\\\0 é", max_size=12))
def test_a_plain_path_leads_nowhere_else_when_it_is_decoded(path: str) -> None:
    if plain(path):
        raw = path.encode()
        for found in {raw[i : i + 3] for i in range(len(raw)) if raw[i : i + 1] == b"%"}:
            assert bytes([int(found[1:], 16)]) not in b"./\\%;\0"
        assert not {".", "..", "..."} & set(path.split("/"))
        assert "//" not in path
