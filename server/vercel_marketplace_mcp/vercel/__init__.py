"""Vercel's REST API: the one client, its errors and what its answers hold."""
