# SPDX-License-Identifier: Apache-2.0
"""Runs a stage, or any script like one, with another seed, another length, or without its window.

    stage = Stage(read_source(path), path, seed=3, iterations=500)
    names = stage.run(text_only)        as "python3 script.py" would, in this process

All programs that change a script before they run it do so here: compare_stages.py, docs/figures/runs.py, benchmarks and
tests. The script's text stays as it is. What is changed is its syntax tree: the value of SEED, the number of
iterations, and the call of datavis.animate, or the loop of the text-only mode, which becomes a call of a function of
the caller's. So line numbers, __file__, sys.argv and the folder are the script's own.
"""

import ast
import collections
import contextlib
import functools
import hashlib
import importlib.util
import inspect
import io
import os
import re
import sys
import textwrap
import tokenize
import types
from pathlib import Path

ROOT = Path(__file__).resolve().parent

# What a number of iterations may consist of, as types of nodes: "Num" is Python 3.7's, "Constant" that of all others
LEAVES = ("Num", "Constant", "Name", "Load")
OPERATIONS = (ast.BinOp, ast.UnaryOp, ast.operator, ast.unaryop)
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
SCOPES = (*FUNCTIONS, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)  # with names of their own
SEEDING = ("set_random_seed", "set_seed")
SETTINGS = ("TF_", "OMP_", "CUDA_VISIBLE_DEVICES", "PYTHONHASHSEED")  # beginnings of variables that change results
WINDOW, LOOP = "window's line", "text-only line"


def read_source(path):
    """The text of a script, in the encoding that it names; raises ValueError with one sentence, or OSError."""
    try:
        with tokenize.open(str(path)) as file:
            return file.read()
    except (SyntaxError, UnicodeDecodeError) as error:
        raise ValueError(f"its text can't be read ({error})")


# ------------------------------------------------------------------------------------------ what to do when it trains

# Each of these is called in place of datavis.animate, with the function training_step, an iterable of its arguments
# (i, update_test_data, update_train_data), and a function animate(training_step) that does what the script would do.


def text_only(step, updates, animate):
    """Trains without a window, with the same updates."""
    for update in updates:
        step(*update)


def with_window(step, updates, animate):
    """Trains as the script does."""
    animate(step)


# ------------------------------------------------------------------------------------------------------------ scripts


