"""Who else may vouch for a sign-in: ORCID, LinkedIn, Google. Each is there when its two variables are set.

Read by settings.py, so it imports nothing that needs them. `secrets`: the name of a door, and its (client id, secret).
"""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Door:
    label: str
    provider: str  # allauth's
    origin: str  # where a form that leads there is redirected to
    settings: dict = field(default_factory=dict)
    app: dict = field(default_factory=dict)


DOORS = {
    "orcid": Door("ORCID", "orcid", "https://orcid.org"),
    "linkedin": Door(
        "LinkedIn",
        "openid_connect",
        "https://www.linkedin.com",
        app={"provider_id": "linkedin", "settings": {"server_url": "https://www.linkedin.com/oauth"}},
    ),
    "google": Door(
        "Google",
        "google",
        "https://accounts.google.com",
        settings={"SCOPE": ["profile", "email"], "OAUTH_PKCE_ENABLED": True},
    ),
}


def configured(secrets: dict[str, tuple[str, str]]) -> list[str]:
    return [name for name in DOORS if all(secrets.get(name, ("", "")))]


def providers(secrets: dict[str, tuple[str, str]]) -> dict:
    """SOCIALACCOUNT_PROVIDERS for the doors whose secrets are there."""
    found = {}
    for name in configured(secrets):
        door = DOORS[name]
        client_id, secret = secrets[name]
        app = {"client_id": client_id, "secret": secret, "name": door.label, **door.app}
        found[door.provider] = {**door.settings, "APPS": [app]}
    return found


def origins(secrets: dict[str, tuple[str, str]]) -> list[str]:
    return [DOORS[name].origin for name in configured(secrets)]
