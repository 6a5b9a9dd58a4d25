"""The formats of reference managers, each read into rows of CSL-JSON and written from items of it.

Every module gives `read(text) -> list[Row]`, which raises NotReadable where there is nothing to go by, and
`write(items) -> str`. What is not bibliographic travels in an item under CSL's own names: "id", "keyword" (tags, parted
by "; "), "abstract" (the description), and "custom": {"licence", "kind", "minutes"}.
"""

from dataclasses import dataclass
from types import ModuleType

from . import bibtex, csljson, csvfile, ris
from .rows import MAX_BYTES, MAX_ROWS, NotReadable, Row, tags_in, tags_text, text_of

__all__ = [
    "FORMATS",
    "MAX_BYTES",
    "MAX_ROWS",
    "Format",
    "NotReadable",
    "Row",
    "form_of",
    "read",
    "tags_in",
    "tags_text",
    "text_of",
]


@dataclass(frozen=True)
class Format:
    label: str
    content_type: str
    module: ModuleType


FORMATS = {  # by the extension of its files
    "bib": Format("BibTeX", "application/x-bibtex; charset=utf-8", bibtex),
    "ris": Format("RIS", "application/x-research-info-systems; charset=utf-8", ris),
    "json": Format("CSL-JSON", "application/vnd.citationstyles.csl+json; charset=utf-8", csljson),
    "csv": Format("CSV", "text/csv; charset=utf-8", csvfile),
}


def form_of(name: str, text: str) -> str:
    """Which format a file is in: a key of FORMATS, by what it holds and else by its name; "" for none."""
    start = text.lstrip()[:2000]
    if start[:1] in ("[", "{"):
        return "json"
    if start.startswith("TY  -") or "\nTY  -" in start:
        return "ris"
    if start.startswith("@") or "\n@" in start:
        return "bib"
    extension = name.rpartition(".")[2].casefold()
    return {"bibtex": "bib", "txt": "", "tsv": "csv"}.get(
        extension, extension if extension in FORMATS else ""
    )


def read(form: str, text: str) -> list[Row]:
    """Every row of a file in one of FORMATS, in its order. Raises NotReadable."""
    return FORMATS[form].module.read(text)