class Stage:
    """A script that trains, read and changed, ready to run.

    source: its text. path: its file, which need not exist. seed, iterations: other ones than the script's, or None.
    Raises ValueError, with one sentence, for a script that can't be read so.

    iterations: how many it trains for. iterations_done: how many it has, after run(text_only).
    """

    def __init__(self, source, path, seed=None, iterations=None):
        self.path, self.iterations_done = Path(path), 0
        try:
            self.tree = ast.parse(source)
        except SyntaxError as error:
            raise ValueError(f"line {error.lineno} is not Python: {error.msg}")
        self._expressions = assignments(self.tree)
        self._training = self._find_training()
        self.iterations = self._read_length(source)
        if seed is not None:
            self._replace({seed_node(self.tree, self._expressions): seed})
        if iterations is not None:
            self._change_length(iterations)
        self._insert_hook()

    def run(self, train):
        """Runs it as a program, and calls train (see above) where it trains; returns its names, a dictionary."""
        program = types.ModuleType("__main__")
        program.__dict__.update(
            __file__=str(self.path), __animate__=self._hook_of_window(train), __loop__=self._hook_of_loop(train)
        )
        sys.modules["__main__"] = program
        sys.argv[:] = [str(self.path)]
        sys.path.insert(0, str(self.path.resolve().parent))
        exec(compile(self.tree, str(self.path), "exec"), program.__dict__)
        return program.__dict__

    def key(self):
        """A text of 12 characters that is another one for each other result that the script might have.

        It stands for the code, without comments, with its seed and its iterations; the modules that it imports from
        its own folder and from the project; the data; the versions of TensorFlow and numpy; and what environment
        variables say to them.
        """
        parts = [ast.dump(self.tree)]
        files = {*imported_files(self.tree, self.path), *data_files(self.tree)}
        parts += sorted(f"{file.name} {hash_of(file)}" for file in files)
        parts += versions("tensorflow", "tf_nightly", "numpy")
        parts += sorted(f"{name}={value}" for name, value in os.environ.items() if name.startswith(SETTINGS))
        return hashlib.sha256("\n".join(parts).encode("utf-8", "surrogateescape")).hexdigest()[:12]

    def _find_training(self):
        found = [node for node in module_level(self.tree) if kind_of(node)]
        if not found:
            raise ValueError(
                "found neither a line like datavis.animate(training_step, ITERATIONS) nor one like "
                "for i in range(ITERATIONS): training_step(i, …), expected one of them"
            )
        if len(found) > 1:
            lines = " and ".join(str(statement.lineno) for statement in found)
            raise ValueError(f"lines {lines} train one after the other, expected one: comment the other out")
        return found[0]

    def _read_length(self, source):
        kind, line = kind_of(self._training), self._training.lineno
        length = value_of(length_node(self._training), self._expressions)
        if length is None or length < 1:
            raise ValueError(
                f"line {line} does not say for how many iterations it trains: expected a whole number, 1 or more, or "
                "arithmetic with such numbers and with names that get one, once, at the top level of the script"
            )
        for other_line, other in commented_statements(source):
            other_length = value_of(length_node(other), self._expressions) if kind_of(other) else None
            if kind_of(other) != kind and other_length not in (None, length):
                raise ValueError(
                    f"the {kind}, {line}, is of {length:,} iterations and the {kind_of(other)}, {other_line}, of "
                    f"{other_length:,}: make them the same"
                )
        return length

    def _change_length(self, iterations):
        node = length_node(self._training)
        if isinstance(node, ast.Name):  # a constant: what else depends on it, like a learning rate, goes along
            node = self._expressions[node.id]
        self._replace({node: iterations})
        self.iterations = iterations

    def _replace(self, numbers):
        nodes = {old: ast.copy_location(ast.parse(str(n), mode="eval").body, old) for old, n in numbers.items()}
        self.tree = Replacement(nodes).visit(self.tree)

    def _insert_hook(self):
        """Puts a call of __animate__ or of __loop__ in the place of what trains."""
        statement, old_nodes = self._training, set(ast.walk(self._training))
        if kind_of(statement) == WINDOW:
            hook, old = ast.parse("__animate__()").body[0], statement.value
            hook.value.args, hook.value.keywords = [old.func.value, *old.args], old.keywords
        else:
            hook, old = ast.parse("__loop__(0, 0, lambda i: (0, 0))").body[0], statement.body[0].value
            updates = hook.value.args[2]
            updates.args.args[0].arg, updates.body.elts = statement.target.id, old.args[1:]
            hook.value.args = [old.func, length_node(statement), updates]
        for node in set(ast.walk(hook)) - old_nodes:
            ast.copy_location(node, statement)
        self.tree = Replacement({statement: hook}).visit(self.tree)

    def _hook_of_window(self, train):
        def hook(datavis, *arguments, **named):
            import tensorflowvisu  # here, as it has to be the script that imports it first

            schedule = getattr(tensorflowvisu, "schedule", None)
            if not schedule:
                sys.exit(f"{tensorflowvisu.__file__} is older than this project: take it out of the script's folder")
            call = inspect.signature(datavis.animate).bind(*arguments, **named)
            call.apply_defaults()
            updates = schedule(*[call.arguments[name] for name in inspect.signature(schedule).parameters])

            def animate(step):
                call.arguments["compute_step"] = step
                datavis.animate(*call.args, **call.kwargs)

            train(call.arguments["compute_step"], self._counted(updates), animate)

        return hook

    def _hook_of_loop(self, train):
        def hook(step, iterations, updates_of):
            def updates():
                for i in range(iterations):
                    yield (i, *(bool(update) or i == iterations - 1 for update in updates_of(i)))

            train(step, self._counted(updates()), lambda step: text_only(step, updates(), None))

        return hook

    def _counted(self, updates):
        for update in updates:
            yield update
            self.iterations_done += 1


