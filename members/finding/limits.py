"""How much is shown, and at how much is looked for it. Read as `limits.RARE`: tests set them."""

PAGE_SIZE = 20
OPTIONS_SHOWN = 6
OPTIONS_MORE = 15  # with those behind "More"
FEW = 3  # a smaller group is not counted: the number would point at people
MAX_CHOSEN = 10
LOOKED_AT = 1_000  # so many of those who fit are looked at for the counts: where there are more, they say so
RARE = 1_000  # who fits is looked up first, so many at most; of more, the list goes along its order
BY_WORDS = 3  # whom words find is known by an index: so many times as many are looked up
CLOSE = 0.45  # how like a name must be to what was typed, where nothing else was found
COUNTED_FOR = 300  # seconds
LABELS_KEPT = 2_000
