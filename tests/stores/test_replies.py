"""How a reply leaves: as a file, or by a real server, with no address to return to."""

import socket
from pathlib import Path

import pytest

from riparian.errors import OutsideError
from riparian.stores.replies import Relay, keep_reply, send_reply
from tests.stores.relays import Taking, served

REPLY = b"From: genuine@riverwave.example\nTo: ann@post.example\nSubject: unknown\n\nNobody can tell.\n"


def test_a_reply_is_sent_to_whoever_asked_and_returns_to_nobody() -> None:
    taking = Taking()
    with served(taking) as relay:
        send_reply(relay, "ann@post.example", REPLY)
    (envelope,) = taking.taken
    assert envelope.rcpt_tos == ["ann@post.example"]
    assert envelope.mail_from in ("", "<>")
    assert envelope.content == REPLY.replace(b"\n", b"\r\n")


@pytest.mark.parametrize("answer", ["554 no", "451 later", "421 closing"])
def test_a_server_that_refuses_is_told(answer: str) -> None:
    with served(Taking(answer)) as relay, pytest.raises(OutsideError, match="wanted it sent"):
        send_reply(relay, "ann@post.example", REPLY)


def test_a_server_that_is_not_there_is_told() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        relay = Relay("127.0.0.1", free.getsockname()[1])
    with pytest.raises(OutsideError, match="127"):
        send_reply(relay, "ann@post.example", REPLY)


def test_a_name_and_a_password_are_not_sent_to_a_server_that_asks_for_none() -> None:
    taking = Taking()
    with served(taking) as relay, pytest.raises(OutsideError, match="wanted it sent"):
        send_reply(Relay(relay.host, relay.port, "genuine", "secret"), "ann@post.example", REPLY)
    assert taking.taken == []


def test_a_reply_is_a_file_until_somebody_sends_it(tmp_path: Path) -> None:
    where = keep_reply(tmp_path / "replies", "reply-1.eml", REPLY)
    assert where == tmp_path / "replies" / "reply-1.eml"
    assert where.read_bytes() == REPLY
    assert [path.name for path in where.parent.iterdir()] == ["reply-1.eml"]


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "replies").write_text("a file")
    with pytest.raises(Exception, match="replies"):
        keep_reply(tmp_path / "replies", "reply-1.eml", REPLY)
