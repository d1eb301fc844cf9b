"""The same pairs while one disturbance at a time grows: table, plot, pictures."""
