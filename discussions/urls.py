"""`/discussions/`. Spaces may not be named as one of ours: models.space.RESERVED."""

from django.urls import path

from .views import acts, history, keeping, lists, order, polls, reacting, reading, taking_back, writing

app_name = "discussions"
urlpatterns = [
    path("", lists.index, name="index"),
    path("ask/", writing.ask, name="ask"),
    path("preview/", writing.preview, name="preview"),
    path("read/", acts.read_all, name="read_all"),
    path("posts/<int:pk>/edit/", writing.edit, name="edit"),
    path("posts/<int:pk>/delete/", taking_back.delete, name="delete"),
    path("posts/<int:pk>/undelete/", taking_back.undelete, name="undelete"),
    path("posts/<int:pk>/history/", history.history, name="history"),
    path("posts/<int:pk>/accept/", acts.accept, name="accept"),
    path("bookmarks/", keeping.bookmarks, name="bookmarks"),
    path("bookmarks/<int:pk>/drop/", keeping.drop, name="drop"),
    path("helped/", keeping.helped_months, name="helped_months"),
    path("posts/<int:pk>/keep/", keeping.keep, name="keep"),
    path("posts/<int:pk>/helped/", keeping.helped, name="helped"),
    path("posts/<int:pk>/react/", reacting.react, name="react"),
    path("posts/<int:pk>/reactions/", reacting.reactions, name="reactions"),
    path("threads/<int:pk>/vote/", polls.vote, name="vote"),
    path("threads/<int:pk>/votes/", polls.votes, name="votes"),
    path("threads/<int:pk>/close-poll/", polls.close_poll, name="close_poll"),
    path("threads/<int:pk>/answers/", polls.change_poll, name="change_poll"),
    path("threads/<int:pk>/unaccept/", acts.unaccept, name="unaccept"),
    path("threads/<int:pk>/watch/", acts.watch, name="watch"),
    path("threads/<int:pk>/close/", acts.close, name="close"),
    path("threads/<int:pk>/split/", order.split, name="split"),
    path("threads/<int:pk>/merge/", order.whole, {"act": "merge"}, name="merge"),
    path("threads/<int:pk>/move/", order.whole, {"act": "move"}, name="move"),
    path("threads/<int:pk>/pin/", order.whole, {"act": "pin"}, name="pin"),
    path("threads/<int:pk>/slow/", order.whole, {"act": "slow"}, name="slow"),
    path("groups/<slug:group>/", acts.open_for_group, name="open_for_group"),
    path("<slug:space>/", lists.space, name="space"),
    path("<slug:space>/ask/", writing.ask, name="ask_in"),
    path("<slug:space>/<int:pk>/", reading.thread, name="thread_by_id"),
    path("<slug:space>/<int:pk>-<str:slug>/", reading.thread, name="thread"),
    path("<slug:space>/<int:pk>-<str:slug>/reply/", writing.reply, name="reply"),
]
