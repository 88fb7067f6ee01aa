"""Decides how long files and functions may grow: aim 250 and 40 lines, never past 400 and 70."""
import ast
import re

from repository import CODE, code_of, line_of

FILE_LINES, FUNCTION_LINES = 400, 70
# path, or path and function: why it may be longer. Tables only.
EXEMPT_FILES = {}
EXEMPT_FUNCTIONS = {}

_TYPE = re.compile(r"\s*(?:export\s+)?(?:template\s*<.*>\s*)?(?:inline\s+)?(?:typedef\s+)?(?:namespace|class|struct|union|enum)\b",
                   re.DOTALL)
_NAME = re.compile(r"([~\w:]+|operator\s*\S+)\s*\(")


def _is_function(head):
    return ")" in head and not _TYPE.match(head) and not head.rstrip().endswith("=")


def functions(text):
    """Yields (name, first line, lines) of every function of C++ text that is formatted by clang-format."""
    code = re.sub(r"^[ \t]*#(?:.*\\\n)*.*$", lambda macro: "\n" * macro.group(0).count("\n"), code_of(text), flags=re.MULTILINE)
    stack, head_start = [], 0
    for position, letter in enumerate(code):
        inside = any(kind == "function" for kind, *_ in stack)
        if letter == "{":
            head = code[head_start:position]
            if inside:
                kind = "block"
            elif re.search(r"\)[^;]*:.*[\w>]$", head, re.DOTALL) and not head[-1:].isspace():
                kind = "member"  # an initialiser of a constructor: the head goes on behind it
            else:
                kind = "function" if _is_function(head) else "block"
            stack.append((kind, head_start, head))
            if kind != "member":
                head_start = position + 1
        elif letter == "}" and stack:
            kind, start, head = stack.pop()
            if kind == "function":
                first = start + len(head) - len(head.lstrip())
                name = _NAME.search(head)
                yield (name.group(1) if name else "?", line_of(code, first), code.count("\n", first, position) + 1)
            if kind != "member":
                head_start = position + 1
        elif letter == ";" and not inside and not (stack and stack[-1][0] == "member"):
            head_start = position + 1


def _python_functions(text):
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node.name, node.lineno, node.end_lineno - node.lineno + 1


def violations(files):
    found = []
    for path, text in files.items():
        if not path.endswith(CODE + (".py", ".sh", ".cmake", "CMakeLists.txt")) and path != "dev":
            continue
        lines = text.count("\n")
        if lines > FILE_LINES and path not in EXEMPT_FILES:
            found.append(f"{path}: {lines} lines; {FILE_LINES} is the limit: split it where a second idea lives")
        measured = functions(text) if path.endswith(CODE) else _python_functions(text) if path.endswith(".py") else []
        for name, first, length in measured:
            if length > FUNCTION_LINES and (path, name) not in EXEMPT_FUNCTIONS:
                found.append(f"{path}:{first}: {name} has {length} lines; {FUNCTION_LINES} is the limit")
    return found
