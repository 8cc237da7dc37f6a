"""A PostgreSQL server and a town for the tests of load, as replicas have them."""

from ..replicas.conftest import server, town

__all__ = ["server", "town"]
