"""What somebody hands in as a bundle, a WARC, a token or a .torrent is read, or refused in words; nothing else."""

import gzip
import io
import random
import secrets
from collections.abc import Callable
from pathlib import Path

import pytest

from riparian.cases.bundle import opened, proven, read_manifest
from riparian.cases.events import read_event
from riparian.cases.redaction import FIELDS, openings_octets, read_openings, seen
from riparian.cases.stamps import imprint, question, stamped
from riparian.cases.warcs import records_of
from riparian.errors import RiparianError
from riparian.feeds.brought import brought
from riparian.flows import bundling
from riparian.flows.bundling import Wanted
from riparian.stores.bundles import Bundle, write_bundle
from tests.cases.authority import Authority
from tests.cases.workplace import docket_of, lived, page

TOKENS = (
    *(b"9999999999", b"-1", b"null", b"[]", b"{}", b"\xff\xff", b"\0", b"1e999", b"Content-Length: x", b'"', b"0e9"),
    *(b"[" * 5000, b"l" * 5000, b"i-9e", b"4:info", b"\x1f\x8b", b"WARC/1.1\r\n", b"\r\n\r\n", b'{"a":' * 3000),
)
TORRENT = b"d8:announce3:x:/4:infod5:filesld6:lengthi9e4:pathl5:a.mp3eee4:name5:album6:pieces0:ee"
ROUNDS = 260


def _mutated(octets: bytes, rnd: random.Random) -> bytes:
    changed = bytearray(octets)
    for _ in range(rnd.choice((1, 1, 2, 5, 20))):
        what, place = rnd.random(), rnd.randrange(len(changed) + 1)
        if what < 0.4 and changed:
            changed[place % len(changed)] = rnd.randrange(256)
        elif what < 0.6:
            changed[place:place] = rnd.choice(TOKENS)
        elif what < 0.8:
            del changed[place : place + rnd.randrange(1, 40)]
        else:
            begin = rnd.randrange(len(changed) + 1)
            changed[place:place] = changed[begin : begin + rnd.randrange(60)]
    return bytes(changed)


@pytest.fixture(scope="module")
def readers(
    tmp_path_factory: pytest.TempPathFactory, authority: Authority
) -> dict[str, tuple[bytes, Callable[[bytes], object]]]:
    folder = tmp_path_factory.mktemp("hostile")
    docket = docket_of(folder / "workspace", authority)
    key = lived(docket, authority)
    exported = bundling.export(docket, key, "ann", secrets.token_bytes, Wanted(FIELDS))
    write_bundle(folder / "a.zip", exported.parts, docket.custody)
    docket.cases.close()  # type: ignore[attr-defined]
    octets = {name: part for name, part in exported.parts.items() if isinstance(part, bytes)}
    export = read_event(octets["export.json"])

    def file(read: Callable[[Path], object]) -> Callable[[bytes], object]:
        def through(given: bytes) -> object:
            (folder / "given").write_bytes(given)
            return read(folder / "given")

        return through

    warc = page().warc
    second = warc.index(b"WARC/1.1", 1)
    return {
        "warc": (warc, lambda given: records_of(io.BytesIO(given))),
        "warc.gz": (
            gzip.compress(warc[:second]) + gzip.compress(warc[second:]),
            lambda given: records_of(io.BytesIO(given)),
        ),
        "line": (octets["log/case.jsonl"].splitlines()[1], seen),
        "manifest": (octets["manifest.json"], read_manifest),
        "head": (octets["head.json"], lambda given: proven(given, export)),
        "openings": (openings_octets(exported.openings[:2]), read_openings),
        "token": (authority.answer(question(b"x")), lambda given: (imprint(given), stamped(given, [authority.root]))),
        "bundle": ((folder / "a.zip").read_bytes(), file(lambda path: opened(Bundle(path)))),
        "torrent": (TORRENT, file(brought)),
    }


@pytest.mark.parametrize(
    "name", ["warc", "warc.gz", "line", "manifest", "head", "openings", "token", "bundle", "torrent"]
)
def test_it_is_read_or_refused(readers: dict[str, tuple[bytes, Callable[[bytes], object]]], name: str) -> None:
    octets, read = readers[name]
    read(octets)
    rnd = random.Random(f"custody {name}")  # noqa: S311 -- the same ones again
    n_refused = 0
    for _ in range(ROUNDS):
        try:
            read(_mutated(octets, rnd))
        except RiparianError:
            n_refused += 1
    assert n_refused > ROUNDS // 20
