"""Rules of the house: what is written where, what no source may do, and how long it may be."""

import ast
from collections.abc import Iterator

from .source import Functions, Rule, called, calls, imports, is_false, last_name, nodes, placed, text_of, within

MAY_PRINT = ("cli", "commands", "demo", "sandbox.http")
MAY_WRITE = ("pipes", "commands", "demo", "doctor", "approval.desk", "http.desk", "sandbox.http")
"""`pipes` hands standard output to the protocol; the others are commands for people."""
STANDARD_OUTPUT = frozenset({"sys.stdout", "sys.__stdout__", "sys.stdout.buffer"})
RUNS_CODE = frozenset({"eval", "exec", "compile", "__import__", "import_module"})
RUNS_COMMANDS = frozenset("system popen startfile fork forkpty posix_spawn posix_spawnp".split())
CARRIES_CODE = ("pickle", "marshal", "shelve", "dill", "cloudpickle", "ctypes", "code", "codeop", "runpy", "pty")
MAY_RUN_COMMANDS = ("demo",)
MIGRATES = {("ledger.sqlite_file", "_migrate"), ("ledger.postgres_server", "_migrate")}
"""A script takes no values: only the package's own migrations run as one."""
TRANSLATES = ("ledger.postgres_server", "run")
"""Where what was written out is put into PostgreSQL's way of numbering values."""
RUNS_STATEMENTS = frozenset({"execute", "executemany", "fetchrow", "fetchval", "prepare"})


def prints(module: str, source: str) -> Iterator[str]:
    """Standard output carries the protocol: only the commands for people print."""
    if not within(module, *MAY_PRINT):
        yield from (ast.unparse(call) for call in calls(source) if called(call) == "print")


def standard_output(module: str, source: str) -> Iterator[str]:
    """Nothing else takes standard output into its hands, by name or by number."""
    if not within(module, *MAY_WRITE):
        yield from (ast.unparse(node) for node in nodes(source) if takes_standard_output(node))


def takes_standard_output(node: ast.AST) -> bool:
    """Whether a node names standard output, or opens or writes the descriptor 1."""
    match node:
        case ast.Attribute():
            return ast.unparse(node) in STANDARD_OUTPUT
        case ast.ImportFrom(module="sys"):
            return any(alias.name == "stdout" for alias in node.names)
        case ast.Call():
            by_number = any(getattr(argument, "value", None) == 1 for argument in node.args)
            return by_number and called(node) in {"write", "dup", "dup2", "fdopen"}
    return False


def dangerous_calls(module: str, source: str) -> Iterator[str]:
    """No text is run as code, and no command through a shell."""
    for call in calls(source):
        base = ast.unparse(call.func.value) if isinstance(call.func, ast.Attribute) else "builtins"
        runs = called(call) in RUNS_CODE | RUNS_COMMANDS or called(call).startswith(("exec", "spawn"))
        shells = [keyword for keyword in call.keywords if keyword.arg == "shell" and not is_false(keyword.value)]
        if shells or (runs and base in {"builtins", "importlib", "os"}):
            yield f"{module}: {ast.unparse(call)}"


def dangerous_imports(module: str, source: str) -> Iterator[str]:
    """Nothing that turns bytes into code is imported, and what starts commands only by the demonstration."""
    for name in imports(module, source):
        if within(name, *CARRIES_CODE) or (within(name, "subprocess") and not within(module, *MAY_RUN_COMMANDS)):
            yield f"{module}: {name}"


def asserts(module: str, source: str) -> Iterator[str]:
    """A check that `python -O` leaves out is none: what must hold is raised for."""
    yield from (f"{module}: {ast.unparse(node)}" for node in nodes(source) if isinstance(node, ast.Assert))


def built_statements(module: str, source: str) -> Iterator[str]:
    """A statement to the ledger is written out: values are bound to it, and nothing is put together."""
    for at, node in placed(source):
        if isinstance(node, ast.Call) and called(node) in RUNS_STATEMENTS:
            if not (node.args and text_of(node.args[0])) and (module, at) not in {*MIGRATES, TRANSLATES}:
                yield f"{module}: {ast.unparse(node)}"
        elif last_name(node) == "executescript" and (module, at) not in MIGRATES:
            yield f"{module}: {at} runs a script"


