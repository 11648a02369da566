# No files yet.
