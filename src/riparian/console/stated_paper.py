"""The same as the page, on paper: a PDF of A4 sheets that holds the signed statement in its keywords.

What the letters on board cannot write (they are Latin, Greek, Cyrillic, Armenian and Georgian) is written in Latin
letters; the signed statement has it as it is.
"""

import io
import re
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import Any, Final
from xml.sax.saxutils import escape

from anyascii import anyascii
from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import Flowable, LongTable, Paragraph, SimpleDocTemplate, TableStyle

from riparian import __version__
from riparian.console import words
from riparian.console.stated import ROWS_MAX, consent, headline, how, mistakes, terms_of
from riparian.creators.statement import Statement

_FONT: Final = "DejaVuSans"
_BOLD: Final = "DejaVuSans-Bold"
_INK, _SOFT, _RULE = HexColor("#1d2b2f"), HexColor("#5b6b70"), HexColor("#c9d3d6")
_WIDTHS: Final = (52 * mm, 42 * mm, 32 * mm, 22 * mm, 32 * mm)
_TOKEN: Final = re.compile(rb"/Keywords \(([A-Za-z0-9_.\\\r\n-]+)\)")


def stated_paper(statement: Statement, token: str, key: str) -> bytes:
    """Write the sheets; the same statement gives the same bytes.

    Parameters
    ----------
    token
        The statement, signed.
    key
        The public key, in hex.
    """
    _letters()
    said, octets = statement.said, io.BytesIO()
    paper = SimpleDocTemplate(
        octets,
        pagesize=A4,
        leftMargin=15 * mm,
        rightMargin=15 * mm,
        topMargin=16 * mm,
        bottomMargin=18 * mm,
        title=f"What was found of {_written(said['of']['name'])}",
        author=_written(said["by"]),
        subject="a signed statement; its keywords hold it whole",
        keywords=token,
        creator=f"Riparian {__version__}",
        invariant=1,
    )

    def foot(canvas: Any, document: Any) -> None:
        canvas.setFont(_FONT, 7)
        canvas.setFillColor(_SOFT)
        canvas.drawString(15 * mm, 10 * mm, f"{_written(said['by'])}, {said['at']}; key {key[:16]}")
        canvas.drawRightString(A4[0] - 15 * mm, 10 * mm, f"{document.page}")

    paper.build(list(_flow(statement, key)), onFirstPage=foot, onLaterPages=foot)
    return octets.getvalue()


def token_in(paper: bytes) -> str | None:
    """Find the signed statement in a sheet; None where there is none."""
    found = _TOKEN.search(paper)
    return re.sub(rb"[\\\r\n]", b"", found.group(1)).decode() if found else None


def _flow(statement: Statement, key: str) -> Iterator[Flowable]:
    said = statement.said
    yield _text(f"A statement of {said['by']} for {said['of']['name']}, {said['at'][:10]}", 8.5, soft=True)
    yield _text(headline(said), 15, bold=True, space=(0, 5))
    if told := mistakes(said):
        yield _text(told, 9.5, space=(0, 3))
    yield _text(
        "A finding is not a wrong. A licence that nobody noted, a quotation or a parody may be lawful. What follows is"
        " for people to decide.",
        9.5,
        space=(0, 4),
    )
    if said["found"]:
        yield _text("What was found", 11.5, bold=True, space=(6, 3))
        yield _table(said)
    if len(said["found"]) > ROWS_MAX:
        yield _text(f"{words.count(len(said['found']) - ROWS_MAX)} more are in the signed statement.", 8.5, soft=True)
    yield _text(f"What may be done with the {words.counted(said['held'], 'recording')}", 11.5, bold=True, space=(8, 3))
    for row in said["consent"]:
        yield _text(consent(row), 9.5, space=(0, 1))
    if said["terms_head"]:
        yield _text(f"The chain of terms that proves it ends in {said['terms_head']}.", 7.5, soft=True)
    yield _text("What was looked at", 11.5, bold=True, space=(8, 3))
    for one in said["looked_at"]:
        yield _text(f"{one['name']}: {words.count(one['found'])} found; SHA-256 {one['sha256']}", 8.5, space=(0, 1))
    if not said["looked_at"]:
        yield _text("Nothing yet.", 9.5)
    for limit in said["limits"]:
        yield _text(limit, 8.5, soft=True)
    yield _text("Is this genuine?", 11.5, bold=True, space=(8, 3))
    yield _text(
        f"{said['by']} signed it, and this file holds what was signed. Compare the key with the one that they publish,"
        " and check the file with: riparian creator verify FILE --key KEY",
        9.5,
        space=(0, 2),
    )
    yield _text(f"Key: {key}", 8.5)


def _table(said: Any) -> Flowable:
    heads = ("recording", "where", "how it is known", "chance that it is a mistake", "training with it was")
    rows: list[list[Flowable]] = [[_text(head, 7.5, bold=True) for head in heads]]
    for row in said["found"][:ROWS_MAX]:
        name = f"{row['title'] or row['recording']}{' ' + row['isrc'] if row['isrc'] else ''}"
        where = f"{row['where']}{' ' + row['at'][:10] if row['at'] else ''}"
        chance = words.chance(row["error"]) if row["error"] is not None else "not stated"
        rows.append([_text(cell, 7.5) for cell in (name, where, how(row), chance, terms_of(row))])
    table = LongTable(rows, colWidths=_WIDTHS, repeatRows=1)
    table.setStyle(
        TableStyle(
            [
                ("VALIGN", (0, 0), (-1, -1), "TOP"),
                ("LINEBELOW", (0, 0), (-1, -1), 0.4, _RULE),
                ("LEFTPADDING", (0, 0), (-1, -1), 2),
                ("RIGHTPADDING", (0, 0), (-1, -1), 4),
                ("TOPPADDING", (0, 0), (-1, -1), 2.5),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 3),
            ]
        )
    )
    return table


def _text(
    text: str, size: float, *, bold: bool = False, soft: bool = False, space: tuple[float, float] = (0, 0)
) -> Paragraph:
    style = ParagraphStyle(
        "text",
        fontName=_BOLD if bold else _FONT,
        fontSize=size,
        leading=size * 1.35,
        textColor=_SOFT if soft else _INK,
        spaceBefore=space[0],
        spaceAfter=space[1],
        splitLongWords=True,
    )
    return Paragraph(escape(_written(words.visible(text, longest=1000))), style)


def _written(text: str) -> str:
    known = _letters()
    return "".join(c if ord(c) in known else anyascii(c) for c in text)


@cache
def _letters() -> frozenset[int]:
    """Make the letters known, and list which there are."""
    folder = files("riparian.console") / "static" / "fonts"
    for name in (_FONT, _BOLD):
        pdfmetrics.registerFont(TTFont(name, io.BytesIO((folder / f"{name}.ttf").read_bytes())))
    return frozenset(pdfmetrics.getFont(_FONT).face.charToGlyph)
