"""Do a configuration, the policy, ``edge.toml`` and the folder that it runs in agree?

:mod:`riparian.edges.checks` and :mod:`riparian.edges.envoy_checks` read a configuration alone.  What is right by itself
may still be wrong here: printed in shadow, and the policy enforces since.

Rules
-----
* A mode that cannot be told from the text, for somebody wrote it anew, is no finding.
* Whether nginx's workers may write is looked at only where it is known who they are: from a master that runs, by the
  file that ``pid`` names, or else from ``user`` where whoever looks is root, who alone can change to another user.
"""

import os
import pwd
import re
import stat
from pathlib import Path
from typing import Final

from riparian.edges.checks import Finding, Weight
from riparian.gate.policy import Mode, Policy
from riparian.gate.routes import Edge

_AGAIN: Final = "Print it again with `riparian edge {make}`, and load it anew."
_PLACES: Final = re.compile(r"location\s+@riparian_(would|late)\b")
_USER: Final = re.compile(r"^\s*user\s+([^\s;]+)", re.MULTILINE)
_PID: Final = re.compile(r"^\s*pid\s+([^\s;]+)\s*;", re.MULTILINE)
_STATE: Final = re.compile(r"^\s*js_shared_dict_zone\s[^;]*zone=riparian_verdicts:[^;]*\sstate=([^\s;]+)", re.MULTILINE)


def nginx_mode(text: str) -> Mode | None:
    """Tell the mode that a configuration of nginx was printed for; None where that cannot be told.

    Examples
    --------
    >>> nginx_mode("location @riparian_late { }"), nginx_mode("location / { }")
    (<Mode.ENFORCE: 'enforce'>, None)
    """
    lines = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    places = set(_PLACES.findall(lines))
    if len(places) != 1:
        return None
    return Mode.SHADOW if places == {"would"} else Mode.ENFORCE


def check_mode(where: str, make: str, printed: Mode | None, policy: Policy) -> list[Finding]:
    """Compare the mode that something was printed for with that of the policy.

    Parameters
    ----------
    where
        What was read.
    make
        ``nginx`` or ``envoy``.
    printed
        The mode; None where it cannot be told.
    policy
        As it stands now.
    """
    if printed is None or printed is policy.mode:
        return []
    does = "refuses nobody" if printed is Mode.SHADOW else "refuses listeners"
    found = f"it was printed for `{printed}` and {does}, and the policy says `{policy.mode}`"
    return [Finding(Weight.WRONG, where, found, _AGAIN.format(make=make))]


def check_push(edge: Edge, policy: Policy) -> list[Finding]:
    """See whether an edge that holds the list of restraints itself is told of them."""
    if edge.push or policy.mode is not Mode.ENFORCE:
        return []
    found = "`push` names no edge and the policy enforces: its list of restraints stays empty, wanted its URL there"
    hint = f'Write push = ["http://{edge.listen}"], or where else it listens, and begin `riparian serve` again.'
    return [Finding(Weight.DOUBTFUL, "edge.toml", found, hint)]


def no_edge(workspace: Path) -> Finding:
    """Say that there is no ``edge.toml`` to compare with."""
    found = f"there is none in `{workspace}`: whether routes, gates and `push` are as wanted was not looked at"
    return Finding(
        Weight.DOUBTFUL,
        "edge.toml",
        found,
        f"Name the workspace with -w, or write one: riparian edge init -w {workspace}",
    )


def check_written(file: Path, text: str) -> list[Finding]:
    """See whether nginx's workers may write the list of restraints down, so that it outlives a restart.

    Parameters
    ----------
    file
        The configuration, in the folder that nginx is started in (``-p``).
    text
        What stands there.
    """
    state, worker = _STATE.search(text), _worker(file.parent, text)
    if state is None or worker is None:
        return []
    name, uid, groups = worker
    folder = (file.parent / state[1]).resolve().parent
    if uid == 0 or _may_write(folder, uid, groups):
        return []
    found = f"nginx's workers are `{name}`, who cannot write `{state[1]}` there: a restart forgets who is restrained"
    return [Finding(Weight.DOUBTFUL, str(folder), found, f"Give them the folder: chown {name} {folder}")]


def _worker(folder: Path, text: str) -> tuple[str, int, frozenset[int]] | None:
    """Name who nginx's workers are, with their user and groups; None where that is not known."""
    living = _living(folder, text)
    if living is not None:
        return living
    said = _USER.search(text)
    if said is None or os.geteuid() != 0:
        return None
    try:
        known = pwd.getpwnam(said[1])
    except KeyError:
        return None
    return known.pw_name, known.pw_uid, frozenset(os.getgrouplist(known.pw_name, known.pw_gid))


def _living(folder: Path, text: str) -> tuple[str, int, frozenset[int]] | None:
    named = _PID.search(text)
    try:
        pid = int((folder / (named[1] if named else "nginx.pid")).read_text(encoding="ascii"))
        child = int(Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()[0])
        lines = Path(f"/proc/{child}/status").read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError, IndexError):
        return None
    said = dict(line.split(":", 1) for line in lines if ":" in line)
    uid, gid = int(said["Uid"].split()[1]), int(said["Gid"].split()[1])
    try:
        name = pwd.getpwuid(uid).pw_name
    except KeyError:
        name = str(uid)
    return name, uid, frozenset({gid, *map(int, said["Groups"].split())})


def _may_write(folder: Path, uid: int, groups: frozenset[int]) -> bool:
    return all(_may(each, uid, groups, stat.S_IXOTH) for each in folder.parents) and _may(
        folder, uid, groups, stat.S_IWOTH | stat.S_IXOTH
    )


def _may(folder: Path, uid: int, groups: frozenset[int], wanted: int) -> bool:
    try:
        found = folder.stat()
    except OSError:
        return False
    shift = 6 if found.st_uid == uid else 3 if found.st_gid in groups else 0
    return (found.st_mode >> shift) & wanted == wanted
