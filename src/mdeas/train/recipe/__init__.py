"""What a run computes: YAML recipes checked against dataclasses; curricula of stages."""
