"""What happens to every request."""


class PassThrough:
    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return self.get_response(request)


class HealthMiddleware(PassThrough):
    pass


class UnavailableMiddleware(PassThrough):
    pass


class ReaderMiddleware(PassThrough):
    pass


class KeepTextMiddleware(PassThrough):
    pass


class PrivatePagesMiddleware(PassThrough):
    pass
