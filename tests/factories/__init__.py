from .members import PASSWORD, make_member

__all__ = ["PASSWORD", "make_member"]
