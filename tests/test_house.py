"""The house rules that a machine can hold: what the wheel has, who imports whom, and how long a room may get."""

import ast
import doctest
import importlib
import itertools
import shutil
import subprocess
import sys
import textwrap
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
ROOMS = {  # each room and the rooms that it may import; the modules of the root are on top and import any
    "ir": {"ir"},
    "frontends": {"frontends", "ir"},
    "backends": {"backends", "ir"},
    "equivalence": {"equivalence", "backends", "ir"},
}
FRAMEWORKS = ("jax", "torch", "tensorflow", "keras", "onnxruntime", "tf2onnx")
HEAVY = (*FRAMEWORKS, "sympy", "onnx", "sklearn", "scipy")
IMPORT_SECONDS = 0.3
FILE_LINES, FUNCTION_LINES = 500, 50
INDEXES = {"ir/ops/__init__.py"}  # a list of names is looked up, not read


def package_files(root=ROOT):
    """The package's files, relative to the root: the root's own modules, and all beneath the rooms."""
    found = [*root.glob("*.py"), *(path for room in ROOMS for path in (root / room).rglob("*.py"))]
    return sorted(path.relative_to(root) for path in found)


def module_name(path):
    parts = path.with_suffix("").parts
    return ".".join(("isograd", *(parts[:-1] if parts[-1] == "__init__" else parts)))


def test_the_package_is_here():
    assert {"__init__.py", *(f"{room}/__init__.py" for room in ROOMS)} <= set(map(str, package_files()))


# The wheel


@pytest.fixture(scope="module")
def wheel_names(tmp_path_factory):
    """What a wheel built from a copy of the tree holds; in the tree itself setuptools would reuse an old build/."""
    copy, out = tmp_path_factory.mktemp("tree"), tmp_path_factory.mktemp("wheel")
    for file in filter(Path.is_file, ROOT.iterdir()):
        shutil.copy(file, copy)
    for room in ROOMS:
        shutil.copytree(ROOT / room, copy / room, ignore=shutil.ignore_patterns("__pycache__"))
    options = ("--no-deps", "--no-build-isolation", "--no-index", "--quiet", "--wheel-dir", str(out))
    subprocess.run([sys.executable, "-m", "pip", "wheel", *options, str(copy)], check=True)
    (wheel,) = out.glob("isograd-*.whl")
    return set(zipfile.ZipFile(wheel).namelist())


def test_wheel_holds_every_module_of_the_tree(wheel_names):
    held = {name for name in wheel_names if name.endswith(".py")}
    assert held == {f"isograd/{path.as_posix()}" for path in package_files()}


def test_wheel_holds_the_data_files(wheel_names):
    data = [path for room in ROOMS for ending in ("html", "json") for path in (ROOT / room).rglob(f"*.{ending}")]
    expected = {f"isograd/{path.relative_to(ROOT).as_posix()}" for path in data} | {"isograd/py.typed"}
    assert expected <= wheel_names


def test_constraints_pin_every_dependency():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [*project["dependencies"], *itertools.chain(*project["optional-dependencies"].values())]
    pins = [Requirement(line) for line in (ROOT / "constraints.txt").read_text().splitlines() if line[:1] not in "#"]
    assert all(str(pin.specifier).startswith("==") for pin in pins)
    missing = {canonicalize_name(Requirement(line).name) for line in wanted} - {canonicalize_name(p.name) for p in pins}
    assert missing == {"isograd"}  # the extra `all` names the other extras


# The arrows between the rooms


def imported_names(source, package):
    """The full name of each thing that a file imports, with its line; `package` is what a leading dot stands for."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = [*above, *(node.module.split(".") if node.module else [])]
            yield from ((node.lineno, ".".join([*base, alias.name])) for alias in node.names)


def wrong_arrows(root=ROOT):
    """Each import, within a function or not, by which a room reaches one that it may not, or the root's modules."""
    for path in package_files(root):
        if path.parts[0] not in ROOMS:
            continue
        package = ".".join(("isograd", *path.parts[:-1]))
        for line, name in imported_names((root / path).read_text(), package):
            top, _, rest = name.partition(".")
            if top == "isograd" and rest.split(".")[0] not in ROOMS[path.parts[0]]:
                yield f"{path}:{line} imports {name}"


def test_imports_run_one_way():
    assert list(wrong_arrows()) == []


