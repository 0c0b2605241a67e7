"""Fuzz letters that come in: whatever octets they are, they are read or refused, in a bounded time.

Run with ``python fuzz/notices.py [CORPUS] [-max_total_time=60]``.
"""

import sys

import atheris

with atheris.instrument_imports(include=["riparian.cases.reading"]):
    from riparian.cases.reading import Standing, read
    from riparian.errors import InputError

FORM = (
    b"**Are you the copyright holder or authorized to act on the copyright owner's behalf?**\n\nYes\n\n"
    b"**What files should be taken down?**\n\n"
)
MAIL = b"From: a@b.example\r\nReceived: x\r\nMIME-Version: 1.0\r\nContent-Type: "


def one(data: bytes) -> None:
    """Take octets as a letter, and inside of a form, a mail, and a message; what was seen is where it is said to be."""
    for content in (data, FORM + data, MAIL + data, b"<Infringement>" + data + b"</Infringement>"):
        try:
            found = read(content)
        except InputError:
            continue
        for seen in found.elements:
            if seen.span is not None and not 0 <= seen.span[0] <= seen.span[1] <= len(found.text):
                raise AssertionError(seen)
            if seen.standing is Standing.MISSING and found.notice.statement(seen.element) is not None:
                raise AssertionError(seen)


if __name__ == "__main__":
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()
