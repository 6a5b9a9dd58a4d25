"""The one settings file. Everything that differs between installations is read from the environment."""

import os
from datetime import timedelta
from email.utils import parseaddr
from pathlib import Path

import environ
import structlog
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from kmnet import social
from kmnet.core.logs import hide_people, hide_tokens

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()

# --- what kind of installation this is -------------------------------------------------------------------------------
DEBUG = env.bool("DEBUG", default=False)
KMNET_DEMO = env.bool(
    "KMNET_DEMO", default=False
)  # demo accounts, the in-site mailbox; set by `make run` and the tests
PRODUCTION = not DEBUG and not KMNET_DEMO

DEFAULT_SECRET_KEY = "for-the-demo-only-never-for-production-0123456789"
SECRET_KEY = env("SECRET_KEY", default=DEFAULT_SECRET_KEY)
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
SITE_URL = env("SITE_URL", default="http://localhost:8000").rstrip("/")
HTTPS = SITE_URL.startswith("https://")
ALLOWED_HOSTS = env.list(
    "ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"] if not PRODUCTION else []
)
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[SITE_URL])
INSECURE_COOKIES = env.bool("INSECURE_COOKIES", default=not HTTPS)


def unsafe_settings() -> list[str]:
    """Why this must not start: each line names the setting to mend. Empty where all is well."""
    found = []
    if DEBUG and not KMNET_DEMO:
        found.append("DEBUG is on outside the demo: unset DEBUG (or set KMNET_DEMO=1 for development).")
    if PRODUCTION:
        if SECRET_KEY == DEFAULT_SECRET_KEY or len(SECRET_KEY) < 40:
            found.append("SECRET_KEY is the default or shorter than 40 characters: set a long random one.")
        if not ALLOWED_HOSTS or "*" in ALLOWED_HOSTS:
            found.append("ALLOWED_HOSTS must name the hosts of this site; `*` and none are refused.")
        if INSECURE_COOKIES:
            found.append(
                "Cookies would be insecure: set SITE_URL to the https:// address (and not INSECURE_COOKIES)."
            )
        if env.bool("KMNET_DEMO_ACCOUNTS", default=False):
            found.append("KMNET_DEMO_ACCOUNTS is set: demo accounts exist only where KMNET_DEMO=1.")
    return found


if unsafe_settings():
    raise ImproperlyConfigured("kmnet refuses to start:\n- " + "\n- ".join(unsafe_settings()))

# --- apps ------------------------------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "members",
    "discussions",
    "events",
    "resources",
    "kmnet.hub",
    "kmnet.demo",
    "kmnet.core",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.forms",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.google",
    "allauth.socialaccount.providers.openid_connect",
    "allauth.socialaccount.providers.orcid",
    "allauth.usersessions",
    "taggit",
    "django_countries",
    "django_htmx",
    "django_structlog",
    "csp",
]

MIDDLEWARE = [
    "kmnet.core.middleware.HealthMiddleware",  # before the host check and the session: probes come by address
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "kmnet.core.middleware.PolicyMiddleware",
    "resources.using.UsageMiddleware",  # outside of the pages kept for guests: these are read, too
    "kmnet.core.guest_pages.GuestPagesMiddleware",
    "kmnet.core.middleware.UnavailableMiddleware",  # the database away: a styled 503, not a trace
    "members.middleware.SessionCookieMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "members.middleware.OwnerMiddleware",
    "members.middleware.SessionLimitMiddleware",
    "django_structlog.middlewares.RequestMiddleware",
    "kmnet.core.middleware.ReaderMiddleware",  # the reader's language and time zone
    "django_htmx.middleware.HtmxMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "kmnet.core.middleware.KeepTextMiddleware",  # what was typed outlives an expired login
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "members.middleware.StandingMiddleware",  # unproven, pending and unfinished members: where they may go
    "members.middleware.SecondStepMiddleware",  # moderators and admins without one set it up first
    "members.middleware.FreshSignInMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "members.middleware.SessionListMiddleware",  # in place of allauth's, which writes at every request
    "kmnet.core.middleware.AdminQueryMiddleware",
    "kmnet.core.middleware.InvalidFormMiddleware",
    "kmnet.core.middleware.PrivatePagesMiddleware",  # personal pages are never kept by a shared cache
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "kmnet.urls"
WSGI_APPLICATION = "kmnet.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "kmnet.core.context_processors.frame",
            ],
            "builtins": ["kmnet.core.quick_tags"],
            "libraries": {"i18n": "kmnet.core.quick_i18n"},
        },
    },
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"  # templates/django/forms/* are ours

