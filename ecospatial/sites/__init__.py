"""Site files of any kind read into one normalised frame, with a note of everything that was changed."""

from __future__ import annotations

from ecospatial.sites.chunks import Piece, piece_ids, read_piece, site_files
from ecospatial.sites.read import from_wkt, much_repaired, read_sites

__all__ = ["Piece", "from_wkt", "much_repaired", "piece_ids", "read_piece", "read_sites", "site_files"]
