use tenonet::prelude::*;

fn main() {
    let x = Tensor::<1, 5, 5>::zeros();
    let _: Tensor<1, 2, 2> = MaxPool2d::<2, 2>.forward(&x);
}
