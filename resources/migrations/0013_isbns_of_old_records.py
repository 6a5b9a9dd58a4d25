import re

from django.db import migrations

ISBN = re.compile(r"\b(?:97[89]\s?(?:\d\s?){9}\d|(?:\d\s?){9}[\dX])\b", re.ASCII)
PARTS = ("chapter", "paper-conference", "entry", "entry-dictionary", "entry-encyclopedia", "figure")


def check_digit(twelve):
    return str(-sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(twelve)) % 10)


def isbn_of(item):
    """As resources.identifiers.isbn_of was when this was written."""
    if item.get("type") in PARTS or item.get("container-title"):
        return ""
    text = re.sub("[-\u00ad\u2010-\u2015\u2212]", "", str(item.get("ISBN", ""))[:300]).upper()
    for digits in ("".join(found.split()) for found in ISBN.findall(text)):
        if len(digits) == 13 and digits[-1] == check_digit(digits[:12]):
            return digits
        values = [10 if digit == "X" else int(digit) for digit in digits]
        if len(digits) == 10 and not sum((10 - n) * value for n, value in enumerate(values)) % 11:
            return f"978{digits[:9]}{check_digit('978' + digits[:9])}"
    return ""


def fill(apps, schema_editor):
    Resource = apps.get_model("resources", "Resource")
    for pk, item in Resource.objects.filter(csl__has_key="ISBN").values_list("pk", "csl"):
        isbn = isbn_of(item)
        if isbn:
            Resource.objects.filter(pk=pk).update(isbn=isbn)


class Migration(migrations.Migration):
    dependencies = [("resources", "0012_books_by_their_isbn")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