class Replacement(ast.NodeTransformer):
    """Puts other nodes in the place of some of a tree: {old: new}."""

    def __init__(self, nodes):
        self.nodes = nodes

    def visit(self, node):
        return self.nodes.get(node) or self.generic_visit(node)


# --------------------------------------------------------------------------------------------- what stands in a script


def module_level(tree):
    """All nodes but those inside of functions and classes, and of what else has names of its own."""
    for node in ast.iter_child_nodes(tree):
        yield node
        if not isinstance(node, SCOPES):
            yield from module_level(node)


def kind_of(statement):
    """WINDOW for a statement like datavis.animate(…), LOOP for one like for i in range(…): training_step(i, …)."""
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
        call = statement.value
        if isinstance(call.func, ast.Attribute) and call.func.attr == "animate" and length_node(statement) is not None:
            return WINDOW
    if isinstance(statement, ast.For) and isinstance(statement.target, ast.Name) and len(statement.body) == 1:
        numbers, call = statement.iter, getattr(statement.body[0], "value", None)
        in_range = name_called(numbers) == "range" and len(numbers.args) == 1
        if in_range and name_called(call) == "training_step" and (len(call.args), call.keywords) == (3, []):
            return LOOP
    return None


def name_called(node):
    """The name of the function in a call like f(x), or None."""
    return node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else None


def length_node(statement):
    """The expression of the number of iterations in such a statement, or None."""
    if isinstance(statement, ast.For):
        return statement.iter.args[0]
    call = statement.value
    named = [keyword.value for keyword in call.keywords if keyword.arg == "iterations"]
    return (named or call.args[1:2] or [None])[0]


def commented_statements(source):
    """(line, statement) of each comment that is a window's line or a text-only line, on one line or on several."""
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    comments = [token for token in tokens if token.type == tokenize.COMMENT and token.line.lstrip().startswith("#")]
    texts = {token.start[0]: token.string[1:] for token in comments}
    for first, text in texts.items():
        if re.match(r"\s*([\w.]+\.animate\(|for \w+ in range\()", text):
            lines, number, statement = [], first, None
            while number in texts and not statement:
                lines.append(texts[number])
                number += 1
                statement = parsed("\n".join(lines))
            if statement:
                yield first, statement


def parsed(text):
    """The one statement that a text is, or None."""
    try:
        (statement,) = ast.parse(textwrap.dedent(text)).body
    except (SyntaxError, ValueError):
        return None
    return statement


def assignments(tree):
    """{name: expression} of the names that are assigned once, at the top level of a script."""
    times = collections.Counter(
        node.id for node in module_level(tree) if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)
    )
    changed_in_functions = {name for node in ast.walk(tree) if isinstance(node, ast.Global) for name in node.names}
    found = {}
    for statement in tree.body:
        targets = getattr(statement, "targets", None) or [getattr(statement, "target", None)]
        if isinstance(statement, (ast.Assign, ast.AnnAssign)) and statement.value and len(targets) == 1:
            name = getattr(targets[0], "id", None)
            if times[name] == 1 and name not in changed_in_functions:
                found[name] = statement.value
    return found


def value_of(expression, expressions):
    """The whole number that an expression stands for, or None; expressions: {name: expression} of the script."""
    try:
        value = evaluated(expression, expressions)
    except (ArithmeticError, TypeError, ValueError, RecursionError):
        return None
    return value if type(value) is int else None