# --- data ------------------------------------------------------------------------------------------------------------
# `dev.py run` and the tests start embedded servers and set these two.
DATABASES = {
    "default": {
        **environ.Env.db_url_config(env.str("DATABASE_URL", default="postgres://kmnet@localhost/kmnet")),
        "CONN_MAX_AGE": env.int("CONN_MAX_AGE", default=60),
        "CONN_HEALTH_CHECKS": True,
    }
}
DATABASES["default"].setdefault("OPTIONS", {}).setdefault("connect_timeout", 3)
# Many short questions at once: starting helpers or a compiler for one of them costs more than its answer.
DATABASES["default"]["OPTIONS"].setdefault("options", "-c jit=off -c max_parallel_workers_per_gather=0")
KEEP_GUEST_PAGES = True  # see kmnet/core/guest_pages.py; off in the tests
CHECK_FIXED_QUERIES = False  # on in the tests: see kmnet/core/fixed.py
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
REDIS_URL = env.str("REDIS_URL", default="redis://localhost:6379/0")


def redis_db(number: int) -> str:
    """One Redis, one database number a use: 0 broker, 1 cache. (urlunsplit drops the slashes of unix:///path.)"""
    base, _sep, query = REDIS_URL.partition("?")
    if base.startswith("unix://"):
        return f"{base}?db={number}"
    scheme, _sep, rest = base.partition("://")
    return f"{scheme}://{rest.partition('/')[0]}/{number}" + (f"?{query}" if query else "")


def celery_url(url: str) -> str:
    """Celery spells a unix socket in its own way."""
    if not url.startswith("unix://"):
        return url
    return url.replace("unix://", "redis+socket://").replace("?db=", "?virtual_host=")


CACHES = {
    "default": {
        "BACKEND": "kmnet.core.cache.ForgivingRedisCache",  # Redis away = slower, never an error
        "LOCATION": redis_db(1),
        "KEY_PREFIX": env("CACHE_PREFIX", default="kmnet"),
        "OPTIONS": {"socket_connect_timeout": 1, "socket_timeout": 1},
    }
}
SESSION_ENGINE = "members.sessions"
SESSION_LIMITS = (timedelta(days=30), timedelta(days=60))  # unused for, in all
STAFF_SESSION_LIMITS = (timedelta(hours=12), timedelta(days=7))
SESSION_COOKIE_AGE = int(SESSION_LIMITS[1].total_seconds())
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"  # guests get no cookie

# --- Celery ----------------------------------------------------------------------------------------------------------
CELERY_BROKER_URL = celery_url(redis_db(0))
CELERY_RESULT_BACKEND = None
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_SERIALIZER = "json"
CELERY_TASK_PUBLISH_RETRY = False  # the sweep picks up what a broker that was down never heard of
CELERY_BROKER_CONNECTION_TIMEOUT = 2
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 3600,
    "socket_timeout": 5,
    "socket_connect_timeout": 2,
}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = "UTC"
# What beat wakes, and when: kmnet/core/jobs.py.

# Networks that the library's look-ups (titles of links, checks of links) never ask, beside all that are not public: list
# public addresses of your own that answer this machine differently than the world.
FETCHING_REFUSES = env.list("FETCHING_REFUSES", default=[])

