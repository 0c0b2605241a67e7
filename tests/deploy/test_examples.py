"""The examples of deployment start what there is, as it is started, and look where there is something to see.

Every command is read by the verb that it names, every port is one that something listens at, every file that is named
is there or is mounted, and nothing runs with more than it needs.
"""

import json
import re
import shlex
import shutil
import subprocess
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from docs import generate
from riparian.edges.health import Health
from riparian.gate.policy import parse_policy
from riparian.gate.routes import parse_edge

DEPLOY = Path("deploy")
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
COMPOSE = DEPLOY / "compose" / "compose.yml"
KUBERNETES = DEPLOY / "kubernetes"
SCRAPED = sorted([DEPLOY / "prometheus" / "prometheus.yml", DEPLOY / "compose" / "prometheus.yml"])
DOCKERFILE = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
UID = 10_001
STARTS = re.compile(r"(?:^|exec )(?:/opt/riparian/bin/)?riparian (?P<rest>.*?)(?:'|$)")


def unit(path: Path) -> dict[str, list[str]]:
    """Read a unit: settings by section and name, in their order."""
    found: dict[str, list[str]] = {}
    section = ""
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        elif line and not line.startswith("#"):
            name, equals, value = line.partition("=")
            assert equals, f"{path}: {line}"
            found.setdefault(f"{section}.{name}", []).append(value)
    return found


def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))
    return loaded


def objects() -> list[dict[str, Any]]:
    """List every Kubernetes object that kustomization.yaml names."""
    listed = yaml.safe_load((KUBERNETES / "kustomization.yaml").read_text(encoding="utf-8"))["resources"]
    assert sorted([*listed, "kustomization.yaml"]) == sorted(path.name for path in KUBERNETES.iterdir())
    return [one for name in listed for one in yaml.safe_load_all((KUBERNETES / name).read_text(encoding="utf-8"))]


def pods() -> list[tuple[str, dict[str, Any], dict[str, str]]]:
    """List what pods are of: name, specification, labels."""
    found = []
    for one in objects():
        spec = one.get("spec", {})
        template = spec.get("jobTemplate", {}).get("spec", spec).get("template")
        if template:
            found.append((one["metadata"]["name"], template["spec"], template["metadata"]["labels"]))
    return found


def containers() -> list[tuple[str, dict[str, Any]]]:
    return [(f"{name}/{each['name']}", each) for name, spec, _ in pods() for each in spec["containers"]]


def words_of(container: dict[str, Any]) -> list[str]:
    """Give the words after `riparian` that a container of Kubernetes or compose starts it with."""
    shell = container.get("entrypoint") or container.get("command")
    given = container.get("args") or container.get("command")
    assert given
    if shell and shell[0] == "/bin/sh":
        return in_shell(given[0])
    return [str(word) for word in given]


def in_shell(command: str) -> list[str]:
    found = STARTS.search(command)
    assert found is not None, command
    return shlex.split(found["rest"].replace("$$(", "$("))


def started() -> Iterator[tuple[str, list[str]]]:
    for path in UNITS:
        for n, command in enumerate(unit(path)["Service.ExecStart"]):
            yield f"{path.name} {n}", in_shell(command)
    for name, service in compose()["services"].items():
        if service["image"].startswith("riparian:"):
            yield f"compose {name}", words_of(service)
    for name, container in containers():
        yield f"kubernetes {name}", words_of(container)


COMMANDS = dict(started())


def options(words: list[str]) -> dict[str, Any]:
    """Read a command as its verb reads it."""
    verbs = {" ".join(path): verb for path, verb in generate.commands()}
    verb = verbs[f"riparian {words[0]}"]
    return dict(verb.make_context(words[0], words[1:]).params)


def ports(words: list[str]) -> set[int]:
    """Tell where a command listens."""
    said = options(words)
    found: set[int] = set()
    gates = said.get("workers") or 1
    if said.get("listen"):
        first = int(said["listen"].rpartition(":")[2])
        found |= {first + n for n in range(gates if words[0] == "serve" else 1)}
    if words[0] == "serve" and not said.get("listen"):
        found.add(9101)
    if said.get("control"):
        first = int(said["control"].rpartition(":")[2])
        found |= {first + n for n in range(1 + gates if words[0] == "serve" else 1)}
    return found


# --- what all of them start ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_read_by_its_verb(name: str) -> None:
    said = options(COMMANDS[name])
    assert str(said["workspace"]) == "/var/lib/riparian" or said.get("only_check")


def test_what_stays_logs_for_programs_and_has_an_address_for_monitors() -> None:
    stays = {name: words for name, words in COMMANDS.items() if words[0] in {"serve", "console"}}
    assert len(stays) == 6
    for name, words in stays.items():
        said = options(words)
        assert (str(said["log"]), bool(said["control"])) == ("json", True), name


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_monitors_ask_for_pages_that_there_are(path: str) -> None:
    health = Health("127.0.0.1", 0)
    try:
        assert health.answer(path)[0] != 404
        assert health.answer("/health")[0] == 404
    finally:
        health.close()


