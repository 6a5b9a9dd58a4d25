"""A key per form shown, so that a double submit makes one thing.

The form carries `submit_key`; the model keeps it in a column that is unique together with the author. A service that
meets the key again returns what the first submit made.
"""

import uuid

from django import forms


def new_key() -> str:
    return str(uuid.uuid4())


class SubmitKeyField(forms.UUIDField):
    """Hidden; a fresh key for each form shown. A key that is missing or odd is replaced, never an error."""

    widget = forms.HiddenInput

    def __init__(self, **kwargs):
        super().__init__(required=False, initial=uuid.uuid4, **kwargs)

    def clean(self, value):
        try:
            return super().clean(value) or uuid.uuid4()
        except forms.ValidationError:
            return uuid.uuid4()
