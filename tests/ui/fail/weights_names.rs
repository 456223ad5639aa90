use tenonet::prelude::*;

network! {
    struct Net([4] -> [2]) { fc1: linear(3), relu, fc2: linear(2) }
}

const UNUSED: Names = Names::of(&[("fc3", "features.0")]);
const TWICE: Names = Names::of(&[("fc1", "fc2")]);
const OTHERS: Names = Names::of(&[("fc1", "features.0")]);

static ONE: Net = include_weights!(Net, "weights/right.safetensors", names = UNUSED);
static TWO: Net = include_weights!(Net, "weights/right.safetensors", names = TWICE);
static THREE: Net = include_weights!(Net, "weights/right.safetensors", names = OTHERS);

fn main() {
    let _ = (&ONE, &TWO, &THREE);
}
