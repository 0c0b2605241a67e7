"""Who writes, and to whom: a letterhead as it should be, and every one that is not."""

from pathlib import Path

import pytest

from riparian.errors import InputError, PolicyError
from riparian.feeds.letterhead import read_letterhead

GOOD = """
authority = "mandate.pdf"
[owner]
name = "Reed Records"
[complainant]
name = "Ann Reed"
[addressee.host]
name = "A Host"
layer = "host"
kinds = ["news"]
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "letterhead.toml"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    return path


def test_who_writes_and_to_whom(tmp_path: Path) -> None:
    head = read_letterhead(written(tmp_path, GOOD))
    assert (head.owner.name, head.owner.role, head.complainant.name, head.complainant.role) == (
        "Reed Records",
        "owner",
        "Ann Reed",
        "agent",
    )
    to = head.addressee("host")
    assert (to.key, to.name, str(to.layer), to.kinds, to.form) == ("host", "A Host", "host", ("news",), "dmca_text")
    assert (head.authority, head.public_domain) == ("mandate.pdf", "")


def test_the_owner_writes_where_nobody_else_is_named(tmp_path: Path) -> None:
    head = read_letterhead(written(tmp_path, '[owner]\nname = "Reed Records"\n'))
    assert (head.complainant, head.addressees) == (head.owner, {})


def test_nobody_is_written_to_who_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="`hub` is nobody in the letterhead, wanted one of host"):
        read_letterhead(written(tmp_path, GOOD)).addressee("hub")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param("", "owner", id="empty"),
        pytest.param("owner = 7", "", id="no table"),
        pytest.param("[owner]\nname = 7", "name", id="a number for a name"),
        pytest.param('[owner]\nnmae = "x"', "nmae", id="a field that is not there"),
        pytest.param(GOOD + '[sender]\nname = "x"', "sender", id="a table that is not there"),
        pytest.param(GOOD.replace("layer", "layr"), "layr", id="a field of an addressee that is not there"),
        pytest.param(GOOD.replace('"host"', '"moon"'), "moon", id="a layer that is not there"),
        pytest.param(GOOD.replace('"A Host"', "[1]"), "name", id="a list for a name"),
        pytest.param("addressee = 3\n[owner]\nname = 'x'", "addressee", id="a number of addressees"),
        pytest.param("addressee.host = 3\n[owner]\nname = 'x'", "host", id="a number for an addressee"),
        pytest.param("authority = 3\n[owner]\nname = 'x'", "authority", id="a number for a document"),
        pytest.param("[owner", "TOML", id="no TOML"),
        pytest.param("[owner]\nname = '\udcff'", "TOML", id="no text"),
    ],
)
def test_what_is_no_letterhead_is_one_error_with_its_name(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(PolicyError) as told:
        read_letterhead(written(tmp_path, text))
    assert "letterhead.toml" in told.value.message
    assert says in told.value.message


def test_where_there_is_none_it_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(InputError) as told:
        read_letterhead(tmp_path / "letterhead.toml")
    assert "docs/how/send.md" in str(told.value.hint)
