"""Bank feeds as tables: each record of a payment becomes a row, and the totals are checked."""

from cardwatch.tabular.feeds.reader import FEEDS, read_feed, recognise_feed

__all__ = ["FEEDS", "read_feed", "recognise_feed"]
