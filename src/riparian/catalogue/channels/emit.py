"""Which files say on a site what the ledger decides, in every form that machines read?

What is written is what holds for anybody, everywhere, now; what is permitted to some, or in some countries, is for a
contract and not for a sign at the door.  Everything that nobody may without asking is written as reserved, with an
address where the form has room for one.  Forms that cannot tell training from mining say the stricter of the two, and
so does every other, so that none contradicts another.

Recordings of which something else holds than of the rest get rules of their own, as long as robots.txt has room for
them; when it has not, those that only permit are left out of all forms, and then the whole says the strictest.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from riparian.catalogue.channels import aipref, aitxt, cawg, robots, rsl, tdmrep
from riparian.catalogue.channels.says import ANYBODY, MINES, TRAINS, Deed, Fault, Statement, plain_path
from riparian.catalogue.consent import Asked, Ledger, Stance
from riparian.catalogue.terms import Use
from riparian.errors import InputError

USES: Final = (Use.TRAIN, Use.MINE, Use.INFER, Use.SEARCH)
"""What a site can say; streams and downloads are for contracts."""
NOT_FOR_MODELS: Final = "not for training of models"
Stances = Mapping[Use, tuple[Stance, str]]
"""What holds of each use, and its conditions."""
_DEEDS: Final = {
    Use.TRAIN: TRAINS,
    Use.MINE: MINES - TRAINS,
    Use.INFER: frozenset({Deed.INFERENCE, Deed.INDEX}),
    Use.SEARCH: frozenset({Deed.SEARCH}),
}
_STRICTEST: Final = tuple(Stance)
_ROOM: Final = robots.OCTETS_MAX - 4096
_NAME: Final = "{recording}"


@dataclass(frozen=True, slots=True)
class Layout:
    """Where things are on the site.

    Parameters
    ----------
    origin
        As in ``https://music.example``; what other files are named by.
    path
        Of a recording, with ``{recording}`` in it; empty when recordings have no addresses of their own.

    Examples
    --------
    >>> layout = Layout("https://music.example", "/tracks/{recording}")
    >>> layout.of("r 1"), layout.recording_at("/tracks/r%201"), layout.recording_at("/about")
    ('/tracks/r%201', 'r 1', '')
    """

    origin: str
    path: str = ""

    def __post_init__(self) -> None:
        if self.path and (self.path.count(_NAME) != 1 or not self.path.startswith("/")):
            raise InputError(
                f"`{self.path}` is no path of a recording, wanted one that begins with `/` and has {_NAME} in it once",
                hint="Write it as in /tracks/{recording}.",
            )

    def of(self, recording: str) -> str:
        """Give the path of a recording."""
        return plain_path(self.path.replace(_NAME, _encoded(recording)))

    def recording_at(self, path: str) -> str:
        """Give the recording at a path; empty when there is none."""
        before, name, after = self.path.partition(_NAME)
        if not name or not path.startswith(before) or not path.endswith(after) or len(path) <= len(before + after):
            return ""
        return _decoded(path[len(before) : len(path) - len(after)])


def _encoded(text: str) -> str:
    # Forms give `*`, `$`, `#`, and hosts `:`, a meaning.
    kept = "-._~@!&'()+,;="
    return "".join(
        c if c.isascii() and (c.isalnum() or c in kept) else "".join(f"%{b:02X}" for b in c.encode()) for c in text
    )


def _decoded(text: str) -> str:
    octets, at = bytearray(), 0
    while at < len(text):
        if text[at] == "%" and len(text) - at > 2 and all(c in "0123456789abcdefABCDEF" for c in text[at + 1 : at + 3]):
            octets.append(int(text[at + 1 : at + 3], 16))
            at += 3
        else:
            octets += text[at].encode()
            at += 1
    return octets.decode("utf-8", "replace")


def stances(ledger: Ledger, at_us: int, recording: str = "", label: str = "") -> Stances:
    """Say what may be written of a recording, or of all that no row names: for anybody, everywhere.

    Examples
    --------
    >>> from riparian.catalogue.terms import Says, Scope, Term
    >>> said = stances(Ledger([Term(Scope.ALL, "", Use.MINE, Says.PERMITTED, "policy.pdf")]), 0)
    >>> str(said[Use.TRAIN][0]), str(said[Use.MINE][0]), said[Use.MINE][1]
    ('reserved', 'constrained', 'not for training of models')
    """
    decided = {use: ledger.decide(Asked(use, at_us, recording, label)) for use in USES}
    said = {use: (one.stance, one.conditions) for use, one in decided.items()}
    trains, mines = said[Use.TRAIN][0], said[Use.MINE][0]
    if mines is not Stance.PERMITTED and trains is Stance.PERMITTED:
        # Nobody, or nobody as particular, reserves mining: the permission to train is one to mine for that.
        return {**said, Use.MINE: (Stance.PERMITTED, "")}
    if mines is Stance.PERMITTED and trains is not Stance.PERMITTED:
        return {**said, Use.MINE: (Stance.CONSTRAINED, NOT_FOR_MODELS)}
    return said


@dataclass(frozen=True, slots=True)
class Written:
    """What is written.

    Parameters
    ----------
    files
        Path below the site's root to text.
    recordings
        How many have rules of their own.
    left_out
        How many that are permitted more than the rest have none, since robots.txt has no room.
    is_strictest
        Whether all has to say the strictest that is decided of any.
    """

    files: Mapping[str, str]
    recordings: int
    left_out: int = 0
    is_strictest: bool = False


def emit(
    ledger: Ledger, layout: Layout, at_us: int, labels: Mapping[str, str], *, holder: str = "", contact: str = ""
) -> Written:
    """Write every form.

    Parameters
    ----------
    labels
        Recording to its label, of all that the catalogue holds.
    holder, contact
        Whose the recordings are, and the address of mail or of a page of whom to ask.

    Examples
    --------
    >>> written = emit(Ledger([]), Layout("https://music.example"), 0, {})
    >>> print(written.files["robots.txt"])
    User-agent: *
    Allow: /
    Content-Usage: train-ai=n, ai-use=n, search=n
    <BLANKLINE>
    License: https://music.example/license.xml
    <BLANKLINE>
    """
    default = stances(ledger, at_us)
    own = _own(ledger, layout, at_us, labels, default)
    n = len(own)
    if layout.path and _room(own) <= _ROOM:
        return Written(_files(default, own, layout, holder, contact), n)
    stricter = {path: said for path, said in own.items() if _is_stricter(said, default)}
    if not stricter or (layout.path and _room(stricter) <= _ROOM):
        return Written(_files(default, stricter, layout, holder, contact), len(stricter), n - len(stricter))
    strictest = _strictest([default, *stricter.values()])
    return Written(_files(strictest, {}, layout, holder, contact), 0, n, is_strictest=True)


def _own(ledger: Ledger, layout: Layout, at_us: int, labels: Mapping[str, str], default: Stances) -> dict[str, Stances]:
    of_label: dict[str, Stances] = {}
    named = set(ledger.recordings)
    own = {}
    for recording in dict.fromkeys([*labels, *ledger.recordings]):
        label = labels.get(recording, "")
        if recording in named:
            said = stances(ledger, at_us, recording, label)
        else:
            if label not in of_label:
                of_label[label] = stances(ledger, at_us, "", label)
            said = of_label[label]
        if said != default:
            own[layout.of(recording) if layout.path else recording] = said
    return dict(sorted(own.items()))


def _files(default: Stances, own: Mapping[str, Stances], layout: Layout, holder: str, contact: str) -> dict[str, str]:
    policy = f"{layout.origin}/tdm-policy.json" if contact else ""
    bare = {path: {use: stance for use, (stance, _) in said.items()} for path, said in (("/", default), *own.items())}
    exactly = [(f"{path}$", said) for path, said in bare.items() if path != "/"]
    terms = contact if "://" in contact else ""
    files = {
        "robots.txt": _robots(bare["/"], exactly, layout.origin),
        "ai.txt": aitxt.written(bare["/"][Use.TRAIN], [(path, said[Use.TRAIN]) for path, said in exactly]),
        ".well-known/tdmrep.json": tdmrep.written(
            [(path, said[Use.MINE], policy) for path, said in [*exactly, ("/", bare["/"])]]
        )
        + "\n",
        "license.xml": rsl.written([("/", bare["/"]), *exactly], holder=holder, contact=contact, terms=terms),
        "_headers": "".join(_headers(path, said, layout.origin, policy) for path, said in _for_headers(bare)),
        "nginx.conf": _nginx(bare, layout.origin, policy),
        "head.html": _head(bare["/"], layout.origin, policy),
        "assertion.json": json.dumps(cawg.written(default), indent=2) + "\n",
    }
    if own:
        lines = (json.dumps({"path": path, "assertion": cawg.written(said)}) for path, said in own.items())
        files["assertions.jsonl"] = "".join(f"{line}\n" for line in lines)
    if policy:
        files["tdm-policy.json"] = (
            json.dumps(tdmrep.policy_of(policy, holder, contact), indent=2, ensure_ascii=False) + "\n"
        )
    return files


def _robots(default: Mapping[Use, Stance], own: Sequence[tuple[str, Mapping[Use, Stance]]], origin: str) -> str:
    rules = "".join(f"Content-Usage: {path} {aipref.written(said)}\n" for path, said in own)
    return (
        f"User-agent: {ANYBODY}\nAllow: /\nContent-Usage: {aipref.written(default)}\n{rules}\n"
        f"License: {origin}/license.xml\n"
    )


def _for_headers(bare: Mapping[str, Mapping[Use, Stance]]) -> Iterable[tuple[str, Mapping[Use, Stance]]]:
    # Hosts give a response the headers of every path that matches: where some differ, only those have any.
    return bare.items() if len(bare) > 1 else [("/*", bare["/"])]


def _headers(path: str, said: Mapping[Use, Stance], origin: str, policy: str) -> str:
    is_reserved = said[Use.MINE] is not Stance.PERMITTED
    lines = [
        path,
        f"  {aipref.HEADER}: {aipref.written(said)}",
        f"  {tdmrep.RESERVATION}: {int(is_reserved)}",
        *([f"  {tdmrep.POLICY}: {policy}"] if policy and is_reserved else []),
        f'  Link: <{origin}/license.xml>; rel="license"; type="{rsl.MEDIA_TYPE}"',
    ]
    return "\n".join([*lines, "", ""])


def _nginx(bare: Mapping[str, Mapping[Use, Stance]], origin: str, policy: str) -> str:
    """Write maps from paths to headers, and the headers: for the ``http`` block of nginx, and for a ``server``."""
    of_header = {
        aipref.HEADER: {path: aipref.written(said) for path, said in bare.items()},
        tdmrep.RESERVATION: {path: str(int(said[Use.MINE] is not Stance.PERMITTED)) for path, said in bare.items()},
    }
    if policy:
        of_header[tdmrep.POLICY] = {
            path: policy if said[Use.MINE] is not Stance.PERMITTED else "" for path, said in bare.items()
        }
    lines = ["# In `http`:"]
    for name, values in of_header.items():
        lines += [f"map $uri ${_variable(name)} {{", f'    default "{values["/"]}";']
        lines += [f'    {_quoted(_decoded(path))} "{value}";' for path, value in values.items() if path != "/"]
        lines.append("}")
    lines.append("# In `server`; nginx adds no header that is empty:")
    lines += [f"add_header {name} ${_variable(name)} always;" for name in of_header]
    link = f'<{origin}/license.xml>; rel="license"; type="{rsl.MEDIA_TYPE}"'
    return "\n".join([*lines, f"add_header Link '{link}' always;", ""])


def _variable(name: str) -> str:
    return f"riparian_{name.lower().replace('-', '_')}"


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _head(said: Mapping[Use, Stance], origin: str, policy: str) -> str:
    is_reserved = said[Use.MINE] is not Stance.PERMITTED
    lines = [
        f'<meta name="{tdmrep.RESERVATION}" content="{int(is_reserved)}">',
        *([f'<meta name="{tdmrep.POLICY}" content="{policy}">'] if policy and is_reserved else []),
        f'<link rel="license" type="{rsl.MEDIA_TYPE}" href="{origin}/license.xml">',
    ]
    return "\n".join([*lines, ""])


def _room(own: Mapping[str, Stances]) -> int:
    return sum(len(path) + 64 for path in own)


def _is_stricter(said: Stances, default: Stances) -> bool:
    return any(said[use][0] is not Stance.PERMITTED and default[use][0] is Stance.PERMITTED for use in USES)


def _strictest(all_said: Iterable[Stances]) -> Stances:
    every = list(all_said)
    return {use: max((said[use] for said in every), key=lambda one: _STRICTEST.index(one[0])) for use in USES}


class LedgerSays:
    """What the ledger decides of a site's paths, as ``Channel``; of what no row speaks it says nothing.

    Examples
    --------
    >>> from riparian.catalogue.terms import Says, Scope, Term
    >>> ledger = Ledger([Term(Scope.RECORDING, "r-1", Use.TRAIN, Says.RESERVED, "letter.eml")])
    >>> says = LedgerSays(ledger, Layout("https://music.example", "/tracks/{recording}"), 0, {})
    >>> [(one.where, str(one.stance)) for one in says.at("/tracks/r-1")], says.at("/tracks/r-2")
    ([('letter.eml', 'reserved')], [])
    """

    agents: tuple[str, ...] = ()
    faults: tuple[Fault, ...] = ()

    def __init__(self, ledger: Ledger, layout: Layout, at_us: int, labels: Mapping[str, str]) -> None:
        self._ledger, self._layout, self._at_us, self._labels = ledger, layout, at_us, labels

    @property
    def patterns(self) -> tuple[str, ...]:
        """See ``Channel``."""
        return tuple(self._layout.of(one) + "$" for one in self._ledger.recordings) if self._layout.path else ()

    def at(self, path: str, agent: str = ANYBODY) -> list[Statement]:
        """See ``Channel``."""
        del agent
        recording = self._layout.recording_at(path)
        label = self._labels.get(recording, "")
        held = stances(self._ledger, self._at_us, recording, label)
        said = []
        for use in USES:
            by = self._ledger.decide(Asked(use, self._at_us, recording, label)).by
            if by is not None:
                text = f"{use} {by.says}"
                said.append(Statement("ledger", by.document, text, _DEEDS[use], held[use][0]))
        return said
