"""What scripts/compare_openapi.py reports, run on documents made here; it may not reach the network."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
SCRIPTS = ROOT / "scripts"
PUBLISHED = ROOT.parent / "shared" / "openapi" / "vercel-marketplace-ops.json"
CREATE = "createIntegrationStoreDirect"
# The differences that the document made here has; the checkout made here lists no others.
LISTED = (
    f"{CREATE} body required",
    f"{CREATE} *.metadata{{}} alternatives",
    f"{CREATE} body.source enum",
    f"{CREATE} response.429 presence",
    "* response.4* content",
    "* response.500 content",
    f"{CREATE} response.200.store left-out",
)

Document = dict[str, Any]
STRING = {"type": "string"}


def compare(scripts: Path, *arguments: str) -> tuple[int, str, str]:
    """Exit code, output and error output of the script."""
    command = [sys.executable, str(scripts / "compare_openapi.py"), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def drift(document: Document, checkout: Path, *options: str) -> tuple[int, list[str]]:
    """Exit code and lines of the script for a document."""
    path = checkout / "published.json"
    path.write_text(json.dumps(document), "utf-8")
    code, output, errors = compare(checkout / "scripts", *options, str(path))
    assert errors == ""
    return code, output.splitlines()


def excerpt() -> Document:
    """Our own document, with the listed differences that are undone here."""
    document: Document = json.loads((ROOT / "tool_specs" / "openapi.json").read_text("utf-8"))
    return {**document, "x-differences": [one for one in document["x-differences"] if one["where"] in LISTED]}


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder with the scripts and an excerpt to compare with."""
    (tmp_path / "tool_specs").mkdir()
    (tmp_path / "tool_specs" / "openapi.json").write_text(json.dumps(excerpt()), "utf-8")
    shutil.copytree(SCRIPTS, tmp_path / "scripts", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


@pytest.fixture
def published() -> Document:
    """A full document as another might publish it: the excerpt with its differences undone."""
    document = excerpt()
    today = {entry["where"]: entry["today"] for entry in document.pop("x-differences")}
    for response in document["components"]["responses"].values():
        del response["content"]
    for name in ("CreateStore", "Store"):
        values = document["components"]["schemas"][name]["properties"]["metadata"]["additionalProperties"]
        values["oneOf"] = values.pop("anyOf")
    change(document, f"{CREATE}.requestBody.required", False)
    change(document, f"{CREATE}.responses.429", None)
    change(document, "CreateStore.properties.source.enum", today[LISTED[2]])
    for name in today[LISTED[6]]:
        change(document, f"Store.properties.{name}", STRING)
    return document


def change(document: Document, where: str, value: Any) -> None:
    """Set a value in an operation or a schema, append it to a list, or remove what is there if it is None."""
    operations = {one["operationId"]: one for item in document["paths"].values() for one in item.values()}
    root, *steps, last = where.split(".")
    node: Any = {**operations, **document["components"]["schemas"]}[root]
    for step in steps:
        node = node[int(step) if isinstance(node, list) else step]
    if value is None:
        node.pop(int(last) if isinstance(node, list) else last)
    elif isinstance(node, list):
        node.append(value)
    else:
        node[last] = value


def test_a_document_that_differs_only_as_listed_is_no_drift(published: Document, checkout: Path) -> None:
    """The listed differences are expected."""
    assert drift(published, checkout) == drift(published, checkout, "--all") == (0, [])


# A place, what is put there (null: it is removed), and below it the line that this must give.
CHANGES = """
getBillingPlans.parameters.+ = {"name": "region", "in": "query", "schema": {"type": "string"}}
    getBillingPlans query.region presence: theirs "present", ours "absent"
getBillingPlans.parameters.3 = null
    getBillingPlans query.metadata presence: theirs "absent", ours "present"
getConfigurationProducts.parameters.0.schema.type = "integer"
    getConfigurationProducts path.id type: theirs "integer", ours "string"
getConfigurations.parameters.0.schema.enum = ["all"]
    getConfigurations query.view enum: theirs ["all"], ours ["account", "project"]
getBillingPlans.parameters.2.required = true
    getBillingPlans query.integrationConfigurationId required: theirs true, ours false
CreateStore.properties.region = {"type": "string", "maxLength": 4}
    CREATE body.region presence: theirs "present", ours "absent"
CreateStore.properties.externalId = null
    CREATE body.externalId presence: theirs "absent", ours "present"
CreateStore.required.+ = "billingPlanId"
    CREATE body.billingPlanId required: theirs true, ours false
CreateStore.required.0 = null
    CREATE body.name required: theirs false, ours true
CreateStore.properties.name.maxLength = 64
    CREATE body.name maxLength: theirs 64, ours 128
CreateStore.properties.integrationConfigurationId.pattern = "^ic_"
    CREATE body.integrationConfigurationId pattern: theirs "^ic_", ours "^icfg_[a-zA-Z0-9]+$"
CreateStore.properties.externalId.anyOf = [{"title": "a"}, {"title": "b"}]
    CREATE body.externalId alternatives: theirs "anyOf: 2 any", ours null
CreateStore.properties.source.enum = ["cli", "zed"]
    CREATE body.source enum: theirs ["cli", "zed"], ours null
CreateStore.additionalProperties = false
    CREATE body closed: theirs true, ours null
CREATE.requestBody.content = {"text/plain": {}}
    CREATE body content: theirs "text/plain", ours "application/json"
CREATE.requestBody = null
    CREATE body presence: theirs "absent", ours "present"
CREATE.responses.422 = {"description": ""}
    CREATE response.422 presence: theirs "present", ours "absent"
CREATE.responses.402 = null
    CREATE response.402 presence: theirs "absent", ours "present"
getConfigurationProducts.operationId = "listProducts"
    getConfigurationProducts operation id: theirs "listProducts", ours "getConfigurationProducts"
Store.properties.billingPlan = null
    CREATE response.200.store.billingPlan presence: theirs "absent", ours "present"
Store.properties.status.nullable = false
    CREATE response.200.store.status type: theirs "string", ours "null|string"
"""
LINES = CHANGES.strip().replace("CREATE", CREATE).split("\n")


@pytest.mark.parametrize(("made", "line"), list(zip(LINES[::2], LINES[1::2], strict=True)))
def test_every_kind_of_drift_is_named(published: Document, checkout: Path, made: str, line: str) -> None:
    """One change gives exactly one line, whatever follows from it, and exit code 1."""
    where, _, value = made.partition(" = ")
    change(published, where, json.loads(value))
    assert drift(published, checkout) == (1, [line.strip()])


def test_an_operation_that_has_moved_is_compared_where_it_is_now(published: Document, checkout: Path) -> None:
    """Its id leads there; the parameters of the whole path count, and the lines are sorted."""
    plans = next(path for path in published["paths"] if path.endswith("/plans"))
    region = {"name": "region", "in": "header", "schema": STRING}
    published["paths"]["/v2/plans"] = {**published["paths"].pop(plans), "parameters": [region]}
    lines = [
        'getBillingPlans header.region presence: theirs "present", ours "absent"',
        f'getBillingPlans operation path: theirs "GET /v2/plans", ours "GET {plans}"',
    ]
    assert drift(published, checkout) == (1, lines)


def test_a_document_without_our_operations_is_never_clean(published: Document, checkout: Path) -> None:
    """Each operation that is nowhere is one line."""
    gone = '{} operation presence: theirs "absent", ours "present"'
    names = [
        "connectIntegrationResourceToProject",
        CREATE,
        "getBillingPlans",
        "getConfigurationProducts",
        "getConfigurations",
        "getStorageStoresById",
    ]
    assert drift({"openapi": "3.0.3", "paths": {}}, checkout) == (1, [gone.format(name) for name in names])
    del published["paths"]["/v1/storage/stores/integration/direct"]
    assert drift(published, checkout) == (1, [gone.format(CREATE)])


def test_a_listed_difference_that_is_none_any_more_is_drift(published: Document, checkout: Path) -> None:
    """The list of differences has to stay true."""
    change(published, "CreateStore.properties.source.enum", None)
    change(published, "Store.properties.targets", None)
    code, lines = drift(published, checkout)
    assert (code, [line.partition(" says ")[0] for line in lines]) == (
        1,
        [f"{CREATE} body.source enum: x-differences", f"{CREATE} response.200.store left-out: x-differences"],
    )


def test_an_answer_may_grow(published: Document, checkout: Path) -> None:
    """New members of answers are no drift; --all shows them."""
    change(published, "ConnectedProject.properties.region", STRING)
    line = '{} response.200.store.projectsMetadata[].region presence: theirs "present", ours "absent"'
    assert drift(published, checkout) == (0, [])
    lines = [line.format(name) for name in (CREATE, "getStorageStoresById")]
    assert drift(published, checkout, "--all") == (1, lines)


def test_the_same_in_the_words_of_openapi_3_1_is_no_drift(published: Document, checkout: Path) -> None:
    """Wrappers, references, loops of them, null as a type and const say the same as their forms of 3.0."""
    components = published["components"]
    body, store = (components["schemas"][name]["properties"] for name in ("CreateStore", "Store"))
    request = {"content": {"application/json": {"schema": {"allOf": [{"$ref": "#/components/schemas/CreateStore"}]}}}}
    components["requestBodies"] = {"Store": request}
    components["schemas"]["Name"] = {"allOf": [body["name"]]}
    nullable = {"anyOf": [{"$ref": "#/components/schemas/Store"}, {"type": "null"}]}
    change(published, f"{CREATE}.requestBody", {"$ref": "#/components/requestBodies/Store"})
    change(published, f"{CREATE}.responses.200.content.application/json.schema.properties.store", nullable)
    change(published, "CreateStore.properties.name", {"$ref": "#/components/schemas/Name"})
    change(published, "CreateStore.properties.metadata", {"oneOf": [body["metadata"]]})
    change(published, "Store.properties.status", {"type": ["string", "null"], "enum": store["status"]["enum"]})
    change(published, "MetadataSchema.properties.type", {"const": "object", "type": "string"})
    change(published, "BillingPlan.properties.fallback", {"$ref": "#/components/schemas/BillingPlan"})
    assert drift(published, checkout) == (0, [])


def test_an_exclusive_limit_is_not_an_inclusive_one(published: Document, checkout: Path) -> None:
    """The flag of 3.0 and the number of 3.1 are one limit, and another one than ours."""
    place = f"{CREATE} body.prepaymentAmountCents"
    lines = [f"{place} exclusiveMinimum: theirs 50, ours null", f"{place} minimum: theirs null, ours 50"]
    for limit in ({"minimum": 50, "exclusiveMinimum": True}, {"exclusiveMinimum": 50}):
        change(published, "CreateStore.properties.prepaymentAmountCents", {"type": "number", **limit})
        assert drift(published, checkout) == (1, lines)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[" * 100_000, "cannot be read: maximum recursion depth exceeded"),
        ('{"openapi": "3.0.3"}', "is no OpenAPI document"),
        ('{"openapi": "3.0.3", "paths": {"/a": {"$ref": "#/b"}}}', "$ref #/b points at nothing"),
        ('{"openapi": "3.0.3", "paths": {"/a": {"get": []}}}', "is not well formed: AttributeError"),
    ],
)
def test_a_file_that_is_no_openapi_document_is_refused(tmp_path: Path, text: str, sentence: str) -> None:
    """Exit code 2 and a sentence, no traceback."""
    path = tmp_path / "document.json"
    path.write_text(text, "utf-8")
    code, output, errors = compare(SCRIPTS, str(path))
    assert (code, output, errors.count("\n"), sentence in errors) == (2, "", 1, True)


def test_only_https_addresses_are_read() -> None:
    """Every other scheme is refused before anything is opened."""
    for address in ("http://127.0.0.1:9/openapi.json", "file:///etc/hostname"):
        assert compare(SCRIPTS, address) == (2, "", f"{address} cannot be read: only https addresses are read\n")


@pytest.mark.skipif(not PUBLISHED.exists(), reason="Vercel's own document does not lie beside this checkout")
def test_the_excerpt_agrees_with_the_document_that_vercel_publishes() -> None:
    """No drift, and no difference that is not listed."""
    assert compare(SCRIPTS, str(PUBLISHED)) == compare(SCRIPTS, "--all", str(PUBLISHED)) == (0, "", "")
