"""The messages in docs/questions.md are, word by word, what programs say; and which Pythons TensorFlow is there for."""

import ast
import os
import platform
import re
import subprocess
import sys

import pytest

from helpers import NO_SCREEN, ROOT, STAGES, environment, run_script, stage_source

PAGE = (ROOT / "docs" / "questions.md").read_text(encoding="utf-8")
CODE = re.compile(r"(`+)(.+?)\1")
QUESTIONS = re.findall(r"(?ms)^\*\*(.+?)\*\*", PAGE)
MESSAGES = {code for question in QUESTIONS for _, code in CODE.findall(" ".join(question.split()))}
LOG_TABLE = PAGE.partition("| line | means |")[2].partition("\n\n")[0]
LOGS = {code for row in LOG_TABLE.splitlines() for _, code in CODE.findall(row.split(" | ")[0])}
INSTEAD_OF_CONTRIB = re.findall(r"(?m)^\| `(tf\.contrib\..*?)` \| `(.*?)` \|$", PAGE)

ELSEWHERE = {  # where those are brought about that are not here, or why they can't be
    "No window: …": "tests/test_backends.py",
    "TensorFlow can't be used with …": "tests/test_scripts.py",
    "nan": "tests/test_exercises.py",
    "DLL load failed while importing _pywrap_tensorflow_internal": "on Windows",
    "Illegal instruction": "on a processor without AVX",
    "illegal hardware instruction": "the same on a Mac",
    "could not open display": "GTK 2, which no matplotlib of today uses",
    "No module named 'tensorflow.examples.tutorials'": "the first versions of TensorFlow 2",
    "Descriptors cannot not be created directly": "protobuf 4",
    "TF-TRT Warning: Could not find TensorRT": "TensorFlow 2.12 to 2.19",
    "Unable to register cuDNN factory": "TensorFlow 2.14 to 2.19",
    "Unable to register cuBLAS factory": "TensorFlow 2.14 to 2.19",
    "Unable to register cuFFT factory": "TensorFlow 2.14 to 2.19",
}
ONLY_TENSORFLOW_1 = r"Your CPU supports|CPU Frequency|XLA service|StreamExecutor device"
ONLY_TENSORFLOW_2 = (
    r"has no attribute|eager execution|graph is empty|No module named 'tensorflow\.|Keras 3|Descriptors"
    r"|This TensorFlow binary|To enable the following|oneDNN|cuda drivers|cuInit|MLIR|rendezvous"
)

# One process for all that TensorFlow says, its logs included. It must not begin with our modules, which set it up.
TRIES = """
import tensorflow
import tensorflow.compat.v1 as tf
print(tensorflow.__version__)
from google.protobuf import descriptor


def attempt(line):
    try:
        exec(line, globals())
    except Exception as error:
        print(type(error).__name__ + ": " + str(error))


for name in ("placeholder", "Session", "get_default_graph", "contrib"):
    attempt(f"tensorflow.{name}")
attempt("tf.contrib")
attempt("import tensorflow.examples.tutorials.mnist")
attempt("import tensorflow.contrib")
attempt("tf.placeholder(tf.float32)")
attempt("tf.Session().run(tf.constant(1.0))")
attempt("descriptor.FieldDescriptor(*'xx0131100', *[None] * 3, False, None)")
tf.disable_v2_behavior()
tf.reset_default_graph()
placeholder, variable = tf.placeholder(tf.float32), tf.Variable(1.0)
sess = tf.Session()
attempt("sess.run(variable)")
attempt("sess.run(placeholder)")
attempt("tf.layers.dense(tf.zeros([2, 3]), 10)")
with tf.Graph().as_default():
    other = tf.constant(1.0)
attempt("sess.run(other)")
attempt("variable + other")

X, XX = tf.placeholder(tf.float32, [None, 28, 28, 1]), tf.placeholder(tf.float32, [None, 784])
for pair in INSTEAD_OF_CONTRIB:
    for layer in pair if hasattr(tensorflow, "contrib") else pair[1:]:
        print(layer, "is", eval(layer.replace("tf.contrib", "tensorflow.contrib")).shape.as_list())
"""


# All others, each said by a command without a screen
TK, QT = "import tkinter; tkinter.Tk()", "from PySide6.QtGui import QGuiApplication; QGuiApplication([])"
COMMANDS = {
    "Cannot load backend 'TkAgg' which requires the 'tk' interactive framework, as 'headless' is currently running": (
        ["-c", "import tkinter, matplotlib.pyplot; matplotlib.pyplot.switch_backend('TkAgg')"],
        {},
    ),
    "no display name and no $DISPLAY environment variable": (["-c", TK], {}),
    "couldn't connect to display": (["-c", TK], {"DISPLAY": NO_SCREEN}),
    "could not connect to display": (["-c", QT], {"DISPLAY": NO_SCREEN}),
    "ModuleNotFoundError: No module named 'tensorflowvisu'": (["-I", str(ROOT / STAGES[0])], {}),
    "No matching distribution found for tensorflow": (
        ["-m", "pip", "--isolated", "download", "--no-index", "--no-deps", "tensorflow"],
        {},
    ),
}


