"""What the pages of the admin have in common."""

from django.contrib import admin


class ReadOnlyAdmin(admin.ModelAdmin):
    """To look at; nothing here is made, changed or removed by hand."""

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False
