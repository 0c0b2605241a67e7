"""What does a site show to machines: a copy of it in a folder, or the site itself, whose owner permits that we ask?

A copy has the files where the site has them: ``robots.txt``, ``ai.txt``, ``.well-known/tdmrep.json``, documents of RSL,
pages, sound.  Headers of responses are in ``_headers``, as static hosts take them, or, of one file, beside it in
``NAME.headers``, as a client writes them.

A site is asked for those files, for the documents of RSL that they name on the same host, and for pages by name; once a
second, under a name that says who asks, following no address to another host.  Nothing is asked without permission:
who permits it is written down.  Whatever comes is bounded, and may be hostile.
"""

import http.client
import os
import ssl
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from email.message import Message
from pathlib import Path, PurePosixPath
from typing import Final
from urllib.parse import urljoin, urlsplit

from riparian.catalogue.channels import aitxt, robots, rsl, tdmrep
from riparian.catalogue.channels.compare import Site
from riparian.catalogue.channels.pages import HEAD_OCTETS_MAX, Headers, Pages, headers_of
from riparian.catalogue.channels.says import Fault, plain_path
from riparian.errors import InputError, OutsideError
from riparian.feeds.manifests import MEDIA_TYPES, read_manifests

FILES_MAX: Final = 200_000
PAGES_MAX: Final = 5_000
SOUNDS_MAX: Final = 2_000
AGENT: Final = "riparian-terms-check (+asked by the owner of this site)"
_OCTETS_MAX: Final = (4 << 20) + 1
_SOUND_OCTETS_MAX: Final = 64 << 20
_HTML: Final = (".html", ".htm", ".xhtml")
_HEADERS: Final = ".headers"
_REDIRECTS: Final = (301, 302, 303, 307, 308)
_REDIRECTS_MAX: Final = 3
_DOCUMENTS_MAX: Final = 10
_TIMEOUT_S: Final = 10.0
_WHOLE_S: Final = 60.0
_PAUSE_S: Final = 1.0
_OK: Final = 200


@dataclass(slots=True)
class Showing:
    """What a site shows, and what of it was passed over."""

    site: Site
    faults: list[Fault] = field(default_factory=list)


def read_copy(folder: Path, *, anchors: str = "") -> Showing:
    """Read a copy of a site.

    Parameters
    ----------
    anchors
        As :func:`riparian.feeds.manifests.read_manifests`.

    Raises
    ------
    InputError
        When it is no folder.
    """
    if not folder.is_dir():
        raise InputError(
            f"`{folder}` is no folder, wanted a copy of a site or an address",
            hint="Copy the site into a folder, robots.txt at its top.",
        )
    faults: list[Fault] = []
    files = dict(_walked(folder, faults))
    headers = headers_of(_read(files.pop("/_headers", None)) or b"", "_headers", faults)
    for path in [path for path in files if path.endswith(_HEADERS)]:
        of = path.removesuffix(_HEADERS)
        headers.append((f"{_address(of)}$", _of_response(_read(files.pop(path)) or b"")))
    pages = [path for path in files if path.endswith(_HTML)]
    sounds = [path for path in files if PurePosixPath(path).suffix.lower() in MEDIA_TYPES]
    for kind, found, most in (("pages", pages, PAGES_MAX), ("sound files", sounds, SOUNDS_MAX)):
        if len(found) > most:
            faults.append(Fault(str(folder), f"has {len(found):,} {kind}: the first {most:,} were looked at"))
    told = read_manifests([files[path] for path in sounds[:SOUNDS_MAX]], anchors=anchors)
    documents = {
        path: data for path in files if path.endswith((".xml", ".rsl")) for data in [_document(files[path])] if data
    }
    site = Site(
        robots=_read(files.get("/robots.txt")),
        aitxt=_read(files.get(f"/{aitxt.NAME}")),
        tdmrep=_read(files.get(tdmrep.PATH)),
        documents=documents,
        headers=headers,
        pages={_address(path): _read(files[path], HEAD_OCTETS_MAX) or b"" for path in pages[:PAGES_MAX]},
        sealed={_address(path): told[files[path]] for path in sounds[:SOUNDS_MAX]},
        other=[_address(path) for path in files][:PAGES_MAX],
    )
    return Showing(site, faults)


