"""How a letter leaves: as a file, by mail, by HTTP; once, or not at all; and when nobody knows, a person is asked."""

import json
import os
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import default
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from riparian.cases.approval import Approved
from riparian.errors import CustodyError, InputError, LifecycleError, OutsideError, PolicyError, RiparianError
from riparian.flows import casework, pursuing
from riparian.stores.outbox import FolderOutbox
from tests.cases.making import AT
from tests.cases.sending import approved, office
from tests.ports import free_port


@pytest.fixture(scope="module")
def letter(tmp_path_factory: pytest.TempPathFactory) -> Approved:
    """Give what two people approved."""
    with office(tmp_path_factory.mktemp("office")) as docket:
        key = approved(docket)
        return pursuing.approved_of(docket, casework.read(docket, key), "N1")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Make a certificate of localhost that vouches for itself, and its key."""
    folder = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate, secret = folder / "cert.pem", folder / "key.pem"
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    pem, pkcs8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    secret.write_bytes(key.private_bytes(pem, pkcs8, serialization.NoEncryption()))
    return certificate, secret


def folder_of(outbox: Path) -> Path:
    (found,) = outbox.iterdir()
    return found


# --- files ------------------------------------------------------------------------------------------------------------


def test_a_file_leaves_once_with_an_envelope_that_says_who_approved_it(letter: Approved, tmp_path: Path) -> None:
    box = FolderOutbox(tmp_path)
    first, again = box.put(letter, AT), box.put(letter, AT + timedelta(days=1))
    folder = folder_of(tmp_path / "outbox")
    assert first == again == f"file {folder.name}/{letter.rendered.name}"
    assert (folder / letter.rendered.name).read_bytes() == letter.rendered.content
    envelope = json.loads((folder / "envelope.json").read_text())
    assert (envelope["sha256"], envelope["approved_by"], envelope["way"]) == (letter.digest, ["Ann", "Ben"], "file")
    assert envelope["to"]["email"] == letter.addressee.email
    assert (tmp_path / "outbox").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("what", [None, "a text", {"case": "C1"}], ids=str)
def test_nothing_but_what_people_approved_is_taken(what: Any, tmp_path: Path) -> None:
    with pytest.raises(CustodyError, match="wanted what people approved"):
        FolderOutbox(tmp_path).put(what, AT)
    assert not (tmp_path / "outbox").exists()


# --- settings ---------------------------------------------------------------------------------------------------------

MAIL = '[mail]\nhost = "h"\nfrom = "a@b.example"\nto = ["x"]\n'


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param("[mail", "TOML", id="no TOML"),
        pytest.param("[post]", "[post]", id="another way"),
        pytest.param("mail = 3", "table", id="a number for mail"),
        pytest.param("http = 3", "table", id="a number for http"),
        pytest.param("[mail]\nhost = 'h'\nto = []", "without from", id="nobody it is from"),
        pytest.param("[mail]\nfrom = 'a'\nto = []", "without host", id="no host"),
        pytest.param("[mail]\nfrom = 'a'\nhost = 'h'", "without to", id="to nobody"),
        pytest.param(MAIL.replace('["x"]', '"*"'), "`to`", id="to a text"),
        pytest.param(MAIL.replace('["x"]', "[3]"), "`to`", id="to a number"),
        pytest.param(MAIL.replace('"h"', "7"), "host", id="a number for a host"),
        pytest.param(MAIL + "port = '25'", "port", id="a text for a port"),
        pytest.param(MAIL + "port = 99999", "port", id="a port that is none"),
        pytest.param(MAIL + "user = 7", "user", id="a number for a user"),
        pytest.param(MAIL + "password = 'secret'", "`password`", id="a secret in the settings"),
        pytest.param("[http]\nhub = 3", "[http.hub]", id="a number for a hub"),
        pytest.param("[http.hub]\ntoken = 't'", "[http.hub]", id="no address"),
        pytest.param("[http.hub]\nurl = 'http://hub.example'", "[http.hub]", id="without TLS"),
        pytest.param("[http.hub]\nurl = 'https://['", "[http.hub]", id="no host in the address"),
        pytest.param("[http.hub]\nurl = 'file:///etc'", "[http.hub]", id="a file"),
        pytest.param("[http.hub]\nurl = 'https://h'\nheader = 'x'", "[http.hub]", id="a field that is not there"),
        pytest.param("[http.hub]\nurl = 'https://h'\ntoken = '../x'", "token", id="a token outside of the workspace"),
    ],
)
def test_settings_that_are_none_are_one_error(text: str, says: str, tmp_path: Path) -> None:
    (tmp_path / "outbox.toml").write_text(text, encoding="utf-8")
    with pytest.raises(PolicyError) as told:
        FolderOutbox(tmp_path)
    assert says in told.value.message


@pytest.mark.parametrize(
    ("text", "way"),
    [
        pytest.param("", "file", id="nothing said"),
        pytest.param(MAIL, "file", id="mail for somebody else"),
        pytest.param(MAIL.replace('"x"', '"hostly"'), "mail", id="mail for them"),
        pytest.param(MAIL.replace('"x"', '"*"'), "mail", id="mail for everybody"),
        pytest.param("[http.hostly]\nurl = 'https://h'", "http", id="http for them"),
        pytest.param("[http.hub]\nurl = 'https://h'", "file", id="http for somebody else"),
    ],
)
def test_the_way(text: str, way: str, letter: Approved, tmp_path: Path) -> None:
    (tmp_path / "outbox.toml").write_text(text, encoding="utf-8")
    assert FolderOutbox(tmp_path).way(letter.addressee) == way


# --- mail -------------------------------------------------------------------------------------------------------------


WORD = "word"


class Post:
    """A real server, and what it was handed."""

    def __init__(self, answer: str = "250 OK", *, hangs_up: bool = False) -> None:
        self.answer, self.hangs_up, self.took = answer, hangs_up, list[bytes]()

    async def handle_DATA(self, server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 -- as it is called
        self.took.append(envelope.content)
        if self.hangs_up:
            server.transport.abort()
        return self.answer

    async def handle_RCPT(self, _s: Any, _n: Any, envelope: Any, address: str, _o: Any) -> str:  # noqa: N802 -- as it is called
        if self.answer.startswith("RCPT"):
            return self.answer.removeprefix("RCPT ")
        envelope.rcpt_tos.append(address)
        return "250 OK"


@contextmanager
def posted(post: Post, authority: tuple[Path, Path], folder: Path, *, said: str = WORD) -> Iterator[FolderOutbox]:
    """Serve mail with TLS, and give an outbox that uses it."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*authority)

    def known(_server: Any, _session: Any, _envelope: Any, _way: str, given: LoginPassword) -> AuthResult:
        return AuthResult(success=given.password == WORD.encode())

    server = Controller(
        post, hostname="localhost", port=0, tls_context=context, authenticator=known, auth_required=True
    )
    server.port = free_port()
    server.start()
    try:
        rest = 'host = "localhost"\nfrom = "rights@reed.example"\nuser = "r"\nto = ["*"]\n'
        settings = f"[mail]\nport = {server.port}\n{rest}"
        (folder / "outbox.toml").write_text(settings, encoding="utf-8")
        secret = folder / "outbox.password"
        secret.write_text(f"{said}\n", encoding="utf-8")
        secret.chmod(0o600)
        yield FolderOutbox(folder, certificates=str(authority[0]))
    finally:
        server.stop()


