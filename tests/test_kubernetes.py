"""kubernetes.yaml: by Kubernetes' own schemas, and played on this machine, with processes for pods.

Here stands what Kubernetes does with such a file: it makes the pods of an Indexed Job, with names that the service
gives them, expands their variables, starts their containers, and starts them again as the job's policy says. What a
node does is real as far as it goes: each pod has a /etc/hosts and a volume of its own. But they all share one network,
that of isolation.py, in which TensorFlow listens on all addresses: so each pod has a port of its own.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys

import pytest

from helpers import ROOT, environment, wait_until
from isolation import OwnNetwork
from trainer.tf_config import parse_tf_config
from trainings import MLENGINE, SMALL, few_digits

yaml = pytest.importorskip("yaml")

OLDEST = "1.28"
PORT = 2222
INDEX = "batch.kubernetes.io/job-completion-index"
AS_ROOT = ["unshare", "--user", "--map-root-user", "--mount"]
# What a node does before a container starts: "source target" pairs, each on a line, are mounted
MOUNT = """
while read -r source target; do mount --bind "$source" "$target" || exit 125; done <<EOF
$MOUNTS
EOF
unset MOUNTS && exec "$@"
"""


def items(kind=None):
    """What the file has, or what it has of one kind."""
    content = yaml.safe_load((MLENGINE / "kubernetes.yaml").read_text(encoding="utf-8"))
    return [item for item in content["items"] if kind in (None, item["kind"])]


def expand(text, variables):
    """Text with $(NAME) replaced, where there is such a variable before it; $$ is a $."""
    return re.sub(r"\$\$|\$\(([\w.-]+)\)", lambda m: variables.get(m[1], m[0]) if m[1] else "$", text)


def action_for(status, job):
    """What the job's policy says of a pod that ended with a status other than 0; Count is what is done without one."""
    for rule in job["spec"]["podFailurePolicy"]["rules"]:
        codes = rule.get("onExitCodes")
        if codes and (status in codes["values"]) == (codes["operator"] == "In"):
            return rule["action"]
    return "Count"


class Pod:
    """A pod of an Indexed Job."""

    def __init__(self, job, index, service):
        template = job["spec"]["template"]
        self.job, self.spec = job, template["spec"]
        (self.container,) = self.spec["containers"]
        self.hostname = f"{job['metadata']['name']}-{index}"
        self.is_found = service["spec"]["selector"].items() <= template["metadata"]["labels"].items()
        self.name = f"{self.hostname}.{self.spec['subdomain']}"
        self.metadata = {
            "labels": template["metadata"]["labels"],
            "annotations": {INDEX: str(index)},
        }
        self.process, self.restarts = None, 0

    def variables(self):
        """The environment of the container, made in the order of the file; then comes what Indexed Jobs add to it."""
        variables = {}
        for variable in self.container["env"]:
            name = variable["name"]
            if "value" in variable:
                variables[name] = expand(variable["value"], variables)
            else:
                field = variable["valueFrom"]["fieldRef"]["fieldPath"]
                kind, key = re.fullmatch(r"metadata\.(labels|annotations)\['(.*)'\]", field).groups()
                variables[name] = self.metadata[kind][key]
        return {**variables, "JOB_COMPLETION_INDEX": self.metadata["annotations"][INDEX]}


def pods():
    (service,) = items("Service")
    return [Pod(job, index, service) for job in items("Job") for index in range(job["spec"]["completions"])]


# -- the file


@pytest.mark.parametrize("item", items(), ids=lambda item: f"{item['kind']}-{item['metadata']['name']}")
def test_the_oldest_and_the_newest_kubernetes_know_all_of_it(item):
    kubernetes_validate = pytest.importorskip("kubernetes_validate")
    for version in (OLDEST, kubernetes_validate.latest_version()):
        kubernetes_validate.validate(item, version, strict=True)


def test_each_pod_gets_its_part_of_a_cluster_of_pods_that_the_service_finds():
    tasks = {pod: parse_tf_config(pod.variables()["TF_CONFIG"]) for pod in pods()}
    (service,), (claim,) = items("Service"), items("PersistentVolumeClaim")
    assert service["spec"]["clusterIP"] == "None"
    for pod, task in tasks.items():
        assert pod.hostname == f"mnist-{task.type}-{task.index}"
        assert pod.is_found and pod.spec["subdomain"] == service["metadata"]["name"]
        assert pod.job["spec"]["parallelism"] == pod.job["spec"]["completions"]  # none waits for another to end
        assert task.type == "evaluator" or task.address == f"{pod.name}:{PORT}"
        assert [volume["persistentVolumeClaim"]["claimName"] for volume in pod.spec["volumes"]] == ["mnist"]
    (cluster,) = {json.dumps(task.cluster, sort_keys=True) for task in tasks.values()}
    assert sum(map(len, json.loads(cluster).values())) == len(tasks) - 1  # all but the evaluator
    assert claim["metadata"]["name"] == "mnist"


def test_nobody_but_the_pods_may_connect_to_them():
    (policy,) = items("NetworkPolicy")
    (service,) = items("Service")
    tasks = {"matchLabels": service["spec"]["selector"]}
    assert policy["spec"]["podSelector"] == tasks
    assert policy["spec"]["ingress"] == [{"from": [{"podSelector": tasks}], "ports": [{"port": PORT}]}]


@pytest.mark.parametrize("status, action", [(1, "FailJob"), (2, "FailJob"), (143, "Ignore"), (137, "Count")])
def test_a_pod_that_was_stopped_is_started_again_and_one_that_failed_is_not(status, action):
    for job in items("Job"):
        assert action_for(status, job) == action
        assert job["spec"]["template"]["spec"]["restartPolicy"] == "Never"  # which a policy asks for


