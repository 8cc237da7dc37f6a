"""Rules about the token: who may see it, and that nothing writes it where people or programs read."""

import ast
import re
from collections.abc import Iterator

from .source import Rule, called, last_name, placed, text_of, within, words

TELLS = frozenset("debug info warning warn error exception critical fatal log print _say".split())
TELLS_IN_FULL = frozenset({"sys.stdout.write", "sys.stderr.write", "sys.__stderr__.write"})
TELLING = frozenset(
    "token tokens secret secrets authorization auth bearer password credential credentials cookie header headers env "
    "environ settings request requests response responses url uri params query body content raw".split()
)
"""Words in the name of what holds a secret, or of what is sent or received as it is."""
SECRETS = frozenset("token tokens secret secrets authorization bearer password credential credentials".split())
HARMLESS = frozenset(
    {
        # Of an answer: its status, and the id that Vercel gave the request, cleaned.
        "response.status_code",
        "response.headers.get('x-vercel-id', 'none')",
        # The sandbox is a stage: where it listens and what opens it is what its command is for.
        "base_url",
        "sandbox.token",
    }
)
REVEALING = frozenset({"get_secret_value", "_secret_value"})
SEES_THE_TOKEN = {
    ("vercel.client", "_request"): "puts it on the wire",
    ("vercel.client", "_without_token"): "takes it out of what Vercel answers",
    ("settings", "secrets"): "for those who have it taken out of what is logged",
    ("approval.asking", "_own_keys"): "of the states: seals them",
    ("ledger.postgres", "_guarded"): "of the database: connects with it",
}
"""Who unwraps the token, once each, and why."""
COMMANDS = ("cli", "commands", "doctor")
WRITES_AUTHORIZATION = {
    ("vercel.client", "_request"): "the token of the account",
    ("http.doors", "_challenge"): "what kind of token is wanted",
    ("http.fetch", "fetch"): "a person's own token, to their server",
}


def told_secrets(module: str, source: str) -> Iterator[str]:
    """Nothing that is logged, printed or said is made of a token, a header, a setting, a request or an answer."""
    values = assigned(source)
    for at, node in placed(source):
        if isinstance(node, ast.Call) and (called(node) in TELLS or ast.unparse(node.func) in TELLS_IN_FULL):
            for part in told(node, values.get(at, {})):
                if not TELLING.isdisjoint(words(key_of(part))):
                    yield f"{module}: {at} tells {ast.unparse(part)}"


def raised_secrets(module: str, source: str) -> Iterator[str]:
    """No exception is made of a secret: its text reaches the log, and may reach the assistant."""
    values = assigned(source)
    for at, node in placed(source):
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and not within(module, "sandbox"):
            for part in told(node.exc, values.get(at, {})):
                if not SECRETS.isdisjoint(words(key_of(part))):
                    yield f"{module}: {at} raises {ast.unparse(part)}"


def told(call: ast.Call, values: dict[str, list[ast.expr]]) -> Iterator[ast.AST]:
    """All that a call tells: its arguments, but for plain words, and what the names in them were made of."""
    for argument in [*call.args, *call.keywords]:
        if not isinstance(argument, ast.Constant):
            for part in parts(argument):
                yield part
                for value in values.get(last_name(part), []) if isinstance(part, ast.Name) else []:
                    yield from parts(value)


def parts(node: ast.AST) -> Iterator[ast.AST]:
    """The node and all that is part of it, but for what is harmless and the plain words of a text with values."""
    if isinstance(node, ast.expr) and ast.unparse(node) in HARMLESS:
        return
    yield node
    for child in ast.iter_child_nodes(node):
        if not (isinstance(node, ast.JoinedStr) and isinstance(child, ast.Constant)):
            yield from parts(child)


def key_of(node: ast.AST) -> str:
    """The name of a node, or a key that is written as text; empty for anything else."""
    text = text_of(node)
    return text if text and re.fullmatch(r"[\w-]+", text) else last_name(node)


def assigned(source: str) -> dict[str, dict[str, list[ast.expr]]]:
    """For each function, what is assigned to each of its names."""
    found: dict[str, dict[str, list[ast.expr]]] = {}
    for at, node in placed(source):
        if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign | ast.NamedExpr) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for name in (each.id for target in targets for each in ast.walk(target) if isinstance(each, ast.Name)):
                found.setdefault(at, {}).setdefault(name, []).append(node.value)
    return found


