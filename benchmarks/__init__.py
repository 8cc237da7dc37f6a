"""Measures this server beside its alternatives. Nothing of the server imports it."""
