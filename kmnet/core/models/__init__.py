"""Core models, one module per noun."""
