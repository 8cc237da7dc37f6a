"""A detector of Vercel's tokens, for detect-secrets. It knows their form, and asks nobody whether one works."""

import re

from detect_secrets.plugins.base import RegexBasedDetector

_TOKEN = r"(?=[A-Za-z_.-]*[0-9])[A-Za-z0-9_.-]{16,512}"  # noqa: S105 - the form of one
"""What the server takes for a token; without a digit it is but words."""


class VercelTokenDetector(RegexBasedDetector):
    """Finds tokens by their prefix, and older ones, which have none, by what stands before them."""

    secret_type = "Vercel Token"  # noqa: S105 - what a finding is called
    denylist = (
        re.compile(r"\bvc[piark]_[A-Za-z0-9_-]{24,}"),
        re.compile(rf"\bVERCEL_\w*TOKEN\W{{1,5}}({_TOKEN})\b"),
        re.compile(rf"\btoken\w*[\"']?\s*[:=]{{1,2}}\s*[\"']({_TOKEN})[\"']", re.IGNORECASE),
        re.compile(rf"\bBearer\s+({_TOKEN})", re.IGNORECASE),
    )
