# SPDX-License-Identifier: Apache-2.0
"""The network of stage 3.1, trained on one machine or by a cluster: see task.py, where it starts.

tf_config.py   the environment variable TF_CONFIG: who is who in the cluster
network.py     the network, once for training, evaluation and serving
checkpoints.py the checkpoints of a job folder
evaluation.py  a checkpoint's accuracy on the test digits, and its SavedModel
stopping.py    when to stop: a signal, or the end of the training
training.py    the training, by one process or by a task of a cluster
roles.py       what each kind of task does
task.py        the options
"""

import sys
from pathlib import Path

# In a clone, mnistdata.py and the like stand beside the folder mlengine; a built package brings them.
sys.path.append(str(Path(__file__).resolve().parents[2]))
