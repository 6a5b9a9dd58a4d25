"""Every address of the site as everybody. One table; an address without a row fails.

A row names the method and the rule. A method that a route has no row for answers 405. Whoever adds an address adds its
row; where the answer of one role differs from the rule, the row says so: `OWN.but(admin="404")`.
"""

import re

import pytest

from tests.members.routes import ROLES, Visitor, World, meaning, routes

SIGNED_IN = tuple(role for role in ROLES if role not in ("guest", "suspended"))
NEWCOMERS = ("unproven", "pending")
FULL = tuple(role for role in SIGNED_IN if role not in (*NEWCOMERS, "leaving"))
WRITING = tuple(role for role in FULL if role != "silenced")


class Rule(dict):
    """What each role is answered (routes.meaning)."""

    def but(self, **answers) -> "Rule":
        return Rule({**self, **answers})

    def only(self, *roles: str, others: str = "404") -> "Rule":
        """Of the full members, these; the others are told `others`."""
        return self.but(**{role: self[role] if role in roles else others for role in FULL})


def each(answer: str, roles=ROLES) -> Rule:
    return Rule({role: answer for role in roles})


# --- the rules ---------------------------------------------------------------------------------------------------------
EVERYBODY = each("yes")
NOBODY = each("404")
GONE = each("410")  # the link of a mail that no longer leads anywhere
OWN = each("yes").but(guest="sign in", suspended="sign in", leaving="leaving")  # one's own account
OWN_404 = OWN.but(**each("404", (*NEWCOMERS, *FULL)))  # theirs, if they had one
OWN_ALWAYS = OWN.but(leaving="yes")
SIGNED_IN_404 = OWN_404.but(leaving="404")
MEMBERS = OWN.but(unproven="waiting", pending="waiting")
MEMBERS_404 = MEMBERS.but(**each("404", FULL))  # a thing of one's own that they do not have; or not theirs
MEMBERS_403 = MEMBERS.but(**each("403", FULL))
READERS = OWN.but(
    unproven="404", pending="404", leaving="404"
)  # public pages of things that may not be public
WRITERS = MEMBERS.but(silenced="403")
ORGANISERS = WRITERS.only("organiser", "other_organiser", "moderator", "admin", others="403")
ANSWER_CHOOSERS = MEMBERS.only("host", "moderator", "admin", others="403")  # beside whoever asked
WRITERS_ALONE = MEMBERS.but(silenced="404")
MODERATORS = MEMBERS.only("moderator", "admin")
THIS_EVENT = MEMBERS.only("organiser", "admin")  # a moderator's eyes have no business there
HOSTS = MEMBERS.only("host")
INVITING = OWN.only("host", "organiser", "other_organiser", "moderator", "admin").but(
    unproven="404", pending="404"
)
BRINGING = INVITING.only("organiser", "other_organiser", "admin")
STAFF = MEMBERS.only("moderator", "admin", others="sign in")
ADMINS = STAFF.but(moderator="403")
ADMIN_404 = STAFF.but(moderator="404", admin="404")
ADMIN_403 = STAFF.but(moderator="403", admin="403")

