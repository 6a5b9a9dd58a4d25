"""Addresses of looking after records."""

from django.urls import path

from .views import care, keeping, merging

urlpatterns = [
    path("<int:pk>/history/", care.history, name="history"),
    path("<int:pk>/history/<int:edit>/redact/", care.redact, name="redact"),
    path("<int:pk>/link/", care.link, name="link"),
    path("<int:pk>/keeper/", keeping.keeper, name="keeper"),
    path("kept/", keeping.kept, name="kept"),
    path("kept/answer/", keeping.answer_all, name="answer_all"),
    path("<int:pk>/merge/", merging.merge, name="merge"),
    path("<int:pk>/take-down/", care.take_down, name="take_down"),
    path("<int:pk>/take-down/undo/", care.undo_take_down, name="undo_take_down"),
    path("<int:pk>/delete/", care.delete_own, name="delete_own"),
]
