from pathlib import Path

import pytest

from riparian.errors import InputError
from riparian.feeds.recipients import Row, read_recipients


def read(tmp_path: Path, text: str | bytes) -> list[Row]:
    (tmp_path / "r.csv").write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_recipients(tmp_path / "r.csv")


TABLES = {
    "as it should be": "recipient,embargo,note\nann,2026-12-24,first\nben,,\n",
    "with a byte order mark, as spreadsheets write it": "\ufeffrecipient,embargo,note\nann,2026-12-24,first\nben,,\n",
    "in another order, with spaces and capitals": "Note, Embargo ,RECIPIENT\r\n first ,2026-12-24, ann\r\n,,ben\r\n",
    "quoted": 'recipient,embargo,note\n"ann","2026-12-24","first"\n"ben","",""\n',
}


@pytest.mark.parametrize("name", TABLES)
def test_a_table_is_read(name: str, tmp_path: Path) -> None:
    assert read(tmp_path, TABLES[name]) == [Row("ann", "2026-12-24", "first"), Row("ben")]


def test_recipients_alone_are_a_table(tmp_path: Path) -> None:
    assert read(tmp_path, "recipient\nann\nÄnne, née X\n".replace("Änne, née X", '"Änne, née X"')) == [
        Row("ann"),
        Row("Änne, née X"),
    ]


REFUSED: dict[str, tuple[str | bytes, str]] = {
    "nothing": ("", "has the columns"),
    "nobody": ("recipient\n", "names nobody"),
    "another name": ("name\nann\n", "has the columns `name`"),
    "a column that is misspelt": ("recipient,embago\nann,2026-12-24\n", "`embago`"),
    "a column twice": ("recipient,note,note\nann,x,y\n", "has the columns"),
    "an empty recipient": ("recipient,note\n,x\n", "line 2 of .* names no recipient"),
    "a recipient twice": ("recipient\nann\nann\n", "named twice"),
    "a day that is none": ("recipient,embargo\nann,24.12.2026\n", "the embargo in line 2 of .* is `24.12.2026`"),
    "more fields than columns": ("recipient\nann,ben\n", "more fields than the header"),
    "no UTF-8": ("recipient\nänn\n".encode("latin-1"), "is no CSV in UTF-8"),
    "a binary file": (b"\0\1\2\3" * 100, "wanted"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_table_of_recipients_is_refused(name: str, tmp_path: Path) -> None:
    text, said = REFUSED[name]
    with pytest.raises(InputError, match=said):
        read(tmp_path, text)


def test_a_table_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read_recipients(tmp_path / "none.csv")