def test_a_mail_arrives_as_it_was_approved_and_once(
    letter: Approved, authority: tuple[Path, Path], tmp_path: Path
) -> None:
    post = Post()
    with posted(post, authority, tmp_path) as box:
        went = box.put(letter, AT)
        assert box.put(letter, AT) == went
    (octets,) = post.took
    mail = message_from_bytes(octets, policy=default)
    assert (mail["To"], mail["From"]) == (letter.addressee.email, "rights@reed.example")
    body = mail.get_body()
    assert body is not None
    assert body.get_content().replace("\r\n", "\n").strip() == letter.rendered.content.decode().strip()
    assert went.startswith(f"mail {letter.addressee.email} <{letter.digest[:32]}@")


@pytest.mark.parametrize(
    ("post", "password"),
    [
        pytest.param(Post("550 no such box"), "word", id="the letter is refused"),
        pytest.param(Post("RCPT 550 nobody"), "word", id="the recipient is refused"),
        pytest.param(Post(), "another", id="another password"),
    ],
)
def test_what_is_refused_is_still_here_and_leaves_later(
    post: Post, password: str, letter: Approved, authority: tuple[Path, Path], tmp_path: Path
) -> None:
    with posted(post, authority, tmp_path, said=password) as box, pytest.raises(OutsideError, match="did not take"):
        box.put(letter, AT)
    folder = folder_of(tmp_path / "outbox")
    assert not {"leaving.json", "left.json"} & {path.name for path in folder.iterdir()}
    with posted(Post(), authority, tmp_path) as box:
        assert box.put(letter, AT).startswith("mail")


