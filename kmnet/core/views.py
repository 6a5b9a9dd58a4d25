def csrf_failure(request, reason=""):
    raise NotImplementedError


bad_request = forbidden = not_found = server_error = csrf_failure
