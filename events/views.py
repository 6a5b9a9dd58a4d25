from django.http import Http404


def index(request, **kwargs):
    raise Http404


past = create = detail = register = cancel = offer = join = calendar_file = organise = edit = index
publish = capacity = call_off = person = people_csv = index
