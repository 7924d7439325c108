"""What starts runs by itself: one file per trigger type."""
