"""Runs every assertion of tests.py as a test of its own and reports as unittest does.

This process holds the assertions and never imports the solution: a child does, which is asked for what its functions return. So a solution that
prints a report, ends its process or changes what it finds can give wrong answers, and nothing else. What goes over is plain data.
"""

import sys

# What the solution leaves in this folder is not imported here.
folder = sys.path.pop(0)

import ast
import builtins
import importlib
import json
import os
import signal
import time
import traceback

cases, failed = 0, []


class Raised(Exception):
    """What the solution raised where no exception of Python's own has its name; `told` says where."""


def run(line, text, compute, left=None):
    global cases
    cases += 1
    name = "case_%02d" % cases
    try:
        if not compute():
            said = "AssertionError: %s" % text
            if left is not None:
                said += "\n  got %.300r" % (left[0],)
            failed.append(("FAIL", name, line, said))
    except Exception as error:
        failed.append(("ERROR", name, line, told(error)))


def told(error):
    return getattr(error, "told", None) or "%s: %.300s" % (type(error).__name__, error)


class Cases(ast.NodeTransformer):
    """`assert a == b` becomes `run(line, "a == b", lambda: ...)`; the value of `a` is kept to be told."""

    def visit_Assert(self, node):
        test = node.test
        text = ast.unparse(test)
        text = text if len(text) <= 400 else text[:400] + "..."
        if isinstance(test, ast.Compare) and len(test.ops) == 1:
            seen = ast.parse("seen.__setitem__(0, 0)").body[0].value
            seen.args[1] = test.left
            first = ast.Subscript(ast.Name("seen", ast.Load()), ast.Constant(0), ast.Load())
            compare = ast.Compare(first, test.ops, test.comparators)
            body = ast.Subscript(ast.Tuple([seen, compare], ast.Load()), ast.Constant(1), ast.Load())
            call = ast.parse("(lambda seen: run(%d, %r, lambda: 0, seen))([None])" % (node.lineno, text)).body[0]
            call.value.func.body.args[2].body = body
        else:
            call = ast.parse("run(%d, %r, lambda: 0)" % (node.lineno, text)).body[0]
            call.value.args[2].body = test
        return ast.fix_missing_locations(ast.copy_location(call, node))

    def visit_ImportFrom(self, node):
        return None if node.module == "solution" else node


def free_names(tree):
    """The names of the solution: what is given to `check`, and what the tests use and neither bind nor have from Python."""
    names = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
    bound = {node.id for node in names if not isinstance(node.ctx, ast.Load)} | set(dir(builtins))
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            bound.add(node.name)
        elif isinstance(node, ast.arg):
            bound.add(node.arg)
        elif isinstance(node, ast.alias):
            bound.add((node.asname or node.name).split(".")[0])
        elif isinstance(node, ast.ExceptHandler) and node.name:
            bound.add(node.name)
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "check"]
    checked = {argument.id for call in calls for argument in call.args if isinstance(argument, ast.Name)}
    return {node.id for node in names} - bound | checked


# Values as JSON, with a list of a word and what it is made of where JSON has no such thing.


def packed(value):
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return ["int", hex(value)]
    if isinstance(value, str):
        return ["str", value.encode("utf-8", "surrogatepass").hex()]
    if isinstance(value, (bytes, bytearray)):
        return ["bytes", value.hex()]
    if isinstance(value, float):
        return ["float", float(value).hex()]
    if isinstance(value, complex):
        return ["complex", value.real.hex(), value.imag.hex()]
    if isinstance(value, dict):
        return ["dict"] + [[packed(key), packed(item)] for key, item in value.items()]
    for kind in (list, tuple, set, frozenset):
        if isinstance(value, kind):
            return [kind.__name__] + [packed(item) for item in value]
    if isinstance(value, range):
        return ["range"] + [packed(part) for part in (value.start, value.stop, value.step)]
    return ["other", type(value).__name__]


class Other:
    """Something that is no plain data, and equals nothing but itself."""

    def __init__(self, kind):
        self.kind = kind

    def __repr__(self):
        return "<%s>" % self.kind


def unpacked(value):
    if value is None or isinstance(value, bool):
        return value
    word, rest = value[0], value[1:]
    if word == "int":
        return int(rest[0], 16)
    if word == "str":
        return bytes.fromhex(rest[0]).decode("utf-8", "surrogatepass")
    if word == "bytes":
        return bytes.fromhex(rest[0])
    if word == "float":
        return float.fromhex(rest[0])
    if word == "complex":
        return complex(float.fromhex(rest[0]), float.fromhex(rest[1]))
    if word == "dict":
        return {unpacked(key): unpacked(item) for key, item in rest}
    if word == "range":
        return range(*map(unpacked, rest))
    if word == "other":
        return Other(str(rest[0]))
    return {"list": list, "tuple": tuple, "set": set, "frozenset": frozenset}[word](map(unpacked, rest))