def test_who_was_handed_it_and_hung_up_may_have_it_and_a_person_looks(
    letter: Approved, authority: tuple[Path, Path], tmp_path: Path
) -> None:
    post = Post(hangs_up=True)
    with posted(post, authority, tmp_path) as box:
        for _ in range(2):
            with pytest.raises(LifecycleError, match="wanted to know whether it left"):
                box.put(letter, AT)
    assert len(post.took) == 1


def test_a_server_that_nobody_vouches_for_gets_nothing(
    letter: Approved, authority: tuple[Path, Path], tmp_path: Path
) -> None:
    post = Post()
    with posted(post, authority, tmp_path), pytest.raises(OutsideError):
        FolderOutbox(tmp_path).put(letter, AT)
    assert post.took == []


@pytest.mark.parametrize(
    ("change", "error"),
    [
        pytest.param(lambda secret: secret.unlink(), PolicyError, id="no secret"),
        pytest.param(lambda secret: secret.chmod(0o644), CustodyError, id="others can read the secret"),
    ],
)
def test_without_its_secret_nothing_is_on_its_way(
    change: Callable[[Path], None],
    error: type[RiparianError],
    letter: Approved,
    authority: tuple[Path, Path],
    tmp_path: Path,
) -> None:
    with posted(Post(), authority, tmp_path) as box:
        change(tmp_path / "outbox.password")
        with pytest.raises(error):
            box.put(letter, AT)
        (tmp_path / "outbox.password").write_text("word\n", encoding="utf-8")
        (tmp_path / "outbox.password").chmod(0o600)
        assert box.put(letter, AT).startswith("mail")


def test_an_address_with_more_in_it_is_refused(letter: Approved, tmp_path: Path) -> None:
    from dataclasses import replace  # noqa: PLC0415 -- for one name

    from riparian.stores.outbox import letter_of  # noqa: PLC0415 -- as above

    class Other:
        addressee = replace(letter.addressee, email="a@b.example\r\nBcc: all@b.example")
        rendered, case, notice, digest = letter.rendered, letter.case, letter.notice, letter.digest

    with pytest.raises(InputError, match="more in it than an address"):
        letter_of(Other(), "a@b.example")  # type: ignore[arg-type]
    assert not (tmp_path / "outbox").exists()


# --- HTTP -------------------------------------------------------------------------------------------------------------


