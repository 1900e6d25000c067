"""The command line: convert, compare, train, show, check, backends."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from .ir.errors import IsogradError

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="One graph, every framework, the same numbers. Exit code: 0 done or equivalent, 1 not, 2 bad input.",
)
out, err = Console(highlight=False, soft_wrap=True), Console(stderr=True, highlight=False, soft_wrap=True)

File = Annotated[Path, typer.Argument(help="A spec (.yaml, .json), or a folder that model.save wrote.")]
Backend = Annotated[str | None, typer.Option("--backend", "-b", help="numpy, jax, torch, tensorflow or onnxruntime.")]
Steps = Annotated[int | None, typer.Option(help="Training steps; the spec's by default.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command()
def convert(
    file: File,
    to: Annotated[str, typer.Option("--to", "-t", help="numpy, jax, torch, tensorflow or onnx.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The folder to write into.")] = Path("."),
    step: Annotated[
        bool, typer.Option("--training", help="Write the training step too, by the spec's recipe.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Write a model as readable code with its weights, or as ONNX."""
    from .backends.export import export
    from .ir.training import training_step

    model = _load(file)
    files = export(model, to, output, training=training_step(model) if step else None)
    if as_json:
        out.print_json(json.dumps({"files": [str(f) for f in files]}))
    else:
        for path in files:
            out.print(f"wrote {path}")


@app.command()
def compare(
    file: File,
    backends: Annotated[str, typer.Option("--backends", help="Names, separated by commas, or all.")] = "all",
    what: Annotated[str, typer.Option(help="training, gradients or inference.")] = "training",
    steps: Steps = None,
    html: Annotated[Path | None, typer.Option(help="Where to write the HTML report.")] = None,
    as_json: AsJson = False,
) -> None:
    """Run one model on every backend from the same weights and batches, and judge what differs."""
    from .equivalence import compare as run

    model, settings, data = _with_data(file)
    names: Any = "all" if backends == "all" else tuple(b.strip() for b in backends.split(","))
    chosen: Any = what
    with _spinner(as_json) as tell:
        report = run(
            model,
            data=data,
            backends=names,
            what=chosen,
            steps=steps or settings["steps"],
            batch_size=settings["batch_size"],
            seed=settings["seed"],
            progress=tell,
        )
    place = html or Path(f"{model.name}-report.html")
    report.to_html(place)
    if as_json:
        out.print_json(json.dumps(report.to_dict()))
    else:
        out.print(report.table, markup=False)
        out.print(f"report: {place}")
    raise typer.Exit(0 if report.ok else 1)


@app.command()
def train(
    file: File,
    backend: Backend = None,
    steps: Steps = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="A folder for the trained model.")] = None,
    as_json: AsJson = False,
) -> None:
    """Train a spec's model on its data, on one backend (the first framework installed, or NumPy)."""
    from .backends.loop import accuracy, as_columns, default_backend
    from .backends.loop import train as run

    model, settings, data = _with_data(file)
    if data is None:
        raise typer.BadParameter(f"{file} names no data; add e.g. `data: digits`")
    name = backend or default_backend()
    with _progress(as_json) as progress:
        history = run(
            model,
            (data.x, data.y),
            backend=name,
            steps=steps or settings["steps"],
            batch_size=settings["batch_size"],
            seed=settings["seed"],
            shuffle=settings["shuffle"],
            callbacks=[lambda p: progress(f"training on {name}", p.step, p.steps)],
        )
    x, y = as_columns(history.model.inference, (data.x_test, data.y_test))
    score = accuracy(history.model.compile(name)(*x), y[0])
    if output is not None:
        history.model.save(output)
    result = {"backend": name, "steps": len(history.losses), "loss": float(history.losses[-1]), "test_accuracy": score}
    if as_json:
        out.print_json(json.dumps(result | {"losses": history.losses.tolist()}))
    else:
        out.print(f"{name}: {len(history.losses)} steps, loss {history.losses[-1]:.4f}, test accuracy {score:.2%}")
        if output is not None:
            out.print(f"wrote {output}")