# --- how long things are kept, in days; 0: for ever --------------------------------------------------------------
RETENTION_DAYS = {
    "unproven_accounts": env.int("KEEP_UNPROVEN_ACCOUNTS", default=7),  # whose address nobody ever proved
    "join_requests": env.int("KEEP_DECLINED_REQUESTS", default=90),  # accounts that were declined
    "invitations": env.int("KEEP_INVITATIONS", default=1),  # and 30 days after their end (FORGET_AFTER)
    # Of sessions that were not used since: where from, and with what
    "network_addresses": env.int("KEEP_NETWORK_ADDRESSES", default=30),
    "sessions": env.int("KEEP_SESSIONS", default=1),  # after they ran out
    "mails": env.int("KEEP_MAILS", default=90),  # rows of the outbox that are sent, withheld or given up
    "received_mails": env.int("KEEP_RECEIVED_MAILS", default=30),  # that are worked on
    "reply_addresses": env.int("KEEP_REPLY_ADDRESSES", default=90),  # after their end
    "mail_returns": env.int("KEEP_MAIL_RETURNS", default=90),  # what servers said when a mail came back
    "demo_mails": env.int("KEEP_DEMO_MAILS", default=30),  # what the demo's mailbox received
    "notifications": env.int("KEEP_NOTIFICATIONS", default=365),  # read ones
    "copies": env.int("KEEP_COPIES", default=1),  # of members' data, after they could no longer be taken
    "access_needs": env.int(
        "KEEP_ACCESS_NEEDS", default=30
    ),  # what people need to take part, after the event
    # Names and addresses, after the event
    "guest_registrations": env.int("KEEP_GUEST_REGISTRATIONS", default=365),
    "tags": env.int("KEEP_UNUSED_TAGS", default=1),
    "post_files": env.int("KEEP_UNUSED_POST_FILES", default=7),  # uploads that became part of no post
    "usage_events": env.int("KEEP_USAGE_EVENTS", default=7),  # who read what, by a mark whose salt is gone
    "drafts": env.int("KEEP_DRAFTS", default=365),  # after they were last touched
    # 730 is a good choice; two mails a month apart warn before, and two weeks follow in which it can be undone
    "dormant_accounts": env.int("KEEP_DORMANT_ACCOUNTS", default=0),
}

# --- discussions ----------------------------------------------------------------------------------------------------
POST_GRACE_MINUTES = 5  # in which an edit leaves no trace, and mails about a post wait

# --- people ----------------------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "members.Member"
SILENCED_SYSTEM_CHECKS = [
    "auth.W004",  # addresses are unique without regard to case: a constraint on lower(email)
    "templates.W003",  # our i18n stands in for Django's on purpose (kmnet/core/quick_i18n.py)
]
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "members.adapter.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_USER_MODEL_EMAIL_FIELD = "email"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_SIGNUP_FORM_CLASS = "members.forms.JoinForm"
ACCOUNT_FORMS = {
    "login": "members.forms.signin.SignInForm",
    "reset_password": "members.forms.signin.ResetForm",
    "request_login_code": "members.forms.signin.CodeForm",
    "signup": "members.forms.signin.JoinAccountForm",
}
ACCOUNT_UNIQUE_EMAIL = True
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_CONFIRMATION_EXPIRE_DAYS = 3
ACCOUNT_CONFIRM_EMAIL_ON_GET = False  # mail scanners open links: a button proves the address
ACCOUNT_LOGIN_ON_EMAIL_CONFIRMATION = True
ACCOUNT_LOGIN_BY_CODE_ENABLED = True
ACCOUNT_LOGIN_BY_CODE_TIMEOUT = 15 * 60
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = False  # here they stay; the hash in every other session ends it
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_EMAIL_NOTIFICATIONS = True  # the old address hears of each change
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_PREVENT_ENUMERATION = True
# Beside allauth's own: by address over the hour too, or a stranger could fill somebody's mailbox. "key" is the account, or
# the account in one known browser (kmnet/core/known_browser.py).
ACCOUNT_RATE_LIMITS = {
    "signup": "20/m/ip,200/d/ip",
    "login_failed": "20/m/ip,5/5m/key",
    "request_login_code": "20/m/ip,3/m/key,12/h/key",
    "reset_password": "20/m/ip,3/m/key,12/h/key",
}
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_DEFAULT_HTTP_PROTOCOL = "https" if HTTPS else "http"
ALLAUTH_TRUSTED_PROXY_COUNT = env.int("TRUSTED_PROXY_COUNT", default=0)
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes", "webauthn"]
MFA_PASSKEY_LOGIN_ENABLED = True
STAFF_NEED_SECOND_STEP = (
    True  # moderators and admins; the tests switch it off but for those that are about it
)
MFA_FORMS = {"add_webauthn": "members.forms.signin.AddKeyForm"}
MFA_TOTP_ISSUER = "kmnet"
# Sign-in through others, each offered where its two variables are set.
SOCIAL_SECRETS = {
    "orcid": (env.str("ORCID_CLIENT_ID", default=""), env.str("ORCID_SECRET", default="")),
    "linkedin": (env.str("LINKEDIN_CLIENT_ID", default=""), env.str("LINKEDIN_SECRET", default="")),
    "google": (env.str("GOOGLE_CLIENT_ID", default=""), env.str("GOOGLE_SECRET", default="")),
}
SOCIALACCOUNT_ADAPTER = "members.adapter_social.SocialAdapter"
SOCIALACCOUNT_PROVIDERS = social.providers(SOCIAL_SECRETS)
SOCIALACCOUNT_FORMS = {"signup": "members.forms.signin.SocialJoinForm"}
SOCIALACCOUNT_AUTO_SIGNUP = False  # whoever comes by another's door agrees as everybody does
SOCIALACCOUNT_EMAIL_AUTHENTICATION = False  # an address is no proof of whose account it is
SOCIALACCOUNT_LOGIN_ON_GET = False
SOCIALACCOUNT_STORE_TOKENS = False
SOCIALACCOUNT_QUERY_EMAIL = True
USERSESSIONS_TRACK_ACTIVITY = False  # would write on every page: a GET changes nothing

