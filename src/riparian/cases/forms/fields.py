"""What does a person fill into the web form of a host?

The fields of each host are data (``web/*.toml``): in their order, under the names that the form gives them, each with
what of the notice goes there.  What is written here is for a person, who reads it, opens the form and fills it in;
nothing is ever filled in by us.
"""

import tomllib
from collections.abc import Iterator, Mapping
from importlib.resources import files
from typing import Any, Final

from riparian.cases.facts import Party
from riparian.cases.forms import words
from riparian.cases.forms.form import Form
from riparian.cases.notice import Element, Kind, Notice

_WIDTH: Final = 72


def _value(notice: Notice, of: str) -> str:
    """Give what of a notice goes into a field, as text with one item a line."""
    sender, owner = notice.sender or Party(""), notice.owner or Party("")
    if of in {one.value for one in Element}:
        return words.said(notice, Element(of))
    party = {
        **{f"sender_{name}": getattr(sender, name) for name in _OF_PARTY},
        **{f"owner_{name}": getattr(owner, name) for name in _OF_PARTY},
        "owner": owner.organisation or owner.name,
        "signed_by": notice.signed_by,
        "role": "Rights owner" if sender == owner else "Authorized to act for the rights owner",
        "reference": words.own_reference(notice),
    }
    if of in party:
        return words.line(party[of].replace("\n", ", "))
    return "\n".join(_lines(notice, of))


_OF_PARTY: Final = ("name", "organisation", "address", "email", "phone", "country")


def _lines(notice: Notice, of: str) -> Iterator[str]:
    if of == "urls":
        yield from (words.address(one.url) for one in notice.locations)
    elif of == "titles":
        yield from (words.line(one.title) for one in notice.works)
    elif of == "described":
        yield from (words.named(one) for one in notice.works)
    elif of == "originals":
        yield from (words.address(one.original) for one in notice.works if one.original)
    elif of == "held":
        for place in notice.locations:
            yield from (f"{words.address(place.url)}: {one}" for one in words.held(notice, place))


def _write(notice: Notice, form: Mapping[str, Any]) -> bytes:
    out = [form["title"], f"Fill this in at {form['address']}, as it stands here.", ""]
    for field in form["field"]:
        said = field.get("says") or _value(notice, field["of"])
        out += [f"[{field['name']}]", said or "(leave empty)", ""]
    return "\n".join(out).encode()


def _unfit(notice: Notice, form: Mapping[str, Any]) -> str:
    if hosts := form.get("hosts"):
        others = [one.key for one in notice.locations if not words.is_at(one.url, hosts)]
        if others:
            return f"it takes addresses at {', '.join(hosts)}, and {', '.join(others)} is elsewhere"
    if len(notice.locations) > (most := form.get("urls_most", 10**9)):
        return f"it takes {most} addresses at a time, and these are {len(notice.locations)}"
    for field in form["field"]:
        said = field.get("says") or _value(notice, field["of"])
        if field.get("needed") and not said:
            return f"its field `{field['name']}` is needed, and what goes there is not known"
        if len(said) > field.get("characters", len(said)):
            return f"its field `{field['name']}` takes {field['characters']} characters, and this has {len(said)}"
    return ""


def _form(name: str, said: Mapping[str, Any]) -> Form:
    return Form(
        f"web_{name}",
        said["title"],
        (Kind.TAKEDOWN,),
        tuple(Element(one) for one in said["asks"]),
        lambda notice: _write(notice, said),
        regime="dmca",
        unfit=lambda notice: _unfit(notice, said),
        source=f"{said['source']} {said['checked']}",
    )


def _read() -> tuple[Form, ...]:
    found = sorted(files(__package__).joinpath("web").iterdir(), key=lambda one: one.name)
    return tuple(
        _form(one.name.removesuffix(".toml"), tomllib.loads(one.read_text("utf-8")))
        for one in found
        if one.name.endswith(".toml")
    )


WEB: Final = _read()
"""The web forms whose fields are known."""
