"""The manifests for Kubernetes fit together, and what they say again of the code is still so."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate  # type: ignore[import-untyped]
import pytest
import yaml  # type: ignore[import-untyped]
from cloudcoil.models.keda import v1alpha1 as keda
from cloudcoil.models.prometheus_operator import v1 as operator
from flask.testing import FlaskClient
from pydantic import BaseModel

from worker_service.broker.broker import JobBroker
from worker_service.check import PARTS
from worker_service.commands import WEB_STOP_SECONDS, part_run_by
from worker_service.middleware import default_middleware
from worker_service.settings import SECRETS, Settings
from worker_service.supervisor.part import LEAVE_SECONDS
from worker_service.web import create_app

ROOT = Path(__file__).parents[1]
KUBERNETES = ROOT / "deploy" / "kubernetes"
FOLDERS = sorted(path.parent for path in KUBERNETES.rglob("kustomization.yaml"))
DRAIN_SECONDS = 5


@pytest.fixture
def client(redis_url: str, namespace: str) -> Iterator[FlaskClient]:
    """Asks a web process what it shows."""
    given = Settings(redis_url=redis_url, namespace=namespace)
    broker = JobBroker(given, default_middleware())
    yield create_app(broker, given).test_client()
    broker.close()


def documents(file: Path) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all(file.read_text()))


def all_of(kind: str) -> list[dict[str, Any]]:
    files = [file for folder in FOLDERS for file in sorted(folder.glob("*.yaml"))]
    return [each for file in files for each in documents(file) if each["kind"] == kind]


def deployments() -> dict[str, dict[str, Any]]:
    """By their component."""
    return {each["spec"]["selector"]["matchLabels"][COMPONENT]: each for each in all_of("Deployment")}


COMPONENT = "app.kubernetes.io/component"


def pod(component: str) -> dict[str, Any]:
    found: dict[str, Any] = deployments()[component]["spec"]["template"]["spec"]
    return found


def container(component: str) -> dict[str, Any]:
    (found,) = pod(component)["containers"]
    return dict(found)


def values(found: Any, name: str) -> Iterator[Any]:
    """All values of a field, wherever it stands."""
    if isinstance(found, dict):
        if name in found:
            yield found[name]
        found = list(found.values())
    if isinstance(found, list):
        for each in found:
            yield from values(each, name)


NATIVE = re.compile(r"v1|(apps|policy|networking\.k8s\.io|autoscaling)/v\d+")
"""What Kubernetes itself knows; the rest belongs to KEDA, the Prometheus Operator and Kustomize."""


@pytest.mark.parametrize("version", ["1.30", "1.37"])
def test_what_kubernetes_knows_has_its_schema(version: str):
    files = [file for folder in FOLDERS for file in folder.glob("*.yaml")]
    found = [each for file in files for each in documents(file) if NATIVE.fullmatch(each["apiVersion"])]
    assert len(found) >= 11
    for each in found:
        kubernetes_validate.validate(each, version, strict=True)


def test_what_keda_and_the_prometheus_operator_know_has_their_schema():
    found = [each for kind in ("ScaledObject", "TriggerAuthentication") for each in all_of(kind)]
    for each in found:
        assert as_known(getattr(keda, each["kind"]), each) == each
    watched = [each for kind in ("PodMonitor", "PrometheusRule") for each in all_of(kind)]
    for each in watched:
        assert as_known(getattr(operator, each["kind"]), each) == each
    assert (len(found), len(watched)) == (3, 2)


def as_known(model: type[BaseModel], document: dict[str, Any]) -> dict[str, Any]:
    """A document without the fields that its schema does not have.

    Raises:
        ValidationError: a field has another type, or is missing.
    """
    return model.model_validate(document).model_dump(by_alias=True, exclude_unset=True, mode="json")


def test_rules_are_those_of_prometheus():
    (rules,) = all_of("PrometheusRule")
    alerts = yaml.safe_load((ROOT / "deploy" / "prometheus" / "alerts.yml").read_text())
    assert rules["spec"] == alerts


def test_monitor_and_scalers_name_what_there_is(client: FlaskClient):
    (monitor,) = all_of("PodMonitor")
    assert (
        monitor["spec"]["selector"]["matchLabels"] == deployments()["web"]["spec"]["selector"]["matchLabels"]
    )
    (endpoint,) = monitor["spec"]["podMetricsEndpoints"]
    assert endpoint["port"] in [port["name"] for port in container("web")["ports"]]
    shown = client.get(endpoint["path"]).text
    queries = [query for each in all_of("ScaledObject") for query in values(each, "query")]
    named = [name for query in queries for name in re.findall(r"worker_service_\w+", query)]
    assert named
    assert all(f"\n{name} " in shown for name in named)
    fields = [value for each in all_of("ScaledObject") for value in values(each, "valueLocation")]
    assert fields
    assert set(fields) <= set(client.get("/v1/stats").get_json())


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_every_file_is_named_once_and_none_is_missing(folder: Path):
    (wanted,) = documents(folder / "kustomization.yaml")
    there = {file.name for file in folder.glob("*.yaml")} - {"kustomization.yaml"}
    assert sorted(name for name in wanted["resources"] if "/" not in name) == sorted(there)
    assert all((folder / name / "kustomization.yaml").exists() for name in wanted["resources"] if "/" in name)


def test_every_part_of_the_service_has_its_deployment():
    assert {name: part_run_by(container(name)["args"]) for name in deployments()} == {
        name: name for name in PARTS
    }


@pytest.mark.parametrize("component", list(PARTS))
class TestPod:
    def test_is_confined(self, component: str):
        assert container(component)["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert pod(component)["securityContext"]["runAsNonRoot"] is True
        assert pod(component)["automountServiceAccountToken"] is False

    def test_runs_as_the_user_of_the_image(self, component: str):
        user = pod(component)["securityContext"]["runAsUser"]
        assert f"\nUSER {user}:{user}\n" in (ROOT / "Dockerfile").read_text()

    def test_is_told_nothing_of_other_services_by_its_environment(self, component: str):
        assert pod(component)["enableServiceLinks"] is False

    def test_has_its_own_labels_in_selector_template_and_budget(self, component: str):
        spec = deployments()[component]["spec"]
        labels = spec["selector"]["matchLabels"]
        assert spec["template"]["metadata"]["labels"] == labels
        budgets = [each["spec"]["selector"]["matchLabels"] for each in all_of("PodDisruptionBudget")]
        policies = [each["spec"]["podSelector"]["matchLabels"] for each in all_of("NetworkPolicy")]
        assert (budgets.count(labels), policies.count(labels)) == (1, 1)

    def test_mounts_what_there_is(self, component: str):
        mounts = {each["name"]: each["mountPath"] for each in container(component)["volumeMounts"]}
        assert set(mounts) == {each["name"] for each in pod(component)["volumes"]}
        assert mounts["tmp"] == "/tmp"

    def test_has_a_limit_of_memory(self, component: str):
        assert set(container(component)["resources"]["limits"]) == {
            "memory"
        }  # a limit of CPU would only slow

    def test_reads_settings_that_there_are(self, component: str):
        names = [each["name"].removesuffix("_FILE") for each in container(component)["env"]]
        assert {name.removeprefix("JOBS_").lower() for name in names} <= set(Settings.model_fields)
        of_files = [each["name"] for each in container(component)["env"] if each["name"].endswith("_FILE")]
        assert {name.removeprefix("JOBS_").removesuffix("_FILE").lower() for name in of_files} <= set(SECRETS)


def test_settings_of_all_are_settings_and_each_deployment_reads_them():
    (base,) = documents(KUBERNETES / "base" / "kustomization.yaml")
    (made,) = base["configMapGenerator"]
    names = [literal.partition("=")[0] for literal in made["literals"]]
    assert {name.removeprefix("JOBS_").lower() for name in names} <= set(Settings.model_fields)
    for component in PARTS:
        assert container(component)["envFrom"] == [{"configMapRef": {"name": made["name"]}}]


def test_what_scales_workers_leaves_no_number_of_them_to_the_next_apply():
    folders = [folder for folder in FOLDERS if any("scaler" in file.name for file in folder.glob("*.yaml"))]
    assert len(folders) == 2
    for folder in folders:
        (component,) = documents(folder / "kustomization.yaml")
        (patch,) = component["patches"]
        name = deployments()["worker"]["metadata"]["name"]
        assert patch["target"] == {"kind": "Deployment", "name": name}
        assert yaml.safe_load(patch["patch"]) == [{"op": "remove", "path": "/spec/replicas"}]


def test_further_workers_share_no_selector_with_those_of_the_base():
    """Two budgets over one pod would let none be moved."""
    page = (KUBERNETES / "worker" / "kustomization.yaml").read_text()
    shown = yaml.safe_load("\n".join(re.findall(r"^#   (.*)$", page, re.MULTILINE)))
    (label,) = shown["labels"]
    assert label["includeSelectors"] is True
    assert label["pairs"].keys() == {COMPONENT}
    assert label["pairs"][COMPONENT] not in deployments()
    (patch,) = shown["patches"]
    (change,) = yaml.safe_load(patch["patch"])
    assert change["path"] == "/spec/template/spec/containers/0/args"
    assert change["value"][:2] == container("worker")["args"]


def test_keys_of_the_secret_are_those_that_the_page_makes():
    page = (KUBERNETES / "base" / "kustomization.yaml").read_text()
    mounted = [key["key"] for volume in values(all_of("Deployment"), "secret") for key in volume["items"]]
    assert set(mounted) == set(re.findall(r"--from-literal=([a-z-]+)=", page))


@pytest.mark.parametrize("component", list(PARTS))
def test_secrets_are_read_where_they_are_mounted(component: str):
    (mount,) = [each for each in container(component)["volumeMounts"] if each["name"] == "secrets"]
    (volume,) = [each["secret"] for each in pod(component)["volumes"] if each["name"] == "secrets"]
    mounted = {f"{mount['mountPath']}/{item['path']}" for item in volume["items"]}
    assert {each["value"] for each in container(component)["env"]} == mounted


def test_probes_of_web_ask_what_it_answers_to_anybody():
    web = container("web")
    paths = {
        name: web[name]["httpGet"]["path"] for name in ("startupProbe", "livenessProbe", "readinessProbe")
    }
    assert paths == {"startupProbe": "/livez", "livenessProbe": "/livez", "readinessProbe": "/readyz"}
    assert {web[name]["httpGet"]["port"] for name in paths} == {web["ports"][0]["name"]}
    assert web["ports"][0]["containerPort"] == 8000
    assert "\nEXPOSE 8000\n" in (ROOT / "Dockerfile").read_text()


@pytest.mark.parametrize("component", ["worker", "scheduler"])
def test_probes_of_the_others_restart_nothing_while_redis_is_away(component: str):
    assert "livenessProbe" not in container(component)
    assert container(component)["readinessProbe"]["exec"]["command"] == ["worker-service", "check", component]


def test_pods_are_killed_after_their_grace_only():
    worker_grace = Settings.model_fields["shutdown_grace_ms"].default / 1000 + LEAVE_SECONDS
    assert pod("worker")["terminationGracePeriodSeconds"] >= worker_grace
    assert container("web")["lifecycle"]["preStop"]["exec"]["command"] == ["sleep", str(DRAIN_SECONDS)]
    assert pod("web")["terminationGracePeriodSeconds"] > DRAIN_SECONDS + WEB_STOP_SECONDS
    assert pod("scheduler")["terminationGracePeriodSeconds"] >= LEAVE_SECONDS


def test_others_reach_web_by_the_names_that_they_use():
    (service,) = all_of("Service")
    assert service["spec"]["selector"] == deployments()["web"]["spec"]["selector"]["matchLabels"]
    assert service["spec"]["ports"][0]["targetPort"] == container("web")["ports"][0]["name"]
    (ingress,) = all_of("Ingress")
    (backend,) = values(ingress, "backend")
    assert backend["service"]["name"] == service["metadata"]["name"]
    assert backend["service"]["port"] == {"name": service["spec"]["ports"][0]["name"]}
    for scaled in all_of("ScaledObject"):
        assert scaled["spec"]["scaleTargetRef"]["name"] == deployments()["worker"]["metadata"]["name"]
    (url,) = values(all_of("ScaledObject"), "url")
    assert url == f"http://{service['metadata']['name']}/v1/stats"
    (login,) = all_of("TriggerAuthentication")
    (reference,) = values(all_of("ScaledObject"), "authenticationRef")
    assert reference["name"] == login["metadata"]["name"]
