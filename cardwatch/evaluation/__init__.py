"""Injects known cases into real history and measures what is found."""
