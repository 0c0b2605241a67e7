import pyarrow as pa
import pytest

from riparian.creators.strangers import page

OWN = [
    {"recording": f"r{i}", "artist": "Mira", "owner": "Reed", "isrc": f"DEABC250000{i}", "album": "Tides"}
    for i in range(3)
]


@pytest.mark.parametrize(
    ("row", "told"),
    [
        pytest.param({"owner": "Quick Uploads"}, ["x"], id="another deliverer with nothing in common"),
        pytest.param({"owner": "Reed"}, [], id="the artist's own"),
        pytest.param({"owner": "R\u00e9ed"}, [], id="the artist's own, written otherwise"),
        pytest.param({"owner": "North", "album": "Tides"}, [], id="another one on the same album"),
        pytest.param({"owner": "North", "isrc": "DE-ABC-26-00009"}, [], id="another one with the same registrant"),
        pytest.param({"owner": "North", "isrc": "USXYZ2600009"}, ["x"], id="another one with another registrant"),
        pytest.param({"artist": "M1ra", "owner": "Reed"}, ["x"], id="a name that only looks like it"),
        pytest.param({"artist": "Mirabel", "owner": "Quick"}, [], id="another name"),
        pytest.param({"artist": "Other feat. Mira", "owner": "Quick"}, ["x"], id="a guest, as somebody says"),
        pytest.param({"owner": None, "label": None}, [], id="nobody says who delivers"),
    ],
)
def test_what_a_stranger_put_on_a_page(row: dict[str, str | None], told: list[str]) -> None:
    mine: dict[str, str | None] = {"recording": "x", "artist": "Mira", "iswc": None, "label": None, **row}
    table = pa.Table.from_pylist([mine, *OWN])
    assert [one.recording for one in page("mira", table).strangers] == told


def test_a_licensee_of_one_recording_is_no_stranger() -> None:
    rows = [{**one, "licensed": "North; East" if one["recording"] == "r1" else ""} for one in OWN]
    rows.append({"recording": "x", "artist": "Mira", "owner": "East", "licensed": ""})
    assert page("Mira", pa.Table.from_pylist(rows)).strangers == ()


def test_who_is_named_as_the_artist_s_own_counts_before_numbers() -> None:
    rows = [*OWN, {"recording": "x", "artist": "Mira", "owner": "Small Imprint"}]
    seen = page("Mira", pa.Table.from_pylist(rows), ("Small Imprint",))
    assert [one.recording for one in seen.strangers] == ["r2", "r1", "r0"]
