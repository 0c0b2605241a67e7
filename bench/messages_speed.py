"""Are messages of the trade read rightly, and how quickly, beside a parser that does nothing with them?

Run with ``python bench/messages_speed.py --data FOLDER [--out FILE.csv]``; the folder holds real messages of DDEX.
What is read of each is compared with what XPath finds in its whole tree: codes, titles, lengths, artists, countries.
Speed is measured in CPU time on all messages together, each as often as gives two seconds, and on one long message made
of the resources of the longest one.
"""

import argparse
import csv
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lxml import etree

from riparian.catalogue.identifiers import isrc
from riparian.feeds.messages.read import read_message
from riparian.feeds.messages.resources import duration_ms

LONG_BYTES = 20_000_000


def of(tree: Any, path: str) -> list[str]:
    """List the texts that XPath finds, on one line each; names are compared without their prefixes."""
    plain = re.sub(r"(?<=/)([A-Za-z]+)", r"*[local-name()='\1']", path)
    return [" ".join((each.text or "").split()) for each in tree.xpath(plain)]


def wrong(name: str, octets: bytes) -> list[str]:
    """List what was read otherwise than XPath finds it."""
    tree: Any = etree.fromstring(octets)
    said = read_message(name, octets)
    if said is None or said.terms is None:
        return ["no message"]
    made = "not(@IsSupplemental='true')"
    kinds = " or ".join(f"local-name()='{kind}'" for kind in ("SoundRecording", "Video", "MIDI"))
    resources = [
        *tree.xpath(f"//*[local-name()='ResourceList']/*[{kinds}][{made}]"),
        *tree.xpath("//*[local-name()='ResourceInformation']"),
    ]
    rows = said.recordings.to_pylist()
    found = []
    codes = {
        code
        for one in resources
        for each in of(one, ".//ResourceId/ISRC") + of(one, ".//SoundRecordingId/ISRC") + of(one, ".//VideoId/ISRC")
        if (code := isrc(each))
    }
    if codes != {row["isrc"] for row in rows if row["isrc"]}:
        found.append(f"codes: {sorted(codes ^ {row['isrc'] for row in rows})}")
    titles = {
        text
        for one in resources
        for text in of(one, ".//TitleText") + of(one, ".//DisplayTitleText") + of(one, ".//TitleText/Title")
    }
    if odd := [
        row["title"] for row in rows if row["title"] not in titles and row["title"].rpartition(" (")[0] not in titles
    ]:
        found.append(f"titles: {odd}")
    lengths = {ms for one in resources for each in of(one, "./Duration") if (ms := duration_ms(each))}
    if lengths != {row["duration_ms"] for row in rows if row["duration_ms"]}:
        found.append("lengths")
    named = set(
        of(tree, "//DisplayArtist//FullName")
        + of(tree, "//DisplayArtistName")
        + of(tree, "//DisplayArtist//Name")
        + of(tree, "//Party//FullName")
    )
    if odd := [
        row["artist"]
        for row in rows
        if row["artist"] and not set(re.split(r", | feat\. ", row["artist"])) & named and row["artist"] not in named
    ]:
        found.append(f"artists: {odd}")
    territories = {
        each
        for terms in tree.xpath("//*[local-name()='DealTerms'][not(*[local-name()='IsPreOrderDeal']='true')]")
        if any(word in use for use in of(terms, ".//UseType") for word in ("Stream", "Download"))
        for each in of(terms, "./TerritoryCode")
    } - {"Worldwide"}
    said_of = {code for row in said.terms.to_pylist() for code in (row["territories"] or "").split()}
    if territories != said_of:
        found.append(f"territories: {sorted(territories ^ said_of)}")
    return found


def speed(octets: list[bytes], read: Callable[[bytes], object]) -> float:
    """Measure millions of bytes a CPU-second."""
    begun, done = time.process_time(), 0
    while time.process_time() - begun < 2:
        for each in octets:
            read(each)
            done += len(each)
    return done / 1e6 / (time.process_time() - begun)


def long_message(messages: list[bytes]) -> bytes:
    """Make a long message out of the longest one, by having its resources many times under other codes."""
    source = max(messages, key=lambda each: each.count(b"</SoundRecording>"))
    begin = re.search(rb"<SoundRecording[ >]", source)
    if begin is None:
        return source
    end = source.rindex(b"</SoundRecording>") + len(b"</SoundRecording>")
    some = source[begin.start() : end]
    parts = [
        re.sub(rb"(<ISRC>[A-Z]{2})([A-Z0-9]{3})", rb"\g<1>Q%02d" % (n % 100), some).replace(
            b"<ResourceReference>A", b"<ResourceReference>A%d" % n
        )
        for n in range(LONG_BYTES // len(some))
    ]
    return source[:end] + b"".join(parts) + source[end:]


def main() -> None:
    """Check, measure and write down."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    paths = sorted(given.data.rglob("*.xml"))
    messages = [path.read_bytes() for path in paths]
    failed = {path.name: odd for path, octets in zip(paths, messages, strict=True) if (odd := wrong(path.name, octets))}
    for name, odd in failed.items():
        print(f"{name}: {'; '.join(odd)}")
    print(f"{len(messages) - len(failed)} of {len(messages)} messages are read as XPath reads them")
    rows = []
    for what, some in (("all messages", messages), ("one long message", [long_message(messages)])):
        ours = speed(some, lambda octets: read_message("m.xml", octets))
        plain = speed(some, etree.fromstring)
        rows.append(
            {"what": what, "bytes": sum(map(len, some)), "ours_mb_s": round(ours, 1), "lxml_mb_s": round(plain, 1)}
        )
        print(f"{what}: {ours:.1f} MB a CPU-second, lxml alone {plain:.1f}")
    if given.out is not None:
        with given.out.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, [*rows[0], "messages", "as_xpath"])
            writer.writeheader()
            writer.writerows(row | {"messages": len(messages), "as_xpath": len(messages) - len(failed)} for row in rows)


if __name__ == "__main__":
    main()