def test_the_image_has_what_is_copied_into_it_and_runs_as_nobody() -> None:
    copied = [word for line in re.findall(r"^COPY (?!--)(.+) \S+$", DOCKERFILE, re.MULTILINE) for word in line.split()]
    assert [name for name in copied if not Path(name).exists()] == []
    assert f"USER {UID}:{UID}" in DOCKERFILE
    assert "--require-hashes" in DOCKERFILE
    version = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    assert f"riparian:{version}" in DOCKERFILE
    assert {s["image"] for s in compose()["services"].values() if "riparian" in s["image"]} == {f"riparian:{version}"}
    pinned = yaml.safe_load((KUBERNETES / "kustomization.yaml").read_text(encoding="utf-8"))["images"]
    assert pinned == [{"name": "riparian", "newTag": version}]


@pytest.mark.parametrize("path", SCRAPED, ids=str)
def test_prometheus_asks_where_something_listens(path: Path) -> None:
    said = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert said["rule_files"] == ["riparian.rules.yml"]
    asked = {
        job["job_name"]: {int(at.rpartition(":")[2]) for each in job["static_configs"] for at in each["targets"]}
        for job in said["scrape_configs"]
    }
    of = "compose" if "compose" in str(path) else "riparian-"
    serve, console = (
        next(words for name, words in COMMANDS.items() if name.startswith(of) and words[0] == verb)
        for verb in ("serve", "console")
    )
    assert asked.keys() == {"riparian-serve", "riparian-gate", "riparian-console"}
    control = int(options(serve)["control"].rpartition(":")[2])
    assert asked["riparian-serve"] == {control}
    assert asked["riparian-gate"] == {port for port in ports(serve) if port > control}
    assert asked["riparian-console"] == ports(console) - {8099}


# --- systemd -------------------------------------------------------------------------------------------------------

LEAST = {
    "User": "riparian", "NoNewPrivileges": "yes", "ProtectSystem": "strict", "ProtectHome": "yes", "PrivateTmp": "yes",
    "PrivateDevices": "yes", "CapabilityBoundingSet": "", "RestrictNamespaces": "yes", "LockPersonality": "yes",
    "ProtectKernelTunables": "yes", "ProtectControlGroups": "yes", "SystemCallArchitectures": "native",
    "RestrictSUIDSGID": "yes", "UMask": "0077", "StateDirectoryMode": "0700", "IPAddressDeny": "any",
}  # fmt: skip


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.stem)
def test_a_unit_may_do_no_more_than_it_needs(path: Path) -> None:
    said = unit(path)
    assert {name: said[f"Service.{name}"] for name in LEAST} == {name: [value] for name, value in LEAST.items()}
    assert said["Service.SystemCallFilter"] == ["@system-service", "~@privileged"]
    wait = said.get("Service.TimeoutStopSec")
    assert wait is None or int(wait[0]) > 30, "it is killed before it has ended in order"


@pytest.mark.parametrize("path", sorted((DEPLOY / "systemd").glob("*.timer")), ids=lambda path: path.stem)
def test_a_timer_has_a_unit_to_begin(path: Path) -> None:
    assert path.with_suffix(".service") in UNITS
    assert unit(path)["Timer.OnCalendar"]


def test_systemd_takes_the_units_where_it_is_there(tmp_path: Path) -> None:
    tool = shutil.which("systemd-analyze")
    for path in [*UNITS, *(DEPLOY / "systemd").glob("*.timer")]:
        text = path.read_text(encoding="utf-8").replace("/opt/riparian/bin/riparian", "/bin/true")
        (tmp_path / path.name).write_text(text, encoding="utf-8")
    for path in UNITS:
        if tool is not None:
            done = subprocess.run(
                [tool, "verify", str(tmp_path / path.name)], capture_output=True, text=True, check=False
            )
            said = [line for line in done.stderr.splitlines() if str(tmp_path) in line or path.name in line]
            assert (done.returncode, said) == (0, [])


# --- compose -------------------------------------------------------------------------------------------------------


def test_compose_names_files_networks_and_volumes_that_there_are() -> None:
    said = compose()
    for name, service in said["services"].items():
        assert set(service.get("networks", [])) <= set(said["networks"]), name
        for mount in service.get("volumes", []):
            at = mount.partition(":")[0]
            made_there = at in {"./logs", "./backups"}
            known = made_there or ((COMPOSE.parent / at).exists() if at.startswith(".") else at in said["volumes"])
            assert known, f"{name}: {mount}"
        build = service.get("build")
        assert build is None or (COMPOSE.parent / build["context"] / build["dockerfile"]).exists()


