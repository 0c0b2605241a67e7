"""Lists that were found, in whatever they lie: what is written there, row by row.

::

    file, folder, address -> members (zip, tar, gzip, zstd, bzip2, xz opened on the way, nothing written to disk)
      -> sheets (CSV, JSON, SQLite, Parquet, Arrow, .torrent, playlists, listings of folders, plain lines)
      -> roles (which column is which, by its values) -> LISTED

Whoever made the list may wish that it is misread, or that it never ends: all of it is bounded, what cannot be read is
counted and kept, and what came before it stands.
"""
