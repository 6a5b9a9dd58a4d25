"""Addresses of the library taken along."""

from django.urls import path

from .views import oai, out

urlpatterns = [
    path("export.<str:form>", out.list_export, name="list_export"),
    path("references/", out.references, name="references"),
    path("saved/export.<str:form>", out.saved_export, name="saved_export"),
    path("saved/references/", out.saved_references, name="saved_references"),
    path("collections/<int:pk>/export.<str:form>", out.collection_export, name="collection_export"),
    path("collections/<int:pk>/references/", out.collection_references, name="collection_references"),
    path("oai/", oai.oai, name="oai"),
    path("<int:pk>/cite.<str:form>", out.export, name="export"),
    path("<int:pk>/linkset.json", out.linkset, name="linkset"),
]
