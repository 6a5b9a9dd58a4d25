"""`make storm`: a thousand people press Register for a hundred places at the same moment, over HTTP. Not a test of the
suite: it measures, on the machine as it is, and asks the database afterwards whether all was right."""
