# SPDX-License-Identifier: Apache-2.0
"""Builds the source package of the trainer: python3 -m build --sdist mlengine, or python3 setup.py sdist in mlengine.

The package brings what a clone has once, above this folder: command_line.py, mnistdata.py, tensorflowsetup.py and
requirements.txt, less matplotlib, as there is no window in it. They are copied here while it is built; what a killed
build has left of them is made anew. In an unpacked package, which has a file PKG-INFO, they are here for good.
"""

import shutil
from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).resolve().parent
MODULES = ["command_line", "mnistdata", "tensorflowsetup"]
REQUIREMENTS = HERE / "trainer" / "requirements.txt"  # the one beside this file is of predict.py
COPIES = [*(HERE / f"{module}.py" for module in MODULES), REQUIREMENTS]


def borrow():
    for copy in COPIES:
        shutil.copy(str(HERE.parent / copy.name), str(copy))


def give_back():
    for copy in COPIES:
        if copy.exists():
            copy.unlink()


is_clone = not (HERE / "PKG-INFO").exists()
try:
    if is_clone:
        borrow()
    requirements = REQUIREMENTS.read_text(encoding="utf-8").splitlines()
    setup(
        name="trainer",
        version="1.0",
        description="The convolutional network of stage 3.1, trained on one machine or by a cluster",
        license="Apache-2.0",
        python_requires=">=3.7",
        packages=find_packages(str(HERE), include=["trainer"]),
        py_modules=MODULES,
        install_requires=[line for line in requirements if not line.startswith(("#", "matplotlib"))],
    )
finally:
    if is_clone:
        give_back()
