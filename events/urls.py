from django.urls import path

from . import views
from .views import series

app_name = "events"
urlpatterns = [
    path("", views.index, name="index"),
    path("past/", views.past, name="past"),
    path("new/", views.create, name="create"),
    path("statistics/", views.statistics, name="statistics"),
    path("preview/", views.preview, name="preview"),
    path("pictures/<int:pk>/<slug:key>/<int:width>/", views.picture, name="picture"),
    path("<int:pk>-<slug:slug>/", views.detail, name="detail"),
    path("<int:pk>-<slug:slug>/register/", views.register, name="register"),
    path("<int:pk>-<slug:slug>/cancel/", views.cancel, name="cancel"),
    path("<int:pk>-<slug:slug>/place/", views.place, name="place"),
    path("<int:pk>-<slug:slug>/coming/", views.coming, name="coming"),
    path("<int:pk>-<slug:slug>/offer/", views.offer, name="offer"),
    path("<int:pk>-<slug:slug>/join/", views.join, name="join"),
    path("<int:pk>-<slug:slug>/event.ics", views.calendar_file, name="calendar_file"),
    path("<int:pk>-<slug:slug>/organise/", views.organise, name="organise"),
    path("<int:pk>-<slug:slug>/organise/edit/", views.edit, name="edit"),
    path("<int:pk>-<slug:slug>/organise/publish/", views.publish, name="publish"),
    path("<int:pk>-<slug:slug>/organise/capacity/", views.capacity, name="capacity"),
    path("<int:pk>-<slug:slug>/organise/forecast/", views.forecast, name="forecast"),
    path("<int:pk>-<slug:slug>/organise/call-off/", views.call_off, name="call_off"),
    path("<int:pk>-<slug:slug>/organise/people/<int:registration>/", views.person, name="person"),
    path("<int:pk>-<slug:slug>/organise/people.csv", views.people_csv, name="people_csv"),
    path("<int:pk>-<slug:slug>/organise/people.xlsx", views.people_xlsx, name="people_xlsx"),
    path("<int:pk>-<slug:slug>/organise/access-needs.csv", views.needs_csv, name="needs_csv"),
    path("<int:pk>-<slug:slug>/organise/check-in-sheet/", views.sheet, name="sheet"),
    path("<int:pk>-<slug:slug>/organise/letter/", views.letter, name="letter"),
    path("<int:pk>-<slug:slug>/organise/postpone/", views.postpone, name="postpone"),
    path("<int:pk>-<slug:slug>/organise/duplicate/", views.duplicate, name="duplicate"),
    path("<int:pk>-<slug:slug>/organise/organisers/", views.organisers, name="organisers"),
    path("<int:pk>-<slug:slug>/organise/invitations/", views.invitations, name="invitations"),
    path("<int:pk>-<slug:slug>/organise/series/", series.series, name="series"),
    path("<int:pk>-<slug:slug>/organise/series/edit/", series.series_edit, name="series_edit"),
    path("<int:pk>-<slug:slug>/organise/series/call-off/", series.series_call_off, name="series_call_off"),
    path("<int:pk>-<slug:slug>/organise/series/publish/", series.series_publish, name="series_publish"),
]
