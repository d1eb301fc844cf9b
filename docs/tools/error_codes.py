"""Every error and warning code of the source, with the messages it comes with."""

import ast
import functools
import itertools
import re
import signal
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from mdeas import errors

PACKAGE = Path(errors.__file__).parent
CODE = re.compile(r"[EW]-[A-Z0-9]+(?:-[A-Z0-9]+)*")
# A code that is put together at run time: its beginning in the source, and its possible endings.
PRINTED = re.compile(r"warning\[(W-[A-Z0-9-]+)\] ")
MOST = 6  # alternatives of one message that are listed
CALLED = {
    "quoted",
    "str",
    "repr",
    "len",
    "join",
    "name",
    "strerror",
    "sorted",
    "type",
    "list",
    "self",
    "most",
}
JOINED = {"W-PAIR-": ("BLACK", "WHITE", "FLAT")}
# A warning of `mdeas.check` whose pair is refused is an error of the same name.
RAISED = {f"W-PAIR-{end}": f"E-PAIR-{end}" for end in JOINED["W-PAIR-"]}
EXIT_CODES = {
    name: kind.exit_code
    for name, kind in vars(errors).items()
    if isinstance(kind, type) and issubclass(kind, errors.MdeasError)
}
EXIT_CODES |= {"E-BUG": errors.EXIT_BUG, "E-MEMORY": errors.MemoryLimitError.exit_code}


class Use(NamedTuple):
    """One place in the source where a code is used."""

    code: str
    message: str
    """As the user sees it; a word in {braces} is known at run time only; "" when the text is not found."""
    kind: str
    """The class of the error, "" for warnings and where the source does not name it."""
    place: str
    """The file, below src/mdeas."""


def uses() -> list[Use]:
    """Every use of a code in the package, in the order of the files."""
    return [use for path in sorted(PACKAGE.rglob("*.py")) for use in _in_file(path)]


def page() -> str:
    """The page of all codes as Markdown: one heading a code, its exit code, causes and cures."""
    found = defaultdict(list)
    for use in uses():
        found[use.code].append(use)
    parts = [_HEAD]
    for title, letter in (("Errors", "E"), ("Warnings", "W")):
        codes = sorted(code for code in found if code[0] == letter)
        parts.append(f"## {title}: {len(codes)}\n")
        parts += [_entry(code, found[code]) for code in codes]
    return "\n".join(parts)


def _entry(code: str, all_uses: list[Use]) -> str:
    exits = sorted({number for use in all_uses for number in _exit_codes(use)})
    places = ", ".join(f"`{place}`" for place in dict.fromkeys(use.place for use in all_uses))
    numbers = ", ".join(map(str, exits))
    lines = [f"### {code}\n", f"Exit code {numbers} · {places}\n" if exits else f"{places}\n"]
    rows = dict.fromkeys(_cause_and_cure(use.message) for use in all_uses if use.message)
    if rows:
        lines += ["| cause | cure |", "|---|---|", *(f"| {cause} | {cure} |" for cause, cure in rows), ""]
    return "\n".join(lines)


def _exit_codes(use: Use) -> Iterator[int]:
    if use.code == "E-STOPPED":
        yield from (128 + signal.SIGINT, 128 + signal.SIGTERM)
    for key in (use.code, use.kind):
        if use.code[0] == "E" and key in EXIT_CODES:
            yield EXIT_CODES[key]


def _cause_and_cure(message: str) -> tuple[str, str]:
    """Split a message after its first sentence; a message of one sentence has no cure of its own."""
    text = re.sub(r"([|<>*_\[\]])", r"\\\1", message.removeprefix("{name}: "))
    cause, _, cure = text.partition(". ")
    return cause.rstrip("."), cure or "–"


def _in_file(path: Path) -> Iterator[Use]:
    tree = _parsed(path)
    parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    place = path.relative_to(PACKAGE).as_posix()
    for node in ast.walk(tree):
        if not isinstance(node, ast.Constant) or not isinstance(node.value, str):
            continue
        owner = parents[node]
        if found := PRINTED.search(node.value):
            text = owner if isinstance(owner, ast.JoinedStr) else node
            for message in _all_texts(text, _known(node, parents, tree)):
                yield Use(found[1], message.partition("] ")[2], "", place)
        if isinstance(owner, ast.Compare):
            continue
        joined = isinstance(owner, ast.JoinedStr)
        for code in _codes(node.value, joined):
            holder = parents[owner] if joined else owner
            raised = holder if isinstance(holder, ast.Call) else _raised(holder, parents)
            kind = raised.func.id if raised and isinstance(raised.func, ast.Name) else ""
            if isinstance(holder, ast.keyword):
                kind = "InputError"  # the verdict of a check, which `predict` raises
            if isinstance(holder, ast.IfExp) and raised:
                holder = raised
            for message in _messages(holder, node, parents, tree):
                yield Use(code, message, kind, place)
                if code in RAISED:
                    yield Use(RAISED[code], message, "InputError", place)


def _raised(node: ast.AST, parents: dict[ast.AST, ast.AST]) -> ast.Call | None:
    """The error in the function around `node` that is made with a code from a variable."""
    while not isinstance(node, ast.FunctionDef | ast.Module):
        node = parents[node]
    for call in ast.walk(node):
        made = isinstance(call, ast.Call) and getattr(call.func, "id", "") in EXIT_CODES
        if made and isinstance(call, ast.Call) and isinstance(call.args[0], ast.Name):
            return call
    return None


