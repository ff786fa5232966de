"""Models on disk: folders of safetensors and card, and the architectures they may name."""
