"""Who still says a name: code, documents and data files of the project that are no tests."""

from __future__ import annotations

import ast
import codecs
import keyword
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from weakref import WeakKeyDictionary

from pytest_maestro_healer.evidence.changes import changes_of
from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.evidence.expressions import last_name
from pytest_maestro_healer.evidence.files import ProjectFiles
from pytest_maestro_healer.evidence.finished.edited import TOKEN
from pytest_maestro_healer.evidence.finished.names.forms import composed, file_of, line_in, names_as_data, near, said_as_text
from pytest_maestro_healer.evidence.finished.names.prose import plain_word, told
from pytest_maestro_healer.evidence.finished.names.reached import fills, line_of_data, line_reaching
from pytest_maestro_healer.evidence.finished.users.uses import strange
from pytest_maestro_healer.evidence.git import Hunk
from pytest_maestro_healer.evidence.past.former import todays

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
#: Prose, in which a name counts only as code; files that speak of the past, which count not at all.
PROSE = (".md", ".rst", ".txt", ".adoc")
PAST = re.compile(
    r"(?i)(?:^|/)(?:change(?:s|log)?|history|news|releases?|release[-_]?notes)(?:[_-][^/.]*|\.\d[\d.]*)?(?:\.(?:md|rst|txt|adoc))?$|\.(?:lock|po)$|^docs?/.*\.svg$"
    r"|(?:^|/)(?:change(?:s|log)(?:\.d)?|newsfragments|news|release[-_]?notes)/[^/]*\.(?:md|rst|txt|adoc)$"
)
_LARGEST, _MOST, _LONG, _SHORT = 2_000_000, 20_000, 2000, 3


def still_said(ctx: Context, word: str, instead: Sequence[str]) -> str:
    """``path:line`` of what is no test and still says ``word``: as a name of code, as a text that names code, or in a document or data file.

    A line that says what came ``instead`` too speaks of the change itself.
    """
    for path, tree in _trees(ctx, word):
        line = _line_of(tree, word, instead)
        if line:
            return f"{path}:{line}"
    for piece in _pieces(word):
        for path, tree in _trees(ctx, piece):
            found = next((n for n in ast.walk(tree) if _composes(n, word)), None)
            if found is not None:
                return f"{path}:{getattr(found, 'lineno', 1)}"
    for path, text in texts(ctx):
        if not _read_as_code(ctx, path) and not PAST.search(path) and word.lower() in text.lower():
            line = _line_in(ctx, path, text, word, instead)
            if line:
                return f"{path}:{line}"
        elif path.endswith(".po") and (place := re.search(rf"%\({re.escape(word)}\)|\{{{re.escape(word)}\b", text)):
            return f"{path}:{text.count(chr(10), 0, place.start()) + 1}"
    return _in_another_form(ctx, word, instead)


def _in_another_form(ctx: Context, word: str, instead: Sequence[str]) -> str:
    """``path:line`` of what says a name otherwise, where the product works with names as data near what has another one now."""
    if word.startswith("-"):
        return _option(ctx, word)
    around = near(ctx, [*instead, word])
    if not any(names_as_data(tree, member=word.isupper()) for tree in around.values()):
        return ""
    if found := composed(around, word) or said_as_text(around, word, instead):
        return found
    others = [(p, t) for p, t in texts(ctx) if not _read_as_code(ctx, p) and not PAST.search(p)]
    for path, text in others:
        if line := line_in(text, word, instead, prose=_is_prose(ctx, path)):
            return f"{path}:{line}"
    return file_of([p for p, _ in others if not p.endswith((".md", ".rst", ".adoc"))], word)


def _option(ctx: Context, word: str) -> str:
    """``path:line`` where an option is said in short: by its beginning, which argparse allows, or as one letter of several."""
    if word.startswith("--"):
        short = "(?:" + "|".join(re.escape(word[:end]) for end in range(len(word) - 1, 4, -1)) + ")" if len(word) > 5 else ""
    else:
        short = rf"-(?=\w{{2}})\w*{re.escape(word[1:])}\w*" if len(word) == 2 else ""
    if not short or not any("argparse" in text for path, text in texts(ctx) if path.endswith(".py")):
        return ""
    programs = "|".join(re.escape(p) for p in sorted(_programs(ctx)))
    pattern = re.compile(rf"(?<![\w.-])(?:{programs})(?![\w-]).*(?<![\w-]){short}(?![\w-])")
    for path, text in texts(ctx):
        if not _read_as_code(ctx, path) and not PAST.search(path):
            line = next((k for k, line in enumerate(text.splitlines(), 1) if pattern.search(line)), 0)
            if line:
                return f"{path}:{line}"
    return ""


