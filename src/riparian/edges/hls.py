"""How does a folder of HLS become an origin that issues and verifies grants?

An ASGI application, complete and small: an example of what stands behind an edge, and enough for an archive without
one::

    application = Origin(Path("media"), Door(gate, edge, policy, keys, clocks))

* **A playlist** is asked for at the gate.  Where it is served, every address in it that stays with the recording
  carries a fresh grant for that recording: variants, segments, parts, maps, keys.  So a live stream is granted anew
  each time its playlist is fetched, and nobody is asked while somebody listens.
* **A segment or a key** is served to whoever shows a grant that holds.  Under a route of kind ``licence`` the gate is
  asked, too.
* **A grant that has ended** is followed by another where the operator's own authentication says who asks and the gate
  agrees: 307 to the same address with a fresh one.  A long recording goes on playing so, though its player fetches
  the playlist once; what was copied for somebody else does not.
* **A preview**, where the gate says so, is the playlist ``preview/index.m3u8`` of the recording, with a grant for that
  folder only.  A recording without one is refused as if previews were not offered.
* ``marks`` are keys of marks: with them, a recording that has marked renditions (:mod:`riparian.edges.composed`) is
  served from these alone, each account its own, and one that has none is refused, or its preview served, where the
  gate's answer says ``marked_only``.
* ``choose`` may put another file in the place of a segment.

A path of the request is a path below the folder, and a recording has a folder of its own in it: that is what a grant
opens.  What no route of ``edge.toml`` fits, or whose ending is no media's, is not there.
"""

import asyncio
import posixpath
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final
from urllib.parse import unquote

from riparian.edges.answers import Answers, Told, in_asgi, plain
from riparian.edges.asking import Asked, fields_alone, token_in
from riparian.edges.composed import FOLDER, HEADERS, INDEX, NOBODY, Composer, Part, within
from riparian.edges.door import Door, under
from riparian.edges.m3u8 import BYTES_MAX, carried, with_argument
from riparian.edges.parse import ALONE
from riparian.edges.renewal import may_follow
from riparian.edges.scope import Receive, Scope, Send, fields, path, tell
from riparian.errors import InputError
from riparian.gate.admit import Answer
from riparian.gate.grants import Grant
from riparian.gate.refused import Refused
from riparian.gate.routes import Kind
from riparian.marks.keys import MarkKey

Choose = Callable[[str, str, str], str]
"""Takes an account, a recording and a segment's path within the recording; gives the path that is served for it."""

PREVIEW: Final = "preview/index.m3u8"
TYPES: Final = {
    ".aac": "audio/aac",
    ".cmfa": "audio/mp4",
    ".key": "application/octet-stream",
    ".m3u8": "application/vnd.apple.mpegurl",
    ".m4a": "audio/mp4",
    ".m4s": "audio/mp4",
    ".mp4": "audio/mp4",
    ".ts": "video/mp2t",
    ".vtt": "text/vtt",
}

_CHUNK_BYTES: Final = 1 << 18
_RANGE: Final = re.compile(rb"bytes=(?P<first>[0-9]{1,15})-(?P<last>[0-9]{0,15})")
_MISSING: Final = plain(404, {"error": "there is no such thing"})


def as_asked(account: str, recording: str, segment: str) -> str:
    """Serve what was asked for."""
    del account, recording
    return segment


@dataclass(frozen=True, slots=True)
class _Sound:
    """A file, a piece of one, or pieces of several, to be sent."""

    parts: tuple[Part, ...]
    status: int
    headers: tuple[tuple[str, str], ...]


