"""A guide with a ceiling: whoever meets the ceiling has found two modules, or two functions, in one."""

import ast
from statistics import median

from tests.architecture.source_tree import Source, functions, sources

MODULE_LINES_MAX = 600
FUNCTION_LINES_MAX = 60
KERNEL_LINES_MAX = 100  # a compiled loop cannot always be cut without losing its speed
MODULE_LINES_MEDIAN_MAX = 200
FUNCTION_LINES_MEDIAN_MAX = 12


def body_lines(source: Source, node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Count the lines of a function that hold code: no docstring, no comment, nothing blank."""
    first = node.body[0]
    has_docstring = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    code = node.body[1:] if has_docstring else node.body
    if not code or node.end_lineno is None:
        return 1
    lines = source.text.splitlines()[code[0].lineno - 1 : node.end_lineno]
    return sum(bool(line.strip()) and not line.lstrip().startswith("#") for line in lines)


def is_kernel(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return any("njit" in ast.unparse(decorator) for decorator in node.decorator_list)


def test_no_module_is_a_house_of_its_own() -> None:
    lengths = {str(source.path): len(source.text.splitlines()) for source in sources()}
    assert {path: n for path, n in lengths.items() if n > MODULE_LINES_MAX} == {}
    assert median(lengths.values()) <= MODULE_LINES_MEDIAN_MAX


def test_a_function_fits_on_a_screen() -> None:
    lengths = {(s.at(node), node.name): body_lines(s, node) for s in sources() for node in functions(s)}
    kernels = {(s.at(node), node.name) for s in sources() for node in functions(s) if is_kernel(node)}
    ceilings = {place: KERNEL_LINES_MAX if place in kernels else FUNCTION_LINES_MAX for place in lengths}
    assert {place: n for place, n in lengths.items() if n > ceilings[place]} == {}
    assert median(lengths.values()) <= FUNCTION_LINES_MEDIAN_MAX
