"""Where is an address? Asked of the operator's own database, offline, before the address becomes a pseudonym.

Databases in MaxMind's format come from several makers, with other names for the same things; what is known of an
address is taken together from all that were given, the first that knows a thing.  Addresses of data centres, anonymous
proxies and private networks are nobody's whereabouts: they come without a place and without a country.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import maxminddb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from riparian.errors import InputError

_KNOWN_MAX: Final = 1 << 20
"""Addresses that are remembered; when there are more, they are forgotten and asked for again."""
_HIDDEN: Final = (
    "is_anonymous",
    "is_anonymous_proxy",
    "is_anonymous_vpn",
    "is_hosting_provider",
    "is_public_proxy",
    "is_residential_proxy",
    "is_tor_exit_node",
)
_HIDDEN_TYPES: Final = ("hosting", "content_delivery_network", "search_engine_spider")


class Spot(NamedTuple):
    """Where an address is: degrees, not a number when unknown; country packed as in ``ACCESS``, 0 when unknown."""

    lat: float = math.nan
    lon: float = math.nan
    country: int = 0


NOWHERE: Final = Spot()


class Spots(NamedTuple):
    """Where addresses are, as columns of ``ACCESS``."""

    lat: npt.NDArray[np.float32]
    lon: npt.NDArray[np.float32]
    country: npt.NDArray[np.uint16]


@dataclass(slots=True)
class Geography:
    """Open databases, and what was asked of them."""

    readers: Sequence[maxminddb.Reader]
    known: dict[str, Spot] = field(default_factory=dict)

    @classmethod
    def opened(cls, paths: Sequence[str]) -> "Geography":
        """Open databases.

        Raises
        ------
        InputError
            When one does not exist or is no such database.
        """
        return cls([_reader(path) for path in paths])

    def spot(self, address: str) -> Spot:
        """Tell where one address is; whatever is no address is nowhere."""
        if address not in self.known:
            if len(self.known) >= _KNOWN_MAX:
                self.known.clear()
            self.known[address] = self._asked(address)
        return self.known[address]

    def spots(self, addresses: pa.ChunkedArray) -> Spots:
        """Tell where the addresses of a column are."""
        values = addresses.combine_chunks()
        values = values if pa.types.is_dictionary(values.type) else values.dictionary_encode()
        words = values.dictionary.to_pylist()
        told = [NOWHERE if word is None else self.spot(str(word)) for word in words]
        told.append(NOWHERE)
        at = values.indices.fill_null(len(words)).to_numpy()
        lat, lon, country = (np.array(column) for column in zip(*told, strict=True))
        return Spots(lat.astype(np.float32)[at], lon.astype(np.float32)[at], country.astype(np.uint16)[at])

    def _asked(self, address: str) -> Spot:
        spot = NOWHERE
        for reader in self.readers:
            try:
                found = reader.get(address)
            except ValueError:
                # Neither form of address, or one of version 6 where the database holds version 4 alone.
                continue
            if not isinstance(found, dict):
                continue
            if _is_hidden(found):
                return NOWHERE
            spot = _joined(spot, _spot_of(found))
        return spot


def _reader(path: str) -> maxminddb.Reader:
    try:
        return maxminddb.open_database(path)
    except OSError as error:
        raise InputError(
            f"`{path}` cannot be read: {error.strerror}, wanted a database of addresses", hint="Correct --places."
        ) from error
    except (maxminddb.InvalidDatabaseError, ValueError) as error:
        raise InputError(
            f"`{path}` is no database in MaxMind's format, wanted one", hint="Give a file that ends in .mmdb."
        ) from error


def _is_hidden(found: Mapping[str, Any]) -> bool:
    traits = found.get("traits")
    both = (found, traits if isinstance(traits, dict) else {})
    return any(one.get(name) in (True, "true") for one in both for name in _HIDDEN) or any(
        one.get(name) in _HIDDEN_TYPES for one in both for name in ("user_type", "type", "as_type")
    )


def _spot_of(found: Mapping[str, Any]) -> Spot:
    location = found.get("location")
    place = location if isinstance(location, dict) else found
    lat = _degrees(place.get("latitude", place.get("lat")), 90.0)
    lon = _degrees(place.get("longitude", place.get("lng", place.get("lon"))), 180.0)
    if math.isnan(lat) or math.isnan(lon):
        lat = lon = math.nan
    country = found.get("country", found.get("registered_country", ""))
    code = country.get("iso_code", "") if isinstance(country, dict) else found.get("country_code", country)
    return Spot(lat, lon, _packed(str(code)))


def _degrees(value: object, most: float) -> float:
    try:
        degrees = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return math.nan
    return degrees if abs(degrees) <= most else math.nan


def _packed(code: str) -> int:
    if len(code) != 2 or not (code.isascii() and code.isalpha()):
        return 0
    return ord(code[0].upper()) << 8 | ord(code[1].upper())


def _joined(one: Spot, other: Spot) -> Spot:
    lat, lon = (other.lat, other.lon) if math.isnan(one.lat) else (one.lat, one.lon)
    return Spot(lat, lon, one.country or other.country)
