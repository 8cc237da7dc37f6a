"""Sessions of the handshake era: the SDK's, with a share that no principal exceeds. It identifies nobody."""

import logging

from mcp.server.auth.middleware.bearer_auth import AuthorizationContext
from mcp.server.streamable_http import StreamableHTTPServerTransport
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

from vercel_marketplace_mcp.text import clean

logger = logging.getLogger(__name__)


class SharedSessions(StreamableHTTPSessionManager):
    """Keeps half of the room for others, where callers are known: one token can't shut everybody out."""

    def _admit_session(self, requestor: AuthorizationContext | None) -> StreamableHTTPServerTransport | None:
        """Open a session, or answer None, which the SDK says with 503, if there is no room for this principal."""
        if requestor is not None and self.max_sessions is not None:
            held = sum(_is_same(requestor, owner) for owner in self._session_owners.values())
            if held >= self.max_sessions // 2:
                logger.warning(
                    "%s holds %d sessions, all that one principal may", clean(str(requestor["subject"])), held
                )
                return None
        return super()._admit_session(requestor)


def _is_same(one: AuthorizationContext, other: AuthorizationContext) -> bool:
    """Say whether two sessions are one principal's, whichever client it came by."""
    return (one["issuer"], one["subject"]) == (other["issuer"], other["subject"])
