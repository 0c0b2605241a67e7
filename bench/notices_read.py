"""Is it said rightly what notices are, and what they lack?

Against notices that a host published with its own labels (--data, a checkout of github.com/github/dmca at 9f92b957; it
has no licence, so nothing of it is here), halved by the hash of their file names: what was looked at while the reader
was written, and what was not.

``notices_read``
    The type, against the labels in the host's COMPILED tables.  What the host reversed is one type, notice or
    counter-notice; five rows without a label are left out.
``notices_form``
    A notice is in the form when three of nine of its questions are in it, by their words alone.  It is read when
    eight questions were found and none of the nine is left inside of an answer.  Beside it, in how many eight lines in
    bold are found, which is what one regular expression makes of the form.
``notices_elements``
    How often each element is there, missing or left to a person; and what is said of it when it was taken out:
    the statement, or the answer, of forms that have it (--removed of them at most).
``notices_places``
    In how many notices we find as many repositories complained of as the host says that were affected.  Its count is of
    another thing where it left some out, or found forks that nobody had named.
``notices_missing``
    Of those said to be missing that were read again (``bench/labels/notices_missing.csv``; by a language model, no
    lawyer): how many were not.  --to-read N writes places to read into a file beside the corpus.
``notices_acns``
    Four messages and what their parser makes of them (--acns, of Parse::ACNS), value for value.

    python bench/notices_read.py --data FOLDER --acns FOLDER
"""

import argparse
import csv
import hashlib
import io
import random
import re
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from measure import write

from riparian.cases.notice import Element, Kind
from riparian.cases.reading import Form, Read, Standing, read
from riparian.cases.reading.acns import message, parsed

HALVES: Final = ("looked at", "not looked at")
LABELS: Final = Path(__file__).parent / "labels" / "notices_missing.csv"
KINDS: Final = {
    "takedown": Kind.TAKEDOWN,
    "counternotice": Kind.COUNTER,
    "retraction": Kind.RETRACTION,
    "counternotice-retraction": Kind.COUNTER_RETRACTION,
    "reversal": Kind.REVERSAL,
    "counternotice-reversal": Kind.REVERSAL,
}
REPOSITORY: Final = re.compile(
    r"(?:https?://)?(?:(?:www\.|raw\.)?github(?:usercontent)?\.com/([\w.-]+)/([\w.-]+?)(?:\.git)?(?:[/?#]|$)"
    r"|gist\.github(?:usercontent)?\.com/([\w./-]+)|([\w-]+)\.github\.(?:io|com)(?:/|$))",
    re.IGNORECASE,
)
QUESTIONS: Final = (
    "are you the copyright",
    "are you the owner of the content",
    "what files should be taken down",
    "what files were taken down",
    "have you searched for any forks",
    "what would be the best solution",
    "do you have the alleged infringer",
    "please type your full",
    "please provide a detailed description of the original copyrighted",
)
BOLD: Final = re.compile(r"^\*\*.+?\*\*", re.MULTILINE)
REMOVED: Final = {
    Element.GOOD_FAITH: ("good_faith",),
    Element.ACCURACY: ("perjury",),
    Element.AUTHORITY: ("perjury",),
    Element.FAIR_USE: ("fair_use", "good_faith"),
    Element.MISTAKE: ("mistake",),
    Element.JURISDICTION: ("jurisdiction",),
    Element.SERVICE_OF_PROCESS: ("jurisdiction",),
    Element.CONTACT: ("contact", "signature"),
    Element.SIGNATURE: ("signature",),
    Element.LOCATIONS: ("locations", "locations_listed", "forks"),
    Element.WORKS: ("works",),
}
"""Which questions hold an element: its statement, or its answer."""


def letters(data: Path) -> dict[str, Path]:
    """Find the notices by their file names, which are unique."""
    found = sorted(path for path in data.glob("20??/**/*") if path.suffix.lower() in {".md", ".markdown"})
    return {path.name: path for path in found}


def labels(data: Path) -> dict[str, Kind]:
    """Read what the host says each file is."""
    said: dict[str, Kind] = {}
    for row in labelled(data):
        label = row[5].strip().lower().replace(" ", "") if len(row) > 5 else ""
        if label in KINDS:
            said[row[0]] = KINDS[label]
    return said


def half(name: str) -> str:
    """Say in which half a file is."""
    return HALVES[hashlib.sha256(name.encode()).digest()[0] & 1]


def affected(data: Path) -> dict[str, int]:
    """Read how many repositories the host says that each notice affected."""
    said: dict[str, int] = {}
    for row in labelled(data):
        if len(row) > 6 and row[5].strip().lower() == "takedown" and row[6].strip().isdigit():
            said[row[0]] = int(row[6])
    return said


