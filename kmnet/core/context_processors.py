def frame(request):
    """What every page shows around its matter."""
    return {}
