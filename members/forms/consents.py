"""Agreeing once more."""

from django import forms

from .join import agreement_field


class AgreeForm(forms.Form):
    agree = agreement_field()
