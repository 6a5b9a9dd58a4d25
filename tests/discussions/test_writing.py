"""Asking, replying and editing through the pages; nothing typed is lost."""

import uuid
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from discussions import services
from discussions.models import DiscussionSettings, Post, Thread
from kmnet.core.models import Activity
from kmnet.core.vocabulary import load_vocabulary
from tests.factories import make_member
from tests.factories.discussions import make_post, make_space, make_thread

pytestmark = pytest.mark.django_db
ASK = "/discussions/ask/"


@pytest.fixture
def member(client):
    member = make_member()
    client.force_login(member)
    return member


def asked(space, **fields):
    return {
        "title": "How do others explain this job?",
        "space": space.pk,
        "kind": "question",
        "body": "I am the *only one* here.",
        "tried": "A leaflet.",
        "hope": "Your words.",
        "tags": "boards, KT",
        "submit_key": str(uuid.uuid4()),
        **fields,
    }


def reply_address(thread):
    return reverse("discussions:reply", args=[thread.space.slug, thread.pk, thread.slug])


def test_question_is_asked_with_its_prompts_and_tags(client, member):
    load_vocabulary()
    space = make_space()
    response = client.post(ASK, asked(space))
    thread = Thread.objects.get()
    assert response["Location"] == thread.get_absolute_url()
    assert (thread.author, thread.space, thread.kind) == (member, space, "question")
    assert thread.posts.get().source == (
        "I am the *only one* here.\n\n**What I have tried**\n\nA leaflet.\n\n**What I hope for**\n\nYour words."
    )
    assert sorted(thread.tags.names()) == ["boards", "knowledge mobilisation"]  # KT means the same
    html = client.get(thread.get_absolute_url()).content.decode()
    assert "<em>only one</em>" in html
    assert "badge--human" in html


def test_same_question_sent_twice_is_one(client, member):
    form = asked(make_space())
    assert client.post(ASK, form)["Location"] == client.post(ASK, form)["Location"]
    assert Thread.objects.count() == 1


def test_asking_in_a_space_does_not_ask_where(client, member):
    space = make_space(first_kind="introduction")
    address = reverse("discussions:ask_in", args=[space.slug])
    html = client.get(address).content.decode()
    assert 'name="space"' not in html
    assert 'name="tried"' not in html
    client.post(address, {"title": "Hello all", "body": "I am Ada.", "kind": "introduction"})
    assert Thread.objects.get().kind == "introduction"


@pytest.mark.parametrize(
    "change",
    [
        {"title": ""},
        {"title": "x" * 161},
        {"body": ""},
        {"body": "x" * 50_001},
        {"kind": "announcement"},
        {"kind": "riddle"},
        {"space": "0"},
        {"tags": "a, b, c, d, e, f"},
        {"tags": "x" * 41},
    ],
)
def test_invalid_question_keeps_everything(client, member, change):
    form = {**asked(make_space()), **change}
    response = client.post(ASK, form)
    assert response.status_code == 422
    assert Thread.objects.count() == 0
    html = response.content.decode()
    for name in ("title", "body", "tried", "hope", "tags"):
        assert not form[name] or form[name] in html
    assert "error-summary" in html
    assert "<title>Error:" in html


def test_question_to_a_space_that_one_may_not_use_is_refused(client, member):
    space = make_space(may_start="hosts")
    assert client.post(ASK, asked(space)).status_code == 422
    assert client.get(reverse("discussions:ask_in", args=[space.slug])).status_code == 403
    client.force_login(make_member(is_host=True))
    assert client.post(ASK, asked(space)).status_code == 302


def test_silenced_member_does_not_ask(client):
    client.force_login(make_member(status="silenced"))
    assert client.get(ASK).status_code == 403


def test_preview_without_scripts_keeps_all_input_and_posts_nothing(client, member):
    form = asked(make_space(), view="preview", title="")
    response = client.post(ASK, form)
    html = response.content.decode()
    assert response.status_code == 200
    assert Thread.objects.count() == 0
    assert "<em>only one</em>" in html
    assert 'value="preview" checked' in html
    assert "error-summary" not in html
    for kept in ("I am the *only one* here.", "A leaflet.", "Your words.", "boards, KT", form["submit_key"]):
        assert kept in html


