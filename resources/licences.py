"""The licences that a resource may carry, each with its meaning in a sentence."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True)
class Licence:
    key: str
    label: str | Promise
    meaning: str | Promise
    url: str = ""


LICENCES = (
    Licence(
        "cc0",
        "CC0 1.0",
        _("Use it, change it and share it for anything; no need to ask or to name anybody."),
        "https://creativecommons.org/publicdomain/zero/1.0/",
    ),
    Licence(
        "cc-by-4.0",
        "CC BY 4.0",
        _("Use it, change it, translate it; say where it came from."),
        "https://creativecommons.org/licenses/by/4.0/",
    ),
    Licence(
        "cc-by-sa-4.0",
        "CC BY-SA 4.0",
        _("Use it and change it; say where it came from, and share what you make under the same licence."),
        "https://creativecommons.org/licenses/by-sa/4.0/",
    ),
    Licence(
        "cc-by-nc-4.0",
        "CC BY-NC 4.0",
        _("Use it and change it, but not to make money; say where it came from."),
        "https://creativecommons.org/licenses/by-nc/4.0/",
    ),
    Licence(
        "cc-by-nc-sa-4.0",
        "CC BY-NC-SA 4.0",
        _("Use it and change it, but not to make money; say where it came from, and share alike."),
        "https://creativecommons.org/licenses/by-nc-sa/4.0/",
    ),
    Licence(
        "cc-by-nd-4.0",
        "CC BY-ND 4.0",
        _("Share it as it is, unchanged; say where it came from."),
        "https://creativecommons.org/licenses/by-nd/4.0/",
    ),
    Licence(
        "cc-by-nc-nd-4.0",
        "CC BY-NC-ND 4.0",
        _("Share it as it is, unchanged and not to make money; say where it came from."),
        "https://creativecommons.org/licenses/by-nc-nd/4.0/",
    ),
    Licence(
        "ogl-3.0",
        _("Open Government Licence 3.0"),
        _("Public-sector information of the United Kingdom: use it for anything; say where it came from."),
        "https://www.nationalarchives.gov.uk/doc/open-government-licence/version/3/",
    ),
    Licence(
        "other",
        _("Another licence"),
        _("It has its own terms: read them where it is published before you reuse it."),
    ),
    Licence(
        "all-rights",
        _("All rights reserved"),
        _("Read it and cite it; ask the owner before you copy, change or share it."),
    ),
    Licence(
        "unknown",
        _("Not known"),
        _("Nobody has told us yet. Read it and cite it; ask the owner before you do more."),
    ),
)
BY_KEY = {licence.key: licence for licence in LICENCES}
CHOICES = [(licence.key, licence.label) for licence in LICENCES]
