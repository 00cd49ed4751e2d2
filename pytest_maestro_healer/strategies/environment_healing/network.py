"""Ports that are taken, hosts that are not there, programs that are not installed."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from pytest_maestro_healer.errors import EditError
from pytest_maestro_healer.evidence.context import Context
from pytest_maestro_healer.evidence.expressions import last_name
from pytest_maestro_healer.model import Applicability, Diagnosis, Edit, Evidence, Failure, FailurePattern, Proposal
from pytest_maestro_healer.strategies.base import Tactic
from pytest_maestro_healer.strategies.environment_healing import examples_network as examples
from pytest_maestro_healer.strategies.environment_healing.hints import strings
from pytest_maestro_healer.strategies.environment_healing.isolate import advice, propose
from pytest_maestro_healer.strategies.environment_healing.paths import parents
from pytest_maestro_healer.strategies.environment_healing.place import Place, entry, failing_function, statement_at
from pytest_maestro_healer.strategies.environment_healing.writer import Writer, free_name, module_statement

_TAKEN = re.compile(r"Address already in use|Only one usage of each socket address|address in use", re.I)
_SERVERS = {
    "HTTPServer",
    "ThreadingHTTPServer",
    "TCPServer",
    "ThreadingTCPServer",
    "UDPServer",
    "ThreadingUDPServer",
    "SimpleXMLRPCServer",
    "WSGIServer",
}
_AWAY = re.compile(
    r"Connection refused|Name or service not known|name resolution|nodename nor servname|Network is unreachable|No route to host|getaddrinfo", re.I
)


class PortInUse(Tactic):
    """A port number that is written out."""

    name = "port_in_use"
    summary = "Lets the system choose the port of a server that a test starts, and asks the server for it"
    patterns = frozenset({FailurePattern.ENVIRONMENT_ISSUE, FailurePattern.UNKNOWN})
    applicability = Applicability.REVIEW
    evidence = ("port",)
    sources = ("https://docs.python.org/3/library/socketserver.html", "https://man7.org/linux/man-pages/man7/ip.7.html")
    heals = examples.PORT_HEALS
    declines = examples.PORT_DECLINES

    def answers(self, failure: Failure, diagnosis: Diagnosis) -> bool:
        """Only where a port was taken."""
        return bool(_TAKEN.search(failure.message[:500])) or failure.exc_attrs.get("errno") in (98, 48, 10048)

    def propose(self, failure: Failure, ctx: Context) -> Iterable[Proposal]:
        """Port 0 where the server is made in the test; else a free port found just before."""
        place = failing_function(failure, ctx) or entry(failure, ctx)
        if place is None:
            return
        for port in _ports(place):
            fact = Evidence("port", f"port {port.number} is taken on this machine", str(failure.location or ""), 0.8)
            told = f"port {port.number} is taken by another program; the test needs any port, not this one"
            for change, score in ((_asked, 0.8), (_found, 0.6)):
                made = propose(
                    self.name, [failure], ctx, lambda c=change, p=port: (c(place, p), ctx.is_helper(place.src.path)),  # type: ignore[misc]
                    evidence=[fact], explanation=told, meaning="any free port will do", safe=False, score=score,
                )  # fmt: skip
                if made is not None:
                    yield made
                    break


@dataclass(frozen=True)
class Port:
    """A port number in a function: its literals there, and the variable that holds it."""

    number: int
    uses: tuple[ast.Constant, ...]
    name: str = ""
    assigned: ast.stmt | None = None


def _ports(place: Place) -> Iterator[Port]:
    numbers: dict[int, list[ast.Constant]] = {}
    tree = place.src.tree or place.node
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and type(node.value) is int and 1024 <= node.value <= 65535:
            numbers.setdefault(node.value, []).append(node)
    used = {n.id for n in ast.walk(place.node) if isinstance(n, ast.Name)}
    for number, nodes in numbers.items():
        inside = tuple(n for n in nodes if place.node.lineno <= n.lineno <= (place.node.end_lineno or 0))
        holder = next((s for s in ast.walk(tree) if isinstance(s, ast.Assign) and s.value in nodes and isinstance(s.targets[0], ast.Name)), None)
        name = holder.targets[0].id if holder and isinstance(holder.targets[0], ast.Name) else ""
        if inside or name in used:
            yield Port(number, inside, name, holder)


def _asked(place: Place, port: Port) -> tuple[Edit, ...]:
    """Port 0, and the server's own answer in place of the number."""
    made = next(_makers(place, port), None)
    if made is None:
        raise EditError("no server is made here")
    argument, expression, statement = made
    writer = Writer(place.src)
    if port.name and port.assigned is not None and isinstance(argument, ast.Name):
        local = place.node.lineno <= port.assigned.lineno <= (place.node.end_lineno or 0)
        if not local or not isinstance(statement, (ast.Assign, ast.Expr)):
            raise EditError("the number is shared by other tests")
        writer.replace_node(port.assigned.value, "0")  # type: ignore[attr-defined]
        writer.after(statement, [f"{port.name} = {expression}"])
        return writer.edits()
    writer.replace_node(argument, "0")
    _rewrite(writer, place, port, expression, after=argument)
    return writer.edits()


