"""Cities of the world, and the networks in them: what whereabouts are drawn from.

The first countries are those of the catalogue's markets, with cities in the one time zone that listeners of that
country live in; the others are where people travel to, and where private networks and proxies come out.
"""

from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from riparian.sim.holdings import COUNTRIES
from riparian.sim.register import hex_ids, scattered

CITY: Final = np.dtype([("country", "i8"), ("lat", "f8"), ("lon", "f8")])
"""One city: index into :data:`LANDS`, degrees north and east."""

_AT_HOME: Final = {
    "US": ((41.9, -87.6), (32.8, -96.8), (29.8, -95.4), (45.0, -93.3), (38.6, -90.2), (39.1, -94.6)),
    "GB": ((51.5, -0.1), (53.5, -2.2), (52.5, -1.9), (55.9, -4.3), (53.8, -1.5), (51.5, -2.6)),
    "DE": ((52.5, 13.4), (53.6, 10.0), (48.1, 11.6), (50.9, 7.0), (50.1, 8.7), (51.3, 12.4)),
    "BR": ((-23.5, -46.6), (-22.9, -43.2), (-19.9, -43.9), (-30.0, -51.2), (-25.4, -49.3), (-15.8, -47.9)),
    "JP": ((35.7, 139.7), (34.7, 135.5), (35.2, 136.9), (43.1, 141.4), (33.6, 130.4), (38.3, 140.9)),
    "IN": ((19.1, 72.9), (28.6, 77.2), (13.0, 77.6), (13.1, 80.3), (17.4, 78.5), (23.0, 72.6)),
    "MX": ((19.4, -99.1), (20.7, -103.4), (25.7, -100.3), (19.0, -98.2), (21.1, -101.7), (20.6, -100.4)),
    "SE": ((59.3, 18.1), (57.7, 12.0), (55.6, 13.0), (59.9, 17.6), (58.4, 15.6), (59.3, 15.2)),
}
_ABROAD: Final = {
    "FR": (48.9, 2.4), "ES": (40.4, -3.7), "IT": (41.9, 12.5), "NL": (52.4, 4.9), "CH": (47.4, 8.5),
    "AT": (48.2, 16.4), "PL": (52.2, 21.0), "CZ": (50.1, 14.4), "DK": (55.7, 12.6), "NO": (59.9, 10.8),
    "FI": (60.2, 24.9), "PT": (38.7, -9.1), "IE": (53.3, -6.3), "GR": (38.0, 23.7), "TR": (41.0, 29.0),
    "RO": (44.4, 26.1), "HU": (47.5, 19.0), "BG": (42.7, 23.3), "UA": (50.5, 30.5), "RS": (44.8, 20.5),
    "EG": (30.0, 31.2), "MA": (33.6, -7.6), "ZA": (-26.2, 28.0), "KE": (-1.3, 36.8), "NG": (6.5, 3.4),
    "AE": (25.2, 55.3), "IL": (32.1, 34.8), "SA": (24.7, 46.7), "PK": (24.9, 67.0), "BD": (23.8, 90.4),
    "TH": (13.8, 100.5), "VN": (10.8, 106.7), "SG": (1.4, 103.8), "ID": (-6.2, 106.8), "PH": (14.6, 121.0),
    "MY": (3.1, 101.7), "KR": (37.6, 127.0), "TW": (25.0, 121.6), "HK": (22.3, 114.2), "AU": (-33.9, 151.2),
    "NZ": (-36.8, 174.8), "CA": (43.7, -79.4), "AR": (-34.6, -58.4), "CL": (-33.4, -70.7), "CO": (4.7, -74.1),
    "PE": (-12.0, -77.0), "CR": (9.9, -84.1), "DO": (18.5, -69.9),
}  # fmt: skip

LANDS: Final = (*COUNTRIES, *_ABROAD)
"""Countries by index; the first are ``COUNTRIES``."""
CITIES_EACH: Final = 6
"""Cities of each country of ``COUNTRIES``; they come first, country after country."""
CITIES: Final[npt.NDArray[np.void]] = np.array(
    [(i, *at) for i, land in enumerate(COUNTRIES) for at in _AT_HOME[land]]
    + [(len(COUNTRIES) + i, *at) for i, at in enumerate(_ABROAD.values())],
    CITY,
)

HOME, OFFICE, CAMPUS, CAFE, CARRIER, HOTEL, AIRLINE, EXIT, PROXY = range(9)
"""Kinds of network."""
MANY: Final = {OFFICE: 1, CAMPUS: 1, CAFE: 5, CARRIER: 2, HOTEL: 8, AIRLINE: 1, EXIT: 1}
"""Networks of each kind in a city; each is one address, whoever is behind it."""
PROXIES: Final = 16_384
"""Homes that proxies come out of, in towns that have any."""


def first_networks(homes: int) -> npt.NDArray[np.int64]:
    """Tell the index of the first network of each kind: homes first, then kind after kind, city after city.

    Examples
    --------
    >>> first_networks(10)[[HOME, OFFICE, CAMPUS]].tolist()
    [0, 10, 106]
    """
    sizes = [homes, *(len(CITIES) * MANY[kind] for kind in (OFFICE, CAMPUS, CAFE, CARRIER, HOTEL, AIRLINE, EXIT))]
    return np.cumsum([0, *sizes], dtype=np.int64)


def addresses(seed: int, homes: npt.NDArray[np.int64], *, proxies: bool) -> pa.Array:
    """Write the address of every network, from the range that is kept for documentation.

    Parameters
    ----------
    homes
        A number for each home that no other home has.
    proxies
        Whether the town has any.

    Examples
    --------
    >>> addresses(1, np.array([3, 9]), proxies=False)[1].as_py().startswith("2001:db8:")
    True
    """
    others = first_networks(0)[-1]
    number = [homes.astype(np.uint64), np.arange(others, dtype=np.uint64) + np.uint64(1 << 50)]
    if proxies:
        number.append(np.arange(PROXIES, dtype=np.uint64) + np.uint64(1 << 51))
    digits = hex_ids("", scattered(np.concatenate(number) + np.uint64(1 << 52), seed))
    groups = [pc.utf8_slice_codeunits(digits, i, i + 4) for i in range(0, 16, 4)]
    return pc.binary_join_element_wise("2001:db8", *groups, ":1", ":")
