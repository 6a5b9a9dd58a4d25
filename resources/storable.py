"""What others send as JSON, in a form that Postgres takes."""

import math
import re

DEEPEST = 60
_NOT_TEXT = re.compile("[\x00\ud800-\udfff]")


def storable(value, depth: int = 0):
    """The same without what no column holds: NUL and lone surrogates in text, numbers that are none (NaN, infinite), and
    numbers of hundreds of digits. Raises ValueError for what is nested deeper than DEEPEST."""
    if depth > DEEPEST:
        raise ValueError("nested too deep")
    if isinstance(value, dict):
        return {_NOT_TEXT.sub("", str(key)): storable(inner, depth + 1) for key, inner in value.items()}
    if isinstance(value, list):
        return [storable(inner, depth + 1) for inner in value]
    if isinstance(value, str):
        return _NOT_TEXT.sub("", value)
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, int) and value.bit_length() > 200:
        return None
    return value
