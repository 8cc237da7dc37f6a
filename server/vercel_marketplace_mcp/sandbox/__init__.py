"""An embedded Vercel Marketplace: the operations, a catalog of invented partners, and faults on demand.

Only commands and tests that ask for the sandbox may import this package; no server that talks to Vercel does.
"""

from .app import SANDBOX_TEAM_ID, SANDBOX_TEAM_SLUG, SANDBOX_TOKEN, Recorded, Sandbox
from .faults import Fault

__all__ = ["SANDBOX_TEAM_ID", "SANDBOX_TEAM_SLUG", "SANDBOX_TOKEN", "Fault", "Recorded", "Sandbox"]
