"""How symbolic sizes are written in Python."""

from __future__ import annotations

import ast
from collections.abc import Callable
from functools import lru_cache, reduce

from ..ir.dims import Dim, parse_dim

_MARK = "_size_"  # begins a name that stands for a size, while templates compute with it


def size_expression(dim: Dim, extrema: tuple[str, str] = ("max", "min")) -> ast.expr:
    """A size as an expression of its symbols; `extrema` are the functions of two or more sizes.

    >>> from isograd.ir.dims import floor_div, maximum, symbol
    >>> ast.unparse(size_expression(maximum(floor_div(symbol("N") + 1, 2) - 3, 0)))
    'max((N + 1) // 2 - 3, 0)'
    """
    return _Written(extrema).visit(ast.parse(str(dim), mode="eval").body)  # type: ignore[no-any-return]


class _Written(ast.NodeTransformer):
    def __init__(self, extrema: tuple[str, str]) -> None:
        self.named = dict(zip(("max", "min"), extrema, strict=True))

    def visit_Call(self, node: ast.Call) -> ast.expr:
        self.generic_visit(node)
        assert isinstance(node.func, ast.Name)
        if node.func.id == "floor":
            return node.args[0]
        name = self.named[node.func.id]
        function = ast.parse(name, mode="eval").body
        if name in ("max", "min"):
            return ast.Call(function, node.args, [])
        return reduce(lambda a, b: ast.Call(function, [a, b], []), node.args)  # a framework's takes two

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        self.generic_visit(node)
        return ast.BinOp(node.left, ast.FloorDiv() if isinstance(node.op, ast.Div) else node.op, node.right)


def placeholder(dim: Dim) -> ast.Name:
    """A name that stands for a size until the template that it is put into has been folded."""
    return ast.Name(_MARK + str(dim).encode().hex(), ast.Load())


@lru_cache(maxsize=4096)
def placed_size(name: str) -> Dim | None:
    """The size that a name stands for, if it does."""
    if not name.startswith(_MARK):
        return None
    found = parse_dim(bytes.fromhex(name[len(_MARK) :]).decode())
    assert isinstance(found, Dim)
    return found


def without_placeholders(tree: ast.expr, write: Callable[[Dim], ast.expr]) -> ast.expr:
    """The expression with each size written out."""
    return _Placed(write).visit(tree)  # type: ignore[no-any-return]


class _Placed(ast.NodeTransformer):
    def __init__(self, write: Callable[[Dim], ast.expr]) -> None:
        self.write = write

    def visit_Name(self, node: ast.Name) -> ast.expr:
        dim = placed_size(node.id)
        return node if dim is None else self.write(dim)