@pytest.mark.parametrize(
    ("path", "source", "found"),
    [
        ("ir/graph.py", "from ..backends import jax", "isograd.backends.jax"),
        ("ir/ops/a.py", "from ...frontends.spec import x", "isograd.frontends.spec.x"),
        ("ir/a.py", "def f():\n    from .. import equivalence", "isograd.equivalence"),
        ("frontends/a.py", "from ..backends import jax", "isograd.backends.jax"),
        ("backends/jax/a.py", "import isograd.frontends", "isograd.frontends"),
        ("backends/a.py", "from ..equivalence.judge import x", "isograd.equivalence.judge.x"),
        ("equivalence/a.py", "from ..frontends import x", "isograd.frontends.x"),
        ("ir/__init__.py", "from ..cli import main", "isograd.cli.main"),
        ("ir/a.py", "import isograd", "isograd"),
    ],
)
def test_a_wrong_arrow_is_seen(path, source, found, tmp_path):
    file = tmp_path / path
    file.parent.mkdir(parents=True)
    file.write_text(source)
    assert list(wrong_arrows(tmp_path)) == [f"{path}:{source.count(chr(10)) + 1} imports {found}"]


@pytest.mark.parametrize(
    ("path", "source"),
    [
        (
            "ir/ops/a.py",
            "from ..graph import Graph\nfrom . import b\nfrom ... import ir\nimport torch, backends_of_others",
        ),
        ("frontends/a.py", "from ..ir import Graph\nfrom .torch import convert"),
        ("equivalence/a.py", "from ..backends import jax\nfrom ..ir import Graph"),
        ("cli.py", "from .equivalence import compare\nfrom . import load"),
    ],
)
def test_a_right_arrow_passes(path, source, tmp_path):
    file = tmp_path / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(source)
    assert list(wrong_arrows(tmp_path)) == []


def test_no_second_copy_of_a_room_is_loaded():
    """`import ir` works from the root; so does any name that a runner of tests makes up for a file of the package."""
    files = {str(ROOT / path) for path in package_files()}
    copies = {name for name, module in list(sys.modules.items()) if getattr(module, "__file__", None) in files}
    assert {name for name in copies if name.split(".")[0] != "isograd"} == set()
    assert {name for name in sys.modules if name.split(".")[0] in ROOMS} == set()


# The import of isograd


def import_findings(package, place=None):
    """What a fresh interpreter loads of HEAVY on `import package`, and whether the best of three takes too long."""
    code = f"""
        import sys, time
        start = time.perf_counter()
        import {package}
        print(time.perf_counter() - start, *sorted(set(sys.modules) & set({HEAVY!r})))
    """
    command = [sys.executable, "-c", textwrap.dedent(code)]
    runs = [subprocess.run(command, capture_output=True, text=True, check=True, cwd=place) for _ in range(3)]
    seconds = min(float(run.stdout.split()[0]) for run in runs)
    loaded = runs[0].stdout.split()[1:]
    return [f"loads {name}" for name in loaded] + [f"takes {seconds:.2f} s"] * (seconds >= IMPORT_SECONDS)


def test_import_is_light():
    assert import_findings("isograd") == []


def test_a_heavy_import_is_seen(tmp_path):
    (tmp_path / "heavy.py").write_text(f"import time, sympy\ntime.sleep({IMPORT_SECONDS})")
    loads, takes = import_findings("heavy", place=tmp_path)
    assert loads == "loads sympy"
    assert takes.startswith("takes 0.")


# Documentation in the modules


@pytest.mark.parametrize("name", [module_name(path) for path in package_files()])
def test_doctests(name):
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name in FRAMEWORKS:
            pytest.skip(f"{error.name} is not installed")
        raise
    assert doctest.testmod(module).failed == 0


# The size of a room


def long_files(root=ROOT):
    lengths = {str(path): len((root / path).read_text().splitlines()) for path in package_files(root)}
    return {path: length for path, length in lengths.items() if length > FILE_LINES and path not in INDEXES}


def long_functions(root=ROOT):
    return {
        f"{path}:{node.lineno} {node.name}": node.end_lineno - node.lineno + 1
        for path in package_files(root)
        for node in ast.walk(ast.parse((root / path).read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno - node.lineno >= FUNCTION_LINES
    }


def test_files_and_functions_are_short():
    assert long_files() == {}
    assert long_functions() == {}


def test_a_long_file_and_a_long_function_are_seen(tmp_path):
    (tmp_path / "cli.py").write_text("def f():\n" + "    f()\n" * (FILE_LINES - 1))
    assert long_files(tmp_path) == {}
    assert long_functions(tmp_path) == {"cli.py:1 f": FILE_LINES}
    (tmp_path / "cli.py").write_text("def f():\n" + "    f()\n" * (FUNCTION_LINES - 1) + "f()\n" * FILE_LINES)
    assert long_files(tmp_path) == {"cli.py": FILE_LINES + FUNCTION_LINES}
    assert long_functions(tmp_path) == {}


def test_modules_say_what_they_are():
    assert [str(path) for path in package_files() if not ast.get_docstring(ast.parse((ROOT / path).read_text()))] == []
