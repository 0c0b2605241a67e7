"""How does something that people approved leave?

As files, unless the operator says otherwise: a folder for each letter, with its bytes and an envelope that says to
whom, where and who approved it.  A person takes it from there.  Mail and HTTP are for those who ask for them in
``outbox.toml``::

    [mail]
    host = "smtp.example.org"
    port = 465                   # 465 speaks TLS from the first byte; any other port asks for it first
    from = "rights@example.org"
    user = "rights"              # and its password in the file outbox.password, mode 600
    to = ["host", "github"]      # only these recipients; "*" is everybody with an address

    [http.hub]                   # the recipient that has this key
    url = "https://hub.example.org/notices"
    token = "hub.token"          # a file in the workspace; sent as a bearer token

Whatever the way, nothing leaves twice: before it goes, the folder says that it is going, and afterwards that it went.
Whoever is killed between the two has to look, and so has who heard nothing after the letter was handed over: what was
refused is still here, and what nobody knows of is not tried again.

::

    outbox/C1-N1-0f3a...  letter.txt  envelope.json  leaving.json  left.json
"""

import contextlib
import json
import re
import smtplib
import ssl
import stat
import tomllib
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import httpx

from riparian.cases.approval import Approved
from riparian.cases.facts import Addressee
from riparian.cases.plain import moment, plain
from riparian.errors import CustodyError, InputError, LifecycleError, OutsideError, PolicyError
from riparian.stores.files import reaching, write_whole

SETTINGS: Final = "outbox.toml"
_PASSWORD: Final = "outbox.password"  # noqa: S105 -- the name of the file that has it
_TIMEOUT_S: Final = 30.0
_TLS_PORT: Final = 465
_LOCAL: Final = frozenset({"127.0.0.1", "::1", "localhost"})
_PORTS: Final = 65_536
_MAIL: Final = frozenset({"host", "port", "from", "to", "user"})
_PLAIN_NAME: Final = re.compile(r"[A-Za-z0-9._-]{1,120}")


