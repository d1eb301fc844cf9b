"""The published data sets, systems 1 to 5: every background × foreground × place."""