def _walked(folder: Path, faults: list[Fault]) -> Iterator[tuple[str, Path]]:
    """Give files by their path on the site; no link is followed."""
    n = 0
    for place, names, files in os.walk(folder):
        names.sort()
        for name in sorted(files):
            path = Path(place) / name
            if path.is_symlink() or not path.is_file():
                continue
            n += 1
            if n > FILES_MAX:
                faults.append(Fault(str(folder), f"has more than {FILES_MAX:,} files: the rest was not looked at"))
                return
            yield "/" + path.relative_to(folder).as_posix(), path


def _read(path: Path | None, most: int = _OCTETS_MAX) -> bytes | None:
    if path is None:
        return None
    try:
        with path.open("rb") as file:
            return file.read(most)
    except OSError as error:
        raise OutsideError(f"`{path}` cannot be read: {error.strerror}", hint="Check its permissions.") from error


def _document(path: Path) -> bytes:
    head = _read(path, 1 << 16) or b""
    return (_read(path) or b"") if rsl.NAMESPACE.encode() in head else b""


def _address(path: str) -> str:
    """Give the path at which a site shows a file: an index is its folder."""
    folder, _, name = path.rpartition("/")
    return plain_path(f"{folder}/" if name in {"index.html", "index.htm"} else path.replace("%", "%25"))


def _of_response(data: bytes) -> list[tuple[str, str]]:
    lines = data.decode("latin-1").splitlines()
    pairs = (line.partition(":") for line in lines[:1000] if ":" in line and not line.startswith("HTTP/"))
    return [(name.strip(), value.strip()) for name, _, value in pairs]


@dataclass
class Asker:
    """A site that is asked.

    Parameters
    ----------
    origin
        As in ``https://music.example``.
    pause
        Waits so many seconds between two questions.
    """

    origin: str
    pause: Callable[[float], object] = time.sleep
    faults: list[Fault] = field(default_factory=list)
    asked: int = 0

    def get(self, path: str, most: int = _OCTETS_MAX) -> tuple[bytes, list[tuple[str, str]]] | None:
        """Ask for a path; None when it is not there.

        Raises
        ------
        OutsideError
            When the site cannot be reached.
        """
        for _ in range(_REDIRECTS_MAX):
            if self.asked:
                self.pause(_PAUSE_S)
            self.asked += 1
            status, headers, body = self._exchange(path, most)
            if status not in _REDIRECTS:
                return (body, list(headers.items())) if status == _OK else None
            to = urlsplit(urljoin(self.origin + path, headers.get("Location", "")))
            if f"{to.scheme}://{to.netloc}" != self.origin:
                self.faults.append(Fault(path, f"leads to another host, `{to.netloc[:80]}`: it was not followed"))
                return None
            path = to.path + (f"?{to.query}" if to.query else "")
        self.faults.append(Fault(path, "leads from one address to the next: it was not followed further"))
        return None

    def _exchange(self, path: str, most: int) -> tuple[int, Message, bytes]:
        parts = urlsplit(self.origin)
        host = parts.hostname or ""
        connection: http.client.HTTPConnection
        if parts.scheme == "https":
            context = ssl.create_default_context()
            connection = http.client.HTTPSConnection(host, parts.port, timeout=_TIMEOUT_S, context=context)
        else:
            connection = http.client.HTTPConnection(host, parts.port, timeout=_TIMEOUT_S)
        until, octets = time.monotonic() + _WHOLE_S, bytearray()
        try:
            connection.request(
                "GET", path, headers={"User-Agent": AGENT, "Accept": "*/*", "Accept-Encoding": "identity"}
            )
            answer = connection.getresponse()
            while len(octets) < most and time.monotonic() < until and (part := answer.read1(1 << 16)):
                octets += part
            return answer.status, answer.msg, bytes(octets[:most])
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise OutsideError(
                f"`{self.origin}{path}` cannot be reached: {error}", hint="Check the address, then try again."
            ) from error
        finally:
            connection.close()