def _programs(ctx: Context) -> set[str]:
    """What the project's programs may be called by: its packages, modules, scripts and the names that entry points give them."""
    out = {part for m in ctx.symbols.project_modules() for part in m.split(".")} | {
        p.rpartition("/")[2] for p, _ in texts(ctx) if p.endswith((".py", ".sh"))
    }
    for path, text in texts(ctx):
        if path.rpartition("/")[2] in ("pyproject.toml", "setup.cfg", "setup.py"):
            out |= set(re.findall(r"([\w-]+)[\"']?\s*=\s*[\"']?[\w.]+:\w+", text))
    return out


def _read_as_code(ctx: Context, path: str) -> bool:
    """Whether a file was read by its syntax; a template or a program for another Python is a text like any."""
    return path.endswith(".py") and ctx.symbols.tree(path) is not None


def _is_prose(ctx: Context, path: str) -> bool:
    """Whether a text is written for people: one that a package ships may be a template."""
    packaged = ctx.files.read(f"{path.rpartition('/')[0]}/__init__.py") is not None and not re.search(r"(?i)readme", path)
    return path.endswith(PROSE) and not packaged


def _line_in(ctx: Context, path: str, text: str, word: str, instead: Sequence[str]) -> int:
    """The line of a text that says ``word``: of prose as code, of anything else (a template within a package too) in any way."""
    w = re.escape(word)
    plain = re.compile(rf"(?<![\w-]){w}(?![\w-])", re.IGNORECASE if len(word) > _SHORT else 0)
    code = rf"`[^`\n]*(?<![\w-]){w}(?![\w-])[^`\n]*`|(?<!\w){w}\(|(?<=[.:/]){w}\b|[\"']{w}[\"']|(?<![\w-])--{w}\b"
    prose = re.compile(rf"{code}|^\s*\|(?:.*\|)?\s*{w}\s*\||^\s*(?:[-*+]\s+)?{w}\s*(?::|--)")  # also a cell of a table, an entry of a list
    # grand_total and grandTotal are words of no language
    coded = re.search(r"[^\W_]_[^\W_]|[a-z][A-Z]", word) is not None
    reading, fenced = _is_prose(ctx, path) and not coded, False
    for number, line in enumerate(text.splitlines(), 1):
        fenced ^= line.lstrip().startswith(("```", "~~~"))
        pattern = prose if reading and not fenced and not word.startswith("-") and not re.match(r"(?: {4}|\t)\S|\s*>>>", line) else plain
        if pattern.search(line) and not set(instead) & set(TOKEN.findall(line)):
            return number
    return 0


def _line_of(tree: ast.Module, word: str, instead: Sequence[str]) -> int:
    bound = _bound(tree, word)
    docs = {id(n.value) for n in ast.walk(tree) if isinstance(n, ast.Expr) and isinstance(n.value, ast.Constant)}
    people = told(tree)
    for node in ast.walk(tree):
        said = (
            (isinstance(node, ast.Attribute) and node.attr == word)
            or (isinstance(node, ast.Name) and node.id == word and isinstance(node.ctx, ast.Load) and id(node) not in bound)
            or (isinstance(node, ast.keyword) and node.arg is not None and word in (node.arg, *node.arg.split("__")))  # price__lt asks for a price
            or (isinstance(node, ast.alias) and word in (node.name, node.name.rpartition(".")[2]))
            or (isinstance(node, (*_FUNCTIONS, ast.ClassDef)) and node.name == word)
            or (
                isinstance(node, ast.Constant)
                and isinstance(node.value, str)
                and _names(node.value, word, documents=id(node) in docs, whole=people.get(id(node), ""))
            )
            or (isinstance(node, ast.MatchClass) and word in node.kwd_attrs)
        )
        if said:
            return int(getattr(node, "lineno", 1))
    return 0


def field_of(tree: ast.Module, word: str) -> int:
    """The line where a key or option is taken by its name: a field, a parameter, a keyword, an attribute, a pattern; 0 if nowhere."""
    for node in ast.walk(tree):
        if (
            (isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.target.id == word)
            or (isinstance(node, (ast.arg, ast.keyword)) and node.arg == word)
            or (isinstance(node, ast.Attribute) and node.attr == word)
            or (isinstance(node, ast.MatchClass) and word in node.kwd_attrs)
        ):
            return int(getattr(node, "lineno", 1))
    return 0


