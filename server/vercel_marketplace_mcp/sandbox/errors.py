"""The refusals of the sandbox, worded in the API's envelope.

Decides nothing: who refuses and why stands in strict.py, metadata.py and provisioning.py.
"""

from typing import Any


class ApiError(Exception):
    """The API says no: a status and the members of its error envelope."""

    def __init__(self, status: int, code: str, message: str, **more: Any) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"error": {"code": code, "message": message, **more}}


def bad_request(message: str) -> ApiError:
    """400: the request is malformed or asks for what the plan does not allow."""
    return ApiError(400, "bad_request", message)


def forbidden(message: str) -> ApiError:
    """403: the token or the configuration may not create stores."""
    return ApiError(403, "forbidden", message, action="create", resource="integrationConfiguration")


def not_found(what: str) -> ApiError:
    """404: there is no such thing in this scope."""
    return ApiError(404, "not_found", f"{what} not found")
