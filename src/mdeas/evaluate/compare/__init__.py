"""Networks side by side: one table, one figure, one sheet of pictures."""