def test_reply_leads_to_itself(client, member):
    thread = make_thread(replies=25)
    response = client.post(reply_address(thread), {"body": "Here is how."})
    assert response["Location"] == f"{thread.get_absolute_url()}?post=27#post-27"
    assert "Here is how." in client.get(response["Location"]).content.decode()


@pytest.mark.parametrize("days", [0, 60])
def test_a_reply_costs_at_most_twelve_queries(client, days, django_assert_max_num_queries):
    """Of whoever is new here and whoever is not, in an ordinary thread with watchers: the first one there, one more, and
    one below another reply. The savepoint that stands for the transaction here is not among the twelve."""
    member, thread = make_member(joined_at=timezone.now() - timedelta(days=days)), make_thread()
    for _number in range(3):
        services.set_watch(member=make_member(), thread=thread, level="watching")
    make_post(thread=thread)
    make_post(author=member)
    client.force_login(member)
    client.get(thread.get_absolute_url())  # the session is on its member's list from now on
    for to in ("", "", 2):
        form = {"body": "It worked.", "to": to, "submit_key": str(uuid.uuid4())}
        with django_assert_max_num_queries(12 + 2):
            assert client.post(reply_address(thread), form).status_code == 302
    assert thread.posts.filter(author=member).count() == 3


@pytest.mark.parametrize("held", [False, True])
def test_a_reply_that_names_people_costs_at_most_twelve_too_also_a_held_one(
    client, held, django_assert_max_num_queries
):
    member, thread = make_member(), make_thread()
    named = [make_member() for _number in range(5)]
    make_post(author=member)
    client.force_login(member)
    client.get(thread.get_absolute_url())
    for posts_held in (2 if held else 0, 0):
        DiscussionSettings(held_posts=posts_held).save()
        DiscussionSettings.load()  # as if somebody had been here in the last minute
        body = " ".join(f"@{one.handle}" for one in named)
        form = {"body": f"Ask {body}.", "submit_key": str(uuid.uuid4())}
        try:
            with django_assert_max_num_queries(12 + 2):
                assert client.post(reply_address(thread), form).status_code == 302
        finally:
            DiscussionSettings().save()
    first, second = thread.posts.exclude(number=1).order_by("pk")
    assert (first.number is None, second.number is None) == (held, False)
    everybody = {one.pk for one in named}
    assert set(second.mentions.values_list("member_id", flat=True)) == everybody
    told = Activity.objects.filter(verb="discussions.mentioned", target_id=second.pk).get()
    assert set(told.data["members"]) == everybody


def test_reply_to_a_reply(client, member):
    thread = make_thread(replies=2)
    parent = thread.posts.get(number=2)
    page = client.get(reply_address(thread), {"to": 2})
    assert parent.html in page.content.decode()
    client.post(reply_address(thread), {"body": "Thank you.", "to": 2})
    assert Post.objects.get(number=4).parent == parent


@pytest.mark.parametrize("to", ["99", "x", "-1", "99999999999999999999"])
def test_reply_to_nothing_posts_nothing(client, member, to):
    thread = make_thread()
    assert client.post(reply_address(thread), {"body": "Hm.", "to": to}).status_code in (404, 422)
    assert client.get(reply_address(thread), {"to": to}).status_code == 200
    assert thread.posts.count() == 1


@pytest.mark.parametrize("to", ["²", "٣", "9" * 30, "-1", "1.5"])
def test_reply_to_a_number_that_is_none_is_refused_with_the_text(client, member, to):
    thread = make_thread()
    address = reply_address(thread)
    assert client.get(address, {"to": to}).status_code == 200
    response = client.post(address, {"body": "Kept as typed.", "to": to})
    assert response.status_code in (404, 422)
    if response.status_code == 422:
        assert "Kept as typed." in response.content.decode()
    assert thread.posts.count() == 1


def test_empty_reply_is_not_posted(client, member):
    thread = make_thread()
    assert client.post(reply_address(thread), {"body": " \n\x00 "}).status_code == 422
    assert thread.posts.count() == 1


def test_reply_preview_without_scripts(client, member):
    thread = make_thread(replies=1)
    response = client.post(reply_address(thread), {"body": "So **this**.", "to": "2", "view": "preview"})
    html = response.content.decode()
    assert "<strong>this</strong>" in html
    assert "So **this**." in html
    assert 'name="to" value="2"' in html
    assert thread.posts.count() == 2


