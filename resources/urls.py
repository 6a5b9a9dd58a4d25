from django.urls import path

from . import urls_care, views

app_name = "resources"
urlpatterns = [
    path("", views.index, name="index"),
    path("saved/", views.saved, name="saved"),
    path("searches/", views.searches, name="searches"),
    path("searches/new/", views.search_new, name="search_new"),
    path("searches/<int:pk>/", views.search_edit, name="search_edit"),
    path("searches/<int:pk>/delete/", views.search_delete, name="search_delete"),
    path("collections/", views.collections, name="collections"),
    path("collections/new/", views.collection_new, name="collection_new"),
    path("collections/<int:pk>-<slug:slug>/", views.collection, name="collection"),
    path("collections/<int:pk>/print/", views.collection_print, name="collection_print"),
    path("collections/<int:pk>/edit/", views.collection_edit, name="collection_edit"),
    path("collections/<int:pk>/delete/", views.collection_delete, name="collection_delete"),
    path("collections/<int:pk>/arrange/", views.collection_arrange, name="collection_arrange"),
    path("<int:pk>/save/", views.save, name="save"),
    path("<int:pk>/collect/", views.collect, name="collect"),
    path("add/", views.add, name="add"),
    path("add/doi/", views.look_up, name="look_up"),
    path("add/doi/status/", views.doi_status, name="doi_status"),
    path("files/<int:pk>/<str:name>", views.file, name="file"),
    path("files/<int:pk>/remove/", views.remove_file, name="remove_file"),
    path("<int:pk>/edit/", views.edit, name="edit"),
    path("<int:pk>/cite.<str:form>", views.export, name="export"),
    *urls_care.urlpatterns,
    path("<int:pk>-<slug:slug>/", views.detail, name="detail"),
]