class FolderOutbox:
    """``ports.cases.Outbox`` in the folder ``outbox`` of the workspace.

    Raises
    ------
    PolicyError
        When ``outbox.toml`` is not what it should be.
    """

    def __init__(self, workspace: Path, *, certificates: str | None = None) -> None:
        self._workspace, self._folder = workspace, workspace / "outbox"
        self._settings = _settings(workspace / SETTINGS)
        self._certificates = certificates

    def way(self, addressee: Addressee) -> str:
        """See ``ports.cases.Outbox``."""
        if addressee.key in self._settings.get("http", {}):
            return "http"
        mailed = self._settings.get("mail", {}).get("to", ())
        return "mail" if addressee.email and (addressee.key in mailed or "*" in mailed) else "file"

    def put(self, approved: Approved, at: datetime) -> str:
        """See ``ports.cases.Outbox``; what is no :class:`Approved`, or does not hold as one, is refused."""
        if type(approved) is not Approved:
            raise CustodyError(
                f"{type(approved).__name__} was to leave, wanted what people approved",
                hint="Nothing leaves but by `riparian case send`.",
            )
        approved.check()
        folder = self._folder / f"{_plain(approved.case)}-{_plain(approved.notice)}-{approved.digest[:16]}"
        with reaching("writing to the outbox"):
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            folder.mkdir(mode=0o700, exist_ok=True)
            if (folder / "left.json").exists():
                return str(json.loads((folder / "left.json").read_text(encoding="utf-8"))["to"])
            if (folder / "leaving.json").exists():
                raise LifecycleError(
                    f"`{folder.name}` was leaving when somebody ended it, wanted to know whether it left",
                    hint="Look there; then remove its leaving.json to send it, or write left.json to say that it left.",
                )
            way = self.way(approved.addressee)
            leave = self._ready(way, approved, folder)
            write_whole(folder / approved.rendered.name, lambda file: file.write(approved.rendered.content))
            _write(folder / "envelope.json", _envelope(approved, way, at))
            _write(folder / "leaving.json", {"way": way, "at": moment(at)})
        try:
            went = leave()
        except OutsideError:
            with reaching("writing to the outbox"):
                (folder / "leaving.json").unlink()
            raise
        with reaching("writing to the outbox"):
            _write(folder / "left.json", {"way": way, "to": went, "at": moment(at)})
        return went

    def _ready(self, way: str, approved: Approved, folder: Path) -> Callable[[], str]:
        """Put together all that leaving needs, so that whatever is missing is told before anything is on its way."""
        if way == "mail":
            said = self._settings["mail"]
            letter = letter_of(approved, said["from"])
            secret = _secret(self._workspace / _PASSWORD) if "user" in said else ""
            return lambda: self._mail(letter, secret, approved.addressee.email)
        if way == "http":
            said = self._settings["http"][approved.addressee.key]
            headers = {"Content-Type": approved.rendered.media_type, "Idempotency-Key": approved.digest}
            if "token" in said:
                headers["Authorization"] = f"Bearer {_secret(self._workspace / said['token'])}"
            return lambda: self._post(said["url"], approved.rendered.content, headers)
        return lambda: f"file {folder.name}/{approved.rendered.name}"

    def _mail(self, letter: EmailMessage, secret: str, to: str) -> str:
        host = self._settings["mail"]["host"]
        try:
            server = self._connected(secret)
        except (OSError, smtplib.SMTPException) as error:
            raise _not_taken(host, error) from error
        try:
            server.send_message(letter)
        except (smtplib.SMTPResponseException, smtplib.SMTPRecipientsRefused) as error:
            raise _not_taken(host, error) from error
        except (OSError, smtplib.SMTPException) as error:
            raise _unknown(host, error) from error
        finally:
            with contextlib.suppress(OSError, smtplib.SMTPException):
                server.quit()
        return f"mail {to} {letter['Message-ID']}"

    def _connected(self, secret: str) -> smtplib.SMTP:
        said = self._settings["mail"]
        host, port = said["host"], said.get("port", _TLS_PORT)
        context = ssl.create_default_context(cafile=self._certificates)
        if port == _TLS_PORT:
            server: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=_TIMEOUT_S, context=context)
        else:
            server = smtplib.SMTP(host, port, timeout=_TIMEOUT_S)
        try:
            server.ehlo_or_helo_if_needed()
            if port != _TLS_PORT and (host not in _LOCAL or server.has_extn("starttls")):
                server.starttls(context=context)
            if "user" in said:
                server.login(said["user"], secret)
        except BaseException:
            server.close()
            raise
        return server

    def _post(self, url: str, content: bytes, headers: Mapping[str, str]) -> str:
        verify, host = ssl.create_default_context(cafile=self._certificates), urlsplit(url).netloc
        try:
            with httpx.Client(timeout=_TIMEOUT_S, verify=verify, follow_redirects=False) as client:
                answer = client.post(url, content=content, headers=headers)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol) as error:
            raise OutsideError(
                f"`{host}` did not answer ({type(error).__name__}), wanted it sent", hint="Try again later."
            ) from error
        except httpx.HTTPError as error:
            raise _unknown(host, error) from error
        if not answer.is_success:
            raise OutsideError(
                f"`{host}` answered {answer.status_code}, wanted 200 to 299", hint="Ask whoever runs it what it wants."
            )
        return f"http {url} {answer.status_code}"


def _not_taken(host: str, error: Exception) -> OutsideError:
    code = f" {error.smtp_code}" if isinstance(error, smtplib.SMTPResponseException) else ""
    return OutsideError(
        f"`{host}` did not take the letter ({type(error).__name__}{code}), wanted it sent",
        hint="See what it says; it is still here, and may be sent again.",
    )


def _unknown(host: str, error: Exception) -> LifecycleError:
    return LifecycleError(
        f"`{host}` was handed the letter and said nothing ({type(error).__name__}), wanted to know whether it left",
        hint="Ask there; then remove its leaving.json to send it, or write left.json to say that it left.",
    )