def labelled(data: Path) -> Iterator[list[str]]:
    """Read the rows of the host's tables, without their headings."""
    for path in sorted(data.glob("data/*/*COMPILED*.csv")):
        text = path.read_text("utf-8-sig", "replace").replace("\r\n", "\n").replace("\r", "\n")
        rows = csv.reader(io.StringIO(text))
        next(rows)
        yield from rows


def types(found: Mapping[str, Read], said: Mapping[str, Kind]) -> Iterator[dict[str, object]]:
    """Compare types; a row a type, and one over all."""
    for which in HALVES:
        pairs = Counter((said[name], found[name].kind) for name in found if name in said and half(name) == which)
        f1 = []
        for kind in dict.fromkeys(KINDS.values()):
            right = pairs[kind, kind]
            labelled = sum(n for (true, _), n in pairs.items() if true is kind)
            called = sum(n for (_, read_as), n in pairs.items() if read_as is kind)
            f1.append(2 * right / (labelled + called))
            yield {
                "half": which,
                "type": kind.value,
                "labelled": labelled,
                "called": called,
                "right": right,
                "recall": f"{right / labelled:.4f}",
                "precision": f"{right / max(called, 1):.4f}",
                "f1": f"{f1[-1]:.4f}",
            }
        total, right = pairs.total(), sum(n for (true, read_as), n in pairs.items() if true is read_as)
        yield {
            "half": which,
            "type": "all",
            "labelled": total,
            "called": total,
            "right": right,
            "recall": f"{right / total:.4f}",
            "precision": f"{right / total:.4f}",
            "f1": f"{sum(f1) / len(f1):.4f}",
        }


def forms(found: Mapping[str, Read]) -> Iterator[dict[str, object]]:
    """Count the forms, and those that were read whole."""
    for which in HALVES:
        of_form = eight = whole = others = bold = 0
        for name, one in found.items():
            if half(name) != which:
                continue
            if sum(question in plain(one.text) for question in QUESTIONS) < 3:
                others += one.form is Form.GITHUB
                continue
            of_form += 1
            bold += len(BOLD.findall(one.text)) >= 8
            is_eight = len(one.answers) >= 8
            eight += is_eight
            inside = " | ".join(plain(each.answer) for each in one.answers)
            whole += is_eight and not any(question in inside for question in QUESTIONS)
        yield {
            "half": which,
            "in_the_form": of_form,
            "eight_questions": eight,
            "read_whole": whole,
            "share": f"{whole / of_form:.4f}",
            "shorter_forms": others,
            "eight_in_bold": bold,
        }


def places(found: Mapping[str, Read], said: Mapping[str, int]) -> Iterator[dict[str, object]]:
    """Compare how many repositories are complained of."""
    for which in HALVES:
        for form in (Form.GITHUB, Form.LETTER):
            differ = Counter(
                (n > said[name]) - (n < said[name])
                for name, one in found.items()
                if name in said and half(name) == which and one.form is form
                for n in [len({repository(place.url) for place in one.notice.locations} - {""})]
            )
            yield {
                "half": which,
                "form": form.value,
                "notices": differ.total(),
                "as_many": differ[0],
                "fewer": differ[-1],
                "more": differ[1],
                "share": f"{differ[0] / differ.total():.3f}",
            }


def repository(url: str) -> str:
    """Name the repository that an address leads to; empty when it leads to none."""
    found = REPOSITORY.match(url)
    return "/".join(part.lower() for part in found.groups() if part) if found else ""


def elements(found: Mapping[str, Read], removed: int) -> Iterator[dict[str, object]]:
    """Count what is said of each element, as it is and with it taken out."""
    for which in HALVES:
        counts: dict[tuple[Kind, Element], Counter[Standing]] = defaultdict(Counter)
        without: dict[tuple[Kind, Element], Counter[Standing]] = defaultdict(Counter)
        for name, one in found.items():
            if half(name) != which:
                continue
            for seen in one.elements:
                key = one.kind, seen.element
                counts[key][seen.standing] += 1
                if seen.standing is not Standing.MISSING and without[key].total() < removed:
                    less = taken_out(one, seen.element)
                    if less is not None:
                        without[key][less] += 1
        for (kind, asked), counted in counts.items():
            cut = without[kind, asked]
            yield {
                "half": which,
                "type": kind.value,
                "element": asked.value,
                "letters": counted.total(),
                **{standing.value: counted[standing] for standing in Standing},
                "taken_out": cut.total(),
                "then_missing": cut[Standing.MISSING],
                "then_unknown": cut[Standing.UNKNOWN],
                "then_present": cut[Standing.PRESENT],
            }


