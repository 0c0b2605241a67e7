"""What is told of a message: signed, made as lures are, or neither."""

from email.message import EmailMessage
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from riparian.assembly import shipped_model
from riparian.creators.answering import Desk, Told, answered
from riparian.creators.letters import letters
from riparian.creators.lookalikes import Index, Name, Suffixes
from riparian.creators.lures import SENTENCES, Answer, model, triage
from riparian.creators.signed import HEADER, Message, Sending, code, code_in, message, signed, token_in, verified
from riparian.creators.signs import signs
from riparian.errors import InputError
from tests.creators.scenarios import scenarios

OWN = Ed25519PrivateKey.from_private_bytes(bytes(32))
KEY = OWN.public_key().public_bytes_raw().hex()
SUFFIXES = Suffixes.of(["example", "com", "top", "click", "xyz", "online", "live", "site", "dev", "pages.dev", "info"])
MODEL = shipped_model(SUFFIXES)
OURS = Index([Name("riverwave", ("riverwave.example",)), Name("quaydistro", ("quaydistro.example",))], SUFFIXES)
SENDING = Sending("Riverwave", 1_700_000_000_000_000, bytes(16))
SIGNED = message("royalty-statement", "ann@post.example", ["riverwave.example"], SENDING)
TOKEN = signed(SIGNED, KEY, OWN.sign)
DESK = Desk(KEY, {code(TOKEN): TOKEN}.get, MODEL, OURS)  # type: ignore[arg-type]


def mail(
    text: str = "Your statement: https://artists.riverwave.example/money",
    *,
    to: str = "ann@post.example",
    by: str = "statements@riverwave.example",
    stamp: str = "",
    file: str = "",
    reply_to: str = "",
    around: bytes = b"",
) -> bytes:
    one = EmailMessage()
    one["From"], one["To"], one["Subject"], one["Date"] = by, to, "Your statement", "Mon, 02 Nov 2026 10:00:00 +0000"
    if stamp:
        one[HEADER] = stamp
    if reply_to:
        one["Reply-To"] = reply_to
    one.set_content(text)
    if file:
        one.add_attachment(b"x", maintype="application", subtype="octet-stream", filename=file)
    if around:
        one.add_attachment(around, maintype="application", subtype="octet-stream", filename="m.eml")
        part = list(one.iter_attachments())[-1]
        part.replace_header("Content-Type", "message/rfc822")
        part.replace_header("Content-Transfer-Encoding", "8bit")
        part.set_payload([__import__("email").message_from_bytes(around)])
    return one.as_bytes()


CODE = code(TOKEN)
FORWARDED = (
    "Is this from you?\n\nFrom: Riverwave <statements@riverwave.example>\nSent: Monday\nSubject: Your statement\n\n"
    f"Your statement: https://artists.riverwave.example/money\nCode: {CODE}\n"
)


@pytest.mark.parametrize(
    ("octets", "asker", "answer"),
    [
        pytest.param(mail(stamp=TOKEN), "", Answer.VERIFIED, id="a token in the header"),
        pytest.param(mail(f"Code: {CODE}"), "", Answer.VERIFIED, id="a code in the text"),
        pytest.param(mail(f"Code: {CODE.lower().replace('-', ' ')}"), "", Answer.VERIFIED, id="a code, typed"),
        pytest.param(mail(f"See {TOKEN}"), "", Answer.VERIFIED, id="a token in the text"),
        pytest.param(TOKEN.encode(), "ann@post.example", Answer.VERIFIED, id="a token alone"),
        pytest.param(CODE.encode(), "Ann@Post.example", Answer.VERIFIED, id="a code alone"),
        pytest.param(mail(FORWARDED, by="ann@post.example", to="ask@x.example"), "ann@post.example", Answer.VERIFIED,
                     id="forwarded within the text"),
        pytest.param(mail("See below.", by="ann@post.example", around=mail(stamp=TOKEN)), "ann@post.example",
                     Answer.VERIFIED, id="forwarded as an attachment"),
        pytest.param(mail(stamp=TOKEN, to="bo@post.example"), "", Answer.SUSPICIOUS, id="made for somebody else"),
        pytest.param(mail(stamp=TOKEN), "bo@post.example", Answer.SUSPICIOUS, id="asked by somebody else"),
        pytest.param(mail("https://riverwave.example.top/pay", stamp=TOKEN), "", Answer.SUSPICIOUS, id="other links"),
        pytest.param(mail(stamp=TOKEN, by="pay@quay.example"), "", Answer.SUSPICIOUS, id="another sender"),
        pytest.param(mail(stamp=TOKEN, reply_to="pay@quay.example"), "", Answer.SUSPICIOUS, id="answers go elsewhere"),
        pytest.param(mail(stamp=TOKEN, file="a.pdf"), "", Answer.SUSPICIOUS, id="a file beside it"),
        pytest.param(mail("https://pay.example/now", by="x@quay.example", around=mail(stamp=TOKEN)), "ann@post.example",
                     Answer.SUSPICIOUS, id="a lure around a genuine message"),
        pytest.param(mail("Code: RM-01234-56789-ABCDE-FGHJK"), "", Answer.SUSPICIOUS, id="a code that is not ours"),
        pytest.param(mail(stamp=TOKEN[:-4] + "AAAA"), "", Answer.SUSPICIOUS, id="a token that was changed"),
        pytest.param(mail(), "", Answer.UNKNOWN, id="genuine, and not signed"),
        pytest.param(mail("Sign in: https://riverwave-pay.top/x"), "", Answer.SUSPICIOUS, id="a link much like ours"),
        pytest.param(b"", "", Answer.UNKNOWN, id="nothing"),
    ],
)  # fmt: skip
def test_what_is_told(octets: bytes, asker: str, answer: Answer) -> None:
    told = answered(octets, DESK, (asker,) if asker else ())
    assert told.answer is answer, told
    assert (told.answer is Answer.VERIFIED) == told.sentence.startswith(
        "Genuine: Riverwave sent it to you on 2023-11-14"
    )


