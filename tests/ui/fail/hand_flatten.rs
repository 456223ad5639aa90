use tenonet::prelude::*;

fn main() {
    let x = Tensor::<2, 5, 5>::zeros();
    let _: &Tensor<25> = x.flatten();
}
