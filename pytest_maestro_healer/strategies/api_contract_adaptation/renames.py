"""From a gone name and its successor to the edits of every use in every test file."""

from __future__ import annotations

import ast
import dataclasses
from collections.abc import Sequence

from pytest_maestro_healer.edit.source import SourceFile
from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.evidence.signatures import correspond, has_stars, of_definition, rebind
from pytest_maestro_healer.evidence.similarity import CALLABLE, Def
from pytest_maestro_healer.model import Applicability, Edit, Failure, Proposal
from pytest_maestro_healer.strategies.api_contract_adaptation import calls
from pytest_maestro_healer.strategies.api_contract_adaptation.cause import Gone
from pytest_maestro_healer.strategies.api_contract_adaptation.resolve import Classes, Ref, Resolver
from pytest_maestro_healer.strategies.api_contract_adaptation.sites import ImportedName, attribute_uses, imported_names, overriding, target_strings
from pytest_maestro_healer.strategies.api_contract_adaptation.successors import Successor
from pytest_maestro_healer.strategies.dependency_fix.editor import FileEditor
from pytest_maestro_healer.strategies.dependency_fix.sites import Site, import_sites

STRATEGY = "api_contract_adaptation"


def reference(editor: FileEditor, names: Resolver, dotted: str) -> str:
    """An expression for ``dotted`` in a file; the import that it needs is asked for."""
    module, qualname = names.classes.split(dotted)
    if module == "builtins" or not module:
        return qualname
    head, _, rest = qualname.partition(".")
    tail = f".{rest}" if rest else ""
    target = names.classes.member(Ref("module", module), head) if head else Ref("module", module)
    for site in import_sites(names.src, names.module):
        if not isinstance(site.scope, ast.Module) or site.guarded:
            continue
        if site.name == head and site.module == module and head:
            return site.bound + tail
        if site.name and target is not None and names.classes.member(Ref("module", site.module), site.name) == target and head:
            return site.bound + tail
        if head and site.dotted == module:
            return f"{site.bound}.{qualname}"
    if not head:
        editor.need(f"import {module}")
        return module
    tree = names.src.tree
    taken = tree is not None and any(
        (isinstance(n, ast.Name) and n.id == head and isinstance(n.ctx, ast.Store))
        or (getattr(n, "name", "") == head and not isinstance(n, ast.alias))
        for n in ast.walk(tree)
    )
    imported = tree is not None and any(isinstance(n, ast.alias) and (n.asname or n.name) == head for n in ast.walk(tree))
    if (taken or imported) and not _same_import(names, head, module):
        editor.need(f"import {module}")
        return f"{module}.{qualname}"
    _need_from(editor, names, module, head)
    return head + tail


def _need_from(editor: FileEditor, names: Resolver, module: str, head: str) -> None:
    """Ask for ``from module import head``: beside the names already taken from there, else as a statement of its own."""
    for site in import_sites(names.src, names.module):
        node = site.node
        if (
            site.module == module
            and site.name
            and not node_is_guarded(site)
            and isinstance(node, ast.ImportFrom)
            and isinstance(site.scope, ast.Module)
        ):
            at = names.src.span(node.names[-1])[1]
            editor.replace(at, at, f", {head}")
            return
    editor.need(f"from {module} import {head}")


def node_is_guarded(site: Site) -> bool:
    """Whether an import stands in a ``try`` or is about to be rewritten for want of its name."""
    return site.guarded or not isinstance(site.node, ast.ImportFrom) or site.node.level > 0


def _same_import(names: Resolver, head: str, module: str) -> bool:
    return any(
        s.bound == head and s.name == head and not names.ctx.symbols.provides(s.module, head) for s in import_sites(names.src, names.module)
    ) and bool(module)