def _makers(place: Place, port: Port) -> Iterator[tuple[ast.expr, str, ast.stmt]]:
    """Where the function makes a server on the port: the port's node, how to ask for the real one, the statement."""
    up = parents(place.node)
    for call in ast.walk(place.node):
        if not isinstance(call, ast.Call):
            continue
        last = last_name(call.func)
        argument = next((a for a in _arguments(call) if _is_port(a, port)), None)
        statement = statement_at(place, call.lineno)
        if argument is None or statement is None:
            continue
        if last == "bind" and isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Name):
            yield argument, f"{call.func.value.id}.getsockname()[1]", statement
            continue
        name = _bound(call, up, statement)
        if name and (last in _SERVERS or last.endswith(("Server", "make_server"))):
            yield argument, f"{name}.server_address[1]", statement
        elif name and last == "create_server" and "socket" in ast.unparse(call.func):
            yield argument, f"{name}.getsockname()[1]", statement
        elif name and last in ("start_server", "create_server"):
            yield argument, f"{name}.sockets[0].getsockname()[1]", statement


def _arguments(call: ast.Call) -> Iterator[ast.expr]:
    for a in [*call.args, *(k.value for k in call.keywords)]:
        yield from a.elts if isinstance(a, ast.Tuple) else [a]


def _is_port(node: ast.expr, port: Port) -> bool:
    return (isinstance(node, ast.Constant) and node.value == port.number) or (isinstance(node, ast.Name) and node.id == port.name != "")


def _bound(call: ast.Call, up: dict[ast.AST, ast.AST], statement: ast.stmt) -> str:
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1 and isinstance(statement.targets[0], ast.Name):
        inner = statement.value.value if isinstance(statement.value, ast.Await) else statement.value
        return statement.targets[0].id if inner is call else ""
    item = up.get(call)
    return item.optional_vars.id if isinstance(item, ast.withitem) and isinstance(item.optional_vars, ast.Name) else ""


def _found(place: Place, port: Port) -> tuple[Edit, ...]:
    """A free port, found just before."""
    writer = Writer(place.src)
    helper = free_name(place.src, "free_port", "unused_port")
    module = writer.module("socket")
    lines = [
        f"def {helper}():",
        '    """A port that nothing listens on."""',
        f"    with {module}.socket() as probe:",
        '        probe.bind(("127.0.0.1", 0))',
        "        return probe.getsockname()[1]",
    ]
    if port.assigned is not None and isinstance(port.assigned, ast.Assign):
        top = port.assigned if not place.node.lineno <= port.assigned.lineno <= (place.node.end_lineno or 0) else module_statement(place)
        writer.definition(top, lines)
        writer.replace_node(port.assigned.value, f"{helper}()")
        return writer.edits()
    name = free_name(place.src, "port", "free")
    writer.definition(module_statement(place), lines)
    writer.start(place.node, [f"{name} = {helper}()"])
    _rewrite(writer, place, port, name, after=None)
    return writer.edits()


def _rewrite(writer: Writer, place: Place, port: Port, expression: str, after: ast.expr | None) -> None:
    """The number, in all its other places in the function, replaced by ``expression``; texts become f-strings."""
    for node in port.uses:
        if node is not after:
            writer.replace_node(node, expression)
    up = parents(place.node)
    for text in strings(place.node):
        if f":{port.number}" not in str(text.value):
            continue
        source = place.src.segment(text)
        if isinstance(up.get(text), ast.JoinedStr):
            raise EditError("the number stands in an f-string")
        if "{" in source or "}" in source or not source.startswith(('"', "'")):
            raise EditError("the number stands in a text that cannot become an f-string")
        writer.replace_node(text, "f" + source.replace(f":{port.number}", f":{{{expression}}}"))