class Origin:
    """An ASGI application that serves a folder of HLS.

    Parameters
    ----------
    folder
        Of playlists, segments and keys; what a path leads to outside of it is not there.
    door
        Answers questions, issues and verifies grants; of this process alone.
    choose
        Chooses what is served in the place of a segment.
    marks
        Keys of every epoch that renditions in the folder were marked in; none where nothing is marked.
    """

    def __init__(self, folder: Path, door: Door, *, choose: Choose = as_asked, marks: Iterable[MarkKey] = ()) -> None:
        edge = door.edge
        self._folder = folder.resolve()
        self._door = door
        self._choose = choose
        self._composer = Composer(marks)
        self._routes = tuple(route.regex for route in edge.routes.routes)
        self._alone = ALONE | fields_alone(edge.account, edge.device)
        self._answers = Answers(explain=edge.explain, step_up_url=edge.step_up_url, appeal_url=edge.appeal_url)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a connection; see the ASGI specification."""
        if scope["type"] == "lifespan":
            await _live(receive, send)
            return
        if scope["type"] != "http" or scope["method"] not in {"GET", "HEAD"}:
            await tell(plain(405, {"error": "only GET and HEAD"}), scope, send)
            return
        try:
            found = await self._found(scope)
        except InputError as error:
            found = plain(400, {"error": error.message})
        if isinstance(found, Told):
            await tell(found, scope, send)
        else:
            await _serve(found, scope, send)

    async def _found(self, scope: Scope) -> Told | _Sound:
        given, query = fields(scope, self._alone), scope["query_string"]
        asked = self._door.asked(given, path(scope), query)
        if asked is None or posixpath.splitext(asked.path)[1] not in TYPES:
            return _MISSING
        if asked.path.endswith(".m3u8"):
            return await self._playlist(asked, token_in(query))
        return self._segment(asked, given, query)

    async def _playlist(self, asked: Asked, token: str) -> Told:
        if token and not asked.account:
            grant = self._door.granted(token, asked)
            asked = under(asked, grant) if isinstance(grant, Grant) else asked
        # A grant is somebody's: where nobody says who asks there is none to issue.
        answer, because = self._door.answer(asked) if asked.account else self._door.ungranted(asked.kind)
        wanted, home = asked.path, self._home(asked)
        answer, place = self._place(asked, answer, home)
        if place:
            home = posixpath.dirname(home + place) + "/"
            wanted = wanted if wanted.startswith(home) and not answer.preview else home + posixpath.basename(place)
        told = self._answers.told(answer, because=because)
        if not told.is_served:
            return told
        file = self._file(wanted)
        if file is None:
            return _MISSING
        raw = await asyncio.to_thread(_beginning, file)
        token = self._door.grant(replace(asked, path=home), answer) if asked.account else ""
        base, seen = posixpath.dirname(wanted) + "/", posixpath.dirname(asked.path) + "/"
        beside = "" if base == seen else posixpath.relpath(base, seen) + "/"
        try:
            text = carried(raw, with_argument(f"g={token}" if token else "", home=home, base=base, beside=beside))
        except InputError as error:
            return plain(500, {"error": error.message})
        headers = (*told.headers, ("Content-Type", TYPES[".m3u8"]), ("Cache-Control", "no-store"))
        return Told(200, headers, text.encode())

    def _place(self, asked: Asked, answer: Answer, home: str) -> tuple[Answer, str]:
        """Say which playlist stands for a recording, and with its folder is all that is opened; empty for any."""
        is_marked = self._composer.marks and self._file(home + INDEX) is not None
        if answer.marked_only and not answer.preview and self._composer.marks and not is_marked:
            answer = self._door.unmarked(asked, answer)
        if answer.preview and self._file(home + PREVIEW) is None:
            answer = replace(answer, status=429, preview=False)
        return answer, PREVIEW if answer.preview else INDEX if is_marked else ""

    def _segment(self, asked: Asked, given: dict[bytes, bytes], query: bytes) -> Told | _Sound:
        token = token_in(query)
        grant = self._door.granted(token, asked) if token else Refused.MALFORMED
        answer, because = Answer(200), ""
        if grant is Refused.ENDED and may_follow(self._door, asked, token):
            return self._renewed(asked, query)
        if isinstance(grant, Refused):
            answer, because = self._door.ungranted(asked.kind)
        else:
            asked = under(asked, grant)
        if answer.status == 200 and asked.kind is Kind.LICENCE:
            answer, because = self._door.answer(asked)
        told = self._answers.told(answer, because=because)
        if not told.is_served:
            return told
        home = self._home(asked)
        parts, headers = self._parts(asked, home)
        return _ranged(parts, given.get(b"range", b""), (*told.headers, *headers)) if parts else _MISSING

    def _parts(self, asked: Asked, home: str) -> tuple[tuple[Part, ...], tuple[tuple[str, str], ...]]:
        account, recording = (each.decode("utf-8", "replace") for each in (asked.account, asked.recording))
        if self._composer.marks and self._file(home + INDEX) is not None:
            inside = self._inside(asked.path)
            mine = self._composer.parts(inside, account or NOBODY) if inside is not None else None
            if mine is not None:
                return mine, HEADERS
            # Beside its marked renditions, whatever else there is of its sound is the preview.
            preview = posixpath.dirname(home + PREVIEW) + "/"
            if asked.kind is not Kind.LICENCE and not asked.path.startswith((home + FOLDER, preview)):
                return (), ()
        file = self._file(home + self._choose(account, recording, asked.path[len(home) :]))
        return ((Part(file, 0, file.stat().st_size),), ()) if file is not None else ((), ())

    def _renewed(self, asked: Asked, query: bytes) -> Told:
        answer, because = self._door.answer(asked)
        home = self._home(asked)
        answer, place = self._place(asked, answer, home)
        opened = posixpath.dirname(home + place) + "/" if place else home
        if answer.preview and not asked.path.startswith(opened):
            answer = replace(answer, status=429, preview=False)
        if answer.status != 200:
            return self._answers.told(answer, because=because)
        argument = f"g={self._door.grant(replace(asked, path=opened), answer)}"
        here = f"{posixpath.basename(asked.path)}?{query.decode('latin-1')}"
        folder = posixpath.dirname(asked.path) + "/"
        address = with_argument(argument, home=opened, base=folder)(here)
        return Told(307, (("Location", address), ("Cache-Control", "no-store")))

    def _home(self, asked: Asked) -> str:
        """Give the folder of the recording: what one grant opens."""
        found = next(filter(None, (re.match(route, asked.path, re.ASCII) for route in self._routes)))
        named = found.end("recording") if "recording" in found.groupdict() else len(posixpath.dirname(asked.path))
        end = asked.path.find("/", named)
        if end < 0:
            # The folder is others', too: a grant for it would open theirs.
            raise InputError(
                "the recording has no folder of its own, wanted one that its playlists and segments are in",
                hint="Serve it below a route such as /media/{recording}/**.",
            )
        return asked.path[: end + 1]

    def _file(self, wanted: str) -> Path | None:
        file = self._inside(wanted)
        return file if file is not None and file.is_file() else None

    def _inside(self, wanted: str) -> Path | None:
        try:
            file = (self._folder / unquote(wanted, errors="strict").lstrip("/")).resolve()
        except (UnicodeDecodeError, OSError, ValueError):
            return None
        return file if file.is_relative_to(self._folder) else None


def _beginning(file: Path) -> bytes:
    # One byte more than a playlist may have: who gets that many knows that it is too long.
    with file.open("rb") as source:
        return source.read(BYTES_MAX + 1)


def _ranged(parts: tuple[Part, ...], wanted: bytes, headers: Sequence[tuple[str, str]]) -> Told | _Sound:
    size, suffix = sum(part.n_bytes for part in parts), parts[0].path.suffix or ".m4s"
    told = (*headers, ("Content-Type", TYPES.get(suffix, "application/octet-stream")), ("Accept-Ranges", "bytes"))
    found = _RANGE.fullmatch(wanted)
    if found is None:
        return _Sound(parts, 200, (*told, ("Content-Length", str(size))))
    first, last = int(found["first"]), min(int(found["last"] or size), size - 1)
    if first > last:
        return Told(416, (("Content-Range", f"bytes */{size}"),))
    n_bytes = last - first + 1
    ranged = (("Content-Range", f"bytes {first}-{last}/{size}"), ("Content-Length", str(n_bytes)))
    return _Sound(within(parts, first, n_bytes), 206, (*told, *ranged))


async def _serve(sound: _Sound, scope: Scope, send: Send) -> None:
    headers = in_asgi(Told(sound.status, sound.headers))
    await send({"type": "http.response.start", "status": sound.status, "headers": headers})
    for part in sound.parts if scope["method"] == "GET" else ():
        with part.path.open("rb") as source:
            source.seek(part.first)
            left = part.n_bytes
            while left > 0:
                chunk = await asyncio.to_thread(source.read, min(left, _CHUNK_BYTES))
                if not chunk:
                    # Cut short while it was sent: the length that was promised tells the client.
                    return
                left -= len(chunk)
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def _live(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
