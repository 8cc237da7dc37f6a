"""Rules about the connection to Vercel and the one way that a create request takes."""

import ast
from collections import Counter
from collections.abc import Iterator

from .source import Rule, called, calls, is_false, last_name, nodes, placed, text_of, within

UNCHECKED_TLS = frozenset({"CERT_NONE", "_create_unverified_context"})
STATED = frozenset({"follow_redirects", "trust_env", "verify", "timeout", "limits"})
"""What every HTTP client is given in so many words: none of it is left to a default."""
SHORT_CUTS = frozenset("post put patch delete request stream urlopen".split())
"""Calls that would make a request beside `build_request` and `send`."""
METHODS = frozenset({"POST", "PUT", "PATCH", "DELETE"})
CLIENT, LIST = "vercel.client", "vercel.operations"
CHANGES = {"CREATE_STORE": "create", "CONNECT": "connect"}
"""The operations that change something, each with the one method of the client that may use it."""
ELSEWHERE = ("demo", "demo_agent", "sandbox", "stdio", "ledger", "http.doors", "http.fetch")
"""Who means something else by these names: an agent, the embedded Vercel, streams, a database, answers, an issuer."""
WAY = {
    ("tools.connect_store", "_change"): ["_connect"],
    ("tools.connect_store", "_send"): ["_change"],
    ("tools.connect_store", "connect"): ["_send"],
    ("tools.create_store", "_buy"): ["_conclude"],
    ("tools.create_store", "_send"): ["_buy"],
    ("tools.create_store", "create"): ["_send"],
    (CLIENT, "_send"): ["create", "connect", "_read"],
    (CLIENT, "_exchange"): ["_send"],
    (CLIENT, "send"): ["_exchange"],
    (CLIENT, "build_request"): ["_request"],
}
"""The ways to the wire: who calls each step, once each. Nobody else calls any of them."""
STEPS = frozenset({step for _, step in WAY} | set(CHANGES.values()))
ONCE = {
    CLIENT: ("create", "connect", "_send", "_exchange"),
    "tools.connect_store": ("_connect", "_change", "_send"),
    "tools.create_store": ("_buy", "_send"),
}
"""Functions that a change passes on its way and that therefore repeat nothing."""


RECENT = "read_recent"
MAY_REMEMBER = (CLIENT, "tools.list_configurations", "tools.list_products", "tools.list_plans")
"""The client that remembers reads, and the tools that are served from them."""


def unchecked_certificates(module: str, source: str) -> Iterator[str]:
    """Certificates are always checked."""
    for node in nodes(source):
        if isinstance(node, ast.keyword) and node.arg == "verify" and getattr(node.value, "value", True) is not True:
            yield f"{module}: verify={ast.unparse(node.value)}"
        elif last_name(node) in UNCHECKED_TLS:
            yield f"{module}: {ast.unparse(node)}"


def followed_redirects(module: str, source: str) -> Iterator[str]:
    """No redirect is followed: another address would be shown the token, or repeat a purchase."""
    for node in nodes(source):
        if isinstance(node, ast.keyword) and node.arg == "follow_redirects":
            if not is_false(node.value):
                yield f"{module}: follow_redirects={ast.unparse(node.value)}"
        elif last_name(node) == "follow_redirects" or getattr(node, "value", None) == "follow_redirects":
            yield f"{module}: {ast.unparse(node)}"


def half_said_clients(module: str, source: str) -> Iterator[str]:
    """Every HTTP client is told where it may go, whom it trusts and how long it may take."""
    for call in calls(source):
        if called(call) == "AsyncClient" or ast.unparse(call.func) == "httpx.Client":
            given = {keyword.arg: ast.unparse(keyword.value) for keyword in call.keywords}
            if None in given or not given.keys() >= STATED or given["trust_env"] == "True":
                yield f"{module}: {ast.unparse(call)}"