def test_reply_to_a_thread_closed_meanwhile_keeps_the_text(client, member):
    thread = make_thread()
    services.close_thread(thread=thread, actor=make_member(is_moderator=True), reason="Settled.")
    response = client.post(reply_address(thread), {"body": "What I wrote for an hour."})
    assert response.status_code == 409
    assert "What I wrote for an hour." in response.content.decode()


def test_member_silenced_meanwhile_keeps_the_text(client, member):
    thread = make_thread()
    type(member).objects.filter(pk=member.pk).update(status="silenced")
    response = client.post(reply_address(thread), {"body": "What I wrote for an hour."})
    assert response.status_code == 403
    assert "What I wrote for an hour." in response.content.decode()
    assert thread.posts.count() == 1


def test_reply_written_meanwhile_by_somebody_else_is_no_conflict(client, member):
    thread = make_thread()
    client.get(thread.get_absolute_url())
    make_post(thread=thread)
    assert client.post(reply_address(thread), {"body": "Me too."}).status_code == 302
    assert thread.posts.count() == 3


def test_expired_login_keeps_the_text(client):
    thread, member = make_thread(), make_member()
    response = client.post(reply_address(thread), {"body": "An hour of work."})
    assert response.status_code == 302
    assert response["Location"] == f"/accounts/login/?next={reply_address(thread)}"
    assert Post.objects.count() == 1
    client.force_login(member)
    assert "An hour of work." in client.get(reply_address(thread)).content.decode()
    client.post(reply_address(thread), {"body": "An hour of work."})
    assert "An hour of work." not in client.get(reply_address(thread)).content.decode()


def test_guest_reads_and_is_asked_in(client):
    thread = make_thread(replies=1)
    response = client.get(thread.get_absolute_url())
    html = response.content.decode()
    assert response.status_code == 200
    assert not response.cookies
    assert "Sign in to reply" in html
    assert "<textarea" not in html


@pytest.mark.parametrize("pk", ["own", 999_999])
def test_guest_at_a_members_thread_signs_in_whether_it_is_there_or_not(client, pk):
    thread = make_thread(space=make_space(readable_by="members"))
    address = f"/discussions/any/{thread.pk if pk == 'own' else pk}-any/"
    assert client.get(address)["Location"] == f"/accounts/login/?next={address}"


def test_edit_page_changes_title_text_and_tags(client, member):
    thread = make_thread(author=member, title="Old title", tags=["old"])
    address = reverse("discussions:edit", args=[thread.posts.get().pk])
    assert 'value="old"' in client.get(address).content.decode()
    response = client.post(address, {"title": "New title", "body": "New.", "tags": "new"})
    thread.refresh_from_db()
    assert response["Location"] == f"{thread.get_absolute_url()}?post=1#post-1"
    assert (thread.title, list(thread.tags.names())) == ("New title", ["new"])
    assert "edited" in client.get(thread.get_absolute_url()).content.decode()


def test_nobody_edits_the_words_of_another_by_address(client, member):
    post = make_post()
    address = reverse("discussions:edit", args=[post.pk])
    assert client.get(address).status_code == 403
    assert client.post(address, {"body": "Mine now."}).status_code == 403
    hidden = make_post(thread=make_thread(space=make_space(readable_by="members")))
    client.force_login(make_member(status="pending"))
    assert client.get(reverse("discussions:edit", args=[hidden.pk])).status_code in (302, 404)


def test_asker_chooses_and_reopens(client, member):
    thread = make_thread(author=member, replies=1)
    reply = thread.posts.get(number=2)
    accept = reverse("discussions:accept", args=[reply.pk])
    client.get(accept)  # a link that is only opened changes nothing
    thread.refresh_from_db()
    assert thread.accepted_post is None
    client.post(accept)
    thread.refresh_from_db()
    assert thread.accepted_post == reply
    assert "chose this answer" in client.get(thread.get_absolute_url()).content.decode()
    client.post(reverse("discussions:unaccept", args=[thread.pk]))
    thread.refresh_from_db()
    assert thread.accepted_post is None


def test_following_and_muting(client, member):
    thread = make_thread()
    address = reverse("discussions:watch", args=[thread.pk])
    for level in ("watching", "muted", "normal"):
        assert client.post(address, {"level": level}).status_code == 302
        assert thread.watches.get(member=member).level == level
    assert client.post(address, {"level": "loud"}).status_code == 404


