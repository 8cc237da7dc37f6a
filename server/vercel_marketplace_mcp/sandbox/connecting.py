"""The connect operation: every check, then the variables of a store in the environments of a project.

No HTTP: takes the checked body, changes the project or raises a refusal. No variable has a value here.
"""

from hashlib import sha256

from .catalog import Json
from .errors import bad_request, not_found
from .provisioning import find_configuration
from .state import Market

ENVIRONMENTS = ("production", "preview", "development")


def connect(market: Market, configuration_id: str, resource_id: str, body: Json) -> None:
    """Connect a store to a project."""
    configuration = find_configuration(market, configuration_id)
    store = next((one for one in market.stores if one["id"] == resource_id), None)
    if store is None or store["product"]["integrationConfigurationId"] != configuration["id"]:
        raise not_found("Resource")
    project = market.catalog.project(body["projectId"])
    if project is None:
        raise not_found("Project")
    environments = body.get("envVarEnvironments") or list(ENVIRONMENTS)
    names = [secret["name"] for secret in store["secrets"]]
    _check_free(project, names, environments)
    kind = "sensitive" if body.get("makeEnvVarsSensitive") else "encrypted"
    project["variables"] += [{"key": name, "target": environments, "type": kind} for name in names]
    digest = sha256(f"{resource_id} {project['id']} {environments}".encode()).hexdigest()
    shown = {"id": f"spc_{digest[:16]}", "projectId": project["id"], "name": project["name"]}
    shown |= {"environments": environments, "envVarPrefix": None, "environmentVariables": names}
    store["projectsMetadata"].append(shown)
    store["totalConnectedProjects"] = len({one["projectId"] for one in store["projectsMetadata"]})


def _check_free(project: Json, names: list[str], environments: list[str]) -> None:
    for variable in project["variables"]:
        if variable["key"] in names and set(variable["target"]) & set(environments):
            raise bad_request(
                f"This project already has an existing environment variable with name {variable['key']} "
                "in one of the chosen environments"
            )
