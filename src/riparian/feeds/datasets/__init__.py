"""Which items does a data set hold, in whatever form it was published?

::

    folder, file, address -> card and Croissant (what it says of itself)
                          -> Parquet, WebDataset tars, JSON lines, CSV, sound files -> ITEM, batch by batch

A data set may be anybody's: it is read as lists that were found are (:mod:`riparian.feeds.dumps`), bounded, and what
cannot be read is counted and said.
"""
