"""The chart agrees with the sources: every setting exists, every edge of the network is needed."""

import ast
import re
import subprocess
from importlib import import_module
from inspect import getmembers, isclass
from itertools import chain

import kubernetes_validate
import pytest
import yaml
from prometheus_client import REGISTRY

from hack.gen.crds import CRDS
from hack.install.definitions import definitions
from hack.install.machine import ROOT
from hack.install.tools import (
    HELM,
    HELM_UNITTEST,
    KUBE_SCORE,
    KUBECTL_VALIDATE,
    KUBERNETES,
)
from kourse.contracts import events
from kourse.identity.rpc import RECORDERS
from kourse.kit.settings import ServiceSettings
from support.rendering import CHART, COMBINATIONS, FOREIGN, SUPPORTED, documents, render

ALL = {**COMBINATIONS, **FOREIGN}
IGNORED_SCORES = (
    "container-image-pull-policy",  # a release's tag is never moved
)
OTHERS = (
    "gateway.networking.k8s.io/",
    "keda.sh/",
    "monitoring.coreos.com/",
    "postgresql.cnpg.io/",
    "rabbitmq.com/",
)
"""Groups of other projects; their own definitions judge them."""
BUNDLED = "1.30"
"""The newest version whose own kinds kubectl-validate brings along."""


def settings_of(component):
    module = "kourse_operator" if component == "operator" else f"kourse.{component}"
    found = getmembers(import_module(f"{module}.settings"), isclass)
    return next(
        each
        for _, each in found
        if issubclass(each, ServiceSettings) and each is not ServiceSettings
    )


def pods(*settings):
    for document in documents(*settings):
        if document["kind"] in {"Deployment", "Job"}:
            yield document["metadata"]["name"], document["spec"]["template"]["spec"]
        elif document["kind"] == "Pod":
            yield document["metadata"]["name"], document["spec"]


class TestSettings:
    @pytest.mark.parametrize("combination", ALL)
    def test_exist_in_the_service_that_is_told(self, combination):
        unknown = []
        for name, pod in pods(*ALL[combination]):
            command = pod["containers"][0]["command"]
            if command[:2] != ["python", "-m"]:
                continue
            component = command[2].removeprefix("kourse.").replace("kourse_operator", "operator")
            fields = settings_of(component).model_fields
            for variable in pod["containers"][0]["env"]:
                field = re.sub(rf"^KOURSE_({component.upper()}_)?", "", variable["name"]).lower()
                if variable["name"].startswith("KOURSE_") and field not in fields:
                    unknown.append((name, variable["name"]))
        assert unknown == []

    def test_that_all_share_exist_somewhere(self):
        shared = next(
            each["data"]
            for each in documents()
            if each["kind"] == "ConfigMap" and each["metadata"]["name"] == "kourse-settings"
        )
        components = ("gateway", "identity", "profile", "course", "assessment", "notification")
        known = {
            name
            for component in components
            for field in settings_of(component).model_fields
            for name in (f"KOURSE_{field}".upper(), f"KOURSE_{component}_{field}".upper())
        }
        assert set(shared) - known == set()


class TestPods:
    @pytest.mark.parametrize("combination", ALL)
    def test_keep_to_the_restricted_profile_with_a_read_only_root(self, combination):
        for name, pod in pods(*ALL[combination]):
            for container in pod["containers"]:
                security = container["securityContext"]
                assert security["readOnlyRootFilesystem"], name
                assert security["capabilities"] == {"drop": ["ALL"]}, name
            assert pod["securityContext"]["runAsNonRoot"], name

    @pytest.mark.parametrize("combination", ALL)
    def test_hold_a_token_of_kubernetes_only_as_the_operator(self, combination):
        holders = [
            name
            for name, pod in pods(*ALL[combination])
            if pod.get("automountServiceAccountToken", True)
        ]
        assert holders == ["kourse-operator"]