def test_another_key_verifies_nothing() -> None:
    desk = Desk("00" * 32, lambda _: TOKEN, MODEL)
    assert answered(mail(stamp=TOKEN), desk).answer is Answer.SUSPICIOUS
    assert answered(mail(stamp=TOKEN), Desk("", lambda _: "", MODEL)).answer is Answer.SUSPICIOUS


@settings(max_examples=150)
@given(at=st.integers(0, len(TOKEN) - 1), letter=st.sampled_from("AZaz09-_.=é"))
def test_no_letter_of_a_token_can_be_changed(at: int, letter: str) -> None:
    changed = TOKEN[:at] + letter + TOKEN[at + 1 :]
    # The last letter of each part has bits that mean nothing; all that is read must be what was signed.
    found = verified(changed, KEY) if changed.isascii() else None
    assert found is None or found == SIGNED.said


def test_a_token_that_mail_broke_is_read() -> None:
    broken = "\r\n> ".join(TOKEN[i : i + 70] for i in range(0, len(TOKEN), 70))
    assert token_in(f"Hello\n> {broken}\n") == TOKEN


def test_codes_are_as_long_as_they_say_and_unlike() -> None:
    codes = {code(f"token {n}") for n in range(1000)}
    assert len(codes) == 1000
    assert all(code_in(one) == one for one in codes)


@pytest.mark.parametrize(
    ("template", "to", "domains"),
    [("", "ann@post.example", []), ("t", " ", []), ("t", "a@b", ["no domain"]), ("t", "a@b", ["com"]),
     ("t", "a@b", [f"d{n}.example" for n in range(51)])],
)  # fmt: skip
def test_what_cannot_be_signed_is_refused(template: str, to: str, domains: list[str]) -> None:
    with pytest.raises(InputError, match="wanted"):
        message(template, to, domains, SENDING)


def test_of_a_recipient_nothing_is_in_a_token_but_a_salted_hash() -> None:
    other = message("royalty-statement", "ann@post.example", [], Sending("Riverwave", 0, b"1" * 16))
    assert isinstance(other, Message)
    assert other.recipient != SIGNED.recipient
    assert "ann" not in str(other.said)


LURES, GENUINE = scenarios("lure"), scenarios("genuine")


@pytest.mark.parametrize(("octets"), [pytest.param(octets, id=name) for name, octets in LURES])
def test_lures_to_artists_are_suspicious(octets: bytes) -> None:
    found = triage(letters(octets), MODEL, OURS)
    assert found.answer is Answer.SUSPICIOUS, found
    assert found.reasons


@pytest.mark.parametrize(("octets"), [pytest.param(octets, id=name) for name, octets in GENUINE])
def test_genuine_messages_to_artists_are_not(octets: bytes) -> None:
    found = triage(letters(octets), MODEL, OURS)
    assert found.answer is Answer.UNKNOWN, found


