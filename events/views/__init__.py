from .desk import call_off, capacity, organise, people_csv, person, publish
from .edit import create, edit
from .forecasting import forecast
from .pictures import picture
from .places import cancel, join, offer, register
from .public import calendar_file, detail, index, past

__all__ = [
    "calendar_file",
    "call_off",
    "cancel",
    "capacity",
    "create",
    "detail",
    "edit",
    "forecast",
    "index",
    "join",
    "offer",
    "organise",
    "past",
    "people_csv",
    "person",
    "picture",
    "publish",
    "register",
]
