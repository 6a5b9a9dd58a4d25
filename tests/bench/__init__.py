"""`make bench`: how much each main page costs, beside a bare Django view. Not a test: it measures, on data of any size."""
