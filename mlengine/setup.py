# SPDX-License-Identifier: Apache-2.0
"""Builds the source package of the trainer: python3 -m build --sdist mlengine, or python3 setup.py sdist in mlengine.

The package brings what a clone has once, above this folder: command_line.py, mnistdata.py, tensorflowvisu.py with its
folder visu, and requirements.txt. They are copied here while it is built; copies that a killed build has left are made
anew. In an unpacked package, which has a file PKG-INFO, they are here for good.
"""

import shutil
from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).resolve().parent
MODULES = ["command_line", "mnistdata", "tensorflowvisu"]
REQUIREMENTS = HERE / "trainer" / "requirements.txt"  # the one beside this file is of predict.py
COPIES = [*(HERE / f"{module}.py" for module in MODULES), HERE / "visu", REQUIREMENTS]


def borrow():
    give_back()
    for copy in COPIES:
        original = HERE.parent / copy.name
        if original.is_dir():
            shutil.copytree(str(original), str(copy), ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(str(original), str(copy))


def give_back():
    for copy in COPIES:
        if copy.is_dir():
            shutil.rmtree(str(copy))
        elif copy.exists():
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
        packages=find_packages(str(HERE), include=["trainer", "visu", "visu.*"]),
        py_modules=MODULES,
        install_requires=[line for line in requirements if not line.startswith("#")],
    )
finally:
    if is_clone:
        give_back()