def taken_out(one: Read, element: Element) -> Standing | None:
    """Take an element out of a form, and read what is left; None when it has no question for it."""
    fields = REMOVED.get(element, ())
    spans = [each.span for each in one.answers if each.field in fields]
    if element in {Element.GOOD_FAITH, Element.ACCURACY, Element.AUTHORITY, Element.FAIR_USE, Element.MISTAKE} | {
        Element.JURISDICTION,
        Element.SERVICE_OF_PROCESS,
    }:
        spans += [each.question_span for each in one.answers if each.field in fields]
    if not spans or any(each.field == "to_type" for each in one.answers):
        return None
    text = one.text
    for start, end in sorted(spans, reverse=True):
        text = text[:start] + "\n\n" + text[end:]
    seen = read(text.encode()).element(element)
    return None if seen is None else seen.standing


def missing(found: Mapping[str, Read]) -> Iterator[dict[str, object]]:
    """Count what was found of those said to be missing."""
    with LABELS.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    counted: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for row in rows:
        one = found.get(row["file"])
        seen = one.element(Element(row["element"])) if one else None
        if seen is None or seen.standing is not Standing.MISSING:
            counted[half(row["file"]), row["element"]]["no longer said"] += 1
        else:
            counted[half(row["file"]), row["element"]][row["found"]] += 1
    for which in HALVES:
        own = {element: n for (of, element), n in counted.items() if of == which}
        for element, n in [*own.items(), ("all", sum(own.values(), Counter[str]()))]:
            is_read = n["missing"] + n["there"]
            yield {
                "half": which,
                "element": element,
                "read": is_read,
                "truly_missing": n["missing"],
                "was_there": n["there"],
                "share_was_there": f"{n['there'] / is_read:.4f}" if is_read else "",
                "no_longer_said": n["no longer said"],
            }


def acns(folder: Path) -> Iterator[dict[str, object]]:
    """Compare messages with what another parser makes of them."""
    import yaml  # noqa: PLC0415 -- only where it is asked for

    for path in sorted(folder.glob("**/full.xml")):
        expected = yaml.load(path.with_suffix(".yaml").read_text(), Loader=yaml.BaseLoader)  # noqa: S506 -- texts only
        content = path.read_bytes()
        yield {
            "version": path.parent.name,
            "values": sum(1 for _ in leaves(expected)),
            "equal": sorted(leaves(written(message(parsed(content))))) == sorted(leaves(expected)),
            "read_as": read(content).version,
        }


def written(said: object) -> Any:
    """Write every value as its text, as YAML has them."""
    if isinstance(said, Mapping):
        return {key: written(value) for key, value in said.items()}
    return [written(one) for one in said] if isinstance(said, tuple) else str(said)


def leaves(said: object, at: str = "") -> Iterator[tuple[str, str]]:
    """List every value, and where it is."""
    if isinstance(said, dict):
        for key, value in said.items():
            yield from leaves(value, f"{at}/{key}")
    elif isinstance(said, list):
        for n, value in enumerate(said):
            yield from leaves(value, f"{at}[{n}]")
    else:
        yield at, str(said)


def plain(text: str) -> str:
    """Give the words of a text, and nothing else."""
    return re.sub(r"\W+", " ", text).lower()


def to_read(found: Mapping[str, Read], most: int, out: Path) -> None:
    """Write down what is to be read again: of each element that is said to be missing, in the half not looked at."""
    rng = random.Random(29)  # noqa: S311 -- a sample, no secret
    places: dict[str, list[str]] = defaultdict(list)
    for name, one in found.items():
        for lacked in one.missing if half(name) == HALVES[1] else ():
            places[lacked.value].append(name)
    with out.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(("file", "element", "found"))
        for element, names in sorted(places.items()):
            rows.writerows((name, element, "") for name in sorted(rng.sample(names, min(most, len(names)))))


def main() -> None:
    """Read everything, and write the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--acns", type=Path, default=None)
    parser.add_argument("--removed", type=int, default=200)
    parser.add_argument("--to-read", type=int, default=0)
    parser.add_argument("--out", type=Path, default=None, help="the folder where the CSVs go; default: docs/bench")
    given = parser.parse_args()
    files = letters(given.data)
    begun = time.process_time()
    found = {name: read(path.read_bytes()) for name, path in files.items()}
    print(f"{len(found)} letters read in {time.process_time() - begun:.0f} s of CPU")
    if given.to_read:
        to_read(found, given.to_read, given.data / "to_read.csv")
        return
    tables = {
        "notices_read": types(found, labels(given.data)),
        "notices_form": forms(found),
        "notices_places": places(found, affected(given.data)),
        "notices_elements": elements(found, given.removed),
        "notices_missing": missing(found),
    }
    if given.acns is not None:
        tables["notices_acns"] = acns(given.acns)
    for name, rows in tables.items():
        write(rows, given.out and given.out / f"{name}.csv", name)


if __name__ == "__main__":
    main()