def ask_site(
    address: str, pages: Sequence[str], *, anchors: str = "", pause: Callable[[float], object] = time.sleep
) -> Showing:
    """Ask a site for what it shows to machines.

    Parameters
    ----------
    address
        Of the site, or of a page of it.
    pages
        Further pages and sound files, by path.

    Raises
    ------
    InputError
        When the address is none.
    OutsideError
        When the site cannot be reached.
    """
    parts = urlsplit(address)
    if parts.scheme not in {"http", "https"} or not parts.hostname or "@" in parts.netloc:
        raise InputError(f"`{address}` is no address of a site, wanted one as in https://music.example")
    asker = Asker(f"{parts.scheme}://{parts.netloc}", pause)
    robots_txt, ai_txt, tdm = (_plain(asker, path) for path in ("/robots.txt", f"/{aitxt.NAME}", tdmrep.PATH))
    headers: list[tuple[str, list[tuple[str, str]]]] = []
    heads: dict[str, bytes] = {}
    sounds: dict[str, bytes] = {}
    for page in dict.fromkeys([parts.path or "/", *pages]):
        path = page if page.startswith("/") else f"/{page}"
        is_sound = PurePosixPath(path).suffix.lower() in MEDIA_TYPES
        answer = asker.get(path, _SOUND_OCTETS_MAX if is_sound else _OCTETS_MAX)
        if answer is None:
            asker.faults.append(Fault(path, "is not there"))
            continue
        body, said = answer
        headers.append((f"{plain_path(path)}$", said))
        if is_sound:
            sounds[path] = body
        elif any(name.lower() == "content-type" and "html" in value.lower() for name, value in said):
            heads[plain_path(path)] = body[:HEAD_OCTETS_MAX]
    documents = _documents(asker, robots_txt, Headers(headers), Pages(heads))
    site = Site(robots_txt, ai_txt, tdm, documents, headers, heads)
    return Showing(_with_sounds(site, sounds, anchors), asker.faults)


def _plain(asker: Asker, path: str) -> bytes | None:
    answer = asker.get(path)
    if answer is None:
        return None
    body, headers = answer
    if any(name.lower() == "content-type" and "html" in value.lower() for name, value in headers):
        asker.faults.append(Fault(path, "is answered with a page of HTML: it says nothing"))
        return None
    return body


def _documents(asker: Asker, robots_txt: bytes | None, headers: Headers, pages: Pages) -> Mapping[str, bytes]:
    found = robots.Robots(robots_txt or b"")
    named = [*found.licenses, *(url for group in found.groups.values() for url in group.licenses)]
    documents = {}
    for url in list(dict.fromkeys([*named, *headers.licenses, *pages.licenses]))[:_DOCUMENTS_MAX]:
        parts = urlsplit(url)
        if f"{parts.scheme}://{parts.netloc}" == asker.origin:
            answer = asker.get(parts.path or "/")
            if answer is not None:
                documents[url] = answer[0]
    return documents


def _with_sounds(site: Site, sounds: Mapping[str, bytes], anchors: str) -> Site:
    if not sounds:
        return site
    with tempfile.TemporaryDirectory() as folder:
        at = {path: Path(folder) / f"{i}{PurePosixPath(path).suffix.lower()}" for i, path in enumerate(sounds)}
        for path, file in at.items():
            file.write_bytes(sounds[path])
        told = read_manifests(list(at.values()), anchors=anchors)
        sealed = {plain_path(path): told[file] for path, file in at.items()}
    return Site(site.robots, site.aitxt, site.tdmrep, site.documents, site.headers, site.pages, sealed)
