"""What the Helm chart renders, looked at without a cluster."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from kubeyarn.crd.schema import definitions
from kubeyarn.local.lookup import Lookup
from kubeyarn.resourcemanager.amservice import endpoint
from kubeyarn.resourcemanager.settings import Settings

CHART = Path(__file__).parents[3] / "charts" / "kubeyarn"
NAMESPACE = "kubeyarn-system"

# Finding helm may mean to build it, once.
pytestmark = pytest.mark.timeout(1800)


@pytest.fixture(scope="module")
def programs() -> dict[str, Path]:
    return Lookup(print).find(["helm", "kube-scheduler"])


@pytest.fixture(scope="module")
def helm(programs):
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [programs["helm"], *arguments], capture_output=True, text=True, check=False, timeout=60
        )

    return run


@pytest.fixture(scope="module")
def render(helm):
    """Renders the chart with settings such as `image.tag=dev`; gives back its objects."""

    def run(*settings: str):
        given = [word for setting in settings for word in ("--set-json", setting)]
        done = helm(
            "template",
            "kubeyarn",
            str(CHART),
            "--namespace",
            NAMESPACE,
            "--kube-version",
            "1.36.3",
            *given,
        )
        assert done.returncode == 0, done.stderr
        return [found for found in yaml.safe_load_all(done.stdout) if found]

    return run


@pytest.fixture(scope="module")
def objects(render):
    return render()


def one(objects, kind: str, name: str):
    (found,) = (
        item for item in objects if item["kind"] == kind and item["metadata"]["name"] == name
    )
    return found


def pod_specs(objects):
    for item in objects:
        if item["kind"] == "Deployment":
            yield item["metadata"]["name"], item["spec"]["template"]["spec"]
        if item["kind"] == "Pod":
            yield item["metadata"]["name"], item["spec"]


def test_helm_finds_nothing_to_complain_about(helm):
    done = helm("lint", "--strict", str(CHART))

    assert done.returncode == 0, done.stdout


def test_both_processes_run_as_the_contract_says(objects):
    manager = one(objects, "Deployment", "kubeyarn-resourcemanager")["spec"]["template"]["spec"]
    scheduler = one(objects, "Deployment", "kubeyarn-scheduler")["spec"]["template"]["spec"]

    (process,) = manager["containers"]
    assert process["command"] == [
        "kubeyarn",
        "resourcemanager",
        "--am-port=8030",
        "--health-port=8080",
        f"--localizer-image={process['image']}",
        "--log-level=info",
        f"--max-termination-grace-seconds={Settings().max_termination_grace_s}",
    ]
    ours, kubes = scheduler["containers"]
    assert ours["command"] == [
        "kubeyarn",
        "scheduler",
        "--extender-port=8031",
        "--health-port=8080",
        "--log-level=info",
    ]
    assert kubes["image"] == "registry.k8s.io/kube-scheduler:v1.36.3"
    for container in (process, ours):
        names = {variable["name"] for variable in container["env"]}
        assert {"KUBEYARN_NAMESPACE", "POD_NAME", "POD_IP"} <= names
        assert container["livenessProbe"]["httpGet"] == {"path": "/healthz", "port": "health"}
        assert container["readinessProbe"]["httpGet"] == {"path": "/readyz", "port": "health"}


def test_how_long_containers_may_take_to_stop_is_a_value(render):
    objects = render("resourcemanager.maxTerminationGraceSeconds=3600")

    pod = one(objects, "Deployment", "kubeyarn-resourcemanager")["spec"]["template"]["spec"]
    assert "--max-termination-grace-seconds=3600" in pod["containers"][0]["command"]


def test_our_own_pods_do_not_wait_for_our_own_scheduler(objects):
    for name, spec in pod_specs(objects):
        assert spec.get("schedulerName", "default-scheduler") == "default-scheduler", name


def test_every_pod_keeps_to_the_restricted_standard(objects):
    specs = list(pod_specs(objects))
    assert len(specs) == 3
    for name, spec in specs:
        assert spec["securityContext"]["runAsNonRoot"] is True, name
        assert spec["securityContext"]["runAsUser"] == 65532, name
        for container in spec["containers"]:
            security = container["securityContext"]
            assert security["allowPrivilegeEscalation"] is False, name
            assert security["readOnlyRootFilesystem"] is True, name
            assert security["capabilities"] == {"drop": ["ALL"]}, name
            assert security["seccompProfile"] == {"type": "RuntimeDefault"}, name
            assert container["resources"]["requests"], name


def test_an_upgrade_stops_the_old_process_first(objects):
    """One pod has nobody to hand over to."""
    for name in ("kubeyarn-resourcemanager", "kubeyarn-scheduler"):
        assert one(objects, "Deployment", name)["spec"]["strategy"] == {"type": "Recreate"}


@pytest.fixture
def several(render):
    return render("resourcemanager.replicas=2", "scheduler.replicas=2")


def test_of_several_pods_each_new_one_stands_by_before_an_old_one_ends(several):
    for name in ("kubeyarn-resourcemanager", "kubeyarn-scheduler"):
        spec = one(several, "Deployment", name)["spec"]
        assert spec["replicas"] == 2
        assert spec["strategy"] == {
            "type": "RollingUpdate",
            "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0},
        }
        (spread,) = spec["template"]["spec"]["topologySpreadConstraints"]
        assert spread["topologyKey"] == "kubernetes.io/hostname"
        chosen = spread["labelSelector"]["matchLabels"]
        assert chosen.items() <= spec["template"]["metadata"]["labels"].items()
        budget = one(several, "PodDisruptionBudget", name)["spec"]
        assert budget["maxUnavailable"] == 1


def test_of_several_kube_schedulers_each_has_a_lease_of_its_pod(several, objects):
    pod = one(several, "Deployment", "kubeyarn-scheduler")["spec"]["template"]["spec"]
    (standby,) = pod["initContainers"]
    ours, kubes = pod["containers"]
    assert standby["command"] == ["kubeyarn", "standby"]
    assert "--leader-elect-resource-name=$(KUBEYARN_KUBE_SCHEDULER_LEASE)" in kubes["command"]
    for container in (standby, ours, kubes):
        names = [variable["name"] for variable in container["env"]]
        assert names.index("POD_NAME") < names.index("KUBEYARN_KUBE_SCHEDULER_LEASE")
        assert container["env"][-1]["value"] == "$(POD_NAME)-kube-scheduler"
    assert configuration(several)["leaderElection"]["leaderElect"] is True
    assert configuration(objects)["leaderElection"] == {"leaderElect": False}


def test_the_am_service_is_where_applicationmasters_are_told(objects):
    service = one(objects, "Service", "kubeyarn-resourcemanager")

    assert service["metadata"]["name"] == endpoint.NAME
    assert service["spec"]["ports"] == [{"name": "am", "port": 8030, "targetPort": "am"}]
    # Whoever leads is its one endpoint, so it selects nobody.
    assert "selector" not in service["spec"]
    ports = endpoint.slice_of(Settings(pod_ip="10.0.0.7"))["ports"]
    assert ports == [{"name": "am", "port": 8030, "protocol": "TCP"}]


def configuration(objects):
    found = one(objects, "ConfigMap", "kubeyarn-scheduler")
    return yaml.safe_load(found["data"]["kube-scheduler.yaml"])


def test_kube_scheduler_asks_the_extender_and_fails_closed(objects):
    found = configuration(objects)
    (extender,) = found["extenders"]
    (profile,) = found["profiles"]

    assert extender == {
        "urlPrefix": "http://127.0.0.1:8031/scheduler",
        "filterVerb": "filter",
        "bindVerb": "bind",
        "preemptVerb": "preempt",
        "nodeCacheCapable": True,
        "ignorable": False,
        "httpTimeout": "5s",
    }
    assert profile["schedulerName"] == "kubeyarn"
    assert profile["plugins"] == {"postFilter": {"disabled": [{"name": "DefaultPreemption"}]}}
    assert found["percentageOfNodesToScore"] == 100
    assert found["leaderElection"] == {"leaderElect": False}
    assert found["clientConnection"]["qps"] > 50


def test_a_real_kube_scheduler_takes_the_configuration(objects, programs, tmp_path):
    """It reads it strictly, fills in its defaults and writes the whole back."""
    text = one(objects, "ConfigMap", "kubeyarn-scheduler")["data"]["kube-scheduler.yaml"]
    given, whole = tmp_path / "given.yaml", tmp_path / "whole.yaml"
    given.write_text(text)
    (tmp_path / "kubeconfig").write_text(
        json.dumps(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "clusters": [{"name": "c", "cluster": {"server": "http://127.0.0.1:1"}}],
                "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
                "users": [{"name": "u", "user": {}}],
                "current-context": "c",
            }
        )
    )
    config = yaml.safe_load(text)
    config["clientConnection"]["kubeconfig"] = str(tmp_path / "kubeconfig")
    given.write_text(yaml.safe_dump(config))
    done = subprocess.run(
        [
            programs["kube-scheduler"],
            f"--config={given}",
            f"--write-config-to={whole}",
            "--secure-port=0",
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert done.returncode == 0, done.stderr
    read = yaml.safe_load(whole.read_text())
    assert read["extenders"][0]["urlPrefix"] == "http://127.0.0.1:8031/scheduler"
    (profile,) = read["profiles"]
    (disabled,) = profile["plugins"]["postFilter"]["disabled"]
    assert disabled["name"] == "DefaultPreemption"


def test_a_changed_configuration_restarts_the_scheduler(render):
    def checksum(*settings):
        found = one(render(*settings), "Deployment", "kubeyarn-scheduler")
        return found["spec"]["template"]["metadata"]["annotations"]["checksum/config"]

    assert checksum() != checksum("scheduler.kubeScheduler.qps=7")
    assert checksum() == checksum("resourcemanager.replicas=0")


def test_the_definitions_are_those_of_the_models_and_outlive_the_chart(objects):
    for resource in definitions.DEFINITIONS:
        found = one(objects, "CustomResourceDefinition", resource.name)
        assert found["metadata"].pop("annotations") == {"helm.sh/resource-policy": "keep"}
        assert found == definitions.crd(resource)


def test_the_definitions_may_go_with_the_chart_or_be_left_out(render):
    kinds = [item["kind"] for item in render("crds.install=false")]
    assert "CustomResourceDefinition" not in kinds

    for item in render("crds.keep=false"):
        if item["kind"] == "CustomResourceDefinition":
            assert "annotations" not in item["metadata"]


def test_a_locally_built_image_is_used_without_a_registry(render):
    objects = render(
        'image.repository="kubeyarn/kubeyarn"', 'image.tag="dev"', 'image.pullPolicy="IfNotPresent"'
    )

    images = {
        container["image"] for _, spec in pod_specs(objects) for container in spec["containers"]
    }
    assert images == {"kubeyarn/kubeyarn:dev", "registry.k8s.io/kube-scheduler:v1.36.3"}


def test_a_digest_wins_over_a_tag(render):
    digest = "sha256:" + "0" * 64
    objects = render(f'image.digest="{digest}"', 'image.tag="dev"')
    spec = one(objects, "Deployment", "kubeyarn-resourcemanager")["spec"]["template"]["spec"]

    assert spec["containers"][0]["image"] == f"kubeyarn/kubeyarn@{digest}"


def test_no_right_is_given_to_everything(objects):
    for item in objects:
        if item["kind"] in ("ClusterRole", "Role"):
            for rule in item["rules"]:
                words = [*rule["apiGroups"], *rule["resources"], *rule["verbs"]]
                assert "*" not in words, item["metadata"]["name"]
                # Tokens of unmanaged AMs are handed out; no Secret is ever read.
                reads_secrets = "secrets" in words and rule["verbs"] != ["create"]
                assert not reads_secrets, item["metadata"]["name"]


def test_every_process_has_an_account_of_its_own(objects):
    accounts = {
        item["metadata"]["name"]: item["spec"]["template"]["spec"]["serviceAccountName"]
        for item in objects
        if item["kind"] in ("Deployment", "Job")
    }

    assert accounts == {name: name for name in accounts}
    for item in objects:
        for subject in item.get("subjects", ()):
            assert subject["name"] in accounts, item["metadata"]["name"]
            assert subject["namespace"] == NAMESPACE


def test_the_processes_may_hold_the_leases_that_they_lead_by(objects):
    for name in ("kubeyarn-resourcemanager", "kubeyarn-scheduler"):
        rules = one(objects, "Role", name)["rules"]
        held = [rule for rule in rules if rule.get("resourceNames") == [name]]
        assert held[0]["resources"] == ["leases"]
        assert {"get", "update"} <= set(held[0]["verbs"])


def test_everything_carries_the_recommended_labels(objects):
    for item in objects:
        labels = item["metadata"]["labels"]
        assert labels["app.kubernetes.io/part-of"] == "kubeyarn", item["metadata"]["name"]


@pytest.mark.parametrize(
    ("setting", "kind"),
    [
        ("admissionPolicies.enabled=false", "ValidatingAdmissionPolicy"),
        ("admissionPolicies.enabled=false", "MutatingAdmissionPolicyBinding"),
        ("rbac.create=false", "ClusterRole"),
        ("networkPolicies.enabled=false", "NetworkPolicy"),
        ("scheduler.podDisruptionBudget.enabled=false", "PodDisruptionBudget/kubeyarn-scheduler"),
    ],
)
def test_what_is_switched_off_is_not_there(render, setting, kind):
    def there(*settings):
        return {
            word
            for item in render(*settings)
            for word in (item["kind"], f"{item['kind']}/{item['metadata']['name']}")
        }

    assert kind in there()
    assert kind not in there(setting)


def test_everyone_may_see_queues_and_pods_may_be_scraped_when_asked_for(render):
    objects = render("rbac.everyoneReadsQueues=true", "monitoring.podMonitor.enabled=true")

    binding = one(objects, "ClusterRoleBinding", "kubeyarn-queue-viewer")
    assert binding["subjects"][0]["name"] == "system:authenticated"
    monitor = one(objects, "PodMonitor", "kubeyarn-scheduler")
    assert monitor["spec"]["podMetricsEndpoints"][0]["port"] == "health"


def test_only_application_masters_reach_the_am_service(objects):
    policy = one(objects, "NetworkPolicy", "kubeyarn-resourcemanager")["spec"]
    selected = policy["podSelector"]["matchLabels"]
    deployment = one(objects, "Deployment", "kubeyarn-resourcemanager")
    pod = deployment["spec"]["template"]
    assert selected.items() <= pod["metadata"]["labels"].items()

    masters, metrics = policy["ingress"]
    assert masters["ports"] == [{"port": "am", "protocol": "TCP"}]
    assert masters["from"][0]["podSelector"] == {"matchLabels": {"kubeyarn.io/role": "am"}}
    assert all("podSelector" in peer for peer in masters["from"])
    ports = {port["name"] for port in pod["spec"]["containers"][0]["ports"]}
    assert {p["port"] for rule in policy["ingress"] for p in rule["ports"]} <= ports
    assert metrics["from"] == [{"namespaceSelector": {}}]


def test_who_else_reaches_it_and_reads_metrics_is_said_by_values(render):
    outside = '[{"ipBlock": {"cidr": "10.9.0.0/16"}}]'
    objects = render(
        f"networkPolicies.amServiceFrom={outside}", 'networkPolicies.metricsNamespace="monitoring"'
    )
    masters, metrics = one(objects, "NetworkPolicy", "kubeyarn-resourcemanager")["spec"]["ingress"]
    assert {"ipBlock": {"cidr": "10.9.0.0/16"}} in masters["from"]
    expected = {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}
    assert metrics["from"] == [{"namespaceSelector": expected}]
    scheduler = one(objects, "NetworkPolicy", "kubeyarn-scheduler")["spec"]["ingress"]
    assert [rule["from"] for rule in scheduler] == [[{"namespaceSelector": expected}]]


@pytest.mark.parametrize(
    "setting",
    [
        "resourcemanager.amPort=0",
        "resourcemanager.maxTerminationGraceSeconds=0",
        "resourcemanager.maxTerminationGraceSeconds=1.5",
        'logLevel="loud"',
        "scheduler.kubeScheduler.qps=0",
        "scheduler.replicas=-1",
        "resourcemanager.replicas=6",
        'image.digest="latest"',
        "nonsense=1",
        'scheduler.kubeScheduler.extenderTimeout="5"',
    ],
)
def test_wrong_values_are_refused_by_name(helm, setting):
    done = helm("template", "x", str(CHART), "--kube-version", "1.36.3", "--set-json", setting)

    assert done.returncode != 0
    key = setting.partition("=")[0].rpartition(".")[2]
    assert key in done.stderr


PAGES = ["README.md", "docs/kind.md", "docs/operations.md", "charts/kubeyarn/README.md"]


@pytest.mark.parametrize("page", PAGES)
def test_every_setting_that_the_documentation_gives_is_a_value_of_the_chart(helm, page):
    given = re.findall(r"--set ([A-Za-z][^\s`]+)", (CHART.parents[1] / page).read_text())
    assert given
    settings = [word for setting in given for word in ("--set", setting)]

    done = helm("template", "x", str(CHART), "--kube-version", "1.36.3", *settings)

    assert done.returncode == 0, done.stderr


def test_the_readme_names_every_value():
    """A value nobody can read of is a value nobody sets."""
    text = (CHART / "README.md").read_text()

    def leaves(found, path=""):
        for key, value in found.items():
            place = f"{path}.{key}" if path else key
            if isinstance(value, dict) and value and key != "resources":
                yield from leaves(value, place)
            else:
                yield place

    missing = [
        path
        for path in leaves(yaml.safe_load((CHART / "values.yaml").read_text()))
        if f"`{path}`" not in text
    ]
    assert missing == []
