use tenonet::prelude::*;

fn main() {
    let linear = Linear::<400, 10>::zeros();
    let x = Tensor::<16, 5, 5>::zeros();
    let _: Tensor<10> = linear.forward(&x);
}
