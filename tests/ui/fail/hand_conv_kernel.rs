use tenonet::prelude::*;

fn main() {
    let conv = Conv2d::<1, 6, 5, 5>::zeros();
    let x = Tensor::<1, 3, 3>::zeros();
    let _: Tensor<6, 1, 1> = conv.forward(&x);
}
