"""Does an Envoy do what was printed for it?

What was printed is often put together with what was there before, by hand or by a control plane.  Read is either the
file, or what a live Envoy says of itself on its administration page (``/config_dump``), which is the better question:
it is what holds now.  :func:`riparian.edges.checks.check` asks a live edge from outside, of whatever make.

==================================================  =================================================
looked at                                           or else
==================================================  =================================================
gates are balanced by a ring, with a key            limits are counted as often as there are gates
a question ends within 250 ms; gates that do not    every listener waits for a gate that is frozen
answer are left alone, the last one too
a try may take as long as the question              Envoy ends it after the longest pause between two
only the edge says who asks                         anybody is anybody
one spelling a path                                 a path that fits no route passes
grants are bound, and end when they end             one grant is everybody's; it holds a minute longer
what is let through is marked                       nobody knows of it
==================================================  =================================================
"""

import importlib
import json
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from riparian.edges.checks import SLOWEST_MS, Finding, Weight
from riparian.errors import InputError, OutsideError
from riparian.gate.policy import Mode

Told = Mapping[str, Any]

_TIMEOUT_S: Final = 5.0
_RINGS: Final = frozenset({"RING_HASH", "MAGLEV"})
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})
_HTTP: Final = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"


def check_text(text: str) -> list[Finding]:
    """Check a configuration of Envoy.

    Parameters
    ----------
    text
        A bootstrap, or what ``/config_dump`` says; JSON, or YAML where PyYAML is installed.

    Returns
    -------
    list of Finding
        Nothing where all is well.

    Raises
    ------
    InputError
        When it cannot be read.

    Examples
    --------
    >>> filtered = {"@type": "type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthz",
    ...     "http_service": {"server_uri": {"cluster": "gates", "timeout": "1s"}}}
    >>> [each.found for each in check_text(json.dumps({"filters": [filtered]}))]
    ['a question may take 1000 ms, wanted at most 250', '`gates` is no cluster of this configuration, wanted it here']
    """
    root = _read(text)
    parts = list(_typed(root))
    clusters = {each["name"]: each for each in _clusters(root)}
    asking = [part for kind, part in parts if kind.endswith((".ext_authz.v3.ExtAuthz", ".ratelimit.v3.RateLimit"))]
    found: list[Finding] = []
    for part in asking:
        found += _asking(part)
    for name in sorted({_cluster_of(part) for part in asking} - {""}):
        found += _gates(name, clusters.get(name))
    for kind, part in parts:
        if kind.endswith(".HttpConnectionManager"):
            found += _listener(part, has_gates=bool(asking))
        elif kind.endswith(".jwt_authn.v3.JwtAuthentication"):
            found += _grants(part, is_bound="riparian.binding" in text)
    return list(dict.fromkeys([*found, *_administration(root)]))


def mode_of(text: str) -> Mode | None:
    """Tell by what share of its limits is enforced which mode it was printed for; None where that cannot be told.

    Examples
    --------
    >>> mode_of('{"filters": [{"filter_enforced": {"default_value": {"numerator": 0}}}]}'), mode_of("{}")
    (<Mode.SHADOW: 'shadow'>, None)
    """
    enforced = [part["filter_enforced"] for part in _walk(_read(text)) if "filter_enforced" in part]
    # A 0 is left out where Envoy says it.
    shares = {int(each.get("default_value", {}).get("numerator", 0)) for each in enforced}
    if len(shares) != 1:
        return None
    return Mode.SHADOW if shares == {0} else Mode.ENFORCE


def check_admin(url: str, *, read: Callable[[str], str] | None = None) -> list[Finding]:
    """Check what a live Envoy says of itself: :func:`check_text` of :func:`dumped`."""
    return check_text(dumped(url, read=read))


def dumped(url: str, *, read: Callable[[str], str] | None = None) -> str:
    """Ask a live Envoy for the configuration that holds now.

    Parameters
    ----------
    url
        Its administration page, as in ``http://127.0.0.1:9901``.
    read
        Reads a page; replaced where there is no network.

    Raises
    ------
    OutsideError
        When nothing answers.
    """
    if urlsplit(url).scheme not in {"http", "https"}:
        raise InputError(f"`{url}` is no URL, wanted one as in http://127.0.0.1:9901")
    return (read or _page)(f"{url.rstrip('/')}/config_dump")


