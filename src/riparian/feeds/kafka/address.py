"""Where is a log in partitions, and how is it read?

::

    kafka://host:9092,other:9092/topic?group=NAME&partitions=0-3,7&lost=skip&settings=FILE.toml

``group``       workers of this name share the partitions out among themselves; else the workspace names the group
``partitions``  this worker reads those, and no group is asked
``every``       seconds between two scans; 10 unless said otherwise
``idle``        a partition that was read to its end and is silent for so many seconds holds nobody back; 60
``lost``        ``skip``: what the topic no longer holds is counted as rejected, and reading goes on behind it
``settings``    a flat TOML of what librdkafka is told besides: TLS, SASL, and whatever your brokers want
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

from riparian.errors import InputError, PolicyError

SCHEME: Final = "kafka://"
PARTITIONS_MAX: Final = 100_000
_TOPIC: Final = re.compile(r"[A-Za-z0-9._-]{1,249}")
_BROKER: Final = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:[0-9]{1,5})?")
_SPAN: Final = re.compile(r"([0-9]{1,6})(?:-([0-9]{1,6}))?")
_NUMBER: Final = re.compile(r"[0-9]{1,6}(\.[0-9]{1,3})?")
_OURS: Final = ("bootstrap.servers", "group.id", "enable.auto.commit", "enable.auto.offset.store", "auto.offset.reset")
_HINT: Final = "Write kafka://host:9092/topic, for one."


@dataclass(frozen=True, slots=True)
class Address:
    """A topic, and how it is read.

    Parameters
    ----------
    brokers
        Hosts and ports, any of which knows the others.
    topic
        Its name.
    partitions
        Those that are read; None where a group shares them out, or all are read.
    group
        Its name; empty where the workspace names it.
    skips_lost
        Whether reading goes on behind what the topic no longer holds.
    every_s, idle_s
        Between two scans; and after how long a partition that is silent holds nobody back.
    settings
        What librdkafka is told besides.
    """

    brokers: str
    topic: str
    partitions: tuple[int, ...] | None = None
    group: str = ""
    skips_lost: bool = False
    every_s: float = 10.0
    idle_s: float = 60.0
    settings: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def name(self) -> str:
        """How people are told of it."""
        return f"{SCHEME}{self.brokers}/{self.topic}"

    def log(self, partition: int) -> str:
        """Name one partition for ever: brokers may move, the topic stays."""
        return f"kafka:{self.topic}/{partition}"


def is_address(source: str) -> bool:
    """Say whether a source is a log in partitions."""
    return source.startswith(SCHEME)


def address_of(source: str) -> Address:
    """Read an address.

    Raises
    ------
    InputError
        When it is none.
    PolicyError
        When the settings cannot be used.

    Examples
    --------
    >>> address = address_of("kafka://one:9092,two/plays?partitions=0-2,5&lost=skip")
    >>> address.brokers, address.topic, address.partitions, address.skips_lost
    ('one:9092,two', 'plays', (0, 1, 2, 5), True)
    """
    parts = urlsplit(source)
    topic = unquote(parts.path.removeprefix("/"))
    brokers = parts.netloc
    if not brokers or not all(_BROKER.fullmatch(each) for each in brokers.split(",")):
        raise InputError(f"`{source}` names no broker, wanted kafka://host:9092/topic", hint=_HINT)
    if not _TOPIC.fullmatch(topic) or topic in {".", ".."} or parts.fragment:
        raise InputError(f"`{topic}` is no name of a topic, wanted letters, digits, `.`, `_` and `-`", hint=_HINT)
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    wrong = sorted(set(options) - {"group", "partitions", "every", "idle", "lost", "settings"})
    if wrong or len(options) != len(parse_qsl(parts.query, keep_blank_values=True)):
        raise InputError(
            f"`{(wrong or [parts.query])[0]}` says nothing about a topic, or is said twice,"
            " wanted group, partitions, every, idle, lost or settings, once each",
            hint="Write kafka://host:9092/topic?partitions=0-3, for one.",
        )
    if options.get("lost", "skip") != "skip":
        raise InputError(f"`lost={options['lost']}`, wanted lost=skip or nothing", hint="Leave it out to be stopped.")
    return Address(
        brokers,
        topic,
        _partitions(options["partitions"]) if "partitions" in options else None,
        options.get("group", ""),
        "lost" in options,
        _seconds("every", options.get("every", "10")),
        _seconds("idle", options.get("idle", "60")),
        _settings(Path(options["settings"])) if "settings" in options else {},
    )


def _partitions(said: str) -> tuple[int, ...]:
    chosen: set[int] = set()
    for part in said.split(","):
        span = _SPAN.fullmatch(part)
        first, last = (int(span[1]), int(span[2] or span[1])) if span else (1, 0)
        if not first <= last < PARTITIONS_MAX:
            raise InputError(f"`partitions={said}`, wanted numbers as in 0-3,7", hint="Count partitions from 0.")
        chosen.update(range(first, last + 1))
    return tuple(sorted(chosen))


def _seconds(name: str, said: str) -> float:
    if not _NUMBER.fullmatch(said):
        raise InputError(f"`{name}={said}`, wanted seconds, as in 2.5", hint="Leave it out to have what is usual.")
    return float(said)


def _settings(file: Path) -> dict[str, str]:
    try:
        said = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise PolicyError(
            f"`{file}` cannot be read as TOML: {error}", hint="Correct the file that settings= names."
        ) from error
    for name, value in said.items():
        if not isinstance(value, str | int | float):
            raise PolicyError(f'`{name}` in `{file}` is no single value, wanted "name" = "value"')
        if name in _OURS:
            raise PolicyError(
                f"`{name}` in `{file}` is not yours to set, wanted settings of connections",
                hint="The address names brokers and group; offsets are kept in the workspace.",
            )
    return {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in said.items()}
