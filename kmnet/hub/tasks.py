"""Celery entry points of the hub."""