@contextmanager
def hub(
    status: int, folder: Path, *, silent: bool = False
) -> Iterator[tuple[FolderOutbox, list[tuple[dict[str, str], bytes]]]]:
    """Serve a hub, and give an outbox that uses it, and what the hub was handed."""
    took: list[tuple[dict[str, str], bytes]] = []

    class Door(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            took.append((dict(self.headers), self.rfile.read(int(self.headers["Content-Length"]))))
            if silent:
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            self.send_response(status)
            self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Door)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    url = f"http://127.0.0.1:{server.server_port}/notices"
    (folder / "outbox.toml").write_text(f'[http.hostly]\nurl = "{url}"\ntoken = "hub.token"\n', encoding="utf-8")
    (folder / "hub.token").write_text("t0ken\n", encoding="utf-8")
    (folder / "hub.token").chmod(0o600)
    try:
        yield FolderOutbox(folder), took
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize("status", [200, 202, 204])
def test_a_hub_takes_it_once(status: int, letter: Approved, tmp_path: Path) -> None:
    with hub(status, tmp_path) as (box, took):
        went = box.put(letter, AT)
        assert box.put(letter, AT) == went
    ((headers, octets),) = took
    assert (octets, headers["Authorization"], headers["Idempotency-Key"]) == (
        letter.rendered.content,
        "Bearer t0ken",
        letter.digest,
    )
    assert went.endswith(f"/notices {status}")


@pytest.mark.parametrize("status", [302, 400, 401, 429, 500])
def test_what_a_hub_refuses_is_still_here(status: int, letter: Approved, tmp_path: Path) -> None:
    with hub(status, tmp_path) as (box, took), pytest.raises(OutsideError, match=f"answered {status}"):
        box.put(letter, AT)
    assert len(took) == 1
    with hub(200, tmp_path) as (box, _):
        assert box.put(letter, AT).startswith("http")


def test_a_hub_that_says_nothing_may_have_it_and_a_person_looks(letter: Approved, tmp_path: Path) -> None:
    with hub(200, tmp_path, silent=True) as (box, took):
        for _ in range(2):
            with pytest.raises(LifecycleError, match="wanted to know whether it left"):
                box.put(letter, AT)
    assert len(took) == 1


def test_a_hub_that_is_not_there_was_handed_nothing(letter: Approved, tmp_path: Path) -> None:
    with hub(200, tmp_path) as (box, _):
        pass
    with pytest.raises(OutsideError):
        box.put(letter, AT)
    with hub(200, tmp_path) as (box, _):
        assert box.put(letter, AT).startswith("http")


# --- killed -----------------------------------------------------------------------------------------------------------

KILLED = """
import os, signal, sys
from pathlib import Path
from riparian.flows import casework, pursuing
from riparian.stores import outbox
from tests.cases.making import AT
from tests.cases.sending import approved, office
folder, before = Path(sys.argv[1]), sys.argv[2]
write = outbox.write_whole
def killed(path, how):
    if path.name == before or (before == "letter" and path.suffix == ".txt"):
        os.kill(os.getpid(), signal.SIGKILL)
    write(path, how)
with office(folder) as docket:
    if not docket.cases.keys():
        approved(docket)
    if before != "nothing":
        outbox.write_whole = killed
    pursuing.send(docket, "C1", "N1", "cli", really=True)
"""


@pytest.mark.parametrize(
    ("before", "asks"),
    [
        pytest.param("letter", False, id="before the letter is written"),
        pytest.param("envelope.json", False, id="before its envelope is"),
        pytest.param("leaving.json", False, id="before it is on its way"),
        pytest.param("left.json", True, id="when it may have left"),
    ],
)
def test_whoever_is_killed_sends_it_later_once_or_asks(before: str, *, asks: bool, tmp_path: Path) -> None:
    root = Path(__file__).parent.parent.parent

    def run(when: str) -> subprocess.CompletedProcess[str]:
        words = [sys.executable, "-c", KILLED, str(tmp_path), when]
        env = {**os.environ, "PYTHONPATH": str(root)}
        return subprocess.run(words, cwd=root, env=env, check=False, timeout=120, capture_output=True, text=True)

    assert run(before).returncode == -9
    then = run("nothing")
    assert ("wanted to know whether it left" in then.stderr, then.returncode != 0) == (asks, asks), then.stderr
    assert len(list((tmp_path / "outbox").iterdir())) == 1
    if asks:
        (folder_of(tmp_path / "outbox") / "leaving.json").unlink()
        assert run("nothing").returncode == 0
    with office(tmp_path) as docket:
        assert casework.read(docket, "C1").notices["N1"].state == "sent"
