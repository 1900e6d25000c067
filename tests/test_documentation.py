"""Everything that the documentation shows is run: code blocks, command lines, examples.

A document is run from its top to its end: its Python blocks share one namespace, and blocks and commands share one
temporary folder, which has a copy of `examples/`. `<!-- slow -->` on the line before a block leaves it to `-m slow`.
"""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted(path for path in (ROOT / "README.md", *ROOT.glob("docs/*.md")) if path.exists())
EXAMPLES = sorted(ROOT.glob("examples/*.py"))
SLOW_EXAMPLES: dict[str, str] = {}  # file name -> why it takes long
FENCE = re.compile(
    r"^(?P<slow> *<!-- slow -->\n)?(?P<indent> *)```(?P<language>\w*).*\n(?P<text>(?s:.*?))^(?P=indent)```$", re.M
)
ENVIRONMENT = os.environ | {"PATH": os.pathsep.join((sysconfig.get_path("scripts"), os.environ["PATH"]))}


@dataclass
class Block:
    language: str
    text: str
    line: int
    slow: bool


def blocks(text):
    for match in FENCE.finditer(text):
        indent = len(match["indent"])
        lines = [line[indent:] for line in match["text"].splitlines()]
        line = text.count("\n", 0, match.start("text")) + 1
        yield Block(match["language"], "\n".join(lines), line, bool(match["slow"]))


def commands(text):
    """The command lines that call isograd, also after `$ ` or `&&`; a trailing backslash goes on in the next line."""
    for line in text.replace("\\\n", " ").splitlines():
        for part in line.removeprefix("$ ").split(" && "):
            if part.startswith("isograd "):
                yield part


def run_command(command, folder):
    shell = ["bash", "-c", command] if isinstance(command, str) else command
    result = subprocess.run(
        shell, cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, stdin=subprocess.DEVNULL
    )
    assert result.returncode == 0, f"{command}\n{result.stdout[-4000:]}\n{result.stderr[-4000:]}"


def run_block(block, namespace, folder, document):
    if block.language == "python":
        # The empty lines give a traceback the line numbers of the document.
        exec(compile("\n" * (block.line - 1) + block.text, document, "exec"), namespace)
    if block.language in ("console", "bash"):
        for command in commands(block.text):
            run_command(command, folder)


def run_document(path, folder, monkeypatch, slow):
    monkeypatch.chdir(folder)
    if (ROOT / "examples").is_dir():
        shutil.copytree(ROOT / "examples", folder / "examples")
    namespace = {"__name__": "__main__"}
    for block in blocks(path.read_text()):
        if slow or not block.slow:
            run_block(block, namespace, folder, str(path))


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_document_runs(path, tmp_path, monkeypatch):
    run_document(path, tmp_path, monkeypatch, slow=False)


@pytest.mark.slow
@pytest.mark.parametrize(
    "path", [path for path in DOCUMENTS if any(block.slow for block in blocks(path.read_text()))], ids=lambda p: p.name
)
def test_document_runs_with_its_slow_blocks(path, tmp_path, monkeypatch):
    run_document(path, tmp_path, monkeypatch, slow=True)


@pytest.mark.parametrize(
    "path",
    [pytest.param(path, marks=[pytest.mark.slow] * (path.name in SLOW_EXAMPLES), id=path.name) for path in EXAMPLES],
)
def test_example_runs(path, tmp_path):
    run_command([sys.executable, str(path)], tmp_path)


SAMPLE = """\
```python
x = 1
```

* in a list:

  <!-- slow -->
  ```python title="b"
  y = x
  ```

<!-- slow -->
```console
$ pip install . && isograd check a.yaml  # why
isograd show \\
    a.yaml
not isograd
```
```
plain
```
"""


def test_blocks_are_found():
    found = [(block.language, block.line, block.slow) for block in blocks(SAMPLE)]
    assert found == [("python", 2, False), ("python", 9, True), ("console", 14, True), ("", 20, False)]
    assert [block.text for block in blocks(SAMPLE)][1] == "y = x"
    assert list(commands(list(blocks(SAMPLE))[2].text)) == ["isograd check a.yaml  # why", "isograd show      a.yaml"]


@pytest.mark.parametrize("text", ["```python\nassert 0\n```", "```bash\nisograd no-such-command\n```"])
def test_a_block_that_fails_is_seen(text, tmp_path, monkeypatch):
    document = tmp_path / "a.md"
    document.write_text(text)
    with pytest.raises(AssertionError):
        run_document(document, tmp_path, monkeypatch, slow=False)


def test_blocks_share_a_namespace_and_a_folder(tmp_path, monkeypatch):
    document = tmp_path / "a.md"
    document.write_text("```python\nimport pathlib\n```\n\n```python\npathlib.Path('file').write_text('made')\n```")
    run_document(document, tmp_path, monkeypatch, slow=False)
    assert (tmp_path / "file").read_text() == "made"
