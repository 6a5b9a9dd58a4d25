"""Counts in words, for sentences: `{% load hub %}`."""

from django import template

from kmnet.hub import words

register = template.Library()
register.filter("capital", words.capital)
register.filter("in_words", words.in_words)
