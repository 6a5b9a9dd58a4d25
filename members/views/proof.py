"""Before something that cannot be taken back: is it still them who sits there?"""

import time
from functools import wraps

from allauth.account.decorators import reauthentication_required
from allauth.account.internal.flows.login import get_authentication_records
from allauth.account.internal.flows.reauthentication import get_reauthentication_flows
from django.shortcuts import render

FRESH = 15 * 60  # seconds


def proven_again(view):
    """The password, or the second step, typed a moment ago. Who has neither (they sign in by mailed code, or through
    others) must have signed in within FRESH; django-allauth would let them pass unasked."""
    guarded = reauthentication_required(view)

    @wraps(view)
    def page(request, *args, **kwargs):
        if get_reauthentication_flows(request.user):
            return guarded(request, *args, **kwargs)
        records = get_authentication_records(request, request.user)
        if any(time.time() - record["at"] < FRESH for record in records):
            return view(request, *args, **kwargs)
        return render(request, "members/prove_again.html", {"section": "data"}, status=403)

    return page