class TestNetworkPolicies:
    def test_open_exactly_the_calls_that_the_sources_make(self):
        assert edges_of_the_chart() == edges_of_the_sources()

    def test_deny_what_is_not_named(self):
        denied = next(
            each for each in documents() if each["metadata"]["name"] == "kourse-default-deny"
        )
        assert denied["spec"]["policyTypes"] == ["Ingress", "Egress"]
        assert not {"ingress", "egress"} & set(denied["spec"])


class TestRunner:
    """Programs of strangers run in it, so it is given nothing and leads nowhere."""

    def test_holds_no_secret_and_no_settings_of_others(self):
        (pod,) = (pod for name, pod in pods() if name == "kourse-runner")
        (container,) = pod["containers"]
        assert "envFrom" not in container
        assert all("valueFrom" not in each for each in container["env"])
        assert [set(volume) - {"name"} for volume in pod["volumes"]] == [{"emptyDir"}]

    def test_is_reached_by_assessment_and_reaches_nothing_not_even_names(self):
        chosen = {
            policy["metadata"]["name"]: policy["spec"]
            for policy in documents()
            if policy["kind"] == "NetworkPolicy" and chooses(policy["spec"], "runner")
        }
        assert set(chosen) == {"kourse-default-deny", "kourse-runner"}
        assert all("Egress" in spec["policyTypes"] for spec in chosen.values())
        assert not any(spec.get("egress") for spec in chosen.values())
        (rule,) = chosen["kourse-runner"]["ingress"]
        callers = [each["podSelector"] for each in rule["from"] if "podSelector" in each]
        (caller,) = (each["matchLabels"]["app.kubernetes.io/component"] for each in callers)
        assert caller == "assessment"

    def test_makes_room_for_a_judge_of_one_s_own(self):
        rendered = documents(*COMBINATIONS["judge"])
        assert not [each for each in rendered if each["metadata"]["name"].endswith("-runner")]
        told = {
            each["name"]: each
            for name, pod in pods(*COMBINATIONS["judge"])
            if name == "kourse-assessment"
            for each in pod["containers"][0]["env"]
        }
        assert told["KOURSE_ASSESSMENT_JUDGE_URL"]["value"] == "https://judge0.example.org"
        assert told["KOURSE_ASSESSMENT_JUDGE_TOKEN"]["valueFrom"]["secretKeyRef"] == {
            "name": "judge",
            "key": "token",
        }


def chooses(spec, component):
    """Whether a policy is for the pods of a component of the release."""
    selector = spec["podSelector"]
    wanted = selector["matchLabels"].get("app.kubernetes.io/component", component)
    return wanted == component and not any(
        component in each["values"]
        for each in selector.get("matchExpressions", [])
        if each["operator"] == "NotIn"
    )


class TestJudges:
    @pytest.mark.parametrize("combination", ALL)
    def test_helm_lint_has_nothing_to_say(self, combination):
        flags = chain.from_iterable(("--set", each) for each in ALL[combination])
        command = [HELM.path, "lint", "--strict", "--quiet", "--kube-version", KUBERNETES]
        run(*command, *flags, CHART)

    def test_the_chart_s_own_tests_pass(self):
        run(HELM_UNITTEST.path, "--strict", "--file", "tests/*_test.yaml", CHART)

    @pytest.mark.parametrize("combination", ALL)
    def test_kube_score_finds_nothing_critical(self, combination):
        asked_for = (
            ["pod-networkpolicy"] if "networkPolicy.enabled=false" in ALL[combination] else []
        )
        ignored = chain.from_iterable(
            ("--ignore-test", each) for each in [*IGNORED_SCORES, *asked_for]
        )
        command = [KUBE_SCORE.path, "score", "--ignore-container-cpu-limit", *ignored, "-"]
        run(*command, text=render(*ALL[combination]))

    @pytest.mark.parametrize("combination", ALL)
    def test_kubectl_validate_knows_every_field(self, combination, tmp_path):
        (tmp_path / "all.yaml").write_text(render(*ALL[combination]))
        foreign = ("--local-crds", definitions())
        run(KUBECTL_VALIDATE.path, tmp_path, "--local-crds", CRDS, *foreign, "--version", BUNDLED)


