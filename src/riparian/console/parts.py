"""What stands in a form that brings a file, read as it comes?

The form is ``multipart/form-data`` (RFC 7578).  What is a field is held; what is a file is handed on block by block,
and nothing of it is kept here.  What a file is called is a text like any other: it names nothing on a disk.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote

from riparian.errors import InputError

_FIELD_OCTETS_MAX: Final = 16 << 10
_HEAD_OCTETS_MAX: Final = 8 << 10
_FIELDS_MAX: Final = 20
_BOUNDARY: Final = re.compile(r'boundary=(?:"([^"]{1,70})"|([^\s;",]{1,70}))', re.IGNORECASE)
_NAMED: Final = re.compile(r';\s*(name|filename\*?)=(?:"((?:[^"\\]|\\.)*)"|([^\s;]*))', re.IGNORECASE)
_NAME_MAX: Final = 255
_END: Final = b"\r\n"


@dataclass(slots=True)
class Parts:
    r"""Takes a form apart, block by block.

    Parameters
    ----------
    boundary
        What stands between parts.
    begun
        Told that a file begins, with the fields so far, and how the file is called; what it does not want it refuses.
    taken
        Told each block of the file.

    Examples
    --------
    >>> blocks = []
    >>> parts = Parts(b"x", lambda fields, name: blocks.append((dict(fields), name)), blocks.append)
    >>> head = b'--x\r\nContent-Disposition: form-data; name="'
    >>> parts.put(head + b'a"\r\n\r\n1\r\n' + head + b'f"; filename="n"\r\n\r\n2\r\n--x--')
    >>> parts.end()
    >>> parts.fields, blocks
    ({'a': '1'}, [({'a': '1'}, 'n'), b'2'])
    """

    boundary: bytes
    begun: Callable[[dict[str, str], str], None]
    taken: Callable[[bytes], None]
    fields: dict[str, str] = field(default_factory=dict)
    parts: int = 0
    _held: bytearray = field(default_factory=bytearray)
    _in: str = "before"
    _name: str = ""
    _is_file: bool = False
    _text: bytearray = field(default_factory=bytearray)

    def __post_init__(self) -> None:
        # The first boundary stands as if a line had ended before it.
        self._held += _END

    def put(self, block: bytes) -> None:
        """Take a block.

        Raises
        ------
        InputError
            When it is no such form, or a field is too long.
        """
        self._held += block
        while self._step():
            pass

    def end(self) -> None:
        """Say that nothing comes any more.

        Raises
        ------
        InputError
            When the form is not whole.
        """
        if self._in != "after":
            raise InputError("the form breaks off, wanted a whole one", hint="Send it once more.")

    def _step(self) -> bool:
        if self._in == "after":
            self._held.clear()
            return False
        if self._in == "head":
            return self._begin()
        if self._in == "boundary":
            return self._go_on()
        return self._pass_on()

    def _pass_on(self) -> bool:
        mark = _END + b"--" + self.boundary
        at = self._held.find(mark)
        whole = at if at >= 0 else max(0, len(self._held) - len(mark) + 1)
        if whole:
            self._content(bytes(self._held[:whole]))
        del self._held[: whole + len(mark) if at >= 0 else whole]
        if at < 0:
            return False
        if self._in == "content" and not self._is_file:
            self._keep()
        self._in = "boundary"
        return True

    def _go_on(self) -> bool:
        if len(self._held) < len(_END):
            return False
        is_last, is_next = self._held.startswith(b"--"), self._held.startswith(_END)
        if not is_last and not is_next:
            raise _unreadable()
        del self._held[: len(_END)]
        self._in = "after" if is_last else "head"
        return True

    def _begin(self) -> bool:
        at = self._held.find(_END + _END)
        if at < 0:
            if len(self._held) > _HEAD_OCTETS_MAX:
                raise _unreadable()
            return False
        name, filename = _called(bytes(self._held[:at]))
        del self._held[: at + 2 * len(_END)]
        self._name, self._is_file, self._in = name, filename is not None, "content"
        self._text.clear()
        self.parts += 1
        if self.parts > _FIELDS_MAX:
            raise InputError(f"more than {_FIELDS_MAX} fields were sent, wanted fewer")
        if filename is not None:
            self.begun(self.fields, filename)
        return True

    def _content(self, octets: bytes) -> None:
        if self._in != "content":
            return
        if self._is_file:
            self.taken(octets)
            return
        self._text += octets
        if len(self._text) > _FIELD_OCTETS_MAX:
            raise InputError(f"a field has more than {_FIELD_OCTETS_MAX:,} octets, wanted fewer")

    def _keep(self) -> None:
        try:
            self.fields.setdefault(self._name, self._text.decode("utf-8"))
        except UnicodeDecodeError as error:
            raise _unreadable() from error


def boundary_of(kind: str) -> bytes:
    """Read what stands between the parts of a form.

    Raises
    ------
    InputError
        When the form is none, or does not say.
    """
    found = _BOUNDARY.search(kind)
    if kind.partition(";")[0].strip().lower() != "multipart/form-data" or found is None:
        raise InputError(f"`{kind[:80]}` was sent, wanted a form with a file")
    return (found[1] or found[2]).encode("latin-1", "replace")


def _called(head: bytes) -> tuple[str, str | None]:
    """Read what a part is called, and its file; None where it is a field."""
    for line in head.decode("utf-8", "replace").split("\r\n"):
        kind, _, rest = line.partition(":")
        if kind.strip().lower() == "content-disposition" and rest.strip().lower().startswith("form-data"):
            said = dict(_said(rest))
            filename = said.get("filename*", said.get("filename"))
            return said.get("name", "")[:_NAME_MAX], None if filename is None else filename[:_NAME_MAX]
    raise _unreadable()


def _said(rest: str) -> Iterator[tuple[str, str]]:
    for name, quoted, plain in _NAMED.findall(rest):
        text = re.sub(r"\\(.)", r"\1", quoted) or plain
        if name.lower() == "filename*":
            yield "filename*", unquote(text.rpartition("'")[2], errors="replace")
        else:
            # Browsers write a quote and the ends of lines so.
            yield name.lower(), text.replace("%22", '"').replace("%0D", "\r").replace("%0A", "\n")


def _unreadable() -> InputError:
    return InputError("the form cannot be read, wanted one as a browser sends it", hint="Send it once more.")


__all__ = ["Parts", "boundary_of"]
