use tenonet::prelude::*;

fn main() {
    let conv = Conv2d::<1, 6, 5, 5>::zeros();
    let x = Tensor::<1, 28, 28>::zeros();
    let _: Tensor<6, 28, 28> = conv.forward(&x);
}
