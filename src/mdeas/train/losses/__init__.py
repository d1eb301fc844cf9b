"""Loss terms as pure functions of a batch."""
