from .changes import call_off, duplicate, postpone
from .desk import capacity, organise, publish
from .edit import create, edit, preview
from .figures import statistics
from .forecasting import forecast
from .hosting import invitations, organisers
from .letters import letter
from .people import needs_csv, people_csv, people_xlsx, person, sheet
from .pictures import picture
from .places import cancel, coming, join, offer, place, register
from .public import calendar_file, detail, index, past

__all__ = [
    "calendar_file",
    "call_off",
    "cancel",
    "coming",
    "capacity",
    "create",
    "detail",
    "duplicate",
    "edit",
    "forecast",
    "index",
    "invitations",
    "join",
    "letter",
    "needs_csv",
    "offer",
    "organise",
    "organisers",
    "past",
    "people_csv",
    "people_xlsx",
    "person",
    "picture",
    "place",
    "postpone",
    "preview",
    "publish",
    "register",
    "sheet",
    "statistics",
]
