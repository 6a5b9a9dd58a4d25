"""Many rows at the price of one: where a test needs fifty of something, and how they were made is not what it tests."""

from copy import copy

from django.contrib.contenttypes.models import ContentType
from django.db.models import Model

from discussions.models import Post, ReadState, Thread
from kmnet.core.models import Activity, Notification

from .members import make_member


def copies(rows: list[Model], **changes) -> list[Model]:
    """One more row like each of these, in as many; a change is the column's value in each, one for each."""
    made = []
    for number, row in enumerate(rows):
        one = copy(row)
        one.pk, one._state = None, copy(row._state)
        one._state.adding, one._state.fields_cache = True, {}
        for name, values in changes.items():
            setattr(one, name, values[number])
        made.append(one)
    return type(rows[0]).objects.bulk_create(made) if rows else []


def more_threads(thread: Thread, count: int) -> list[Thread]:
    """So many threads like this one, with its posts (each reply is somebody else's), what was told of these to whom, and
    what has been read."""
    thread.refresh_from_db()
    threads = copies([thread] * count)
    kind = ContentType.objects.get_for_model(Post)
    for state in ReadState.objects.filter(thread=thread):
        copies([state] * count, thread_id=[one.pk for one in threads])
    for post in Post.objects.filter(thread=thread).order_by("number"):
        authors = [post.author if post.number == 1 else make_member() for _thread in threads]
        whose = {"author_id": [one.pk for one in authors], "is_authors_first": [False] * count}
        posts = copies(
            [post] * count, thread_id=[one.pk for one in threads], submit_key=[None] * count, **whose
        )
        for deed in Activity.objects.filter(target_type=kind, target_id=post.pk):
            actors = [one.author_id for one in posts]
            deeds = copies([deed] * count, target_id=[one.pk for one in posts], actor_id=actors)
            for told in Notification.objects.filter(activity=deed):
                copies([told] * count, activity_id=[one.pk for one in deeds])
    return threads
