# SPDX-License-Identifier: Apache-2.0
"""Builds the source package of the trainer: python3 -m build --sdist mlengine, or python3 setup.py sdist in mlengine.

The package brings what the trainer needs of the folder above this one, and no window: the reader of the digits, what
sets TensorFlow up, and the requirements. They are copied here while it is built.
"""

import shutil
from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).resolve().parent
BORROWED = ["mnistdata.py", "visu/__init__.py", "visu/options.py", "visu/runtime.py", "visu/words.py"]
REQUIREMENTS = "trainer/requirements.txt"  # those in this folder are of predict.py

borrowed = {name: name for name in BORROWED}
borrowed[REQUIREMENTS] = "requirements.txt"
borrowed = {copy: name for copy, name in borrowed.items() if not (HERE / copy).exists()}  # a built package has them
for copy, name in borrowed.items():
    (HERE / copy).parent.mkdir(exist_ok=True)
    shutil.copy(str(HERE.parent / name), str(HERE / copy))
try:
    requirements = (HERE / REQUIREMENTS).read_text(encoding="utf-8").splitlines()
    setup(
        name="trainer",
        version="1.0",
        description="The convolutional network of stage 3.1, trained on one machine or by a cluster",
        license="Apache-2.0",
        python_requires=">=3.7",
        packages=find_packages(str(HERE), include=["trainer", "visu"]),
        py_modules=["mnistdata"],
        install_requires=[line for line in requirements if not line.startswith(("#", "matplotlib"))],
    )
finally:
    for copy in borrowed:
        (HERE / copy).unlink()
    if "visu/__init__.py" in borrowed:
        (HERE / "visu").rmdir()