def evaluated(expression, expressions):
    nodes = list(ast.walk(expression))
    if not all(isinstance(node, OPERATIONS) or type(node).__name__ in LEAVES for node in nodes):
        raise ValueError("not arithmetic")
    names = {node.id for node in nodes if isinstance(node, ast.Name)}
    if names - set(expressions):
        raise ValueError("another name")
    values = {name: evaluated(expressions[name], expressions) for name in names}
    return eval(compile(ast.Expression(body=expression), "arithmetic", "eval"), {"__builtins__": {}}, values)


def seed_node(tree, expressions):
    """The expression of a script's seed: the value of SEED or, in a script without, what set_random_seed gets."""
    if "SEED" in expressions:
        return expressions["SEED"]
    calls = [
        node for node in ast.walk(tree) if isinstance(node, ast.Call) and getattr(node.func, "attr", "") in SEEDING
    ]
    if len(calls) == 1 and len(calls[0].args) == 1 and value_of(calls[0].args[0], expressions) is not None:
        return calls[0].args[0]
    raise ValueError("has no seed to change: expected one line SEED = 0 at its top, or one line tf.set_random_seed(0)")


# ------------------------------------------------------------------------------------- all that a result depends on


def imported_files(tree, path):
    """The files of the modules that a script imports from its own folder and from the project, and of what they import.

    Only what import statements name is found.
    """
    search_path = [path.resolve().parent, ROOT]
    found, waiting = set(), [(tree, path)]
    while waiting:
        tree, path = waiting.pop()
        for name, folder in imported_names(tree, path):
            for file in module_files(name, [folder] if folder else search_path):
                if file not in found:
                    found.add(file)
                    with contextlib.suppress(SyntaxError, ValueError):  # what can't be read imports nothing
                        waiting.append((ast.parse(read_source(file)), file))
    return found


def imported_names(tree, path):
    """(name, folder that it is relative to, or None) of each import; "from a import b" gives a.b, which may be one."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, None) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            folder = path.resolve().parents[node.level - 1] if node.level else None
            yield from ((".".join(filter(None, [node.module, alias.name])), folder) for alias in node.names)


def module_files(name, folders):
    """The files that the import of a dotted name runs, from the first folder that has some."""
    parts = name.split(".")
    for folder in folders:
        bases = [folder.joinpath(*parts[:length]) for length in range(1, len(parts) + 1)]
        files = [file for base in bases for file in (base / "__init__.py", base.with_name(base.name + ".py"))]
        files = [file for file in files if file.is_file()]
        if files:
            return files
    return []


def data_files(tree):
    """The files in the folders that a script hands to read_data_sets; see there which folders these are."""
    for call in ast.walk(tree):
        if isinstance(call, ast.Call) and "read_data_sets" in (getattr(call.func, key, "") for key in ("attr", "id")):
            named = [keyword.value for keyword in call.keywords if keyword.arg in ("data_dir", "train_dir")]
            for argument in [*call.args[:1], *named]:
                with contextlib.suppress(ValueError, TypeError):  # what is no text is known to the script alone
                    folder = os.path.expanduser(ast.literal_eval(argument))
                    for place in {Path(folder).resolve(), (ROOT / folder).resolve()}:
                        yield from (file for file in place.glob("*ubyte*") if file.is_file())


def hash_of(file):
    status = file.stat()
    return hash_of_content(str(file), status.st_size, status.st_mtime_ns)


@functools.lru_cache(maxsize=None)
def hash_of_content(file, size, changed):
    """Of one file with one size and one time of its last change, so that each is read once."""
    return hashlib.sha256(Path(file).read_bytes()).hexdigest()


def versions(*packages):
    """The names of the folders where pip keeps what it knows of packages: they tell a version without an import."""
    for package in packages:
        spec = importlib.util.find_spec(package)
        for place in (spec.submodule_search_locations or []) if spec else []:
            yield from sorted(folder.name for folder in Path(place).parent.glob(f"{package}*-info"))
