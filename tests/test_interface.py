"""The page of the interface: the signatures that it shows are those of the code, and no public name is missing."""

import inspect
import re

import mnistdata
import tensorflowvisu
from helpers import ROOT

PAGE = (ROOT / "docs" / "interface.md").read_text(encoding="utf-8")
OWNERS = {
    "mnistdata": mnistdata,
    "mnist.train": mnistdata.DataSet,
    "tensorflowvisu": tensorflowvisu,
    "datavis": tensorflowvisu.MnistDataVis,
}


def shown():
    """The (owner, name, parameters) of each call in the page's blocks of code."""
    code = "".join(re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL))
    for long, short in ((r"\(\n +", "("), (r",\n +", ", "), (r",\n\)", ")"), ("datavis = ", "")):
        code = re.sub(long, short, code)
    return [re.match(r"(.+)\.(\w+)\((.*)\)$", line).groups() for line in code.splitlines()]


def test_the_signatures_are_those_of_the_code():
    for owner, name, parameters in shown():
        signature = str(inspect.signature(getattr(OWNERS[owner], name)))
        for found, written in (("(self, ", "("), ("(self)", "()"), ("<class 'numpy.float32'>", "np.float32")):
            signature = signature.replace(found, written)
        assert signature == f"({parameters})", name


def test_every_public_name_is_there():
    assert set(tensorflowvisu.__all__) == {name for owner, name, _ in shown() if owner == "tensorflowvisu"}
    for owner in ("mnist.train", "datavis"):
        methods = {name for name, _ in inspect.getmembers(OWNERS[owner], inspect.isfunction) if name[0] != "_"}
        assert methods == {name for shown_owner, name, _ in shown() if shown_owner == owner}