def unwrappings(source: str) -> Iterator[tuple[str, ast.AST]]:
    """Each place that takes a secret out of its wrapping, by name or by a name written as text."""
    return ((at, node) for at, node in placed(source) if unwraps(node))


def unwraps(node: ast.AST) -> bool:
    """Whether a node takes a secret out of its wrapping."""
    return not REVEALING.isdisjoint({last_name(node), text_of(node)})


def unwrapped_tokens(module: str, source: str) -> Iterator[str]:
    """The token is unwrapped to go on the wire and to be taken out of texts, in a few places, once each."""
    found = [(module, at) for at, _ in unwrappings(source)]
    for place in dict.fromkeys(found):
        if place not in SEES_THE_TOKEN or found.count(place) > 1:
            yield f"{module}: {place[1]}, {found.count(place)} times"


def tokens_kept_by_commands(module: str, source: str) -> Iterator[str]:
    """A command unwraps the token for the logging alone, which takes it out of what is written."""
    handed: set[ast.AST] = set()
    for _, node in placed(source):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "logs.configure":
            handed.update(ast.walk(node))
    for at, node in placed(source):
        is_list = isinstance(node, ast.Attribute) and node.attr == "secrets"
        if module in COMMANDS and node not in handed and (is_list or unwraps(node)):
            yield f"{module}: {at}"


def authorizations(module: str, source: str) -> Iterator[str]:
    """Few functions write a header about tokens, and one of them the one with Vercel's; the sandbox only reads it."""
    for at, node in placed(source):
        carries = re.match(r"bearer\s|authorization$", text_of(node), re.IGNORECASE)
        if carries and (module, at) not in WRITES_AUTHORIZATION and not within(module, "sandbox"):
            yield f"{module}: {at} writes {text_of(node)}"


RULES = [
    *(
        Rule(breaches=told_secrets, broken_in="vercel.client", broken_by=source)
        for source in (
            "logger.info('sent %s', self._settings.token)",
            "logger.debug('sent', extra={'Authorization': value})",
            "logger.log(10, 'sent', extra=dict(token=value))",
            "logger.warning(f'sent {request}')",
            "logger.info('sent %s', call.query)",
            "logger.info('%s', response.headers)",
            "logger.info('%s', response.text)",
            "logger.info('%s', request.url)",
            "logger.exception('%r', values['api-token'])",
            "logger.error('%s', token.get_secret_value())",
            "logger.info('with ' + str(self._settings))",
            "def f():\n    seen = str(response.headers)\n    logger.info('%s', seen)",
            "print(os.environ)",
            "print('x', {**headers})",
            "_say(f'the token is {VERCEL_TOKEN}')",
            "sys.stderr.write(raw.decode())",
        )
    ),
    Rule(breaches=raised_secrets, broken_in="settings", broken_by="raise SettingsError(f'{token} is no token')"),
    Rule(
        breaches=raised_secrets,
        broken_in="settings",
        broken_by="def f():\n    given = env['VERCEL_TOKEN']\n    raise ValueError(given)",
    ),
    Rule(breaches=unwrapped_tokens, broken_in="tools.context", broken_by="def f():\n    token.get_secret_value()"),
    Rule(breaches=unwrapped_tokens, broken_in="vercel.client", broken_by="def read():\n    token.get_secret_value()"),
    Rule(breaches=unwrapped_tokens, broken_in="vercel.models", broken_by="def f():\n    token._secret_value"),
    Rule(breaches=unwrapped_tokens, broken_in="app", broken_by="getattr(token, 'get_secret_value')()"),
    Rule(
        breaches=unwrapped_tokens,
        broken_in="doctor",
        broken_by="def run():\n    f(t.get_secret_value())\n    g(t.get_secret_value())",
    ),
    Rule(breaches=tokens_kept_by_commands, broken_in="doctor", broken_by="token = chosen.token.get_secret_value()"),
    Rule(breaches=tokens_kept_by_commands, broken_in="cli", broken_by="remember([token.get_secret_value()])"),
    Rule(breaches=tokens_kept_by_commands, broken_in="cli", broken_by="remember(chosen.secrets)"),
    Rule(breaches=authorizations, broken_in="tools.offer", broken_by="headers = {'authorization': token}"),
    Rule(breaches=authorizations, broken_in="vercel.client", broken_by="def read():\n    f'Bearer {token}'"),
]