class Migration:
    """All edits that carry test code from a gone name to its successor."""

    def __init__(self, gone: Gone, owner: str, successor: Successor, failures: Sequence[Failure], ctx: Context) -> None:
        self.gone = gone
        self.owner = owner
        self.to = successor
        self.failures = failures
        self.ctx = ctx
        self.classes = Classes(ctx)
        self.edits = calls.Edits()
        self.problems: list[str] = []

    def run(self) -> tuple[Edit, ...]:
        """The edits, empty where some use cannot be carried over."""
        owners = [self.gone] if self.owner == self.gone.owner else [self.gone, dataclasses.replace(self.gone, owner=self.owner)]
        for use in attribute_uses(owners, self.ctx, self.failures):
            assert isinstance(use.node, ast.Attribute)
            self._attribute(use.src, use.node, use.resolver)
        if self.gone.kind == "module":
            done: list[ast.alias] = []
            for owner in dict.fromkeys(g.owner for g in owners):
                for found in imported_names(owner, self.gone.name, self.ctx):
                    if found.alias not in done:
                        done.append(found.alias)
                        self._imported(found)
        elif self.to.relation == "renamed":
            for use in overriding(self.owner, self.gone.name, self.ctx):
                assert isinstance(use.node, (ast.FunctionDef, ast.AsyncFunctionDef))
                calls.rename_definition(self.edits.of(use.src), use.node, self.to.name)
        self._strings()
        return () if self.problems else self.edits.all()

    # -- attributes ----------------------------------------------------------------------------------------
    def _attribute(self, src: SourceFile, node: ast.Attribute, names: Resolver) -> None:
        editor = self.edits.of(src)
        parent = names.up.get(node)
        call = parent if isinstance(parent, ast.Call) and parent.func is node else None
        if self.to.relation == "renamed":
            calls.rename_attribute(editor, node, self.to.name)
            self._reshape(editor, node, call)
        elif self.to.relation == "method to function":
            self._to_function(editor, node, call, names)
        elif self.to.relation == "function to method":
            self._to_method(editor, node, call)
        else:
            editor.replace_node(node, reference(editor, names, self.to.dotted))
            self._reshape(editor, node, call)

    def _reshape(self, editor: FileEditor, node: ast.expr, call: ast.Call | None) -> None:
        """Where the successor is called differently: property or attribute against method, other parameters."""
        old, new = self.to.former, self.to.present
        if old is None or new is None:
            return
        if old.kind in CALLABLE and new.kind not in CALLABLE and new.kind != "class" and call is not None and not call.args and not call.keywords:
            calls.drop_call(editor, call)
        elif (
            old.kind not in CALLABLE
            and old.kind != "class"
            and new.kind in CALLABLE
            and call is None
            and isinstance(getattr(node, "ctx", None), ast.Load)
        ):
            calls.make_call(editor, node)
        elif call is not None and not has_stars(call):
            self._arguments(editor, call, old, new)

    def _arguments(self, editor: FileEditor, call: ast.Call, old: Def, new: Def) -> None:
        a, b, mapped = of_definition(old), of_definition(new), correspond(old, new)
        if a is None or b is None or mapped is None or a == b:
            return
        arguments = rebind(len(call.args), [k.arg or "" for k in call.keywords], a, b, mapped)
        if arguments is not None:
            calls.rewrite(editor, call, arguments)

    def _to_function(self, editor: FileEditor, node: ast.Attribute, call: ast.Call | None, names: Resolver) -> None:
        """``obj.m(a)`` -> ``f(obj, a)``."""
        if call is None:
            self.problems.append("used without a call")
            return
        src = editor.src
        text = reference(editor, names, self.to.dotted)
        start, end = src.span(node)
        open_at = src.text.index("(", end) + 1
        receiver = src.segment(node.value)
        editor.replace(start, open_at, f"{text}({receiver}" + (", " if call.args or call.keywords else ""))

    def _to_method(self, editor: FileEditor, node: ast.expr, call: ast.Call | None) -> None:
        """``f(obj, a)`` -> ``obj.m(a)``."""
        if call is None or not call.args or isinstance(call.args[0], ast.Starred):
            self.problems.append("used without its first argument")
            return
        src = editor.src
        first = call.args[0]
        receiver = src.segment(first)
        if not isinstance(first, (ast.Name, ast.Attribute, ast.Call, ast.Subscript)):
            receiver = f"({receiver})"
        rest = [*call.args[1:], *call.keywords]
        after = src.span(rest[0])[0] if rest else src.span(first)[1]
        is_property = self.to.present is not None and self.to.present.kind == "property"
        if is_property and not rest:
            editor.replace_node(call, f"{receiver}.{self.to.name}")
        else:
            editor.replace(src.span(call)[0], after, f"{receiver}.{self.to.name}(")

    # -- imports -------------------------------------------------------------------------------------------
    def _imported(self, found: ImportedName) -> None:
        editor = self.edits.of(found.src)
        names = found.resolver
        site = next((s for s in import_sites(found.src, names.module) if s.alias is found.alias), None)
        if site is None or site.guarded:
            return
        if self.to.relation == "function to method":
            for read in found.reads:
                parent = names.up.get(read)
                self._to_method(editor, read, parent if isinstance(parent, ast.Call) and parent.func is read else None)
            editor.drop(site)
            return
        module, qualname = self.classes.split(self.to.dotted)
        head = qualname.partition(".")[0]
        if self.to.relation == "renamed" and qualname == self.to.name:
            start, _ = found.src.span(found.alias)
            editor.replace(start, start + len(found.alias.name), self.to.name)
        elif head and module:
            editor.instead(site, f"from {module} import {head}" + (f" as {found.alias.asname}" if found.alias.asname and head == qualname else ""))
        else:
            return
        for read in found.reads:
            parent = names.up.get(read)
            if not found.alias.asname and read.id != qualname:
                editor.replace_node(read, qualname)
            self._reshape(editor, read, parent if isinstance(parent, ast.Call) and parent.func is read else None)

    # -- strings -------------------------------------------------------------------------------------------
    def _strings(self) -> None:
        """Targets of patches: dotted strings, and names beside the object that lacks them."""
        for src, call, text, names in target_strings(self.gone.name, self.ctx):
            if "." not in str(text.value) and self.to.relation == "moved" and self.gone.kind == "module" and call.args and call.args[0] is not text:
                ref = names.ref(call.args[0])
                if ref is not None and ref.dotted == self.gone.owner and self.to.name == self.gone.name:
                    editor = self.edits.of(src)
                    editor.replace_node(call.args[0], reference(editor, names, self.to.dotted.rpartition(".")[0]))
                continue
            new = moved_target(text, call, names, self.gone, self.owner, self.to, self.classes)
            if new is not None and new != text.value:
                calls.rename_string(self.edits.of(src), text, str(text.value), new)