def _codes(text: str, joined: bool) -> list[str]:
    """The codes that a string stands for, most often none."""
    if joined:
        return [text + end for end in JOINED.get(text, ())]
    return [text] if CODE.fullmatch(text) else []


def _messages(holder: ast.AST, code: ast.AST, parents: dict[ast.AST, ast.AST], tree: ast.Module) -> list[str]:
    """The messages that stand beside a code: the next argument, the keyword `reason`, or one empty text."""
    beside: list[ast.expr] = []
    if isinstance(holder, ast.keyword):
        call = parents[holder]
        assert isinstance(call, ast.Call)
        beside = [word.value for word in call.keywords if word.arg == "reason"]
    elif isinstance(holder, ast.Call):
        beside = holder.args[1:2]
    elif isinstance(holder, ast.Tuple):
        beside = holder.elts[1:2]
    elif isinstance(holder, ast.Dict):
        beside = [value for key, value in zip(holder.keys, holder.values, strict=True) if key is code]
    return _all_texts(beside[0], _known(code, parents, tree)) if beside else [""]


Names = dict[str, list[ast.expr]]
"""What a name may stand for."""


def _known(node: ast.AST, parents: dict[ast.AST, ast.AST], tree: ast.Module) -> list[Names]:
    """The names at `node`, once for each call of its function: constants, assignments, arguments."""
    around = node
    while not isinstance(around, ast.FunctionDef | ast.Module):
        around = parents[around]
    known: Names = defaultdict(list)
    for scope in [*tree.body, *(ast.walk(around) if around is not tree else [])]:
        if isinstance(scope, ast.Assign) and isinstance(scope.targets[0], ast.Name):
            known[scope.targets[0].id].append(scope.value)
    if isinstance(around, ast.Module):
        return [known]
    names = [argument.arg for argument in around.args.args if argument.arg != "self"]
    everywhere = around.name[0] != "_"  # a private function is called in its own file alone
    calls = _calls(None if everywhere else tree).get(around.name, [])
    return [
        known | {name: [value] for name, value in _passed(names, call)}
        for call in calls
        if call.args or call.keywords
    ] or [known]


def _passed(names: list[str], call: ast.Call) -> list[tuple[str, ast.expr]]:
    """The parameters that a call sets, with what it passes."""
    keywords = [(word.arg, word.value) for word in call.keywords if word.arg]
    return [*zip(names, call.args, strict=False), *keywords]


@functools.cache
def _calls(tree: ast.Module | None) -> dict[str, list[ast.Call]]:
    """Every call in `tree`, or in the whole package, by the name of the function."""
    trees = [tree] if tree else [_parsed(path) for path in sorted(PACKAGE.rglob("*.py"))]
    found = defaultdict(list)
    for node in (node for tree in trees for node in ast.walk(tree)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
            found[ast.unparse(node.func).split(".")[-1]].append(node)
    return found


@functools.cache
def _parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), str(path))


def _all_texts(node: ast.expr, known: list[Names]) -> list[str]:
    return list(dict.fromkeys(text for names in known for text in _texts(node, names)))


def _texts(node: ast.expr, known: Names, depth: int = 0) -> list[str]:
    """All texts that an expression may have; what only a run can tell is {its name}."""
    if isinstance(node, ast.Constant):
        return [str(node.value)]
    if isinstance(node, ast.JoinedStr | ast.BinOp):
        parts = node.values if isinstance(node, ast.JoinedStr) else [node.left, node.right]
        choices = itertools.product(*(_texts(part, known, depth) for part in parts))
        return ["".join(choice) for choice in itertools.islice(choices, MOST)]
    if isinstance(node, ast.FormattedValue):
        return _texts(node.value, known, depth)
    if isinstance(node, ast.IfExp):
        return _texts(node.body, known, depth) + _texts(node.orelse, known, depth)
    if isinstance(node, ast.Name) and depth < 3:
        inner = {name: values for name, values in known.items() if name != node.id}
        texts = [text for value in known.get(node.id, []) for text in _texts(value, inner, depth + 1)]
        if texts and all(" " in text or "{" not in text for text in texts):
            return texts
    return [f"{{{_label(node)}}}"]


def _label(node: ast.expr) -> str:
    """A word for a value: its own name, or that of what it is made from."""
    if isinstance(node, ast.Name | ast.Attribute):
        return ast.unparse(node).split(".")[-1].strip("_").lower()
    inner = [
        child for child in ast.walk(node) if isinstance(child, ast.Name | ast.Attribute) and child is not node
    ]
    names = [_label(child) for child in inner if _label(child) not in CALLED]
    return names[-1] if names else "…"


_HEAD = """# Error codes

Every error is one line on stderr: `mdeas: error[CODE] what happened. What to do.` A warning reads
`mdeas: warning[CODE] …` and does not change the exit code. This page is made from the source: a word in
{braces} stands for what only a run can tell, such as the name of a file. With `--debug` a command shows the
traceback, too.
[Exit codes](exit-codes.md) has what each exit code means.
"""