@pytest.mark.parametrize(("octets"), [pytest.param(octets, id=name) for name, octets in scenarios("mistaken")])
def test_genuine_pages_that_are_mistaken_for_lures_are_known(octets: bytes) -> None:
    # Where one is no longer, it goes to the genuine ones, and the table is made anew.
    assert triage(letters(octets), MODEL, OURS).answer is Answer.SUSPICIOUS


BOILERPLATE = (
    "\n\nI have a good faith belief that the use is not authorized by the owner, its agent or the law. I swear under"
    " penalty of perjury that the information is accurate and that I am authorized to act."
    " /s/ J. Quill, 8 Court Street. "
) * 12


@pytest.mark.parametrize(("octets"), [pytest.param(octets, id=name) for name, octets in LURES[:4]])
def test_the_words_of_a_notice_take_little_off_a_lure(octets: bytes) -> None:
    plain = triage(letters(octets), MODEL)
    padded = triage(letters(octets.replace(b"\n\n", b"\n\n", 1) + BOILERPLATE.encode()), MODEL)
    short = sum(MODEL.weights.get(name, 0) for name in ("short_text", "little_text", "notice_hollow"))
    assert padded.weight >= plain.weight - short - 0.01


def test_every_sign_has_a_sentence_and_every_weight_a_sign() -> None:
    found = signs(letters(b"From: a@b.example\n\nx")[0], MODEL.lists)
    assert set(found) == set(SENTENCES)
    assert set(MODEL.weights) <= set(SENTENCES)


@pytest.mark.parametrize("weights", [{"weights": {"nothing": 1}, "enough": 1}, {"weights": {"asks": -1}, "enough": 1}])
def test_weights_that_are_none_are_refused(weights: dict[str, object]) -> None:
    lists = {
        "words": {"asks": ["x"]},
        "endings": [],
        "open_hosts": [],
        "free_mail": [],
        "roles": ["x"],
        "houses": ["x"],
    }
    with pytest.raises(InputError, match="wanted"):
        model(lists, weights, SUFFIXES)


@pytest.mark.parametrize(
    "octets",
    [
        pytest.param(b"\x00\xff" * 5000, id="no message"),
        pytest.param(
            b"From: a@b.example\nContent-Type: multipart/mixed; boundary=x\n\n" + b"--x\n\n" * 9000, id="many parts"
        ),
        pytest.param(b"From: a\nContent-Type: text/html\n\n" + b"<div>" * 60_000, id="deep"),
        pytest.param(b"From: a\nContent-Type: text/html\n\n" + b"<a href='http://" * 20_000, id="links without an end"),
        pytest.param(b"From: a\nContent-Type: text/plain; charset=nothing\n\n\xff", id="no such letters"),
        pytest.param(b"From: =?utf-8?b?/////?= <a@b>\nSubject: =?x?q?=FF?=\n\nx", id="words that are not encoded"),
        pytest.param(b"From: a@b.example\n\n" + b"www." * 50_000, id="dots"),
        pytest.param(b"From: " + b"(" * 4_000 + b"a@b\nTo: " + b"(" * 4_000 + b"\n\nx", id="comments in comments"),
        pytest.param(
            b"From: a@b.example\nContent-Type: text/plain; charset=idna\n\na.\xff", id="letters that cannot be replaced"
        ),
        pytest.param(
            b'From: a@b.example\nContent-Type: text/plain; charset="a\0b"\n\n\xff', id="a charset with a nought"
        ),
        pytest.param(
            b"From: a@b.example\nContent-Type: multipart/mixed; boundary=b0\n\n"
            + b"".join(b"--b%d\nContent-Type: multipart/mixed; boundary=b%d\n\n" % (n, n + 1) for n in range(3_000)),
            id="parts in parts",
        ),
        pytest.param(b"From: a\n\nhttp://[::1 http://[x] https://a:b:c", id="addresses that are none"),
    ],
)
def test_whatever_comes_is_answered(octets: bytes) -> None:
    told = answered(octets, DESK)
    assert isinstance(told, Told)
    assert told.answer is not Answer.VERIFIED


def test_hidden_text_is_not_what_people_read() -> None:
    page = (
        b"From: a@b.example\nDate: x\nContent-Type: text/html\n\n<style>p{}</style><p>See</p>"
        b"<div style='display:none'>secret words of a genuine notice</div><a href='https://x.example/a'>Go</a>"
    )
    (one,) = letters(page)
    assert (one.text.split(), one.hidden, one.links[0].shown) == (["See", "Go"], 32, "Go")


def test_the_data_ship() -> None:
    here = Path("src/riparian/creators")
    assert "made-up lures" in (here / "lure_weights.toml").read_text(encoding="utf-8")
