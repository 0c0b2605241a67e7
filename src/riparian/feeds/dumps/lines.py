"""What are the lines of a text whose encoding nobody has said?

UTF-8, UTF-16 and UTF-32 are known by their marks, or by where their zeros are.  A line that is no UTF-8 is read as the
old encoding that most of the text's first such lines are like: Windows-1251 where letters above 127 come in
runs, as in Cyrillic, else Windows-1252; texts put together from several encodings are therefore read line by line.
A line of more than :data:`LINE_BYTES_MAX` is cut, counted and passed over.
"""

import codecs
import re
from collections.abc import Iterator
from typing import Final

from riparian.feeds.dumps.streams import Stream

LINE_BYTES_MAX: Final = 1 << 20
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_ZEROS: Final = 0.3
_RUN: Final = 2.5
_KEPT_BYTES: Final = 4096


def wide_encoding(head: bytes) -> tuple[str, int]:
    """Name the encoding that the first bytes show, and how many bytes mark it; UTF-8 when they show none.

    Examples
    --------
    >>> wide_encoding("Ärzte".encode("utf-16")), wide_encoding("title".encode("utf-16-be")), wide_encoding(b"title")
    (('utf-16-le', 2), ('utf-16-be', 0), ('utf-8', 0))
    """
    for mark, name in _MARKS:
        if head.startswith(mark):
            return name, len(mark)
    some = head[:4096]
    if len(some) >= 4:
        odd, even = (some[start::2].count(0) / len(some[start::2]) for start in (1, 0))
        if max(odd, even) > _ZEROS and min(odd, even) < _ZEROS / 3:
            return ("utf-16-le" if odd > even else "utf-16-be"), 0
    return "utf-8", 0


def old_encoding(head: bytes) -> str:
    """Name the encoding of the lines that are no UTF-8.

    Examples
    --------
    >>> old_encoding("Мумий Тролль".encode("cp1251")), old_encoding("Björk".encode("cp1252"))
    ('cp1251', 'cp1252')
    """
    odd = [line for line in head.splitlines() if not _is_utf8(line)]
    runs = re.findall(rb"[\x80-\xff]+", b"\n".join(odd))
    return "cp1251" if runs and sum(map(len, runs)) / len(runs) >= _RUN else "cp1252"


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


def _utf8_blocks(stream: Stream, encoding: str, mark: int) -> Iterator[bytes]:
    stream.pass_over(mark)
    if encoding == "utf-8":
        yield from stream.blocks()
        return
    decode = codecs.getincrementaldecoder(encoding)("replace")
    for block in stream.blocks():
        yield decode.decode(block).encode("utf-8", "replace")
    yield decode.decode(b"", final=True).encode("utf-8", "replace")


class Lines:
    r"""The lines of a stream, without their ends.

    Parameters
    ----------
    stream
        Read once.

    Examples
    --------
    >>> lines = Lines(Stream(iter([b"a\r\nb", b"c\n", b"Bj\xf6rk"])))
    >>> list(lines), lines.cut, lines.count
    (['a', 'bc', 'Björk'], [], 3)
    """

    def __init__(self, stream: Stream) -> None:
        head = stream.head()
        self._encoding, mark = wide_encoding(head)
        self._old = old_encoding(head)
        # Macintosh of old, unless it is all one line.
        self._end = b"\r" if self._encoding == "utf-8" and b"\n" not in head and head.count(b"\r") > 1 else b"\n"
        self._blocks = _utf8_blocks(stream, self._encoding, mark)
        self.count = 0
        """Lines given so far."""
        self.cut: list[tuple[int, str]] = []
        """Number and beginning of lines that were too long; whoever reads empties it."""

    def __iter__(self) -> Iterator[str]:
        """Give every line that is not too long."""
        for some in self._split():
            for line in self._decoded(some):
                self.count += 1
                yield line

    def _split(self) -> Iterator[list[bytes]]:
        rest, is_long = b"", False
        for block in self._blocks:
            lines = (rest + block).split(self._end)
            rest = lines.pop()
            if is_long and lines:
                del lines[0]
                is_long = False
            if is_long:
                rest = b""
            elif len(rest) > LINE_BYTES_MAX:
                self._too_long(rest, len(lines))
                rest, is_long = b"", True
            yield lines
        if rest and not is_long:
            yield [rest]

    def _too_long(self, line: bytes, before: int) -> None:
        self.cut.append((self.count + before + 1, line[:_KEPT_BYTES].decode("utf-8", "replace")))

    def _decoded(self, lines: list[bytes]) -> Iterator[str]:
        try:
            text = b"\n".join(lines).decode()
        except UnicodeDecodeError:
            yield from (self._line(line) for line in lines)
            return
        if lines:
            yield from (line.removesuffix("\r").replace("\0", "") for line in text.split("\n"))

    def _line(self, line: bytes) -> str:
        for encoding in ("utf-8", self._old):
            try:
                return line.decode(encoding).removesuffix("\r").replace("\0", "")
            except UnicodeDecodeError:
                continue
        return line.decode("latin-1").removesuffix("\r").replace("\0", "")
