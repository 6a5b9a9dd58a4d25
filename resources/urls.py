from django.urls import path

from . import views

app_name = "resources"
urlpatterns = [
    path("", views.index, name="index"),
    path("add/", views.add, name="add"),
    path("add/doi/", views.look_up, name="look_up"),
    path("add/doi/status/", views.doi_status, name="doi_status"),
    path("files/<int:pk>/<str:name>", views.file, name="file"),
    path("files/<int:pk>/remove/", views.remove_file, name="remove_file"),
    path("<int:pk>/edit/", views.edit, name="edit"),
    path("<int:pk>/cite.<str:form>", views.export, name="export"),
    path("<int:pk>-<slug:slug>/", views.detail, name="detail"),
]
