"""Maps for the screen: one HTML page without outside files, small enough to be mailed."""