def letter_of(approved: Approved, sender: str) -> EmailMessage:
    """Write what was approved as a mail: a text is its body, anything else is attached, byte for byte.

    Raises
    ------
    InputError
        When an address has more in it than an address.
    """
    to = approved.addressee.email
    if any(character in sender + to for character in "\r\n,;<>"):
        raise InputError(
            f"the address `{to[:80]}` has more in it than an address, wanted one, as in abuse@host.example"
        )
    rendered, letter = approved.rendered, EmailMessage()
    letter["From"], letter["To"] = sender, to
    letter["Subject"] = f"Notice {approved.case}-{approved.notice}"
    letter["Message-ID"] = f"<{approved.digest[:32]}@{sender.rpartition('@')[2]}>"
    main, _, rest = rendered.media_type.partition("/")
    if main == "text":
        letter.set_content(rendered.content.decode(), cte="base64")
    else:
        letter.set_content(f"The notice is attached: {rendered.name}\n")
        letter.add_attachment(
            rendered.content, maintype=main, subtype=rest.partition(";")[0].strip(), filename=rendered.name
        )
    return letter


def _envelope(approved: Approved, way: str, at: datetime) -> Mapping[str, Any]:
    return {
        "kind": "envelope",
        "case": approved.case,
        "notice": approved.notice,
        "to": plain(approved.addressee),
        "way": way,
        "file": approved.rendered.name,
        "media_type": approved.rendered.media_type,
        "sha256": approved.digest,
        "approved_by": list(approved.by),
        "at": moment(at),
    }


def _write(path: Path, said: Mapping[str, Any]) -> None:
    write_whole(path, lambda file: file.write(json.dumps(said, indent=1, ensure_ascii=False).encode() + b"\n"))


def _plain(name: str) -> str:
    if not _PLAIN_NAME.fullmatch(name):
        raise InputError(f"`{name[:80]}` is no key of a case or a notice, wanted one as in C1 or N1")
    return name


def _settings(path: Path) -> Mapping[str, Any]:
    if not path.exists():
        return {}
    try:
        said = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise PolicyError(f"`{path.name}` is no TOML ({error}), wanted [mail] and [http.KEY]") from error
    wrong = next(_wrong(said), "")
    if wrong:
        raise PolicyError(
            f"`{path.name}` has {wrong}, wanted [mail] with host, from and a list to, and [http.KEY] with an https url",
            hint="See docs/how/send.md.",
        )
    return said


def _wrong(said: Mapping[str, Any]) -> Iterator[str]:
    yield from (f"[{one[:40]}]" for one in sorted(set(said) - {"mail", "http"}))
    mail, http = said.get("mail", {}), said.get("http", {})
    if not isinstance(mail, dict) or not isinstance(http, dict):
        yield "something else than a table"
        return
    yield from (f"[mail] with `{one[:40]}`" for one in sorted(set(mail) - _MAIL))
    yield from (f"[mail] without {one}" for one in ("host", "from", "to") if mail and one not in mail)
    yield from (f"[mail] with a {one} that is no text" for one in ("host", "from", "user") if not _is_text(mail, one))
    to, port = mail.get("to", []), mail.get("port", _TLS_PORT)
    if not isinstance(to, list) or not all(isinstance(one, str) for one in to):
        yield "[mail] with a `to` that is no list of keys"
    if type(port) is not int or not 0 < port < _PORTS:
        yield "[mail] with a port that is none"
    for key, one in http.items():
        if not isinstance(one, dict) or set(one) - {"url", "token"} or not _is_safe(one.get("url")):
            yield f"[http.{key[:40]}]"
        elif not _is_text(one, "token") or not _PLAIN_NAME.fullmatch(one.get("token", "x")):
            yield f"[http.{key[:40]}] with a token that is no file of the workspace"


def _is_text(said: Mapping[str, Any], name: str) -> bool:
    return isinstance(said.get(name, ""), str)


def _is_safe(url: object) -> bool:
    try:
        parts = urlsplit(url) if isinstance(url, str) else urlsplit("")
        host = parts.hostname
    except ValueError:
        return False
    return bool(host) and (parts.scheme == "https" or (parts.scheme == "http" and host in _LOCAL))


def _secret(path: Path) -> str:
    with reaching(f"reading {path.name}"):
        if not path.exists():
            raise PolicyError(
                f"there is no `{path.name}` in the workspace, wanted the secret that outbox.toml speaks of"
            )
        mode = path.stat().st_mode
        if mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise CustodyError(
                f"`{path.name}` can be read by others (its mode is {stat.S_IMODE(mode):o}), wanted 600",
                hint=f"Run `chmod 600 {path.name}`, and change the secret if others did read it.",
            )
        return path.read_text(encoding="utf-8").strip()
