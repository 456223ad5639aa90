use tenonet::prelude::*;

network! {
    pub struct Net([4] -> [2]) { fc1: linear(3), relu, fc2: linear(2) }
}

network! {
    pub struct Normed([3] -> [3]) { bn: batch_norm }
}

mod inner {
    use tenonet::include_weights;

    // A file of the crate, and one whose path comes from elsewhere.
    pub static NET: super::Net = include_weights!(super::Net, "weights/right.safetensors");
    pub const DOUBLE: super::Net<f64> =
        include_weights!(super::Net<f64>, concat!(env!("CARGO_MANIFEST_DIR"), "/weights/right_f64.safetensors"),);
}

// PyTorch's count of steps is passed over, and the order of a file is its own affair.
static NORMED: Normed = include_weights!(Normed, "weights/pytorch.safetensors");

fn main() {
    // [out, in] in the file, [in][out] in memory.
    assert_eq!(inner::NET.fc1.weight, [[0.0, 0.5, 1.0], [0.125, 0.625, 1.125], [0.25, 0.75, 1.25], [0.375, 0.875, 1.375]]);
    assert_eq!(inner::NET.fc2.bias, [0.0, 0.125]);
    assert_eq!(inner::DOUBLE.fc2.weight, [[0.0, 0.375], [0.125, 0.5], [0.25, 0.625]]);
    assert_eq!(NORMED.flat(), [0.0, 0.125, 0.25].repeat(4));
    let mut scratch = NetScratch::ZERO;
    let y = inner::NET.forward(&Tensor::zeros(), &mut scratch);
    assert_eq!(y.as_slice(), [0.078125, 0.34375]);
}