class TestVersions:
    def test_that_are_supported_are_those_of_the_readme_and_of_both_charts(self):
        stated = re.findall(r"^\| (1\.\d+) \|", (CHART / "README.md").read_text(), re.MULTILINE)
        assert tuple(stated) == SUPPORTED
        for chart in (CHART, CHART.with_name("kourse-crds")):
            least = yaml.safe_load((chart / "Chart.yaml").read_text())["kubeVersion"]
            assert least == f">={SUPPORTED[0]}.0-0"
        assert KUBERNETES.removeprefix("v").rpartition(".")[0] in SUPPORTED

    @pytest.mark.parametrize("version", SUPPORTED)
    def test_know_every_field_that_is_rendered(self, version):
        for document in of_every_shape():
            if not document["apiVersion"].startswith(OTHERS):
                kubernetes_validate.validate(document, version, strict=True)


class TestMetrics:
    def test_that_the_chart_scales_by_are_exported(self):
        wanted = set()
        for mode in ("hpa", "keda"):
            rendered = render(f"autoscaling.mode={mode}")
            wanted |= set(re.findall(r"kourse_(?:[a-z_]+_seconds|runner_[a-z_]+)", rendered))
        assert wanted
        for module in ("kourse.kit.inbox", "kourse.runner.dispatch"):
            import_module(module)
        assert {name for name in wanted if name not in REGISTRY._names_to_collectors} == set()


def of_every_shape():
    """One document of each shape, by kind and fields, of all that is rendered anywhere."""
    found = {}
    for combination in ALL.values():
        for document in documents(*combination):
            found[document["kind"], frozenset(fields(document))] = document
    return found.values()


def fields(value, path=""):
    if isinstance(value, dict):
        for name, below in value.items():
            yield from fields(below, f"{path}.{name}")
    elif isinstance(value, list):
        for below in value:
            yield from fields(below, f"{path}[]")
    else:
        yield f"{path}:{type(value).__name__}"


def edges_of_the_chart():
    """(caller, called) of gRPC, from the incoming and from the outgoing side, which must agree."""
    incoming, outgoing = set(), set()
    for policy in documents():
        if policy["kind"] != "NetworkPolicy":
            continue
        own = policy["spec"]["podSelector"]["matchLabels"].get("app.kubernetes.io/component")
        for peer in peers(policy["spec"].get("ingress", []), "from", 9090):
            incoming.add((peer, own))
        for peer in peers(policy["spec"].get("egress", []), "to", 9090):
            outgoing.add((own, peer))
    assert incoming == outgoing
    return incoming


def peers(rules, side, port):
    for rule in rules:
        if port in [each["port"] for each in rule.get("ports", [])]:
            for peer in rule.get(side, []):
                yield peer["podSelector"]["matchLabels"]["app.kubernetes.io/component"]


def edges_of_the_sources():
    """The calls that services make, those that fill gaps from an archive, those that tell the audit trail."""
    found = {(recorder, "identity") for recorder in RECORDERS}
    found |= {
        (consumer, producer)
        for consumer in events.consumers()
        for producer in events.producers_for(consumer)
    }
    for path in (ROOT / "services" / "kourse").glob("*/**/*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr == "rpc"
                and node.args
                and isinstance(node.args[0], ast.Constant)
            ):
                caller = path.relative_to(ROOT / "services" / "kourse").parts[0]
                if caller != "kit":
                    found.add((caller, node.args[0].value))
    return found


def run(*command, text=None):
    done = subprocess.run(
        [str(word) for word in command], input=text, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
