"""Forms about members; they clean input and save nothing."""

from django import forms


class JoinForm(forms.Form):
    """What joining asks beside address and password."""

    def signup(self, request, user):
        """Called by allauth once the account exists."""