BOTH = "GET POST"
TABLE = [
    ("account_signup", BOTH, EVERYBODY),
    ("account_reset_password", BOTH, EVERYBODY),
    ("account_email", BOTH, OWN),
    ("account_confirm_email", "GET", EVERYBODY),
    ("account_confirm_email", "POST", NOBODY),
    ("account_login", BOTH, EVERYBODY),
    ("account_logout", BOTH, EVERYBODY),
    ("account_inactive", "GET", EVERYBODY),
    ("account_reauthenticate", BOTH, OWN_ALWAYS),
    ("account_email_verification_sent", "GET", EVERYBODY),
    ("account_change_password", BOTH, OWN),
    ("account_set_password", BOTH, OWN),
    ("account_confirm_login_code", BOTH, OWN_ALWAYS),
    ("account_reset_password_from_key_done", "GET", EVERYBODY),
    ("account_reset_password_from_key", BOTH, EVERYBODY),
    ("account_reset_password_done", "GET", EVERYBODY),
    ("account_request_login_code", BOTH, EVERYBODY),
    ("mfa_index", "GET", OWN),
    ("mfa_authenticate", BOTH, OWN_ALWAYS),
    ("mfa_reauthenticate", BOTH, OWN_ALWAYS),
    ("mfa_activate_totp", BOTH, OWN),
    ("mfa_deactivate_totp", BOTH, OWN_404),
    ("mfa_view_recovery_codes", "GET", OWN_404),
    ("mfa_generate_recovery_codes", BOTH, OWN),
    ("mfa_download_recovery_codes", BOTH, OWN_404),
    ("mfa_list_webauthn", "GET", OWN),
    ("mfa_add_webauthn", BOTH, OWN),
    ("mfa_reauthenticate_webauthn", BOTH, OWN_ALWAYS),
    ("mfa_remove_webauthn", BOTH, OWN),
    ("mfa_edit_webauthn", BOTH, OWN),
    ("mfa_login_webauthn", BOTH, OWN_ALWAYS),
    ("socialaccount_login_cancelled", "GET", EVERYBODY),
    ("socialaccount_login_error", "GET", OWN.but(**each("401", (*NEWCOMERS, *FULL)))),
    ("socialaccount_signup", BOTH, each("sign in")),
    ("socialaccount_connections", BOTH, OWN),
    ("accounts/social/login/cancelled/", BOTH, MEMBERS),
    ("accounts/social/login/error/", BOTH, MEMBERS),
    ("accounts/social/signup/", BOTH, MEMBERS),
    ("accounts/social/connections/", BOTH, MEMBERS),
    ("google_login", BOTH, NOBODY),
    ("google_callback", BOTH, NOBODY),
    ("google_login_by_token", BOTH, NOBODY),
    ("orcid_login", BOTH, NOBODY),
    ("orcid_callback", BOTH, NOBODY),
    ("openid_connect_login", BOTH, NOBODY),
    ("openid_connect_callback", BOTH, NOBODY),
    ("usersessions_list", BOTH, OWN),
    ("admin:index", "GET", STAFF),
    (
        "admin:login",
        "GET",
        MEMBERS_403.but(unproven="403", pending="403", leaving="403", moderator="yes", admin="yes"),
    ),
    ("admin:password_change", "GET", STAFF),
    ("admin:password_change_done", "GET", STAFF),
    ("admin:autocomplete", "GET", ADMIN_403),
    ("admin:jsi18n", "GET", STAFF),
    ("admin:view_on_site", "GET", STAFF),
    ("admin:core_outgoingmail_why", "GET", ADMINS),
    ("admin:core_outgoingmail_preview", "GET", ADMIN_404.but(moderator="403")),
    ("admin:core_outgoingmail_preview_html", "GET", ADMIN_404.but(moderator="403")),
    ("admin:core_communitysettings_welcome", "GET", ADMINS),
    ("admin:core_communitysettings_welcome_html", "GET", ADMINS),
    ("admin:core_term_free_tags", "GET", ADMINS),
    ("admin:core_term_free_tag", "GET", ADMIN_403.but(admin="404")),
    ("admin:app_list", "GET", STAFF),
    ("admin/(?P<url>.*)$", BOTH, ADMIN_404),
    ("members:join", BOTH, EVERYBODY),
    ("members:join_by_code", BOTH, EVERYBODY),
    ("members:join_by_passkey", BOTH, EVERYBODY),
    ("members:proven", "GET", EVERYBODY),
    ("members:invited", BOTH, NOBODY.but(**each("yes", SIGNED_IN))),
    ("members:no_invitations", BOTH, NOBODY),
    ("members:invitations", BOTH, INVITING),
    ("members:invite", BOTH, INVITING),
    ("members:invitation_link", BOTH, INVITING),
    ("members:bring_in", BOTH, BRINGING),
    ("members:invitation_revoke", "POST", OWN_404),
    ("members:welcome", "GET", OWN.but(unproven="waiting")),
    ("members:welcome_step", BOTH, OWN.but(unproven="waiting")),
    ("members:welcome_later", "POST", OWN),
    ("members:waiting", BOTH, OWN),
    ("members:settings", BOTH, OWN),
    ("members:consents", "GET", OWN),
    ("members:agree", BOTH, OWN),
    ("members:consent_text", "GET", OWN_404),
    ("members:consent_change", "POST", OWN),
    ("members:settings_profile", BOTH, OWN),
    ("members:settings_picture", "POST", OWN),
    ("members:settings_mail", BOTH, OWN),
    ("members:your_data", "GET", OWN_ALWAYS),
    ("members:copy_ask", "POST", OWN_ALWAYS),
    ("members:copy", "GET", OWN_ALWAYS),
    ("members:leave", BOTH, OWN),
    ("members:leaving", "GET", OWN_ALWAYS),
    ("members:leaving_undo", "POST", OWN_ALWAYS),
    ("members:left", "GET", EVERYBODY),
    ("members:leaving_undo_by_mail", BOTH, NOBODY),
    ("members:directory", "GET", MEMBERS),
    ("members:countries", "GET", MEMBERS),
    ("members:introductions", "GET", MEMBERS),
    ("members:introduction", BOTH, MEMBERS_404),
    ("members:profile", "GET", READERS),
    ("members:contributions", "GET", READERS),
    ("members:picture", "GET", SIGNED_IN_404),
    ("members:introduce", BOTH, WRITERS),
    ("members:distance", BOTH, READERS.but(leaving="leaving")),
    ("members:settings_privacy", "GET", OWN),
    ("groups:index", "GET", MEMBERS),
    ("groups:new", BOTH, WRITERS),
    ("groups:detail", "GET", MEMBERS),
    ("groups:edit", BOTH, MEMBERS_403),
    ("groups:close", BOTH, MEMBERS_403),
    ("groups:join", "GET", MEMBERS),
    ("groups:join", "POST", WRITERS),
    ("groups:leave", BOTH, MEMBERS_404),
    ("groups:step_back", "POST", MEMBERS),
    ("groups:invite", BOTH, MEMBERS_403),
    ("groups:people", "GET", MEMBERS),
    ("groups:remove", BOTH, MEMBERS_403.but(moderator="404", admin="404")),
    ("groups:act", "POST", MEMBERS_403),
    ("discussions:index", BOTH, EVERYBODY),
    ("discussions:ask", BOTH, WRITERS),
    ("discussions:preview", "POST", each("401").but(**each("yes", FULL))),
    ("discussions:read_all", BOTH, MEMBERS),
    ("discussions:complete", "GET", WRITERS),
    ("discussions:similar", "GET", EVERYBODY),
    ("discussions:since", "GET", READERS.but(guest="401", suspended="401")),
    ("discussions:drafts", "GET", MEMBERS),
    ("discussions:draft_save", "POST", each("401").but(**each("404", FULL))),
    ("discussions:draft_drop", "POST", MEMBERS_404),
    ("discussions:upload", "POST", MEMBERS_404),
    ("discussions:file", "GET", SIGNED_IN_404),
    ("discussions:edit", BOTH, MEMBERS_403),
    ("discussions:vote", BOTH, MEMBERS_404),  # the thread there is has no poll
    ("discussions:votes", "GET", MEMBERS_404),
    ("discussions:close_poll", BOTH, MEMBERS_404),
    ("discussions:change_poll", BOTH, MEMBERS_404),
    ("discussions:bookmarks", "GET", MEMBERS),
    ("discussions:drop", "POST", MEMBERS_404),
    ("discussions:helped_months", "GET", MEMBERS),
    ("discussions:keep", BOTH, MEMBERS),
    ("discussions:helped", "GET", MEMBERS),
    ("discussions:helped", "POST", MEMBERS_404),  # neither on nor off
    ("discussions:react", "GET", MEMBERS),
    ("discussions:react", "POST", MEMBERS_404),  # no reaction was named
    ("discussions:reactions", "GET", MEMBERS),
    ("discussions:delete", BOTH, MEMBERS_404),
    ("discussions:undelete", "POST", MEMBERS_404),
    ("discussions:history", "GET", READERS),
    ("discussions:accept", "GET", MEMBERS),
    ("discussions:accept", "POST", ANSWER_CHOOSERS),
    ("discussions:unaccept", "GET", MEMBERS),
    ("discussions:unaccept", "POST", ANSWER_CHOOSERS),
    ("discussions:watch", "GET", MEMBERS),
    ("discussions:watch", "POST", MEMBERS_404),
    ("following:levels", "GET", MEMBERS),
    ("following:space", BOTH, MEMBERS_404),
    ("following:tag", BOTH, MEMBERS_404),
    ("discussions:unread_from", "GET", MEMBERS),
    ("discussions:unread_from", "POST", MEMBERS),
    ("discussions:still_open", "GET", MEMBERS),
    ("discussions:still_open", "POST", ANSWER_CHOOSERS),
    ("discussions:close", BOTH, MODERATORS),
    ("discussions:split", BOTH, MODERATORS),
    ("discussions:merge", BOTH, MODERATORS),
    ("discussions:move", BOTH, MODERATORS),
    ("discussions:pin", BOTH, MODERATORS),
    ("discussions:slow", BOTH, MODERATORS),
    ("discussions:open_for_group", BOTH, MEMBERS_403),
    ("discussions:space", BOTH, READERS),
    ("discussions:ask_in", BOTH, WRITERS),
    ("discussions:thread_by_id", BOTH, READERS),
    ("discussions:thread", BOTH, READERS),
    ("discussions:reply", BOTH, WRITERS),
    ("messages:inbox", "GET", MEMBERS),
    ("messages:new", BOTH, WRITERS),
    ("messages:people", "GET", EVERYBODY),
    ("messages:conversation", BOTH, MEMBERS_404),
    ("messages:add", BOTH, MEMBERS_404),
    ("messages:mute", "POST", MEMBERS_404),
    ("messages:leave", BOTH, MEMBERS_404),
    ("events:index", "GET", EVERYBODY),
    ("events:past", "GET", EVERYBODY),
    ("events:create", BOTH, ORGANISERS),
    ("events:statistics", "GET", MEMBERS.only("organiser", "other_organiser", "moderator", "admin")),
    ("events:detail", "GET", READERS),
    ("events:picture", "GET", SIGNED_IN_404),  # the event there is has none
    ("events:register", "GET", READERS),
    ("events:register", "POST", READERS.but(silenced="403")),
    ("events:cancel", BOTH, MEMBERS_404),
    ("events:place", BOTH, MEMBERS_404),
    ("events:coming", "GET", MEMBERS),
    ("events:coming", "POST", MEMBERS_404),
    ("events:offer", "GET", MEMBERS),
    ("events:offer", "POST", MEMBERS_404),
    ("events:join", BOTH, MEMBERS_403),
    ("events:calendar_file", "GET", READERS),
    ("events:organise", "GET", THIS_EVENT),
    ("events:edit", BOTH, THIS_EVENT),
    ("events:publish", "POST", THIS_EVENT),
    ("events:capacity", "POST", THIS_EVENT),
    ("events:forecast", BOTH, THIS_EVENT),
    ("events:call_off", BOTH, THIS_EVENT),
    ("events:person", "GET", THIS_EVENT),
    ("events:person", "POST", MEMBERS_404),
    ("events:people_csv", "GET", THIS_EVENT),
    ("events:series", BOTH, THIS_EVENT),
    ("events:series_edit", BOTH, MEMBERS_404),  # the event there is comes once
    ("events:series_call_off", BOTH, MEMBERS_404),
    ("events:series_publish", "POST", MEMBERS_404),
    ("events:people_xlsx", "GET", THIS_EVENT),
    ("events:needs_csv", "GET", THIS_EVENT),
    ("events:sheet", "GET", THIS_EVENT),
    ("events:letter", BOTH, THIS_EVENT),
    ("events:postpone", BOTH, THIS_EVENT),
    ("events:duplicate", BOTH, THIS_EVENT),
    ("events:organisers", BOTH, THIS_EVENT),
    ("events:invitations", BOTH, THIS_EVENT),
    ("events:preview", "POST", each("401").but(**each("yes", FULL))),
    ("feeds:public", "GET", EVERYBODY),
    ("feeds:own", "GET", NOBODY),  # a token that nobody has
    ("feeds:group", "GET", NOBODY),
    ("calendar:address", "GET", MEMBERS),
    ("calendar:renew", "POST", MEMBERS),
    ("calendar:end", "POST", MEMBERS),
    ("events_mail:offer", BOTH, NOBODY),
    ("events_mail:cancel", BOTH, NOBODY),
    ("events_mail:place", BOTH, NOBODY),
    ("events_mail:reconfirm", BOTH, NOBODY),
    ("events_mail:claim", BOTH, NOBODY),
    ("events_mail:invited", BOTH, NOBODY),
    ("events_mail:prove", BOTH, NOBODY),
    ("events_mail:join", BOTH, NOBODY),
    ("discussions_mail:mute", BOTH, GONE),
    ("members_mail:introduction", BOTH, NOBODY),
    ("members_mail:renew_wish", BOTH, NOBODY),
    ("members_mail:less_often", BOTH, NOBODY),
    ("members_mail:still_here", BOTH, NOBODY),
    ("members_mail:pause", BOTH, NOBODY),
    ("resources:index", "GET", EVERYBODY),
    ("resources:saved", "GET", MEMBERS),
    ("resources:save", "POST", MEMBERS_404),  # without saying whether on or off
    ("resources:collect", BOTH, WRITERS_ALONE),
    ("resources:collections", "GET", EVERYBODY),
    ("resources:collection_new", BOTH, WRITERS_ALONE),
    ("resources:collection", "GET", READERS),
    ("resources:collection_print", "GET", READERS),
    ("resources:collection_edit", BOTH, MEMBERS_404),
    ("resources:collection_delete", BOTH, MEMBERS_404),
    ("resources:collection_arrange", BOTH, MEMBERS_404),
    ("resources:searches", "GET", MEMBERS),
    ("resources:search_new", BOTH, MEMBERS_404),  # nothing is asked
    ("resources:search_edit", BOTH, MEMBERS_404),
    ("resources:search_delete", "POST", MEMBERS_404),
    ("resources:add", BOTH, WRITERS_ALONE),
    ("resources:look_up", BOTH, WRITERS_ALONE),
    ("resources:look_up_status", "GET", MEMBERS_404),
    ("resources:file", "GET", SIGNED_IN_404),
    ("resources:file_page", "GET", NOBODY),  # it stands in pages, so nobody is sent to sign in
    ("resources:remove_file", "POST", MEMBERS_404),
    ("resources:edit", BOTH, MEMBERS_404),
    ("resources:take_link_off", "POST", MEMBERS_404),
    ("resources:lists", BOTH, WRITERS_ALONE),
    ("resources:list", BOTH, MEMBERS_404),
    ("resources:list_status", "GET", MEMBERS_404),
    ("resources:export", "GET", READERS),
    ("resources:history", "GET", READERS),
    ("resources:redact", BOTH, MEMBERS_404),
    ("resources:link", BOTH, MEMBERS_404),
    ("resources:keeper", BOTH, WRITERS_ALONE),
    ("resources:kept", BOTH, MEMBERS),
    ("resources:answer_all", "POST", WRITERS_ALONE),
    ("resources:merge", BOTH, MODERATORS),
    ("resources:take_down", BOTH, MODERATORS),
    ("resources:undo_take_down", BOTH, MODERATORS),
    ("resources:delete_own", BOTH, MEMBERS_404),
    ("resources:linkset", "GET", READERS.but(**each("404", FULL))),  # the one there is is for members
    ("resources:list_export", "GET", EVERYBODY),
    ("resources:references", "GET", EVERYBODY),
    ("resources:saved_export", "GET", MEMBERS),
    ("resources:saved_references", "GET", MEMBERS),
    ("resources:collection_export", "GET", READERS),
    ("resources:collection_references", "GET", READERS),
    ("resources:oai", BOTH, EVERYBODY),
    ("library_feeds:newest", "GET", EVERYBODY),
    ("library_feeds:collection", "GET", NOBODY),  # a collection that nobody has
    ("robots", "GET", EVERYBODY),
    ("sitemap", "GET", EVERYBODY),
    ("sitemap_part", "GET", NOBODY),  # of an app that is not here
    ("resources:detail", "GET", READERS),
    ("resources:stories", "GET", READERS),
    ("resources:tell", BOTH, WRITERS_ALONE),
    ("resources:story_edit", BOTH, MEMBERS_404),
    ("resources:story_take_back", BOTH, MEMBERS_404),
    ("resources:used", "POST", WRITERS_ALONE),
    ("resources:version", "GET", READERS),
    ("resources:new_version", BOTH, MEMBERS_404),
    ("resources:derive", BOTH, WRITERS_ALONE),
    ("resources:plain_words", "POST", WRITERS_ALONE),
    ("resources:derivative", BOTH, MEMBERS_404),
    ("resources:untie", BOTH, MEMBERS_404),
    ("resources:links", BOTH, MODERATORS),
    ("resources:unlink", "POST", MEMBERS_404),
    ("mailbox:index", BOTH, EVERYBODY),
    ("mailbox:message", BOTH, NOBODY),
    ("mailbox:html", BOTH, NOBODY),
    ("mailbox:attachment", BOTH, NOBODY),
    ("mailbox:reply", "POST", NOBODY),
    ("mail:unsubscribe", BOTH, NOBODY),
    ("mail:works_again", BOTH, NOBODY),
    ("mail:events", BOTH, NOBODY),
    ("ask_works_again", "POST", MEMBERS),
    ("mail:settings", BOTH, NOBODY),
    ("mail:inbound", BOTH, NOBODY),
    ("about:index", "GET", EVERYBODY),
    ("about:how-we-treat-each-other", "GET", EVERYBODY),
    ("about:privacy", "GET", EVERYBODY),
    ("about:accessibility", "GET", EVERYBODY),
    ("about:contact", "GET", EVERYBODY),
    ("hub:home", BOTH, EVERYBODY.but(leaving="leaving")),
    ("hub:search", BOTH, EVERYBODY),
    ("hub:notifications", BOTH, MEMBERS),
    ("hub:notifications_read", "POST", MEMBERS),
    ("hub:bell", "GET", MEMBERS),
    ("hub:moderation", BOTH, MODERATORS),
    ("hub:moderation_settled", BOTH, MODERATORS),
    ("hub:joining", BOTH, MODERATORS),
    ("hub:joining_decide", "POST", MEMBERS_404),
    ("hub:hello", BOTH, HOSTS),
    ("discussions:unmask", BOTH, MEMBERS_404),
    ("hub:replies", "GET", MEMBERS.only("host", "organiser", "other_organiser", "moderator", "admin")),
    ("hub:said_hello", "POST", HOSTS),
    ("hub:welcome_done", "GET", OWN),
    ("hub:introduce", BOTH, WRITERS_ALONE),
    ("hub:moderation_case", BOTH, MEMBERS_404),
    ("hub:moderation_decide", "POST", MEMBERS_404),
    ("hub:report", BOTH, MEMBERS_404),
    ("hub:ask_again", BOTH, MEMBERS_404),
    ("hub:digest_read", BOTH, NOBODY),
]
# The admin pages: who sees the list, and who may add by hand. What is there is changed or removed under the same rules.
ADMIN_MODELS = {
    "core_outgoingmail": (ADMINS, ADMIN_403),
    "core_mailchoice": (ADMINS, ADMIN_403),
    "core_communitysettings": (ADMINS, ADMINS),
    "core_facet": (ADMINS, ADMINS),
    "core_term": (ADMINS, ADMINS),
    "core_synonymgroup": (ADMINS, ADMINS),
    "core_flag": (ADMINS, ADMIN_403),
    "core_auditentry": (ADMINS, ADMIN_403),
    "core_jobstate": (ADMINS, ADMIN_403),
    "core_mailreturn": (ADMINS, ADMIN_403),
    "core_suppressedaddress": (ADMINS, ADMIN_403),
    "core_receivedmail": (ADMINS, ADMIN_403),
    "core_replyaddress": (ADMINS, ADMIN_403),
    "members_joinrequest": (STAFF, ADMIN_403),
    "members_invitation": (ADMINS, ADMIN_403),
    "members_bringin": (ADMINS, ADMIN_403),
    "members_greeting": (ADMINS, ADMIN_403),
    "members_member": (STAFF, ADMIN_403),
    "members_profile": (STAFF, ADMIN_403),
    "members_group": (STAFF, ADMIN_403),
    "account_emailaddress": (STAFF, ADMIN_403),
    "mfa_authenticator": (ADMINS, ADMIN_403),
    "discussions_space": (ADMINS, ADMINS),
    "discussions_discussionsettings": (ADMINS, ADMINS),
    "discussions_thread": (ADMINS, ADMIN_403),
    "discussions_post": (ADMINS, ADMIN_403),
    "events_event": (ADMINS, ADMIN_403),
    "events_registration": (ADMINS, ADMIN_403),
    "events_speaker": (ADMINS, ADMINS),
    "resources_resource": (STAFF, ADMIN_403),
    "resources_librarysettings": (ADMINS, ADMINS),
    "resources_story": (STAFF, ADMIN_403),
    "resources_collection": (STAFF, ADMIN_403),
    "resources_importbatch": (ADMINS, ADMIN_403),
    "resources_linkcheck": (STAFF, ADMIN_403),
    "resources_doirecord": (STAFF, ADMIN_403),
    "resources_resourcetext": (STAFF, ADMIN_403),
    "hub_digestrun": (ADMINS, ADMIN_403),
    "hub_digestschedule": (ADMINS, ADMIN_403),
    "taggit_tag": (ADMINS, ADMIN_403),
}

