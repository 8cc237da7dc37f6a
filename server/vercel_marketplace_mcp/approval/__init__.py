"""Asking a person: the question's wording, the ways it reaches somebody, and what counts as a yes."""
