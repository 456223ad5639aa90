use tenonet::prelude::*;

network! {
    struct Net([4] -> [2]) { fc1: linear(3), relu, fc2: linear(2) }
}

static NET: Net = include_weights!(Net, "weights/type.safetensors");

fn main() {
    let _ = &NET;
}