# What a page may write when it is read: that it was read, by this person; and that somebody looked at what is not theirs.
READ_MARKS = {"django_session", "usersessions_usersession", "core_notification", "discussions_readstate"}
LOGGED = {"core_auditentry"}

RULES = {(name, method): rule for name, methods, rule in TABLE for method in methods.split()}
RULES |= {(f"admin:{model}_changelist", "GET"): seen for model, (seen, _added) in ADMIN_MODELS.items()}
RULES |= {(f"admin:{model}_add", "GET"): added for model, (_seen, added) in ADMIN_MODELS.items()}
ROUTES = {
    name: route for name, route in reversed(list(routes())) if not route.startswith("admin/") or name in RULES
}
ROUTES |= {name: route for name, route in routes() if (name, "GET") in RULES}
# One object of the admin pages: named after its model, which has a row.
ADMIN_OBJECT = re.compile(
    r"admin(?::|/)(\w+)[_/](\w+?)(?:_(?:changelist|add|history|delete|change)|/<path:object_id>/)$"
)


@pytest.fixture(autouse=True)
def no_limits(settings):
    """The same address is asked for many times here."""
    settings.ACCOUNT_RATE_LIMITS = settings.MFA_RATE_LIMITS = False


def test_every_address_has_a_row():
    told = {name for name, _method in RULES}
    models = {model for model in ADMIN_MODELS}
    missing = []
    for name, route in routes():
        one = ADMIN_OBJECT.match(name)
        if name not in told and not (one and f"{one[1]}_{one[2]}" in models) and name != "admin:logout":
            missing.append(f"{name}: {route}")
    assert not missing, "\n".join(missing)
    assert sorted(told - {name for name, _route in routes()}) == []


