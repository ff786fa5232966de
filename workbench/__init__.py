"""The explainability workbench: explain PyTorch models, and say how far to trust it."""