class Child:
    """The process that has the solution in it."""

    def __init__(self):
        asks, questions = os.pipe()
        answers, tells = os.pipe()
        self.process = os.fork()
        if self.process == 0:
            os.close(questions)
            os.close(answers)
            try:
                answer_all(os.fdopen(asks, "rb"), os.fdopen(tells, "wb"))
            finally:
                os._exit(1)
        os.close(asks)
        os.close(tells)
        self.questions, self.answers = os.fdopen(questions, "wb"), os.fdopen(answers, "rb")

    def ask(self, name, arguments, named):
        try:
            self.questions.write(json.dumps([name, packed(arguments), packed(named)]).encode() + b"\n")
            self.questions.flush()
        except OSError:
            pass
        return self.answer()

    def answer(self):
        line = self.answers.readline()
        if not line.endswith(b"\n"):
            raise Raised("the process of the solution ended")
        try:
            answer = json.loads(line)
            if "returned" in answer:
                return unpacked(answer["returned"])
            kind, message, where, line = (str(answer[key]) for key in ("kind", "message", "where", "line"))
        except (KeyError, TypeError, ValueError, IndexError, AttributeError, RecursionError) as error:
            raise Raised("the answer of the solution cannot be read: %r" % error)
        kind_of = getattr(builtins, kind, None)
        known = isinstance(kind_of, type) and issubclass(kind_of, Exception) and not issubclass(kind_of, (UnicodeError, SyntaxError))
        error = kind_of(message) if known else Raised(message)
        error.told, error.kind, error.line = where + "%s: %.300s" % (kind, message), kind, line
        raise error

    def end(self):
        try:
            os.kill(self.process, signal.SIGKILL)
        except OSError:
            pass
        os.waitpid(self.process, 0)


def answer_all(questions, answers):
    """The child's side: imports the solution, then calls its functions."""

    def answer(compute):
        try:
            said = {"returned": packed(compute())}
        except BaseException as error:
            said = raised(error)
        sys.stdout.flush()
        answers.write(json.dumps(said).encode() + b"\n")
        answers.flush()

    sys.path.insert(0, folder)
    found = {}
    answer(lambda: found.update(vars(importlib.import_module("solution"))))
    for line in questions:
        name, arguments, named = json.loads(line)
        answer(lambda: called(found, name, unpacked(arguments), unpacked(named)))
    os._exit(0)


def called(found, name, arguments, named):
    if name not in found:
        raise NameError("name %r is not defined" % name)
    return found[name](*arguments, **named)


def raised(error):
    if isinstance(error, SyntaxError):
        where, message = "  File \"%s\", line %s\n" % (os.path.basename(error.filename or ""), error.lineno), str(error.msg)
        return {"kind": "SyntaxError", "message": message, "where": where, "line": error.lineno or 0}
    places = [place for place in traceback.extract_tb(error.__traceback__) if place.filename.endswith("solution.py")][-3:]
    lines = ["  File \"solution.py\", line %d, in %s\n    %s\n" % (place.lineno, place.name, place.line) for place in places]
    return {"kind": type(error).__name__, "message": str(error)[:2000], "where": "".join(lines), "line": 0}


def names_of(tree, child):
    """What the tests find in the place of the solution's names."""
    found = {"__name__": "tests", "run": run}
    for name in free_names(tree) - {"run"}:
        if name in sys.stdlib_module_names:
            found[name] = importlib.import_module(name)
        else:
            found[name] = lambda *arguments, name=name, **named: child.ask(name, arguments, named)
    return found


def main():
    started = time.perf_counter()
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    with open(os.path.join(folder, "tests.py"), encoding="utf-8") as file:
        tree = ast.parse(file.read())
    wanted = sum(isinstance(node, ast.Assert) for node in ast.walk(tree))
    tree = ast.fix_missing_locations(Cases().visit(tree))
    child = Child()
    try:
        child.answer()
        exec(compile(tree, "tests.py", "exec"), names_of(tree, child))
    except Exception as error:
        syntax = getattr(error, "kind", "") == "SyntaxError"
        failed.append(("ERROR", "compile" if syntax else "tests", int(error.line) if syntax else 0, told(error)))
    child.end()
    if wanted and not cases and not failed:
        failed.append(("ERROR", "tests", 0, "AssertionError: no assertion was reached"))
    for kind, name, line, said in failed:
        print("=" * 70, "%s: %s (tests.py:%d)" % (kind, name, line), "-" * 70, said, "", sep="\n", file=sys.stderr)
    print("-" * 70, "Ran %d tests in %.3fs" % (max(cases, len(failed)), time.perf_counter() - started), "", sep="\n", file=sys.stderr)
    errors = sum(kind == "ERROR" for kind, *_ in failed)
    print("FAILED (failures=%d, errors=%d)" % (len(failed) - errors, errors) if failed else "OK", file=sys.stderr)
    sys.exit(1 if failed else 0)


main()