class ServiceAway(Tactic):
    """Something on the network that does not answer."""

    name = "service_away"
    summary = "Names the host and port that a test needs and that do not answer, and where the project says how to start it"
    patterns = frozenset({FailurePattern.ENVIRONMENT_ISSUE, FailurePattern.TIMEOUT, FailurePattern.UNKNOWN})
    applicability = Applicability.ADVICE
    evidence = ("network",)
    sources = ("https://docs.python.org/3/library/exceptions.html#ConnectionRefusedError",)
    heals = examples.SERVICE_HEALS
    declines = examples.SERVICE_DECLINES

    def answers(self, failure: Failure, diagnosis: Diagnosis) -> bool:
        """Connections that could not be made, also where a library wrapped the error."""
        return failure.is_a("ConnectionRefusedError", "gaierror", "herror", "ConnectError", "URLError", "ConnectionError") or any(
            _AWAY.search(m) for m in (failure.message[:1000], *(m for _, m in failure.chain))
        )

    def propose(self, failure: Failure, ctx: Context) -> Iterable[Proposal]:
        """One text."""
        hosts = list(dict.fromkeys(_hosts(failure, ctx)))
        what = hosts[0] if hosts else "a host"
        name, _, number = what.rpartition(":")
        service = next((s for s in ctx.settings.values("image") if number and _SERVICES.get(number, "-") in s.value), None)
        where = f"; {service.where} runs {service.value}" if service else ""
        fact = Evidence(
            "network", f"{what} did not answer: {failure.message.splitlines()[0][:150] if failure.message else failure.exc_type}", "", 0.6
        )
        text = (
            f"{what} does not answer from this machine ({failure.exc_type.rpartition('.')[2]}){where}: start it, or point the test at one that runs"
        )
        yield advice(self.name, failure, text, [fact], key=f"service_away:{name or what}")


_SERVICES = {"5432": "postgres", "3306": "mysql", "6379": "redis", "27017": "mongo", "5672": "rabbitmq", "9200": "elastic", "11211": "memcached"}
_URL = re.compile(r"\b\w+://(?:[^@/\s\"']*@)?([\w.-]+(?::\d+)?)")


def _hosts(failure: Failure, ctx: Context) -> Iterator[str]:
    """Hosts that the failing code names: in the message, in its literals, in the variables it reads."""
    for m in re.finditer(r"host='([\w.-]+)', port=(\d+)", failure.message):
        yield f"{m[1]}:{m[2]}"
    for frame in reversed([f for f in failure.frames if f.kind in ("test", "product")]):
        tree = ctx.symbols.tree(frame.location.path)
        for node in ast.walk(tree) if tree is not None else ():
            if isinstance(node, ast.Tuple) and len(node.elts) == 2 and all(isinstance(e, ast.Constant) for e in node.elts):
                host, port = (e.value for e in node.elts if isinstance(e, ast.Constant))
                if isinstance(host, str) and type(port) is int:
                    yield f"{host}:{port}"
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield from (m[1] for m in _URL.finditer(node.value))
        for read in ctx.variables.read_in(frame.location.path):
            yield from (m[1] for m in _URL.finditer(ctx.environ.get(read.name, "")))


class MissingProgram(Tactic):
    """A command that is not on PATH."""

    name = "missing_program"
    summary = "Runs the interpreter by sys.executable instead of by a name that PATH may not have; names other programs that are missing"
    patterns = frozenset({FailurePattern.ENVIRONMENT_ISSUE, FailurePattern.UNKNOWN})
    applicability = Applicability.SAFE
    evidence = ("file",)
    sources = ("https://docs.python.org/3/library/subprocess.html#subprocess.Popen",)
    heals = examples.PROGRAM_HEALS
    declines = examples.PROGRAM_DECLINES

    def answers(self, failure: Failure, diagnosis: Diagnosis) -> bool:
        """A file that was not found by :mod:`subprocess`."""
        return failure.is_a("FileNotFoundError") and any("subprocess" in f.location.path for f in failure.frames[-3:])

    def propose(self, failure: Failure, ctx: Context) -> Iterable[Proposal]:
        """``sys.executable``, or the program's name."""
        program = str(failure.exc_attrs.get("filename") or "")
        place = failing_function(failure, ctx)
        if not program or "/" in program:
            return
        fact = Evidence("file", f"{program} is not on this machine's PATH", str(failure.location or ""), 0.85)
        if not re.fullmatch(r"(python|pypy)[\d.]*(\.exe)?", program):
            yield advice(self.name, failure, f"the program {program} is not on PATH: install it where the tests run", [fact])
            return
        if place is None:
            return

        def change() -> tuple[tuple[Edit, ...], bool]:
            writer = Writer(place.src)
            found: Sequence[ast.Constant] = [n for n in strings(place.node) if n.value == program]
            if not found:
                raise EditError("the name is not written in the test")
            for node in found:
                writer.replace_node(node, f"{writer.module('sys')}.executable")
            return writer.edits(), ctx.is_helper(place.src.path)

        made = propose(
            self.name, [failure], ctx, change, evidence=[fact],
            explanation=f"{program} is not on PATH; the interpreter that runs the tests is at hand", meaning="the running interpreter is meant",
            safe=True, score=0.85,
        )  # fmt: skip
        if made is not None:
            yield made
