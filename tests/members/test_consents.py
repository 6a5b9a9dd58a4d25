"""Who agreed to what: each text once, each yes with its time, taken back as easily as given."""

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction

from kmnet.core.models import CommunitySettings
from members import services
from members.models import Consent, ConsentText, How, Member, Purpose
from tests.factories import make_member

JOIN = {
    "name": "Ana Silva",
    "email": "ana@example.org",
    "agree": "on",
    "password1": "four-words-unlike-others",
}


def raise_version(words="## Anew\n\nBe kind, and answer."):
    community = CommunitySettings.objects.get_or_create(pk=1)[0]
    community.agreement, community.agreement_version = words, community.agreement_version + 1
    community.save()


@pytest.fixture(autouse=True)
def fresh_settings(db):
    CommunitySettings(pk=1).save()
    yield
    CommunitySettings(pk=1).save()  # the cache outlives the test


def test_joining_keeps_what_was_agreed_to_and_when(client):
    client.post("/join/", JOIN)
    member = Member.objects.get()
    given = {consent.purpose: consent for consent in member.consents.select_related("text")}
    assert set(given) == {Purpose.AGREEMENT, Purpose.PRIVACY}  # no letters: nobody ticked that box for them
    agreement = given[Purpose.AGREEMENT]
    assert (agreement.how, agreement.text.version, agreement.withdrawn_at) == (How.JOINING, 1, None)
    assert agreement.given_at >= member.joined_at
    assert "<h2>" in agreement.text.text


def test_boxes_are_empty_until_somebody_ticks_them(client):
    form = client.get("/join/").context["form"]
    assert [form[name].value() for name in ("agree", "letters")] == [None, None]
    assert form.fields["letters"].required is False


def test_letters_are_a_yes_of_their_own(client):
    client.post("/join/", {**JOIN, "letters": "on"})
    member = Member.objects.get()
    assert services.has_consent(member, Purpose.NEWS)
    assert member.consents.get(purpose=Purpose.NEWS).how == How.JOINING


def test_a_text_is_stored_once_for_all():
    for _number in range(3):
        services.record_agreement(member=make_member())
    assert ConsentText.objects.count() == 2
    assert Consent.objects.count() == 6


def test_agreeing_twice_is_agreeing_once():
    member = make_member()
    services.give_consent(member=member, purpose=Purpose.NEWS)
    services.give_consent(member=member, purpose=Purpose.NEWS)
    assert member.consents.count() == 1
    consent = member.consents.get()
    with pytest.raises(IntegrityError), transaction.atomic():
        Consent.objects.create(member=member, text=consent.text, purpose=consent.purpose, how=How.SETTINGS)


def test_taking_back_keeps_the_row_and_a_later_yes_is_a_new_one(signed_in):
    member = make_member()
    client = signed_in(member)
    client.post("/settings/consents/news/", {"wanted": "yes"})
    client.post("/settings/consents/news/", {"wanted": "no"})
    assert not services.has_consent(member, Purpose.NEWS)
    client.post("/settings/consents/news/", {"wanted": "yes"})
    rows = list(member.consents.order_by("pk").values_list("withdrawn_at", flat=True))
    assert [bool(moment) for moment in rows] == [True, False]


@pytest.mark.parametrize("purpose", [Purpose.AGREEMENT, Purpose.PRIVACY])
def test_the_agreement_is_not_taken_back_by_a_button(purpose, signed_in):
    member = make_member()
    services.record_agreement(member=member)
    with pytest.raises(PermissionDenied):
        services.withdraw_consent(member=member, purpose=purpose)
    assert signed_in(member).post(f"/settings/consents/{purpose}/", {"wanted": "no"}).status_code == 404


def test_the_page_lists_what_when_which_and_links_the_words(signed_in):
    member = make_member()
    services.record_agreement(member=member)
    page = signed_in(member).get("/settings/consents/")
    assert [consent.purpose for consent in page.context["consents"]] == [Purpose.PRIVACY, Purpose.AGREEMENT]
    text = member.consents.get(purpose=Purpose.AGREEMENT).text
    shown = signed_in(member).get(f"/settings/consents/texts/{text.pk}/")
    assert shown.status_code == 200
    stranger = make_member()
    assert signed_in(stranger).get(f"/settings/consents/texts/{text.pk}/").status_code == 404


def test_a_new_version_asks_kindly_and_closes_nothing(signed_in):
    member = make_member()
    services.record_agreement(member=member)
    raise_version()
    client = signed_in(member)
    assert client.get("/")["Location"] == "/settings/consents/agree/"
    assert client.get("/discussions/").status_code == 200  # reading goes on
    assert "Be kind, and answer." in client.get("/settings/consents/agree/").content.decode()
    client.post("/settings/consents/agree/", {"later": "1"})
    assert client.get("/").status_code == 200  # not again before the next sign-in
    assert signed_in(member).get("/")["Location"] == "/settings/consents/agree/"
    assert client.post("/settings/consents/agree/", {}).status_code == 422
    client.post("/settings/consents/agree/", {"agree": "on"})
    member.refresh_from_db()
    assert member.agreed_version == 2
    assert signed_in(member).get("/").status_code == 200
    rows = member.consents.filter(purpose=Purpose.AGREEMENT).order_by("pk")
    assert [(row.text.version, row.how) for row in rows] == [(1, How.FIRST_STEPS), (2, How.NEW_VERSION)]


def test_a_corrected_letter_asks_nobody_but_is_kept_as_read():
    first, second = make_member(), make_member()
    services.record_agreement(member=first)
    community = CommunitySettings.objects.get(pk=1)
    community.agreement = "Be kind."
    community.save()
    services.record_agreement(member=second)
    assert not services.must_agree_anew(first)
    texts = ConsentText.objects.filter(purpose=Purpose.AGREEMENT)
    assert (texts.count(), set(texts.values_list("version", flat=True))) == (2, {1})
