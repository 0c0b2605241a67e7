"""Who is answered, once, and who never is."""

from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

import pytest

from riparian.assembly import shipped_model
from riparian.creators.answering import Desk
from riparian.creators.lookalikes import Suffixes
from riparian.feeds.mailboxes import Arrived
from riparian.flows.answering import A_DAY, DAY_US, Reply, replies
from riparian.stores.messages import messages

OWN = "genuine@riverwave.example"
DESK = Desk("", lambda _: "", shipped_model(Suffixes.of(["example"])))


class Clock:
    """A clock that stands where it was put."""

    def __init__(self, at_us: int = 1_700_000_000_000_000) -> None:
        self.at_us = at_us

    def now_us(self) -> int:
        return self.at_us


class Book:
    """Who was answered, in memory."""

    def __init__(self) -> None:
        self.held: dict[str, tuple[str, int]] = {}

    def is_answered(self, digest: str) -> bool:
        return digest in self.held

    def answers_to(self, asked_by: str, since_us: int) -> int:
        return sum(by == asked_by and at >= since_us for by, at in self.held.values())

    def answer(self, digest: str, asked_by: str, at_us: int) -> None:
        self.held[digest] = (asked_by, at_us)


def mail(*, by: str = "Ann <ann@post.example>", text: str = "Is this from you?", **more: str) -> bytes:
    one = EmailMessage()
    one["From"], one["To"], one["Subject"], one["Date"] = by, OWN, "Fwd", "Mon, 02 Nov 2026 10:00:00 +0000"
    for name, value in more.items():
        one[name.replace("_", "-")] = value
    one.set_content(text)
    return one.as_bytes()


def ask(*octets: bytes, book: Book | None = None, clock: Clock | None = None) -> tuple[list[Reply], list[int]]:
    done: list[int] = []
    arrived = [Arrived(one, lambda n=n: done.append(n)) for n, one in enumerate(octets)]  # type: ignore[misc]
    return list(replies(arrived, DESK, book or Book(), OWN, clock or Clock())), done


@pytest.mark.parametrize(
    ("octets", "why_not"),
    [
        pytest.param(mail(), "", id="somebody"),
        pytest.param(mail(by=""), "no sender", id="nobody"),
        pytest.param(mail(by=OWN), "no sender", id="ourselves"),
        pytest.param(mail(by="GENUINE@Riverwave.example"), "no sender", id="ourselves, in capitals"),
        pytest.param(mail(by="MAILER-DAEMON@post.example"), "a machine", id="a failure of delivery"),
        pytest.param(mail(by="no-reply@post.example"), "a machine", id="who takes no reply"),
        pytest.param(mail(Auto_Submitted="auto-replied"), "a machine", id="an answer by itself"),
        pytest.param(mail(Precedence="bulk"), "a machine or a list", id="bulk"),
        pytest.param(mail(List_Id="<all.post.example>"), "a machine or a list", id="a list"),
    ],
)
def test_who_is_answered(octets: bytes, why_not: str) -> None:
    (reply,), done = ask(octets)
    assert why_not in reply.why_not
    assert bool(reply.octets) == (not why_not)
    assert done == [0]


def test_a_message_is_answered_once() -> None:
    found, done = ask(mail(), mail())
    assert [one.why_not for one in found] == ["", "it was answered before"]
    assert done == [0, 1]


def test_nobody_is_answered_more_than_some_times_a_day() -> None:
    book, clock = Book(), Clock()
    found, _ = ask(*(mail(text=f"Is this? {n}") for n in range(A_DAY + 3)), book=book, clock=clock)
    assert sum(not one.why_not for one in found) == A_DAY
    (other,), _ = ask(mail(by="bo@post.example"), book=book, clock=clock)
    assert not other.why_not
    clock.at_us += DAY_US + 1
    (later,), _ = ask(mail(text="And this?"), book=book, clock=clock)
    assert not later.why_not


def test_what_could_not_be_sent_is_not_noted_as_answered() -> None:
    book = Book()
    going = replies([Arrived(mail(), lambda: None)], DESK, book, OWN, Clock())
    assert next(going).octets
    assert book.held == {}
    assert list(going) == []
    assert len(book.held) == 1


def test_a_reply_repeats_nothing_and_leads_nowhere() -> None:
    lure = "Verify your account now, the payment expires: https://pay-now.example/x?id=8821 <b>secret words</b>"
    (reply,), _ = ask(mail(text=lure, Message_ID="<1@post.example>"))
    written = message_from_bytes(reply.octets, policy=default)
    assert written["Auto-Submitted"] == "auto-replied"
    assert written["To"] == "ann@post.example"
    text = written.get_content()
    assert "secret words" not in text
    assert "http" not in text
    assert "8821" not in text


def test_the_book_of_a_workspace_says_the_same(tmp_path_factory: pytest.TempPathFactory) -> None:
    with messages(tmp_path_factory.mktemp("w")) as book:
        assert not book.is_answered("d")
        book.answer("d", "a", 10)
        assert (book.is_answered("d"), book.answers_to("a", 10), book.answers_to("a", 11)) == (True, 1, 0)
        assert book.answers_to("b", 0) == 0
