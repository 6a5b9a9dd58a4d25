"""Invented people and their conversations in any number, for measuring: `manage.py load_demo`."""

from .all import Loaded, load, load_resources

__all__ = ["Loaded", "load", "load_resources"]
