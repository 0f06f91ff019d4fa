"""Request and response models, a module for each module of routes."""