def test_what_one_may_not_see_has_no_page_to_act_on(client, member):
    thread = make_thread()
    reply = make_post(thread=thread, author=thread.author)
    acts = (
        ("get", reply_address(thread)),
        ("post", reply_address(thread)),
        ("post", reverse("discussions:watch", args=[thread.pk])),
        ("post", reverse("discussions:unaccept", args=[thread.pk])),
        ("post", reverse("discussions:accept", args=[reply.pk])),
        ("get", reverse("discussions:edit", args=[reply.pk])),
    )
    answers = [getattr(client, method)(address).status_code for method, address in acts]
    assert answers == [200, 422, 404, 403, 403, 403]  # seen; some of it is not this member's to do
    first = thread.posts.get(number=1)
    services.hide_post(post=first, actor=make_member(is_moderator=True), reason="It names somebody.")
    answers = [getattr(client, method)(address).status_code for method, address in acts]
    assert answers == [404] * len(acts)


def test_preview_for_the_composer(client, member):
    html = client.post("/discussions/preview/", {"text": "*So* <script>alert(1)</script>"}).content.decode()
    assert "<em>So</em>" in html
    assert "<script" not in html
    assert client.get("/discussions/preview/").status_code == 405
    client.logout()
    assert client.post("/discussions/preview/", {"text": "x"}).status_code == 401


HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "![x](https://tracker.example/pixel.gif)",
    '<a href="javascript:alert(1)">x</a>',
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](java\tscript:alert(1))",
    "[x](data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==)",
    "[x](vbscript:msgbox(1))",
    '[x](https://a.example/" onmouseover="alert(1))',
    "<https://a.example/onclick=alert(1)>",
    "<style>body{display:none}</style>",
    '<p style="position:fixed;inset:0">x</p>',
    '<div class="error-summary" id="main">x</div>',
    "<iframe src=//a.example></iframe>",
    "<svg onload=alert(1)>",
    "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
    '<form action="https://a.example"><input name=password><button>Sign in</button></form>',
    "```<script>alert(1)</script>\n<script>alert(2)</script>\n```",
    "`<script>alert(1)</script>`",
    "| a | b |\n|---|---|\n| <script>alert(1)</script> | <b onclick=alert(1)>x</b> |",
    "</div></article></main><script>alert(1)</script>",
    "<!-- --><script>alert(1)</script>",
    '<details open ontoggle="alert(1)">x</details>',
    "<base href=https://a.example/>",
    '<meta http-equiv="refresh" content="0;url=https://a.example">',
    "x](javascript:alert(1)) [y][z]\n\n[z]: javascript:alert(1)",
    "&#60;script&#62;alert(1)&#60;/script&#62;",
    "\u202e<script>alert(1)</script>",
    ">" * 500 + "<script>alert(1)</script>",
    "[" * 500 + "x" + "](javascript:alert(1))" * 500,
]


@pytest.mark.parametrize("source", HOSTILE)
def test_no_input_becomes_script_style_or_tracker(client, source):
    import re

    thread = make_thread(title=source[:150], source=source, tags=[source[:40].replace(",", " ")])
    make_post(thread=thread, source=source)
    empty = make_thread(title="Nothing in it", source="x", tags=["x"])
    make_post(thread=empty, source="x")

    def dangers(address):
        html = client.get(address).content.decode()
        # Tags as a browser sees them; what is escaped is text.
        tags = re.findall(r"<[a-zA-Z/][^>]*>", html)
        return (
            sum(
                tag.lower().startswith(("<script", "<style", "<iframe", "<img", "<form", "<base", "<object"))
                for tag in tags
            ),
            sum(bool(re.search(r"""\son\w+\s*=|\sstyle\s*=""", tag)) for tag in tags),
            sum(
                bool(re.search(r"""(href|src|action)\s*=\s*["']?\s*(javascript|data|vbscript):""", tag, re.I))
                for tag in tags
            ),
            sum(tag.startswith("<article") for tag in tags),
            html.count("</article>"),
            html.count("</main>"),
        )

    assert dangers(thread.get_absolute_url()) == dangers(empty.get_absolute_url())
    assert dangers("/discussions/")[1:3] == (0, 0)
    assert thread.posts.first().source == source  # what is stored is what was typed
