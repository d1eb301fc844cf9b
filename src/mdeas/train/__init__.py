"""Training: configuration, losses, schedule, loop, recipes."""

from mdeas.models.pretrained import import_torchvision

# Before lightning, which imports torchvision wherever it is installed.
import_torchvision()
