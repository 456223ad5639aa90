use tenonet::prelude::*;

fn main() {
    let conv = Conv2d::<3, 6, 5, 5>::zeros();
    let x = Tensor::<1, 28, 28>::zeros();
    let _: Tensor<6, 24, 24> = conv.forward(&x);
}
