# SPDX-License-Identifier: Apache-2.0
"""The environment variable TF_CONFIG, by which Kubeflow, Vertex AI and others tell each task its part in a cluster.

{"cluster": {"chief": ["a:2222"], "worker": ["b:2222", "c:2222"], "ps": ["d:2222"]},
 "task": {"type": "worker", "index": 1}}

chief       trains, and looks after checkpoints, summaries and the SavedModel; "master" is its older name; where
            there is neither, worker 0 does it
worker      trains
ps          a parameter server: keeps a share of the weights, and applies the gradients to it
evaluator   tests each new checkpoint; takes no part in the cluster, so its address may be left out

Where there is one machine only, some tools set it too, with a cluster and a task that say nothing: {}, null or "". A
task of type chief, master or worker and of index 0 is one machine, too, if there is no cluster.
"""

import collections
import json

CHIEFS = ("chief", "master")
TRAINERS = (*CHIEFS, "worker")
TASK_TYPES = (*TRAINERS, "ps", "evaluator")
NOTHING = (None, {}, [], "")  # what says nothing, in JSON
NO_CLUSTER = (
    'TF_CONFIG has no cluster, expected the addresses of its tasks like {"cluster": {"chief": ["host:2222"], '
    '"ps": ["host:2223"]}, …}; unset it to train on one machine'
)


class ConfigError(ValueError):
    """A TF_CONFIG that can't be followed, said in one sentence."""


class Task(collections.namedtuple("Task", "type index cluster")):
    """One process of a training: its type and index, and the addresses of all, {type: [address, ...]}.

    cluster is empty for a process that trains alone.
    """

    @property
    def name(self):
        return f"{self.type} {self.index}"

    @property
    def address(self):
        return self.cluster[self.type][self.index]

    @property
    def is_alone(self):
        return not self.cluster

    @property
    def trainers(self):
        """(type, index) of all tasks that train, the chief first."""
        training = [(task_type, self.cluster[task_type]) for task_type in TRAINERS if task_type in self.cluster]
        return [(task_type, index) for task_type, tasks in training for index in range(len(tasks))] or [("chief", 0)]

    @property
    def position(self):
        """Which of the trainers this task is."""
        return self.trainers.index((self.type, self.index))

    @property
    def is_chief(self):
        return (self.type, self.index) == self.trainers[0]


ALONE = Task("chief", 0, {})


def parse_tf_config(text):
    """The Task that the text of TF_CONFIG describes; without one, or with a cluster of one, a task that is alone.

    Raises ConfigError with one sentence that says what is wrong and what was expected.
    """
    if not text or not text.strip():
        return ALONE
    try:
        config = json.loads(text)
    except ValueError as error:
        raise ConfigError(f"TF_CONFIG is not JSON ({error}), expected {{'cluster': …, 'task': …}}: {text:.60}")
    cluster, task = parts_of(config)
    if not cluster and is_single(task):
        return ALONE
    if not cluster:
        raise ConfigError(NO_CLUSTER)
    check_cluster(cluster)
    task_type, index = parse_task(task, cluster)
    training_cluster = {task_type: addresses for task_type, addresses in cluster.items() if task_type != "evaluator"}
    is_alone = task_type != "evaluator" and sum(map(len, training_cluster.values())) == 1
    if not is_alone and "ps" not in cluster:
        raise ConfigError("TF_CONFIG has no ps in its cluster, expected one parameter server or more for several tasks")
    return ALONE if is_alone else Task(task_type, index, training_cluster)


def parts_of(config):
    """(cluster, task) of a TF_CONFIG, {} for what says nothing."""
    if config not in NOTHING and not isinstance(config, dict):
        raise ConfigError(NO_CLUSTER)
    cluster, task = ({} if not config or config.get(name) in NOTHING else config[name] for name in ("cluster", "task"))
    if not isinstance(cluster, dict):
        raise ConfigError(NO_CLUSTER)
    return {task_type: addresses for task_type, addresses in cluster.items() if addresses not in NOTHING}, task


def is_single(task):
    """Whether a task without a cluster is one machine: it says nothing, or that it is the first that trains."""
    if not isinstance(task, dict):
        return False
    task_type, index = task.get("type"), task.get("index")
    return (task_type in NOTHING or task_type in TRAINERS) and (index in NOTHING or str(index) == "0")


def check_cluster(cluster):
    """Raises ConfigError unless the cluster has tasks of known types that can train, each at an address of its own."""
    unknown = [task_type for task_type in cluster if task_type not in TASK_TYPES]
    if unknown:
        raise ConfigError(f"TF_CONFIG has a task {unknown[0]!r} in its cluster, expected {', '.join(TASK_TYPES)}")
    for task_type, addresses in cluster.items():
        if not isinstance(addresses, list) or not all(map(is_address, addresses)):
            raise ConfigError(
                f"TF_CONFIG has {json.dumps(addresses):.60} for {task_type} in its cluster, expected a list of "
                f'addresses like ["host:2222"]'
            )
    chiefs = sum(len(cluster.get(task_type, [])) for task_type in CHIEFS)
    if chiefs > 1:
        raise ConfigError(f"TF_CONFIG has {chiefs} tasks of type chief or master in its cluster, expected one")
    if not chiefs and "worker" not in cluster:
        raise ConfigError("TF_CONFIG has no task in its cluster that trains, expected a chief or a worker")
    everywhere = [address for addresses in cluster.values() for address in addresses]
    twice = [address for address in everywhere if everywhere.count(address) > 1]
    if twice:
        raise ConfigError(f"TF_CONFIG has {twice[0]} for two tasks of its cluster, expected an address for each")


def is_address(address):
    host, _, port = address.rpartition(":") if isinstance(address, str) else ("", "", "")
    return bool(host) and port.isdecimal() and 0 < int(port) < 65536


def parse_task(task, cluster):
    """(type, index) of this process. The evaluator is no part of the cluster, and there is one at most."""
    task_type, index = (task.get("type"), task.get("index")) if isinstance(task, dict) else (task, None)
    if task_type in NOTHING and sum(map(len, cluster.values())) == 1:
        (task_type,) = cluster
    if task_type not in TASK_TYPES:
        raise ConfigError(f"TF_CONFIG has the task type {task_type!r}, expected one of {', '.join(TASK_TYPES)}")
    if task_type != "evaluator" and task_type not in cluster:
        raise ConfigError(
            f"TF_CONFIG has the task type {task_type}, expected one that is in its cluster: {', '.join(cluster)}"
        )
    number = len(cluster.get(task_type, [])) or 1
    if index in NOTHING and number == 1:
        index = 0
    if not str(index).isdecimal() or int(index) >= number:
        raise ConfigError(
            f"TF_CONFIG has the task index {index!r} for {task_type}, expected a number from 0 to {number - 1}: its "
            f"cluster has {number} of that type"
        )
    return task_type, int(index)
