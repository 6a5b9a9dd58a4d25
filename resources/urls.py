from django.urls import path

from . import views

app_name = "resources"
urlpatterns = [
    path("", views.index, name="index"),
    path("add/", views.add, name="add"),
    path("<int:pk>-<slug:slug>/", views.detail, name="detail"),
    path("files/<int:pk>/<str:name>", views.file, name="file"),
]
