def csrf_failure(request, reason=""):
    raise RuntimeError(reason)


bad_request = forbidden = not_found = server_error = csrf_failure
