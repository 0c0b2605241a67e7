"""A small writer of databases in MaxMind's format, so that the tests need nobody's data.

Source
------
MaxMind DB File Format Specification, version 2.0.
"""

import ipaddress
import struct
from collections.abc import Mapping
from pathlib import Path

MARKER = b"\xab\xcd\xefMaxMind.com"
RECORD_BITS = 24
SEPARATOR = 16
KINDS = {"node_count": 6, "build_epoch": 9}
"""Whole numbers about the database that are not of 16 bits."""


def write_mmdb(path: Path, networks: Mapping[str, object]) -> Path:
    """Write a database of version 6 addresses; those of version 4 lie at its beginning.

    Parameters
    ----------
    networks
        Address range to what is known of it.
    """
    nodes: list[list[int | None]] = [[None, None]]
    data = b""
    offsets: list[int] = []
    for text, record in networks.items():
        network = ipaddress.ip_network(text)
        shift = 96 if network.version == 4 else 0
        bits = f"{int(network.network_address):0128b}"[: network.prefixlen + shift]
        node = 0
        for bit in bits[:-1]:
            child = nodes[node][int(bit)]
            if child is None:
                nodes.append([None, None])
                child = len(nodes) - 1
                nodes[node][int(bit)] = child
            node = child
        nodes[node][int(bits[-1])] = -1 - len(offsets)
        offsets.append(len(data))
        data += field(record)
    tree = b"".join(_record(child, len(nodes), offsets) for node in nodes for child in node)
    about = {
        "binary_format_major_version": 2,
        "binary_format_minor_version": 0,
        "build_epoch": 1_772_409_600,
        "database_type": "test",
        "description": {"en": "test"},
        "ip_version": 6,
        "languages": ["en"],
        "node_count": len(nodes),
        "record_size": RECORD_BITS,
    }
    told = b"".join(field(name) + field(value, KINDS.get(name, 5)) for name, value in about.items())
    path.write_bytes(tree + bytes(SEPARATOR) + data + MARKER + _control(7, len(about)) + told)
    return path


def _record(child: int | None, n_nodes: int, offsets: list[int]) -> bytes:
    if child is None:
        return n_nodes.to_bytes(3, "big")
    return (child if child >= 0 else n_nodes + SEPARATOR + offsets[-1 - child]).to_bytes(3, "big")


def field(value: object, kind: int = 6) -> bytes:
    """Write one value; ``kind`` is that of whole numbers."""
    if isinstance(value, bool):
        return _control(14, int(value))
    if isinstance(value, Mapping):
        return _control(7, len(value)) + b"".join(field(k) + field(v) for k, v in value.items())
    if isinstance(value, list):
        return _control(11, len(value)) + b"".join(map(field, value))
    if isinstance(value, str):
        return _control(2, len(value.encode())) + value.encode()
    if isinstance(value, float):
        return _control(3, 8) + struct.pack(">d", value)
    assert isinstance(value, int)
    number = value.to_bytes(4, "big").lstrip(b"\0")
    return _control(kind, len(number)) + number


def _control(kind: int, size: int) -> bytes:
    assert size < 29
    return bytes([kind << 5 | size]) if kind <= 7 else bytes([size, kind - 7])