def test_compose_runs_with_least_and_publishes_to_this_machine_only() -> None:
    for name, service in compose()["services"].items():
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", [])), name
        if service["image"].startswith("riparian:"):
            assert (service["read_only"], service["user"]) == (True, f"{UID}:{UID}"), name
            assert service["stop_grace_period"] == "60s"
            taken = ports(words_of(service)) if name != "backup" else set()
            assert {int(port.rpartition(":")[2]) for port in service.get("ports", [])} <= taken
            for port in re.findall(r"127\.0\.0\.1:(\d+)/healthz", json.dumps(service)):
                assert int(port) in taken


# --- Kubernetes ----------------------------------------------------------------------------------------------------

KINDS = {
    "Namespace": "v1", "ConfigMap": "v1", "PersistentVolumeClaim": "v1", "Service": "v1", "StatefulSet": "apps/v1",
    "CronJob": "batch/v1", "NetworkPolicy": "networking.k8s.io/v1",
}  # fmt: skip


def test_every_object_has_a_kind_and_a_name_of_its_own() -> None:
    assert {(one["kind"], one["apiVersion"]) for one in objects()} == set(KINDS.items())
    named = Counter((one["kind"], one["metadata"]["name"]) for one in objects())
    assert max(named.values()) == 1


@pytest.mark.parametrize(("name", "container"), containers(), ids=[name for name, _ in containers()])
def test_a_container_may_do_no_more_than_it_needs(name: str, container: dict[str, Any]) -> None:
    spec = next(spec for of, spec, _ in pods() if of == name.partition("/")[0])
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["runAsUser"] == UID
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert spec["automountServiceAccountToken"] is False
    assert container["resources"]["limits"]["memory"]
    mounted = {each["name"] for each in container["volumeMounts"]}
    assert mounted <= {volume["name"] for volume in spec["volumes"]}
    assert "scratch" in mounted, "compiled kernels are written to /tmp"


def test_probes_services_and_networks_name_ports_that_something_listens_at() -> None:
    ((_, spec, labels),) = [pod for pod in pods() if "house" in pod[2].values()]
    listening: dict[str, int] = {}
    for each in spec["containers"]:
        said = {port["name"]: port["containerPort"] for port in each["ports"]}
        assert set(said.values()) == ports(words_of(each))
        assert all(len(port) <= 15 for port in said), "longer names are refused"
        listening |= said
        for probe, page in (("startupProbe", "/healthz"), ("livenessProbe", "/healthz"), ("readinessProbe", "/readyz")):
            assert each[probe]["httpGet"]["path"] == page
            assert said[each[probe]["httpGet"]["port"]] == int(options(words_of(each))["control"].rpartition(":")[2])
        assert each["lifecycle"]["preStop"]["sleep"]["seconds"] + 30 <= spec["terminationGracePeriodSeconds"]
    for one in objects():
        if one["kind"] == "Service":
            assert one["spec"]["selector"].items() <= labels.items()
            assert {port["targetPort"]: port["port"] for port in one["spec"]["ports"]}.items() <= listening.items()
        if one["kind"] == "NetworkPolicy":
            named = {port["port"] for rule in one["spec"]["ingress"] for port in rule["ports"]}
            assert named == set(listening)
        if one["kind"] == "StatefulSet":
            assert (one["spec"]["replicas"], one["spec"]["selector"]["matchLabels"]) == (1, labels)
            services = [each["metadata"]["name"] for each in objects() if each["kind"] == "Service"]
            assert one["spec"]["serviceName"] in services


def test_every_claim_and_setting_that_is_mounted_is_there() -> None:
    there = {(one["kind"], one["metadata"]["name"]) for one in objects()}
    for _, spec, _ in pods():
        for volume in spec["volumes"]:
            if "persistentVolumeClaim" in volume:
                assert ("PersistentVolumeClaim", volume["persistentVolumeClaim"]["claimName"]) in there
            if "configMap" in volume:
                assert ("ConfigMap", volume["configMap"]["name"]) in there


def test_the_settings_of_kubernetes_are_settings() -> None:
    (held,) = [one["data"] for one in objects() if one["kind"] == "ConfigMap"]
    assert parse_policy(tomllib.loads(held["policy.toml"])).mode.value == "shadow"
    edge = parse_edge(tomllib.loads(held["edge.toml"]))
    services = {one["metadata"]["name"]: one for one in objects() if one["kind"] == "Service"}
    for gate in edge.gates:
        host, _, port = gate.rpartition(":")
        service, namespace, kind = host.split(".")
        assert (namespace, kind) == ("riparian", "svc")
        assert int(port) in {each["port"] for each in services[service]["spec"]["ports"]}
    for words in (words for name, words in COMMANDS.items() if name.startswith("kubernetes") and words[0] == "serve"):
        assert options(words)["workers"] == len(edge.gates)
        for name in ("policy", "edge"):
            assert Path(options(words)[name]).name in held