@pytest.fixture(scope="module")
def tensorflow(tmp_path_factory):
    """What TensorFlow says to all tries; its version is the first line."""
    source = TRIES.replace("INSTEAD_OF_CONTRIB", repr(INSTEAD_OF_CONTRIB))
    folder = tmp_path_factory.mktemp("tries")
    process = run_script(source, folder, TF_CPP_MIN_LOG_LEVEL="0", TF_ENABLE_ONEDNN_OPTS="1")
    assert process.returncode == 0, process.stderr
    return process


def not_said(messages, text, version):
    """The messages that are not in the text of this TensorFlow, though they could."""
    of_others = ONLY_TENSORFLOW_2 if version.startswith("1.") else ONLY_TENSORFLOW_1
    return {message for message in messages if message not in text and not re.search(of_others, message)}


@pytest.mark.tensorflow
def test_tensorflow_says_its_messages(tensorflow):
    assert ELSEWHERE.keys() | COMMANDS.keys() <= MESSAGES | LOGS
    messages = MESSAGES - ELSEWHERE.keys() - COMMANDS.keys()
    assert not not_said(messages, tensorflow.stdout, tensorflow.stdout)


@pytest.mark.tensorflow
@pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() != "x86_64" or os.path.exists("/dev/nvidia0"),
    reason="these logs are of Linux on an Intel or AMD processor, without a graphics card of NVIDIA's",
)
def test_tensorflow_logs_the_lines_of_the_table_and_no_others(tensorflow):
    assert not not_said(LOGS - ELSEWHERE.keys(), tensorflow.stderr, tensorflow.stdout)
    lines = re.findall(r"(?m)^(?:\S+ \S+: )?[IWE](?:\d{4} | tensorflow/).*", tensorflow.stderr)
    assert lines
    assert not [line for line in lines if not any(log in line for log in LOGS)]


@pytest.mark.tensorflow
def test_what_stands_in_place_of_contrib_makes_the_same_shapes(tensorflow):
    shapes = dict(line.split(" is ") for line in tensorflow.stdout.splitlines() if " is [None, " in line)
    assert len(INSTEAD_OF_CONTRIB) == 5
    for before, today in INSTEAD_OF_CONTRIB:
        assert shapes[today] == shapes.get(before, shapes[today])  # only TensorFlow 1 has both


@pytest.mark.parametrize("message", sorted(COMMANDS))
def test_a_command_says_the_message(message):
    arguments, changes = COMMANDS[message]
    if "display" in message or "headless" in message:
        if not sys.platform.startswith("linux"):
            pytest.skip("on Linux only, a program can be without a screen by its environment")
        pytest.importorskip("PySide6" if QT in arguments else "tkinter")
    process = subprocess.run(
        [sys.executable, *arguments], env=environment(**changes), stderr=subprocess.PIPE, encoding="utf-8"
    )
    assert process.returncode != 0
    assert message in process.stderr


# -- Python too new, too old, or of 32 bits


def with_tensorflow(version):
    """Whether requirements.txt has a TensorFlow for a version like 3.14."""
    requirements = pytest.importorskip("packaging.requirements")
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    wanted = [requirements.Requirement(line) for line in lines if not line.startswith("#")]
    return any(line.name == "tensorflow" and line.marker.evaluate({"python_version": version}) for line in wanted)


@pytest.mark.parametrize("version, bits", [("3.6", 64), ("3.13", 64), ("3.13", 32), ("3.14", 64)])
def test_a_python_without_tensorflow_is_told_which_ones_have_it(version, bits, tmp_path):
    installed = tmp_path / "installed"
    installed.mkdir()
    (installed / "tensorflow.py").write_text("raise ModuleNotFoundError(\"No module named 'tensorflow'\")\n")
    major, minor = version.split(".")
    source = f"import sys\nsys.version_info, sys.maxsize = ({major}, {minor}), 2 ** {bits - 1} - 1\n"
    path = os.pathsep.join([str(installed), str(ROOT)])
    process = run_script(source + stage_source(STAGES[0]), tmp_path, PYTHONPATH=path)
    assert process.returncode == 1
    assert f"Python {version} (No module named 'tensorflow'): " in process.stderr and process.stderr.count("\n") == 1
    which = "requirements.txt brings it for 64-bit Python 3.7 to 3.13"
    assert (which in process.stderr) == (bits == 32 or not with_tensorflow(version))


@pytest.mark.parametrize("page", ["README.md", "install.txt"])
def test_the_pages_name_the_pythons_that_have_tensorflow(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    first, last = re.search(r"\b3\.(\d+) to 3\.(\d+)\b", text).groups()
    assert [minor for minor in range(6, 20) if with_tensorflow(f"3.{minor}")] == [7, *range(int(first), int(last) + 1)]


@pytest.mark.skipif(sys.version_info < (3, 8), reason="this Python can't parse for an older one")
def test_python_3_6_gets_as_far_as_that_sentence():
    for path in (*ROOT.glob("*.py"), *(ROOT / "visu").rglob("*.py")):
        ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 6))
