"""`/search/`: everything a person may see, one block per kind."""

from django.contrib.auth.decorators import login_not_required
from django.shortcuts import render


@login_not_required
def search(request):
    return render(request, "hub/search.html", {"q": request.GET.get("q", "")})
