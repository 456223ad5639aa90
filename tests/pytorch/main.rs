//! Layers, LeNet-5 and a short training, and small versions of the zoo's networks against what PyTorch computed: see `reference.py` and `zoo.py`, which made the
//! files beside this one.

mod declared;
mod dropout;
mod layers;
mod lenet;
mod reference;
mod zoo;
