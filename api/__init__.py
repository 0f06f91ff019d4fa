"""The service: pages for people and an API for other systems."""
