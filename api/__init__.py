"""The service: a scoring API, and the door through which other systems come in."""
