"""The stage in which people decide about candidates; now by command, and by expiry."""