# --- language and time -----------------------------------------------------------------------------------------------
LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

# --- files -----------------------------------------------------------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = Path(env.str("STATIC_ROOT", default=str(BASE_DIR / "staticfiles")))
STATICFILES_DIRS = [BASE_DIR / "static"]
MEDIA_ROOT = Path(env.str("MEDIA_ROOT", default=str(BASE_DIR / "media")))
# Deleted accounts are also written here, one a line, so that a restored backup can be told of them
ERASURE_LIST = env.str("ERASURE_LIST", default="")
MEDIA_URL = "/never-served-directly/"  # files go through a permission check
# Where files lie: any storage of Django's, by its dotted path, with its options as JSON (docs/operations.md shows S3)
FILES_STORAGE = env.str("FILES_STORAGE", default="django.core.files.storage.FileSystemStorage")
FILES_STORAGE_OPTIONS = env.json("FILES_STORAGE_OPTIONS", default={})
# clamd looks at files before they are open to anybody: host:port, or the path of a unix socket
CLAMD_ADDRESS = env.str("CLAMD_ADDRESS", default="")
STORAGES = {
    "default": {"BACKEND": FILES_STORAGE, "OPTIONS": FILES_STORAGE_OPTIONS},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
WHITENOISE_MAX_AGE = 3600
FILE_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024  # form fields; files are not counted here
DATA_UPLOAD_MAX_NUMBER_FIELDS = 500

# --- mail ------------------------------------------------------------------------------------------------------------
# EMAIL_URL like smtp+tls://user:password@host:587. Without it the demo delivers to the mailbox at /dev/mail/.
EMAIL_URL = env.str("EMAIL_URL", default="")
if EMAIL_URL:
    vars().update(environ.Env.email_url_config(EMAIL_URL))
elif KMNET_DEMO:
    EMAIL_BACKEND = "kmnet.core.mailbox.MailboxBackend"
else:
    EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
if EMAIL_BACKEND == "django.core.mail.backends.smtp.EmailBackend":
    EMAIL_BACKEND = "kmnet.core.mail.smtp.Backend"
MAIL_CONNECT_TIMEOUT = env.float("MAIL_CONNECT_TIMEOUT", default=10)  # seconds until the mail server picks up
EMAIL_TIMEOUT = env.float("EMAIL_TIMEOUT", default=60)  # and until each of its answers
# The pace of bulk (digests, invitations of a list); what somebody waits for is never held by it. 0: no limit.
MAIL_PER_MINUTE = env.int("MAIL_PER_MINUTE", default=600)
MAIL_PER_MINUTE_PER_DOMAIN = env.int("MAIL_PER_MINUTE_PER_DOMAIN", default=120)
DIGEST_SHARED_FOR = (
    20  # seconds that slices of digests share what was read of the threads: see kmnet/hub/digest/talks.py
)
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="kmnet <hello@kmnet.example>")
SERVER_EMAIL = DEFAULT_FROM_EMAIL
MAIL_DOMAIN = env.str("MAIL_DOMAIN", default="kmnet.example")  # the right half of Message-ID and List-Id
# DKIM: the private key (PEM), or a file that holds it. `manage.py check_mail` prints the DNS rows that belong to it.
DKIM_KEY = env.str("DKIM_KEY", default="")
DKIM_SELECTOR = env.str("DKIM_SELECTOR", default="kmnet")
DKIM_DOMAIN = env.str("DKIM_DOMAIN", default="") or parseaddr(DEFAULT_FROM_EMAIL)[1].rpartition("@")[2]
# What a provider of mail must show ("user:password") at our webhooks, which are off without; and what else anymail wants
ANYMAIL = {
    "WEBHOOK_SECRET": env.list("ANYMAIL_WEBHOOK_SECRET", default=[]),
    **env.json("ANYMAIL_SETTINGS", default={}),
}
# Mail that comes in (kmnet/core/inbound): whether it does, and the domain whose mail is led to us
INBOUND_MAIL = env.bool("INBOUND_MAIL", default=KMNET_DEMO and not EMAIL_URL)
INBOUND_DOMAIN = env.str("INBOUND_DOMAIN", default=MAIL_DOMAIN)
# Our mail server's name in the Authentication-Results headers that it writes; no other one is believed
INBOUND_AUTHSERV_ID = env.str("INBOUND_AUTHSERV_ID", default="")
INBOUND_MAX_MB = env.int("INBOUND_MAX_MB", default=25)