@app.command()
def show(
    file: File,
    target: Annotated[
        str | None, typer.Option("--to", "-t", help="Show the module for this backend; the graph by default.")
    ] = None,
    training: Annotated[bool, typer.Option("--training", help="Show the training step.")] = False,
) -> None:
    """Print a model's graph, or the code that it becomes."""
    from .backends.export import source
    from .ir.training import training_step

    model = _load(file)
    shown = training_step(model) if training else model
    graph = shown.training if training else shown.inference
    print(str(graph) if target is None else source(shown, target, graph))


@app.command()
def check(
    file: File,
    target: Annotated[
        list[str] | None, typer.Option("--target", "-t", help="A backend, or onnx; may be repeated. All by default.")
    ] = None,
    opset: Annotated[int, typer.Option(help="The opset of ONNX.")] = 21,
    as_json: AsJson = False,
) -> None:
    """Say what would fail for which target, all of it, before trying. Exit code 1 if anything would."""
    from .backends.check import check as run

    report = run(_load(file), target or "all", opset=opset)
    if as_json:
        out.print_json(json.dumps(report.to_dict()))
    else:
        out.print(str(report), markup=False)
    raise typer.Exit(0 if report.ok else 1)


@app.command()
def backends(as_json: AsJson = False) -> None:
    """List the backends: installed or not, versions, devices."""
    from .backends import BACKENDS, is_installed, runtime

    rows = []
    for name in BACKENDS:
        there = is_installed(name)
        rows.append(
            {
                "backend": name,
                "installed": there,
                "version": runtime(name).version() if there else None,
                "devices": list(runtime(name).devices()) if there else [],
            }
        )
    if as_json:
        out.print_json(json.dumps(rows))
        return
    table = Table(box=None, pad_edge=False)
    for title in ("backend", "version", "devices"):
        table.add_column(title)
    for row in rows:
        table.add_row(str(row["backend"]), str(row["version"] or "not installed"), ", ".join(row["devices"]))  # type: ignore[arg-type]  # a list of names
    out.print(table)


def _load(file: Path) -> Any:
    from .frontends.load import load

    return load(file)


def _with_data(file: Path) -> tuple[Any, dict[str, Any], Any]:
    """A model, how it is to be trained, and its data (None where the file names none)."""
    from .frontends.load import SPECS
    from .frontends.spec import read_spec, spec_data

    settings: dict[str, Any] = {"steps": 200, "batch_size": 32, "seed": 0, "shuffle": True}
    model = _load(file)
    if file.suffix.lower() not in SPECS:
        return model, settings, None
    spec = read_spec(file)
    settings |= spec.training
    data = spec_data(spec)
    if data is not None and "epochs" in settings:
        settings["steps"] = settings["epochs"] * -(-len(data.x) // settings["batch_size"])
    return model, settings, data


@contextlib.contextmanager
def _spinner(quiet: bool) -> Iterator[Callable[[str], None]]:
    """`tell(text)` on standard error: what is being done now."""
    if quiet or not err.is_terminal:
        yield lambda text: None
        return
    with err.status("starting") as status:
        yield status.update


@contextlib.contextmanager
def _progress(quiet: bool) -> Iterator[Callable[[str, int, int | None], None]]:
    """`tell(text, done, total)` on standard error; nothing where output is for machines or nobody watches."""
    if quiet or not err.is_terminal:
        yield lambda text, done, total: None
        return
    with Progress(
        TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), console=err, transient=True
    ) as bar:
        tasks: dict[str, Any] = {}

        def tell(text: str, done: int, total: int | None) -> None:
            if text not in tasks:
                tasks[text] = bar.add_task(text, total=total)
            bar.update(tasks[text], completed=done)

        yield tell


def main() -> None:
    """Run the command line; an error of the input is one message and exit code 2."""
    try:
        app()
    except IsogradError as error:
        err.print(f"[bold red]error:[/] {type(error).__name__}: ", end="")
        err.print(str(error), markup=False)
        for note in getattr(error, "__notes__", ()):
            err.print(f"  {note}", markup=False)
        sys.exit(2)


if __name__ == "__main__":
    main()
