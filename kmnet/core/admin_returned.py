"""Mail that came back, and the addresses that get none, in the admin. An address is a hash here: search for one in full."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from .admin_base import GivenValues, ReadOnlyAdmin
from .known_address import hash_of_address
from .models import MailReturn, SuppressedAddress


class ReturnedAdmin(ReadOnlyAdmin):
    """To look at, and to find by the address."""

    search_fields = ["address_hash"]
    search_help_text = _("A whole e-mail address")
    show_full_result_count = False

    def get_search_results(self, request, queryset, search_term):
        if "@" in search_term:
            return queryset.filter(address_hash=hash_of_address(search_term)), False
        return super().get_search_results(request, queryset, search_term)


@admin.register(MailReturn)
class MailReturnAdmin(ReturnedAdmin):
    list_display = ["at", "kind", "mail", "text"]
    list_filter = ["kind"]
    list_select_related = ["mail"]
    date_hierarchy = "at"
    ordering = ["-at", "-pk"]


@admin.register(SuppressedAddress)
class SuppressedAddressAdmin(ReturnedAdmin):
    list_display = ["scored_at", "score", "suppressed_at", "reason"]
    list_filter = [("reason", GivenValues)]
    ordering = ["-scored_at", "-pk"]
