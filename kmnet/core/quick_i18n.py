"""{% load i18n %}: Django's, with a quick {% translate %}."""

from django.template import Library
from django.templatetags.i18n import register as djangos

from .quick_tags import translate

register = Library()
register.tags.update(djangos.tags)
register.filters.update(djangos.filters)
register.tag("translate", translate)
register.tag("trans", translate)
