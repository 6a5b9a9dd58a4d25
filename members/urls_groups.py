"""/groups/…"""

from django.urls import path, re_path

from .views import groups

app_name = "groups"
urlpatterns = [
    path("", groups.index, name="index"),
    path("new/", groups.new, name="new"),
    path("<slug:slug>/", groups.detail, name="detail"),
    path("<slug:slug>/edit/", groups.edit, name="edit"),
    path("<slug:slug>/close/", groups.close, name="close"),
    path("<slug:slug>/join/", groups.join, name="join"),
    path("<slug:slug>/leave/", groups.leave, name="leave"),
    path("<slug:slug>/step-back/", groups.step_back, name="step_back"),
    path("<slug:slug>/invite/", groups.invite, name="invite"),
    path("<slug:slug>/people/", groups.people, name="people"),
    path("<slug:slug>/people/<str:handle>/remove/", groups.remove, name="remove"),
    re_path(
        r"^(?P<slug>[-\w]+)/people/(?P<handle>[^/]+)/(?P<act>admit|decline|withdraw|lead|unlead)/\Z",
        groups.act,
        name="act",
    ),
]