def moved_target(text: ast.Constant, call: ast.Call, names: Resolver, gone: Gone, owner: str, to: Successor, classes: Classes) -> str | None:
    """What a patch target becomes; ``None`` for a string that does not mean the gone name."""
    value = str(text.value)
    if "." not in value:
        ref = names.ref(call.args[0]) if call.args and call.args[0] is not text else None
        if ref is None or value != gone.name or (ref.dotted not in (gone.owner, owner) and owner not in classes.mro(ref.dotted)):
            return None
        return to.name if to.relation == "renamed" else None
    module, qualname = classes.split(value)
    head, _, last = value.rpartition(".")
    if not module:
        return None
    if last != gone.name:
        # the gone name is a class or module on the way: pkg.mod.Old.method
        prefix = f"{gone.owner}.{gone.name}."
        return f"{to.dotted}.{value[len(prefix) :]}" if value.startswith(prefix) and to.relation in ("renamed", "moved") else None
    if head in (gone.owner, owner) or (qualname.count(".") >= 1 and owner in classes.mro(head)):
        return to.dotted if to.relation in ("renamed", "moved") and gone.kind == "module" else f"{head}.{to.name}"
    return None


def proposal(
    tactic: str,
    gone: Gone,
    successor: Successor,
    edits: tuple[Edit, ...],
    failures: Sequence[Failure],
    ctx: Context,
    *,
    tied: bool = False,
) -> Proposal:
    """The proposal of a migration."""
    paths = list(dict.fromkeys(e.path for e in edits))
    more = f" ({len(edits)} places in {len(paths)} files)" if len(paths) > 1 else f" ({len(edits)} places)" if len(edits) > 1 else ""
    hidden = successor.name.startswith("_") and not gone.name.startswith("_")  # nobody is told to use what is not meant for others
    safe = successor.sure and not tied and not hidden
    return Proposal(
        STRATEGY,
        tactic,
        edits,
        successor.evidence,
        Applicability.SAFE if safe else Applicability.REVIEW,
        f"{gone.dotted} is now {successor.dotted}{more}",
        nodeids=tuple(dict.fromkeys(f.nodeid for f in failures)),
        meaning=f"{gone.dotted} is now {successor.dotted}",
        cause_key=gone.key,
        score=successor.score,
    )


__all__ = ["Migration", "Site", "moved_target", "proposal", "reference"]
