"""What the pages of the admin have in common."""

from django.contrib import admin
from django.forms.formsets import DELETION_FIELD_NAME
from django.forms.models import BaseInlineFormSet
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _


class ReadOnlyAdmin(admin.ModelAdmin):
    """To look at; nothing here is made, changed or removed by hand."""

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False


class SeenInline(admin.TabularInline):
    """Rows that belong to a thing, to look at: a plain table."""

    template = "admin/edit_inline/seen.html"
    extra = 0
    can_delete = False

    def has_add_permission(self, request, obj=None):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False


class NamedFields:
    """Fields that stand in a table have a name of their own: the head of a column is no label."""

    def formfield_for_dbfield(self, db_field, request, **kwargs):
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None and db_field.name in self.named_fields(request):
            widget = getattr(
                field.widget, "widget", field.widget
            )  # Django wraps those that lead to other pages
            widget.attrs.setdefault("aria-label", field.label or db_field.verbose_name)
        return field

    def named_fields(self, request):
        return self.fields


class NamedFormSet(BaseInlineFormSet):
    def add_fields(self, form, index):
        super().add_fields(form, index)
        if box := form.fields.get(DELETION_FIELD_NAME):
            box.widget.attrs["aria-label"] = box.label


class WrittenInline(NamedFields, admin.TabularInline):
    """Rows that belong to a thing, to write."""

    template = "admin/edit_inline/written.html"
    formset = NamedFormSet
    extra = 0


class OneRowAdmin(admin.ModelAdmin):
    """The one row of what admins decide: its form stands where others have a list, also before it was ever saved."""

    def has_add_permission(self, request):
        return super().has_add_permission(request) and not self.model._default_manager.exists()

    def has_delete_permission(self, request, obj=None):
        return False

    def get_model_perms(self, request):
        """Nobody adds another one: the menu shows one link."""
        return {**super().get_model_perms(request), "add": False}

    def changelist_view(self, request, extra_context=None):
        row = self.model._default_manager.first()
        return self.changeform_view(request, str(row.pk) if row else None, "", extra_context)

    def changeform_view(self, request, object_id=None, form_url="", extra_context=None):
        shown = {
            "title": capfirst(self.opts.verbose_name_plural),
            "subtitle": None,
            "show_save_and_add_another": False,
            "show_save_and_continue": False,
        }
        return super().changeform_view(request, object_id, form_url, {**shown, **(extra_context or {})})


class GivenValues(admin.AllValuesFieldListFilter):
    """The values that rows have; a link says so where a row has none."""

    def choices(self, changelist):
        for choice in super().choices(changelist):
            yield {**choice, "display": choice["display"] or _("none given")}


class IsGiven(admin.EmptyFieldListFilter):
    """Whether there is such a thing, in the words of the filters beside it."""

    def choices(self, changelist):
        words = {"1": _("No"), "0": _("Yes")}
        for choice, value in zip(super().choices(changelist), (None, "1", "0"), strict=True):
            yield {**choice, "display": words.get(value, choice["display"])}
