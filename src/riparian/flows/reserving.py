"""What may be done with what we hold: entered, told, shown on a site, compared with what the site shows, and proven.

What people and documents say goes into the ledger as rows that stay.  From there it goes three ways: into the files of
a site, into manifests of sound files, and, each day, into a signed chain that anybody can verify who has nothing else.
What a site shows is read back and compared, with itself and with the ledger.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from riparian.catalogue import chain
from riparian.catalogue.channels import cawg, emit
from riparian.catalogue.channels.compare import Checked, Site, check
from riparian.catalogue.consent import Asked, Decided, Ledger
from riparian.catalogue.holdings import Document, Holding
from riparian.catalogue.terms import Term, table_of_terms, terms_of
from riparian.errors import InputError
from riparian.ports import Clock
from riparian.ports.catalogue import Holdings
from riparian.ports.terms import Signed

KIND: Final = "terms"


@dataclass(frozen=True, slots=True)
class Office:
    """Where terms are kept, who signs, and what time it is."""

    holdings: Holdings
    signed: Signed
    clock: Clock

    def ledger(self, about: Sequence[str] | None = None) -> Ledger:
        """Give the ledger, recordings as they are named now; of what is about single ones, what is about these."""
        said = self.holdings.terms(as_said=True, about=about)
        return Ledger.of(self.holdings.terms(about=about), as_said=said)

    def labels(self) -> dict[str, str]:
        """Give the label of each recording, or who owns it where none is said."""
        return {
            recording: label or owner or ""
            for batch in self.holdings.whole(["recording", "label", "owner"])
            for recording, label, owner in zip(
                *(batch.column(name).to_pylist() for name in ("recording", "label", "owner")), strict=True
            )
        }


def enter(office: Office, terms: Iterable[Term]) -> list[Term]:
    """Add rows, stated now where their document does not say when; give them as they are kept.

    Raises
    ------
    InputError
        When there is none.
    """
    at_us = office.clock.now_us()
    rows = [term if term.stated_us is not None else replace(term, stated_us=at_us) for term in terms]
    if not rows:
        raise InputError("there is no row, wanted at least one term", hint="Name a use, and what it is about.")
    by_document: dict[str, list[Term]] = {}
    for row in rows:
        by_document.setdefault(row.document, []).append(row)
    office.holdings.take(
        *(
            # A later saying of the same document is another one: the ledger forgets neither.
            Holding(
                Document(f"{name} {at_us}", KIND, sender=some[0].holder, stated_us=at_us), terms=table_of_terms(some)
            )
            for name, some in by_document.items()
        )
    )
    return rows


def take_back(office: Office, digest: str, document: str) -> Term:
    """Take a row back by a row of its own.

    Raises
    ------
    InputError
        When no row has the digest, or more than one begins so.
    """
    every = terms_of(office.holdings.terms(as_said=True))
    found = {term.digest: term for term in every if term.digest.startswith(digest) and not term.withdraws}
    if len(found) != 1 or not digest:
        raise InputError(
            f"{len(found)} rows have a digest that begins with `{digest}`, wanted one",
            hint="List them with `riparian terms show --json`.",
        )
    ((whole, term),) = found.items()
    return enter(office, [replace(term, withdraws=whole, document=document, stated_us=None)])[0]


def decided(office: Office, questions: Sequence[Asked]) -> list[tuple[Asked, Decided]]:
    """Answer questions."""
    ledger = office.ledger()
    return [(asked, ledger.decide(asked)) for asked in questions]


@dataclass(frozen=True, slots=True)
class Emission:
    """What is written, and when what holds may change next; None for never."""

    written: emit.Written
    changes_us: int | None


def emission(office: Office, layout: emit.Layout, *, holder: str, contact: str) -> Emission:
    """Write the files of a site."""
    ledger, at_us = office.ledger(), office.clock.now_us()
    written = emit.emit(ledger, layout, at_us, office.labels(), holder=holder, contact=contact)
    return Emission(written, ledger.changes_after(at_us))


def assertion(office: Office, recording: str) -> dict[str, object]:
    """Write the assertion for the sound of a recording.

    Raises
    ------
    InputError
        When the catalogue has no such recording.
    """
    labels = office.labels()
    if recording not in labels:
        raise InputError(
            f"the catalogue has no recording `{recording}`, wanted one that it has",
            hint="Search for it with `riparian catalogue search`.",
        )
    return cawg.written(emit.stances(office.ledger(), office.clock.now_us(), recording, labels[recording]))


def compare(office: Office | None, site: Site, layout: emit.Layout | None) -> Checked:
    """Look for contradictions on a site, and with the ledger where it is known where recordings are."""
    if office is None or layout is None:
        return check(site)
    says = emit.LedgerSays(office.ledger(), layout, office.clock.now_us(), office.labels())
    return check(site, [says])


def chain_head(office: Office) -> str:
    """Give the last digest of the chain; empty where there is none."""
    data = office.signed.read()
    return chain.verified(data, key=office.signed.public()).head if data else ""


def snapshot(office: Office, files: Mapping[str, bytes]) -> tuple[chain.Entry, str]:
    """Put the ledger as it is, and what the site shows, into the chain; give the entry and the new head.

    Raises
    ------
    CustodyError
        When the chain is not as it was signed, or the ledger lacks a row of it.
    """
    key = office.signed.public()
    data = office.signed.read()
    before = chain.verified(data, key=key)
    rows = terms_of(office.holdings.terms(as_said=True))
    line, entry = chain.next_line(before, rows, files, office.clock.now_us(), key, office.signed.sign)
    office.signed.append(line, len(data))
    return entry, chain.verified(data + line, key=key).head