# --- security --------------------------------------------------------------------------------------------------------
SECURE_SSL_REDIRECT = HTTPS and env.bool("SSL_REDIRECT", default=True)
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
SECURE_HSTS_PRELOAD = HTTPS
SECURE_REFERRER_POLICY = "same-origin"
if env.bool("BEHIND_TLS_PROXY", default=False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = not INSECURE_COOKIES
SESSION_COOKIE_NAME = "__Host-session" if SESSION_COOKIE_SECURE else "session"
CSRF_COOKIE_NAME = "__Host-csrf" if CSRF_COOKIE_SECURE else "csrf"
CSRF_COOKIE_HTTPONLY = True  # htmx takes the token from the page
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "kmnet.core.views.csrf_failure"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "form-action": ["'self'", *social.origins(SOCIAL_SECRETS)],  # asked of the redirect after a form, too
        "frame-src": ["'self'"],
        "frame-ancestors": ["'none'"],
        "base-uri": ["'none'"],
        "object-src": ["'none'"],
        "manifest-src": ["'self'"],
    }
}

# --- tags, logs ------------------------------------------------------------------------------------------------------
TAGGIT_CASE_INSENSITIVE = True
TAGGIT_STRIP_UNICODE_WHEN_SLUGIFYING = True

LOG_LEVEL = env.str("LOG_LEVEL", default="INFO")
DJANGO_STRUCTLOG_CELERY_ENABLED = True
DJANGO_STRUCTLOG_IP_LOGGING_ENABLED = False  # an address is personal data
shared_processors = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    hide_tokens,
]
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "json": {
            "()": structlog.stdlib.ProcessorFormatter,
            "processors": [
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                hide_tokens,
                hide_people,  # after the trace has become words: a refused row names its values
                structlog.processors.JSONRenderer(),
            ],
            "foreign_pre_chain": shared_processors,
        }
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"handlers": ["stderr"], "level": LOG_LEVEL},
    "loggers": {
        "django.security.DisallowedHost": {"level": "ERROR"},
        "celery": {"level": "WARNING"},
        "fontTools": {"level": "WARNING"},
        "bibtexparser": {"level": "ERROR"},  # what it cannot read is told to the person, row by row
    },
}
structlog.configure(
    processors=[
        structlog.stdlib.filter_by_level,  # what nobody will read is not made
        *shared_processors,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
    ],
    logger_factory=structlog.stdlib.LoggerFactory(),
    cache_logger_on_first_use=True,
)
os.makedirs(STATIC_ROOT, exist_ok=True)  # whitenoise warns where it is missing