@pytest.mark.parametrize("role", ROLES)
def test_everybody_is_answered_as_the_table_says(role, db):
    """And reading changes nothing but the reader's own marks, whoever reads what."""
    world = World()
    visitor = Visitor(world.people.get(role))
    wrong, written = [], []
    for name, route in ROUTES.items():
        address = world.address(name, route)
        for method in ("GET", "POST"):
            rule = RULES.get((name, method))
            if rule is None and (role != "admin" or name.startswith("admin:")):
                continue  # that there is no such method is seen by asking one who may do everything
            answer = meaning(visitor.ask(method, address))
            if answer != (expected := rule[role] if rule else "405"):
                wrong.append(f"{method} {name} {address}: {answer}, not {expected}")
            if method == "GET" and set(visitor.written) - READ_MARKS - LOGGED:
                written.append(f"{name}: {set(visitor.written)}")
            if method == "GET" and role == "member":
                visitor.ask("HEAD", address)
                if set(visitor.written) - READ_MARKS - LOGGED:
                    written.append(f"HEAD {name}: {set(visitor.written)}")
    assert not wrong, "\n".join(wrong)
    assert not written, "\n".join(written)


def test_the_walk_sees_a_write(db):
    """The control: a form that is sent does show up."""
    world = World()
    visitor = Visitor(world.people["member"])
    visitor.ask("POST", "/settings/consents/news/", {"wanted": "yes"})
    assert {"members_consent", "members_consenttext"} <= set(visitor.written)