def short_cuts(module: str, source: str) -> Iterator[str]:
    """Every request is built and sent in the same two places, which check where it goes."""
    yield from (f"{module}: {ast.unparse(call)}" for call in calls(source) if called(call) in SHORT_CUTS)


def steps_taken(module: str, source: str) -> list[tuple[str, str]]:
    """Each mention of a step of the ways to the wire, with the function that it stands in."""
    if within(module, *ELSEWHERE):
        return []
    return [(name_of(node), at) for at, node in placed(source) if name_of(node) in STEPS and not only_named(node)]


def only_named(node: ast.AST) -> bool:
    """Whether a node gives the name of a step to something else: a parameter, a field, or the step's deadline."""
    deadline = isinstance(node, ast.Attribute) and last_name(node.value) == "_deadlines"
    return deadline or isinstance(node, ast.keyword | ast.arg) or isinstance(getattr(node, "ctx", None), ast.Store)


def name_of(node: ast.AST) -> str:
    """The name that a node mentions; of what is imported, the name that it has elsewhere."""
    return node.name if isinstance(node, ast.alias) else last_name(node)


def side_ways(module: str, source: str) -> Iterator[str]:
    """There is one way for each change, and each of its steps is taken once."""
    allowed = Counter((step, at) for (place, step), callers in WAY.items() if place == module for at in callers)
    for step, at in Counter(steps_taken(module, source)) - allowed:
        yield f"{module}: {at} takes the step {step}"


def other_operations(module: str, source: str) -> Iterator[str]:
    """What may be requested stands in one list; what changes something is used by one method of the client each."""
    if within(module, "sandbox"):
        return
    for at, node in placed(source):
        user = CHANGES.get(name_of(node))
        if user and (module, at) not in {(LIST, ""), (CLIENT, user)} and not imported_by_the_client(module, node):
            yield f"{module}: {at} uses what only {user} may"
        elif (called_operation(node) or names_method(module, node)) and module != LIST:
            yield f"{module}: {at} has an operation of its own: {ast.unparse(node)}"


def names_method(module: str, node: ast.AST) -> bool:
    """Whether a node names a method of a request that leaves; those that arrive over HTTP have methods, too."""
    return text_of(node) in METHODS and not within(module, "http")


def imported_by_the_client(module: str, node: ast.AST) -> bool:
    """Whether a node is a name that the client imports as it is."""
    return module == CLIENT and isinstance(node, ast.alias) and node.asname is None


def called_operation(node: ast.AST) -> bool:
    """Whether a node makes an operation."""
    return isinstance(node, ast.Call) and called(node) == "Operation"


def unlisted_changes(module: str, source: str) -> Iterator[str]:
    """Whatever does more than read is one of the changes that the rules above watch over."""
    for node in nodes(source) if module == LIST else ():
        if isinstance(node, ast.Assign) and called_operation(node.value):
            reads = "method='GET'" in ast.unparse(node.value)
            if not reads and not {last_name(target) for target in node.targets} <= CHANGES.keys():
                yield f"{module}: {ast.unparse(node)}"


def remembered_reads(module: str, source: str) -> Iterator[str]:
    """What may be a minute old is read by the tools that list, and by nothing that decides."""
    if module not in MAY_REMEMBER:
        yield from (f"{module}: {at} reads what may be old" for at, node in placed(source) if name_of(node) == RECENT)


def repetitions(module: str, source: str) -> Iterator[str]:
    """Nothing that a create request passes has a loop or a retry in it: it is sent once."""
    for at, node in placed(source):
        if at in ONCE.get(module, ()) and (
            isinstance(node, ast.For | ast.AsyncFor | ast.While | ast.comprehension) or last_name(node) == "stamina"
        ):
            yield f"{module}: {at} repeats something"