# -- played


def image(folder):
    """Makes what the Dockerfile puts into its working folder, with few digits; returns the command of a container."""
    folder.mkdir()
    lines = (MLENGINE / "Dockerfile").read_text(encoding="utf-8").splitlines()
    for line in lines:
        if line.startswith("COPY "):
            *sources, target = line.split()[1:]
            for source in sources:
                copy = folder / target / os.path.basename(source) if target.endswith(("/", ".")) else folder / target
                copy.parent.mkdir(exist_ok=True)
                if source == "data":
                    few_digits(copy)
                elif (ROOT / source).is_dir():
                    shutil.copytree(str(ROOT / source), str(copy))
                else:
                    shutil.copy(str(ROOT / source), str(copy))
    (entrypoint,) = [json.loads(line.partition(" ")[2]) for line in lines if line.startswith("ENTRYPOINT ")]
    return [sys.executable if word == "python3" else word for word in entrypoint]


class Cluster:
    """Plays Kubernetes for some pods of the file: folder gets the image, the volume and what each pod prints."""

    def __init__(self, pods, folder, arguments):
        self.pods, self.folder, self.arguments = pods, folder, arguments
        self.image, self.volume, self.hosts = folder / "image", folder / "volume", folder / "hosts"
        self.entrypoint = image(self.image)
        self.volume.mkdir()
        addresses = [f"127.0.0.{number} {pod.name}" for number, pod in enumerate(pods, 2)]
        self.hosts.write_text("\n".join(["127.0.0.1 localhost", *addresses, ""]))
        self.network = OwnNetwork()

    def start(self, pod):
        (mount,) = pod.container["volumeMounts"]
        variables = pod.variables()
        arguments = [expand(argument, variables) for argument in pod.container["args"]]
        for port, other in enumerate(self.pods, PORT):
            variables["TF_CONFIG"] = variables["TF_CONFIG"].replace(f"{other.name}:{PORT}", f"{other.name}:{port}")
        variables["MOUNTS"] = f"{self.hosts} /etc/hosts\n{self.volume} {mount['mountPath']}"
        command = [*self.entrypoint, *arguments, *self.arguments]
        with open(self.folder / f"{pod.hostname}.log", "ab") as log:
            pod.process = subprocess.Popen(
                self.network.command([*AS_ROOT, "sh", "-c", MOUNT, "sh", *command]),
                cwd=str(self.image),
                env=environment(**{**variables, "PYTHONPATH": ""}),
                stdout=log,
                stderr=log,
            )

    def printed(self, pod):
        return (self.folder / f"{pod.hostname}.log").read_text(encoding="utf-8")

    def look_after(self):
        """Starts pods again that have ended, as the policy of their job says; returns whether all are complete."""
        for pod in self.pods:
            status = pod.process.poll()
            if status:
                action = action_for(status if status > 0 else 128 - status, pod.job)
                assert action != "FailJob", f"{pod.hostname} failed:\n{self.printed(pod)}"
                pod.restarts += action == "Count"
                assert pod.restarts <= pod.job["spec"]["backoffLimit"]
                self.start(pod)
        return all(pod.process.poll() == 0 for pod in self.pods)

    def wait_for(self, pod, pattern, times=1):
        """Waits until a pod has printed so many lines with a pattern in them, and looks after all pods meanwhile."""

        def is_there():
            self.look_after()
            return len(re.findall(pattern, self.printed(pod), re.MULTILINE)) >= times

        wait_until(is_there, f"{pod.hostname} prints {pattern}", patience=300)

    def stop(self):
        for pod in self.pods:
            if pod.process:
                pod.process.kill()
                pod.process.wait()
        self.network.close()


@pytest.fixture
def cluster(tmp_path):
    try:
        subprocess.check_output([*AS_ROOT, "--net", "true"], stderr=subprocess.DEVNULL)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this system does not allow namespaces")
    cluster = Cluster(pods(), tmp_path, ["--hp-iterations=1500", "--checkpoint-every=50", *SMALL])
    yield cluster
    cluster.stop()


@pytest.mark.slow
@pytest.mark.tensorflow
@pytest.mark.skipif(sys.version_info < (3, 8), reason="the image has the newest Python, and no TensorFlow 1.15")
def test_the_cluster_trains_starts_again_what_is_stopped_or_killed_and_exports(cluster):
    by_name = {pod.hostname: pod for pod in cluster.pods}
    chief, worker, ps, evaluator = (by_name[f"mnist-{type}-0"] for type in ("chief", "worker", "ps", "evaluator"))
    for pod in cluster.pods:
        cluster.start(pod)
    training = r"^training (begins|goes on)"
    cluster.wait_for(worker, training)
    cluster.wait_for(chief, "^[1-9].*: accuracy")
    worker.process.send_signal(signal.SIGTERM)  # as before its machine is taken away
    assert worker.process.wait(60) == 143
    ps.process.kill()
    cluster.wait_for(chief, training, times=2)
    cluster.wait_for(worker, training, times=2)
    wait_until(cluster.look_after, "all pods are complete", patience=300)
    assert {pod.hostname: pod.restarts for pod in cluster.pods if pod.restarts} == {ps.hostname: 1}
    assert list(cluster.volume.glob("job/export/1[5-9]*/saved_model.pb"))
    assert re.search(r"^15\d\d: \*+ test accuracy: 0\.[5-9]", cluster.printed(evaluator), re.MULTILINE)