EXTRA = {
    **{
        name: "on"
        for name in ("is_staff", "is_superuser", "is_moderator", "is_organiser", "is_host", "is_active")
    },
    "id": "1",
    "pk": "1",
    "member": "1",
    "member_id": "1",
    "user": "1",
    "owner": "1",
    "status": "active",
    "orcid": "0000-0002-1825-0097",
    "address_proven_at": "2020-01-01",
    "agreed_version": "9",
    "state": "hidden",
}
KEPT = (
    "pk",
    "email",
    "status",
    "is_active",
    "is_staff",
    "is_superuser",
    "is_moderator",
    "is_organiser",
    "is_host",
)


@pytest.mark.parametrize(
    ("address", "data"),
    [
        ("/settings/", {"name": "Mara M", "handle": "mara-m", "time_zone": "UTC", "language": "en"}),
        ("/settings/profile/", {"headline": "Broker"}),
        ("/settings/mail/", {"digest": "weekly", "digest_weekday": "2", "digest_hour": "8"}),
        ("/settings/consents/news/", {"wanted": "yes"}),
        ("/accounts/email/", {"email": "other@example.org", "action_add": ""}),
        ("/welcome/1/", {}),
    ],
)
def test_extra_fields_change_nothing(address, data, db):
    world = World()
    member, owner = world.people["member"], world.owner
    visitor = Visitor(member)

    def rows():
        return [
            *[[getattr(person, name) for name in (*KEPT, "agreed_version")] for person in people()],
            *[[person.profile.pk, person.profile.orcid, person.profile.state] for person in people()],
        ]

    def people():
        return [type(member).objects.select_related("profile").get(pk=one.pk) for one in (member, owner)]

    before = rows()
    response = visitor.client.post(address, {**data, **EXTRA})
    assert response.status_code in (302, 422)
    assert rows() == before