def _page(url: str) -> str:
    try:
        with urllib.request.urlopen(url, timeout=_TIMEOUT_S) as answer:  # noqa: S310 -- looked at by who calls
            said: bytes = answer.read()
    except OSError as error:
        hint = "Start Envoy, or name its administration page."
        raise OutsideError(f"`{url}` is out of reach: {error}, wanted an answer", hint=hint) from error
    return said.decode("utf-8", "replace")


def _read(text: str) -> Told:
    try:
        root = json.loads(text) if text.lstrip().startswith("{") else _from_yaml(text)
    except ValueError as error:
        hint = "Look at what `envoy --mode validate` says."
        raise InputError("the configuration is no JSON and no YAML, wanted what Envoy accepts", hint=hint) from error
    if not isinstance(root, dict):
        raise InputError("the configuration is no mapping, wanted a bootstrap of Envoy")
    return root


def _from_yaml(text: str) -> object:
    try:
        yaml = importlib.import_module("yaml")
    except ImportError as error:
        raise InputError(
            "the configuration is YAML and PyYAML is not installed, wanted JSON",
            hint="Check the administration page of a live Envoy, or save its /config_dump and check that.",
        ) from error
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from error


def _walk(part: object) -> Iterator[Told]:
    if isinstance(part, dict):
        yield part
        for each in part.values():
            yield from _walk(each)
    elif isinstance(part, list):
        for each in part:
            yield from _walk(each)


def _typed(root: Told) -> Iterator[tuple[str, Told]]:
    return ((str(part["@type"]), part) for part in _walk(root) if "@type" in part)


def _clusters(root: Told) -> Iterator[Told]:
    return (part for part in _walk(root) if "name" in part and ("load_assignment" in part or "lb_policy" in part))


def _cluster_of(part: Told) -> str:
    grpc = part.get("grpc_service") or part.get("rate_limit_service", {}).get("grpc_service", {})
    http = part.get("http_service", {}).get("server_uri", {})
    return str(http.get("cluster") or grpc.get("envoy_grpc", {}).get("cluster_name", ""))


def _milliseconds(said: object) -> float:
    try:
        return 1000 * float(str(said).removesuffix("s"))
    except ValueError:
        return 0.0


def _asking(part: Told) -> Iterator[Finding]:
    kind = "ext_authz" if "ExtAuthz" in part["@type"] else "ratelimit"
    where = f"{kind} {part.get('stat_prefix', '')}".strip()
    service: Told = part.get("http_service") or part.get("grpc_service") or {}
    timed = dict(service.get("server_uri", service) if kind == "ext_authz" else part)
    takes_ms = _milliseconds(timed.get("timeout", "0.2s" if kind == "ext_authz" else "0.02s"))
    if takes_ms > SLOWEST_MS:
        said = f"a question may take {takes_ms:.0f} ms, wanted at most {SLOWEST_MS}"
        yield Finding(Weight.WRONG, where, said, "Write 0.05s: a gate answers in less than a millisecond.")
    retried = service.get("retry_policy") or service.get("envoy_grpc", {}).get("retry_policy") or {}
    pause = retried.get("retry_back_off", {}).get("max_interval")
    if pause is not None and _milliseconds(pause) < takes_ms:
        said = f"`max_interval` is {pause}, wanted the timeout: Envoy ends a try after it"
        yield Finding(Weight.WRONG, where, said, f"Write max_interval: {takes_ms / 1000:g}s.")
    if part.get("failure_mode_allow") and not part.get("failure_mode_allow_header_add"):
        said = "what is let through is not marked, wanted `failure_mode_allow_header_add: true`"
        yield Finding(Weight.DOUBTFUL, where, said, "Add it, so that the log and the origin know.")


