//! Layers, LeNet-5 and a short training against what PyTorch computed: see `reference.py`, which made the files beside this one.

mod declared;
mod layers;
mod lenet;
mod reference;