def _bound(tree: ast.Module, word: str) -> set[int]:
    """The uses of ``word`` in functions that have a variable or parameter of that name."""
    out: set[int] = set()
    for f in ast.walk(tree):
        if isinstance(f, (*_FUNCTIONS, ast.Lambda)):
            inner = [n for n in ast.walk(f) if isinstance(n, ast.Name) and n.id == word]
            if any(isinstance(n.ctx, ast.Store) for n in inner) or any(isinstance(n, ast.arg) and n.arg == word for n in ast.walk(f)):
                out.update(id(n) for n in inner)
    return out


def _names(text: str, word: str, *, documents: bool, whole: str) -> bool:
    """Whether a text is the name, a path that leads to it, or a place where it is put in; of documentation only what it shows as code.

    ``whole`` is the text that it is a part of where that is said to people: there a plain word names nothing.
    """
    w = re.escape(word)
    if documents:
        return re.search(rf"(?m)^\s*>>>.*\b{w}\b", text) is not None
    if re.search(rf"\{{\w*\.?{w}[}}.\[!:]|%\({w}\)|\$\{{?{w}\b|:{w}\b", text):
        return True
    if whole and plain_word(whole, word):
        return False
    among = re.search(rf"(?:^|[.:/\s,-]|\w__){w}(?:$|[./:\[({{?#,\s]|__\w)", text) is not None
    query = re.search(r"(?i)\b(?:select|insert|update|delete)\b", text) is not None
    sentence = re.search(r"\w \w+ \w", text) is not None and re.search(r"[A-Z]|[.!?;]", text) is not None
    return len(text) < _LONG and among and (query or not sentence)


def _trees(ctx: Context, word: str) -> Iterator[tuple[str, ast.Module]]:
    """(path, tree) of product files that say ``word``; what a package ships under a test's name, and has no test, is the product's."""
    yield from changes_of(ctx.git, ctx.files, ctx.symbols).trees_with(word)
    for path in ctx.files.test_files:
        if word.encode() in ctx.symbols.read(path) and not todays(ctx, path) and (tree := ctx.symbols.tree(path)) is not None:
            yield path, tree


def _pieces(word: str) -> list[str]:
    """The beginnings and ends of a name, up to an underscore."""
    at = [i for i, c in enumerate(word) if c == "_" and 0 < i < len(word) - 1]
    return [p for i in at for p in (word[: i + 1], word[i:])]


def _composes(node: ast.AST, word: str) -> bool:
    """Whether names are put together that ``word`` is one of: with its beginning or end, up to an underscore."""
    if isinstance(node, ast.JoinedStr):
        parts = [n.value for n in node.values if isinstance(n, ast.Constant)]
    elif isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.Mod)):
        parts = [n.value for n in (node.left, node.right) if isinstance(n, ast.Constant)]
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ("format", "startswith", "endswith"):
        parts = [n.value for n in (node.func.value, *node.args) if isinstance(n, ast.Constant)]
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("getattr", "hasattr", "setattr") and len(node.args) > 1:
        parts = [n.value for n in ast.walk(node.args[1]) if isinstance(n, ast.Constant)]
    else:
        return False
    for part in (re.split(r"%\w|%\(\w*\)\w|\{\w*\}", p) for p in parts if isinstance(p, str)):
        for piece in part:
            if re.fullmatch(r"\w+_", piece) and word.startswith(piece) and word != piece:
                return True
            if re.fullmatch(r"_\w+", piece) and word.endswith(piece) and word != piece:
                return True
    return False


def texts(ctx: Context) -> list[tuple[str, str]]:
    """(path, text) of what is no test, read once for all heals of a run."""
    if ctx.files not in _READ:
        _READ[ctx.files] = list(_read(ctx))
    return _READ[ctx.files]


_READ: WeakKeyDictionary[ProjectFiles, list[tuple[str, str]]] = WeakKeyDictionary()


def _read(ctx: Context) -> Iterator[tuple[str, str]]:
    for path in dict.fromkeys((*ctx.git.tracked()[:_MOST], *ctx.files.product_files[:_MOST])):
        if not _of_tests(ctx, path):
            data = ctx.files.read(path)
            wide = data is not None and data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
            if data is not None and len(data) <= _LARGEST and (wide or b"\0" not in data):
                yield path, data.decode("utf-16" if wide else "utf-8", "replace")