def _gates(name: str, cluster: Told | None) -> Iterator[Finding]:
    where = f"cluster {name}"
    if cluster is None:
        said = f"`{name}` is no cluster of this configuration, wanted it here"
        yield Finding(Weight.DOUBTFUL, where, said, "Check what /config_dump says, where clusters come from elsewhere.")
        return
    n_gates = sum("endpoint" in part for part in _walk(cluster.get("load_assignment", {})))
    policy = str(cluster.get("lb_policy", "ROUND_ROBIN"))
    options = cluster.get("typed_extension_protocol_options", {}).get(_HTTP, {})
    if n_gates > 1 and policy not in _RINGS:
        said = f"`{name}` is balanced {policy.lower().replace('_', ' ')}, wanted RING_HASH by account"
        yield Finding(Weight.WRONG, where, said, "Print it again, and keep lb_policy and hash_policy together.")
    elif n_gates > 1 and not options.get("hash_policy"):
        said = f"`{name}` is a ring without a key, wanted `hash_policy` by account: gates are met by chance"
        yield Finding(Weight.WRONG, where, said, "Add hash_policy to its HttpProtocolOptions; needs Envoy 1.37.")
    common = cluster.get("common_lb_config", {})
    panic = common.get("healthy_panic_threshold", {"value": 50})
    is_patient = float(panic.get("value", 0)) > 0  # a 0 is left out where Envoy says it
    if "outlier_detection" not in cluster or is_patient:
        said = "gates that do not answer are asked all the same, wanted them left alone, the last one too"
        hint = "Add outlier_detection, and healthy_panic_threshold: {value: 0} to common_lb_config."
        yield Finding(Weight.DOUBTFUL, where, said, hint)
    elif common.get("update_merge_window") is None or _milliseconds(common["update_merge_window"]) > 0:
        said = "a second gate that fails within a second is left alone only then, wanted `update_merge_window: 0s`"
        yield Finding(Weight.DOUBTFUL, where, said, "Add it to common_lb_config.")


def _listener(manager: Told, *, has_gates: bool) -> Iterator[Finding]:
    where = f"listener {manager.get('stat_prefix', '')}".strip()
    if not has_gates:
        return
    wanted = {"normalize_path": True, "merge_slashes": True}
    missing = [name for name, value in wanted.items() if manager.get(name) is not value]
    slashes = manager.get("path_with_escaped_slashes_action", "KEEP_UNCHANGED")
    if slashes in {"KEEP_UNCHANGED", "IMPLEMENTATION_SPECIFIC_DEFAULT"}:
        missing.append("path_with_escaped_slashes_action")
    if missing:
        said = f"{' and '.join(f'`{name}`' for name in missing)} missing, wanted one spelling a path"
        yield Finding(Weight.WRONG, where, said, "Copy the lines under `One spelling a path` as they were printed.")
    removed = {part.get("remove") for part in _walk(manager.get("early_header_mutation_extensions", []))}
    if "x-riparian-account" not in removed:
        said = "whoever asks may say `X-Riparian-Account`, wanted it taken off before anything looks at it"
        yield Finding(Weight.WRONG, where, said, "Copy early_header_mutation_extensions as it was printed.")


def _grants(filtered: Told, *, is_bound: bool) -> Iterator[Finding]:
    for name, provider in filtered.get("providers", {}).items():
        if provider.get("issuer") != "riparian":
            continue
        where = f"jwt_authn {name}"
        if not is_bound:
            said = "grants are verified and not bound, wanted `riparian.binding` behind: one grant is everybody's"
            yield Finding(Weight.WRONG, where, said, "Copy that filter, and its line in the routes of media.")
        if not provider.get("clock_skew_seconds"):
            said = "grants hold 60 seconds longer than they say, wanted `clock_skew_seconds`"
            yield Finding(Weight.WRONG, where, said, "Write clock_skew_seconds: 1, or more; 0 is Envoy's own 60.")


def _administration(root: Told) -> Iterator[Finding]:
    for part in _walk(root):
        admin = part.get("admin")
        socket = admin.get("address", {}).get("socket_address", {}) if isinstance(admin, dict) else {}
        if socket and socket.get("address") not in _LOOPBACK:
            said = f"the administration page listens on `{socket.get('address')}`, wanted 127.0.0.1"
            yield Finding(
                Weight.DOUBTFUL, "admin", said, "It shows the keys of grants, and stops Envoy for whoever asks."
            )
