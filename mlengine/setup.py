# SPDX-License-Identifier: Apache-2.0
"""Builds the source package of the trainer: python3 -m build --sdist mlengine, or python3 setup.py sdist in mlengine.

The package brings what a clone has once, above this folder: command_line.py, mnistdata.py, tensorflowvisu.py with its
folder visu, and requirements.txt. They are copied here while it is built.
"""

import shutil
from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).resolve().parent
MODULES = ["command_line", "mnistdata", "tensorflowsetup"]

borrowed = [HERE / name for name in (*(f"{module}.py" for module in MODULES), "requirements.txt")]
borrowed = [path for path in borrowed if not path.exists()]  # in an unpacked package they are here for good
for path in borrowed:
    shutil.copy(str(HERE.parent / path.name), str(path))
try:
    requirements = (HERE / "requirements.txt").read_text(encoding="utf-8").splitlines()
    setup(
        name="trainer",
        version="1.0",
        description="The convolutional network of stage 3.1, trained on one machine or by a cluster",
        license="Apache-2.0",
        python_requires=">=3.7",
        packages=find_packages(str(HERE), include=["trainer"]),
        py_modules=MODULES,
        install_requires=[line for line in requirements if not line.startswith("#")],
    )
finally:
    for path in borrowed:
        path.unlink()