def inexact_money(module: str, source: str) -> Iterator[str]:
    """Money is whole cents: the judgement on a purchase makes no float, by name, by a point or by a division."""
    if within(module, "purchase"):
        yield from (f"{module}: {ast.unparse(node)}" for node in nodes(source) if makes_a_float(node))


def makes_a_float(node: ast.AST) -> bool:
    """Whether a node converts to a float, is one, or divides."""
    converts = isinstance(node, ast.Call) and called(node) in {"float", "round", "fsum", "truediv"}
    return converts or isinstance(getattr(node, "value", None), float) or isinstance(getattr(node, "op", None), ast.Div)


def long_files(module: str, source: str) -> Iterator[str]:
    """A file is one room: 250 lines at most."""
    if (lines := source.count("\n")) > 250:
        yield f"{module}: {lines} lines"


def long_functions(module: str, source: str) -> Iterator[str]:
    """A function is read at a glance: 40 lines of code at most, docstring and blank lines aside."""
    text = source.splitlines()
    for node in nodes(source):
        if isinstance(node, Functions):
            start = node.body[0].end_lineno if ast.get_docstring(node) else node.lineno
            body = text[start or 0 : node.end_lineno]
            if sum(1 for line in body if line.strip() and not line.strip().startswith("#")) > 40:
                yield f"{module}: {node.name}"


RULES = [
    Rule(breaches=prints, broken_in="stdio", broken_by="print('ready')"),
    Rule(breaches=standard_output, broken_in="app", broken_by="sys.stdout.write('ready')"),
    Rule(breaches=standard_output, broken_in="logs", broken_by="logging.StreamHandler(sys.stdout)"),
    Rule(breaches=standard_output, broken_in="stdio", broken_by="from sys import stdout as out"),
    Rule(breaches=standard_output, broken_in="stdio", broken_by="os.write(1, b'ready')"),
    Rule(breaches=standard_output, broken_in="app", broken_by="os.fdopen(os.dup(1), 'wb')"),
    *(
        Rule(breaches=dangerous_calls, broken_in="arguments", broken_by=source)
        for source in (
            "eval(text)",
            "exec(text)",
            "builtins.eval(text)",
            "__import__(name)",
            "importlib.import_module(name)",
            "os.system(command)",
            "os.popen(command)",
            "os.execvp(command, [])",
            "anyio.run_process(command, shell=True)",
            "subprocess.run(command, shell=chosen)",
        )
    ),
    Rule(breaches=dangerous_imports, broken_in="ledger.files", broken_by="import pickle"),
    Rule(breaches=dangerous_imports, broken_in="ledger.files", broken_by="from marshal import loads"),
    Rule(breaches=dangerous_imports, broken_in="approval.desk", broken_by="import subprocess"),
    Rule(breaches=asserts, broken_in="tools.create_store", broken_by="assert approved"),
    Rule(breaches=built_statements, broken_in="ledger.audit", broken_by="db.execute(f'SELECT {name}')"),
    Rule(breaches=built_statements, broken_in="ledger.audit", broken_by="db.execute('SELECT {}'.format(name))"),
    Rule(breaches=built_statements, broken_in="ledger.audit", broken_by="db.execute('SELECT %s' % name)"),
    Rule(breaches=built_statements, broken_in="ledger.audit", broken_by="db.executemany('SELECT ' + name, rows)"),
    Rule(breaches=built_statements, broken_in="ledger.audit", broken_by="sql = f'SELECT {name}'\ndb.execute(sql)"),
    Rule(breaches=built_statements, broken_in="ledger.sqlite", broken_by="def f():\n    db.executescript(script)"),
    Rule(breaches=built_statements, broken_in="ledger.postgres", broken_by="connection.fetchval(sql)"),
    Rule(breaches=built_statements, broken_in="ledger.postgres_server", broken_by="def f():\n    c.prepare(sql)"),
    Rule(breaches=inexact_money, broken_in="purchase.money", broken_by="float(text)"),
    Rule(breaches=inexact_money, broken_in="purchase.quote", broken_by="cents / 100"),
    Rule(breaches=inexact_money, broken_in="purchase.quote", broken_by="cents /= 100"),
    Rule(breaches=inexact_money, broken_in="purchase.quote", broken_by="cents * 0.01"),
    Rule(breaches=long_files, broken_in="app", broken_by="pass\n" * 251),
    Rule(breaches=long_functions, broken_in="app", broken_by="def f():\n" + "    pass\n" * 41),
]
