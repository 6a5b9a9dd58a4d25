"""{% load i18n %}: Django's, with a quick {% translate %} and {% blocktranslate %}."""

from django.template import Library
from django.templatetags.i18n import register as djangos

from .quick_tags import block_translate, translate

register = Library()
register.tags.update(djangos.tags)
register.filters.update(djangos.filters)
register.tag("translate", translate)
register.tag("trans", translate)
register.tag("blocktranslate", block_translate)
register.tag("blocktrans", block_translate)