RULES = [
    Rule(breaches=unchecked_certificates, broken_in="vercel.client", broken_by="AsyncClient(verify=False)"),
    Rule(breaches=unchecked_certificates, broken_in="cli", broken_by="context.verify_mode = ssl.CERT_NONE"),
    Rule(breaches=followed_redirects, broken_in="vercel.client", broken_by="AsyncClient(follow_redirects=True)"),
    Rule(breaches=followed_redirects, broken_in="vercel.client", broken_by="client.send(x, follow_redirects=follow)"),
    Rule(breaches=followed_redirects, broken_in="vercel.client", broken_by="client.follow_redirects = True"),
    Rule(breaches=followed_redirects, broken_in="vercel.client", broken_by="options = {'follow_redirects': True}"),
    Rule(breaches=half_said_clients, broken_in="vercel.client", broken_by="httpx.AsyncClient()"),
    Rule(
        breaches=half_said_clients,
        broken_in="vercel.client",
        broken_by="httpx.AsyncClient(verify=tls, trust_env=secure, timeout=t, limits=l)",
    ),
    Rule(
        breaches=half_said_clients,
        broken_in="vercel.client",
        broken_by="httpx.AsyncClient(verify=tls, follow_redirects=False, timeout=t, limits=l)",
    ),
    Rule(
        breaches=half_said_clients,
        broken_in="vercel.client",
        broken_by="httpx.Client(verify=tls, follow_redirects=False, timeout=t, limits=l, trust_env=True)",
    ),
    Rule(
        breaches=half_said_clients,
        broken_in="vercel.client",
        broken_by="AsyncClient(verify=tls, follow_redirects=False, timeout=t, limits=l, trust_env=secure, **more)",
    ),
    Rule(breaches=short_cuts, broken_in="vercel.client", broken_by="await client.post(url)"),
    Rule(breaches=short_cuts, broken_in="vercel.client", broken_by="httpx.request('GET', url)"),
    Rule(breaches=side_ways, broken_in="tools.reconcile", broken_by="def f():\n    context.client.create(body, team)"),
    Rule(breaches=side_ways, broken_in="tools.create_store", broken_by="def handle():\n    _send(purchase)"),
    Rule(
        breaches=side_ways, broken_in="tools.create_store", broken_by="def _send():\n    c.create(a)\n    c.create(a)"
    ),
    Rule(breaches=side_ways, broken_in="tools.offer", broken_by="def f():\n    buy = context.client.create"),
    Rule(breaches=side_ways, broken_in="app", broken_by="from .tools.create_store import _buy as buy"),
    Rule(breaches=side_ways, broken_in="vercel.client", broken_by="def read():\n    client.send(request)"),
    Rule(breaches=side_ways, broken_in="vercel.client", broken_by="def again():\n    self._send(call)"),
    Rule(breaches=other_operations, broken_in="tools.reconcile", broken_by="read(Call(operation=CREATE_STORE))"),
    Rule(breaches=other_operations, broken_in="tools.offer", broken_by="from ..vercel.client import CREATE_STORE"),
    Rule(breaches=other_operations, broken_in="vercel.client", broken_by="def read():\n    send(CREATE_STORE)"),
    Rule(breaches=other_operations, broken_in="vercel.client", broken_by="from .operations import CREATE_STORE as A"),
    Rule(breaches=other_operations, broken_in="vercel.client", broken_by="def create():\n    send(CONNECT)"),
    Rule(breaches=other_operations, broken_in="tools.offer", broken_by="Operation(method=chosen, template='/v1')"),
    Rule(breaches=other_operations, broken_in="tools.offer", broken_by="replace(GET_PLANS, method='POST')"),
    Rule(breaches=remembered_reads, broken_in="tools.offer", broken_by="fetch_plans(context.client.read_recent)"),
    Rule(
        breaches=repetitions, broken_in="vercel.client", broken_by="def create():\n    for _ in range(3):\n        f()"
    ),
    Rule(
        breaches=repetitions, broken_in="vercel.client", broken_by="def _send():\n    import stamina\n    stamina.x()"
    ),
    Rule(breaches=repetitions, broken_in="tools.create_store", broken_by="def _buy():\n    while True:\n        f()"),
]
