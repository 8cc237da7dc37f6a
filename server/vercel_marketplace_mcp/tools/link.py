"""Puts together what one connection would change: the store as it is, the question, and what identifies it."""

from dataclasses import dataclass
from typing import Any

from vercel_marketplace_mcp.approval import connection
from vercel_marketplace_mcp.inputs import ConnectStore
from vercel_marketplace_mcp.ledger.records import Identity, Wording
from vercel_marketplace_mcp.purchase.fingerprint import fingerprint
from vercel_marketplace_mcp.purchase.policy import ASKING_RULES, Facts, History, Limits, Verdict, judge
from vercel_marketplace_mcp.results import invalid
from vercel_marketplace_mcp.settings import Settings, Team
from vercel_marketplace_mcp.text import clean
from vercel_marketplace_mcp.tools import stores
from vercel_marketplace_mcp.tools.confirm import Matter
from vercel_marketplace_mcp.tools.context import Context, fetch_store
from vercel_marketplace_mcp.vercel.errors import RefusedError
from vercel_marketplace_mcp.vercel.models import Store

PRODUCTION = "production"
ALL = (PRODUCTION, "preview", "development")
"""The environments that a call means which names none."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Link:
    """One connection that is asked for, and the store as it is now."""

    arguments: ConnectStore
    team: Team
    store: Store
    identity: Identity

    @property
    def environments(self) -> tuple[str, ...]:
        """Where the variables are to be set."""
        return tuple(self.arguments.env_var_environments or ALL)

    @property
    def needs_yes(self) -> bool:
        """Whether it changes production."""
        return PRODUCTION in self.environments

    @property
    def variables(self) -> list[str]:
        """The names of the variables."""
        return stores.secret_names(self.store)

    def stands(self, store: Store) -> bool:
        """Say whether the store is connected to the project in all these environments."""
        ours = [one for one in store.projects_metadata if one.project_id == self.arguments.project_id]
        return set(self.environments) <= {name for one in ours for name in one.environments} and bool(ours)

    def matter(self, settings: Settings) -> Matter:
        """Return the connection as something to ask a person about."""
        expected = connection.expected_phrase(self.identity.fingerprint)
        subject = connection.Connecting(
            team=str(self.team),
            project=self.arguments.project_id,
            store=self.store.name or "without a name",
            store_id=self.arguments.resource_id,
            product=self.store.product.slug or "unknown",
            environments=self.environments,
            variables=self.variables,
            sensitive=self.arguments.make_env_vars_sensitive,
        )
        return Matter(
            identity=self.identity,
            wording=Wording(
                text=connection.write(subject, expected),
                expected=expected,
                ttl=settings.approval_ttl,
                both=settings.approval == "both",
            ),
            form=connection.form(expected),
            allow=_may_ask,
        )

    def shown(self) -> dict[str, Any]:
        """Return the connection as an agent reads it."""
        names = [clean(name) for name in self.environments]
        return {"projectId": self.arguments.project_id, "environments": names, "variables": self.variables}


def _may_ask(history: History) -> Verdict:
    return judge(Facts(limits=Limits(), history=history), ASKING_RULES)


async def read_link(arguments: ConnectStore, team: Team, context: Context) -> Link:
    """Return what is asked for, with the store as it is now.

    Raises:
        StopError: there is no such store in this configuration. VercelError: the store can't be read.
    """
    try:
        store = Store.model_validate(await fetch_store(context.client, team, arguments.resource_id))
    except RefusedError as error:
        if error.code != "not_found":
            raise
        raise invalid("resourceId", "Vercel knows no such store.", (), [_STORE_ID]) from None
    owner = store.product.integration_configuration_id
    if owner is not None and owner != arguments.integration_configuration_id:
        message = "The store was made under another configuration."
        raise invalid("integrationConfigurationId", message, [clean(owner)], [_STORE_ID])
    return Link(arguments=arguments, team=team, store=store, identity=_identify(arguments, team, store, context))


_STORE_ID = "Pass what create-store and get-store call store.id and integrationConfigurationId."


def _identify(arguments: ConnectStore, team: Team, store: Store, context: Context) -> Identity:
    request = {
        "tool": "connect-store",
        "api": context.settings.api_url,
        "team": str(team),
        "principal": context.caller.principal,
        "configuration": arguments.integration_configuration_id,
        **arguments.body(),
        "resourceId": arguments.resource_id,
    }
    terms = {"store": clean(store.name or ""), "variables": stores.secret_names(store)}
    digest = fingerprint(request)
    return Identity(
        account=f"{context.settings.api_url} {team}",
        principal=context.caller.principal,
        key=digest,
        request=digest,
        fingerprint=fingerprint({**request, **terms}),
    )
