"""cardwatch finds split purchases and unusual merchants in procurement-card statements."""

__version__ = "0.1.0"