def _of_tests(ctx: Context, path: str) -> bool:
    """Whether a file is the tests' own: a folder with such a name inside the product, with no code of tests in it, is another thing."""
    folders = path.split("/")[:-1]
    if not (ctx.is_test_code(path) or "tests" in folders or folders[:1] == ["test"]):
        return False
    inner = ["/".join(folders[: i + 1]) + "/" for i, name in enumerate(folders) if i and name in ("test", "tests")]
    outer = not inner or path.endswith(".py") or folders[0] in ("test", "tests")
    return outer or any(code.startswith(folder) for code in ctx.test_files() for folder in inner)


def definitions_of(ctx: Context, name: str) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]]:
    """(path, node) of the functions and classes of a name in product code."""
    for path, tree in _trees(ctx, name):
        for node in ast.walk(tree):
            if isinstance(node, (*_FUNCTIONS, ast.ClassDef)) and node.name == name:
                yield path, node


def references(ctx: Context, name: str, homes: Collection[str]) -> Iterator[tuple[str, ast.expr]]:
    """(path, node) of the uses in product code of a name that is defined in ``homes``, as an attribute or where it is no variable of a function;
    also by another name."""
    for path, tree in _trees(ctx, name):
        aliases = {a.asname for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) for a in n.names if a.name == name and a.asname}
        for known in (name, *sorted(aliases)):
            bound = _bound(tree, known)
            for node in ast.walk(tree):
                if (
                    (isinstance(node, ast.Attribute) and node.attr == name and known == name)
                    or (isinstance(node, ast.Name) and node.id == known and isinstance(node.ctx, ast.Load) and id(node) not in bound)
                ) and not strange(ctx, path, node, homes):
                    yield path, node


def as_before(tree: ast.Module | None, node: ast.expr, hunk: Hunk, *, by_itself: bool) -> bool:
    """Whether a line that was touched uses something as it did: only its layout, quotes or the names of other things changed.

    ``by_itself`` says that how it is used shows in the use alone (its arguments, whether it is called, awaited), and not in what stands around it.
    """
    if tree is None:
        return False
    own = last_name(node)
    if not by_itself:
        line = hunk.added[node.lineno - hunk.new_line]
        return _plain(line.strip(), own) in {_plain(old.strip(), own) for old in hunk.removed}
    removed = _plain("\n".join(hunk.removed), own)
    use: ast.AST = next((n for n in ast.walk(tree) if isinstance(n, ast.Call) and n.func is node), node)
    use = next((n for n in ast.walk(tree) if isinstance(n, ast.Await) and n.value is use), use)
    return re.search(rf"(?<!await )(?<![\w.]){re.escape(_plain(ast.unparse(use), own))}(?![\w(])", removed) is not None


def said_in_texts(ctx: Context, name: str, shows: Callable[[str], bool]) -> str:
    """``path:line`` where a text of the product, a template or a data file reaches a function or member by its name; ``""`` if nowhere.

    ``shows`` says of a line of a document for people that it only shows calls as they are to be now.
    """
    trees = list(_trees(ctx, name))
    for path, tree in trees:
        line = line_reaching(tree, name)
        if line:
            return f"{path}:{line}"
    known = re.compile(rf"[.:]{re.escape(name)}\b(?!\.\w{{2,3}}\b)|[\"']{re.escape(name)}[\"']")
    filled = any(fills(tree, name) for _, tree in trees)
    for path, text in texts(ctx):
        if not _read_as_code(ctx, path) and not PAST.search(path) and name in text:
            shown = shows if _is_prose(ctx, path) else lambda line: False
            line = next((k for k, line in enumerate(text.splitlines(), 1) if known.search(line) and not shown(line)), 0)
            ours = _read_by_the_product(ctx, path)
            if not line and (ours or not path.endswith(PROSE)):
                line = line_of_data(path, text, name, ours=ours, filled=filled)
            if line:
                return f"{path}:{line}"
    return ""


def _read_by_the_product(ctx: Context, path: str) -> bool:
    """Whether a file lies in a package of the product, or its code says the file's name."""
    folder, _, name = path.rpartition("/")
    if re.match(r"(?i)readme|license", name):
        return False
    while folder:
        if ctx.files.read(f"{folder}/__init__.py") is not None:
            return True
        folder = folder.rpartition("/")[0]
    return any(True for _ in _trees(ctx, name))


def _plain(text: str, own: str) -> str:
    """A line in one layout, with the names of other things left out."""
    plain = re.sub(r"[ \t]*([^\w\s])[ \t]*", r"\1", text).replace('"', "'").replace(",)", ")")
    return re.sub(r"[A-Za-z_]\w*", lambda m: m[0] if m[0] == own or keyword.iskeyword(m[0]) else "_", plain)
